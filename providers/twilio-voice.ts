import type { CallInstance } from 'twilio/lib/rest/api/v2010/account/call';
import { type Price, readPrice } from './twilio-price';
import { orNullWhenUnknown, translated } from './translated';
import { createTwilioClient, type TwilioAccount } from './twilio-client';
import { NoAnswer, RefusedAnswer } from './twilio-http';

/** A call as the provider knows it. Its numbers are sealed data: never logged, never kept. */
export interface ProviderCall {
  readonly sid: string;
  readonly parentSid: string | null;
  readonly status: string;
  readonly direction: string;
  readonly from: string;
  readonly to: string;
  readonly dateCreated: Date | null;
  readonly durationSeconds: number | null;
  /** What we pay; null until Twilio knows. */
  readonly price: Price | null;
}

export interface NewCall {
  /** E.164, revealed for this request only. */
  readonly to: string;
  readonly from: string;
  /** Twilio's `Timeout`: how long the phone rings. */
  readonly ringSeconds: number;
  readonly url: string;
  readonly statusCallback: string;
  /** A static document, fetched with GET when `url` cannot be. */
  readonly fallbackUrl: string | null;
  /** Answering-machine detection before the first TwiML request. */
  readonly detectMachine: boolean;
}

/** A phone line as the service needs it. Every method throws a `ProviderError` and nothing else. */
export interface VoiceProvider {
  /** Places one call. Never asked twice by itself: what comes after a failure is the dispatch rule's choice. */
  createCall(call: NewCall): Promise<{ sid: string }>;
  /**
   * The newest calls to a number. Never filtered by StartTime, which is empty until the call is dialled. The list is
   * eventually consistent: an empty one proves nothing by itself.
   */
  listCallsTo(to: string): Promise<ProviderCall[]>;
  /** The legs that the TwiML of a call dialled. */
  listChildCalls(parentSid: string): Promise<ProviderCall[]>;
  /** Null when the provider does not know it (or deleted it). */
  readCall(sid: string): Promise<ProviderCall | null>;
  /** Hangs up or cancels: `completed` does both, whatever the state. An ended or unknown call is fine. */
  endCall(sid: string): Promise<{ status: string }>;
  /** Removes the provider's own record of an ended call. An unknown call is fine. */
  deleteCall(sid: string): Promise<void>;
  /** One cheap authenticated read: does the provider answer at all? */
  probe(): Promise<void>;
  close(): void;
}

/** More calls than this to one number within the settling time are not ours alone to explain. */
const LISTED_CALLS = 50;

/** Twilio speaks: `twilio`'s own client over our HTTP client, its errors translated at this edge. */
export function createTwilioVoice(config: TwilioAccount, options: { httpTimeoutMs: number }): VoiceProvider {
  const { client, http } = createTwilioClient(config, options);

  return {
    createCall: (call) =>
      translated('create-call', async () => {
        const created = await client.calls.create({
          to: call.to,
          from: call.from,
          url: call.url,
          method: 'POST',
          statusCallback: call.statusCallback,
          statusCallbackMethod: 'POST',
          statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
          timeout: call.ringSeconds,
          ...(call.fallbackUrl ? { fallbackUrl: call.fallbackUrl, fallbackMethod: 'GET' } : {}),
          ...(call.detectMachine ? { machineDetection: 'Enable' } : {}),
        });
        // A success without a SID cannot be told from a lost answer.
        if (!/^CA[0-9a-f]{32}$/i.test(created.sid ?? '')) throw new NoAnswer(true);
        return { sid: created.sid };
      }),

    listCallsTo: (to) =>
      translated('list-calls', async () =>
        (await client.calls.list({ to, pageSize: LISTED_CALLS, limit: LISTED_CALLS })).map(asProviderCall),
      ),

    listChildCalls: (parentSid) =>
      translated('list-child-calls', async () =>
        (await client.calls.list({ parentCallSid: parentSid, pageSize: LISTED_CALLS, limit: LISTED_CALLS })).map(
          asProviderCall,
        ),
      ),

    readCall: (sid) =>
      translated('read-call', async () => {
        const call = await orNullWhenUnknown(client.calls(sid).fetch());
        return call && asProviderCall(call);
      }),

    endCall: (sid) =>
      translated('end-call', async () => {
        try {
          const call = await orNullWhenUnknown(client.calls(sid).update({ status: 'completed' }));
          return { status: call?.status ?? 'unknown' };
        } catch (error) {
          // 21220: the call is not in progress. It has ended by itself, which is what was asked for.
          if (error instanceof RefusedAnswer && error.code === 21220) return { status: 'completed' };
          throw error;
        }
      }),

    deleteCall: (sid) =>
      translated('delete-call', async () => {
        await orNullWhenUnknown(client.calls(sid).remove());
      }),

    probe: () =>
      translated('probe', async () => {
        await client.calls.list({ pageSize: 1, limit: 1 });
      }),

    close: () => http.close(),
  };
}

function asProviderCall(call: CallInstance): ProviderCall {
  const seconds = Number.parseInt(call.duration ?? '', 10);
  return {
    sid: call.sid,
    parentSid: call.parentCallSid || null,
    status: call.status,
    direction: call.direction,
    from: call.from,
    to: call.to,
    dateCreated:
      call.dateCreated instanceof Date && !Number.isNaN(call.dateCreated.valueOf()) ? call.dateCreated : null,
    durationSeconds: Number.isNaN(seconds) ? null : seconds,
    price: readPrice(call.price, call.priceUnit),
  };
}
