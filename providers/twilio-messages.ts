import type { MessageInstance } from 'twilio/lib/rest/api/v2010/account/message';
import { type Price, readPrice } from './twilio-price';
import { orNullWhenUnknown, translated } from './translated';
import { createTwilioClient, type TwilioAccount } from './twilio-client';
import { NoAnswer } from './twilio-http';

export interface NewMessage {
  /** E.164, revealed for this request only. */
  readonly to: string;
  /** One of our numbers, or the SID of a Messaging Service, which then chooses the number. */
  readonly sender: string;
  readonly body: string;
  readonly statusCallback: string;
}

/** A message as the provider lists it. Number and body are sealed data: never logged, never kept. */
export interface ProviderMessage {
  readonly sid: string;
  readonly status: string;
  readonly direction: string;
  /** Null while a Messaging Service has not chosen yet. */
  readonly from: string | null;
  readonly messagingServiceSid: string | null;
  readonly body: string;
  readonly dateCreated: Date | null;
}

/** What became of a message, and what it cost as far as Twilio says. */
export interface MessageFacts {
  readonly status: string;
  readonly errorCode: number | null;
  /** Null until Twilio has cut it into segments. */
  readonly segments: number | null;
  /** What we pay, in millionths; null until Twilio knows. */
  readonly price: Price | null;
}

/** A sender of texts as the service needs it. Every method throws a `ProviderError` and nothing else. */
export interface MessagingProvider {
  /** Sends one text. Never asked twice by itself: what comes after a failure is the dispatch rule's choice. */
  createMessage(message: NewMessage): Promise<{ sid: string; segments: number | null }>;
  /**
   * The newest messages to a number. Never filtered by DateSent, which is empty until the message is sent, nor by From,
   * which a Messaging Service fills in late. An empty list proves nothing by itself.
   */
  listMessagesTo(to: string): Promise<ProviderMessage[]>;
  /** Null when the provider does not know it (or deleted it). */
  readMessage(sid: string): Promise<MessageFacts | null>;
  /** Removes the words from the provider's record. An unknown message is fine. */
  redactMessage(sid: string): Promise<void>;
  /** Removes the provider's whole record. An unknown message is fine. */
  deleteMessage(sid: string): Promise<void>;
  /**
   * One read of the account itself.
   * @returns whether it may be used: Twilio answers for a suspended account, and says so
   */
  probe(): Promise<{ isActive: boolean }>;
  close(): void;
}

/** More texts than this to one number within the settling time are not ours alone to explain. */
const LISTED_MESSAGES = 50;

/** Twilio texts; see `ProviderError` for what it throws. */
export function createTwilioMessages(account: TwilioAccount, options: { httpTimeoutMs: number }): MessagingProvider {
  const { client, http } = createTwilioClient(account, options);
  return {
    createMessage: ({ to, sender, body, statusCallback }) =>
      translated('create-message', async () => {
        const from = isMessagingService(sender) ? { messagingServiceSid: sender } : { from: sender };
        const created = await client.messages.create({ to, body, statusCallback, ...from });
        // A success without a SID cannot be told from a lost answer.
        if (!/^(SM|MM)[0-9a-f]{32}$/i.test(created.sid ?? '')) throw new NoAnswer(true);
        return { sid: created.sid, segments: segmentsOf(created) };
      }),

    listMessagesTo: (to) =>
      translated('list-messages', async () =>
        (await client.messages.list({ to, pageSize: LISTED_MESSAGES, limit: LISTED_MESSAGES })).map(asProviderMessage),
      ),

    readMessage: (sid) =>
      translated('read-message', async () => {
        const message = await orNullWhenUnknown(client.messages(sid).fetch());
        return message && asFacts(message);
      }),

    redactMessage: (sid) =>
      translated('redact-message', async () => {
        await orNullWhenUnknown(client.messages(sid).update({ body: '' }));
      }),

    deleteMessage: (sid) =>
      translated('delete-message', async () => {
        await orNullWhenUnknown(client.messages(sid).remove());
      }),

    probe: () =>
      translated('read-account', async () => {
        const { status } = await client.api.v2010.accounts(account.accountSid).fetch();
        return { isActive: status === 'active' };
      }),

    close: () => http.close(),
  };
}

/** Whether a sender is a Messaging Service, and not one of our numbers. */
export function isMessagingService(sender: string): boolean {
  return sender.startsWith('MG');
}

function asProviderMessage(message: MessageInstance): ProviderMessage {
  return {
    sid: message.sid,
    status: message.status,
    direction: message.direction,
    from: message.from || null,
    messagingServiceSid: message.messagingServiceSid || null,
    body: message.body ?? '',
    dateCreated:
      message.dateCreated instanceof Date && !Number.isNaN(message.dateCreated.valueOf()) ? message.dateCreated : null,
  };
}

function asFacts(message: MessageInstance): MessageFacts {
  return {
    status: message.status,
    errorCode: message.errorCode || null,
    segments: segmentsOf(message),
    price: readPrice(message.price, message.priceUnit),
  };
}

/** A Messaging Service answers "0" until it has chosen the sender and cut the text. */
function segmentsOf(message: MessageInstance): number | null {
  const segments = Number.parseInt(message.numSegments ?? '', 10);
  return segments > 0 ? segments : null;
}
