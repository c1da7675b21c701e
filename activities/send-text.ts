import { senderOf } from '../db/dispatches';
import { noteBlocked, sendingGuard } from '../db/may-send';
import { isDestroyed } from '../domain/errors';
import type { MessageClass, MessageContent, MessageInput, MessageKind } from '../domain/message';
import { otherTextSender, textSenderFor } from '../domain/sender-choice';
import type { ActivityDependencies } from './dependencies';
import { runDispatch } from './dispatch-run';
import { dispatchRefused, recordDestroyed } from './failures';
import { nightLeftMs } from './night';
import { renderContent, type Rendered } from './render';
import { textActs } from './text-acts';

/** Arguments of `sendText` (and, without a sender, of `sendMail`): ids and operational values only. */
export interface SendText {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly messageId: string;
  readonly workflowId: string;
  /** The vault record of the number or address. */
  readonly recordId: string;
  /** Hex. */
  readonly recipientToken: string;
  readonly country: string;
  /** One of ours that must be used; null: the Messaging Service, else our number that fits the country. */
  readonly sender: string | null;
  readonly content: MessageContent;
  readonly language: string;
  readonly kind: MessageKind;
  readonly messageClass: MessageClass;
  /** Who is to get it: what they have refused is looked up in the claiming statement. */
  readonly subjectId: string;
  /** For quiet hours: it may have waited for its line until the night. */
  readonly urgency: MessageInput['urgency'];
  /** IANA, as it was given; null: it was not. */
  readonly zone: string | null;
  /** False: it comes at any hour. */
  readonly waitsForDay?: boolean;
  /** SID of a try whose sender could not reach them, as a receipt told: this one goes out by another. */
  readonly unreachedBy: string | null;
}

/**
 * Sends one text; `runDispatch` says what is promised, needed and thrown. Words and number are revealed at the last
 * moment and go to Twilio only.
 *
 * @returns the SID, and into how many segments it was cut: Twilio's count, else ours
 */
export function createSendText(deps: ActivityDependencies) {
  const { pool, messaging, urls } = deps;
  return async ({
    content,
    language,
    kind,
    subjectId,
    urgency,
    zone,
    waitsForDay,
    unreachedBy,
    ...ids
  }: SendText): Promise<{ sid: string; segments: number }> => {
    const { country, messageId, messageClass, recipientToken } = ids;
    // Numbers are judged when they are given; this holds for those that were allowed then and are not any more.
    if (!deps.allowedCountries.includes(country)) throw dispatchRefused({ class: 'not-allowed', code: 'country' });
    const chosen = ids.sender ?? (await senderFor(deps, country, unreachedBy));
    if (chosen === null) throw dispatchRefused({ class: 'other-sender', code: null });
    let rendered: Promise<Rendered> | null = null;
    const { vault, privacyPolicyUrl, mail: ownLinks } = deps;
    const parts = { pool, vault, privacyPolicyUrl, ownLinks };
    const render = () => (rendered ??= renderContent(parts, content, language, 'text'));
    const words = () => render().catch(gone);
    let counted: number | null = null;

    const by = textActs(deps, async () => (await words()).value.expose(), {
      async send(to, sender, dispatchId) {
        const body = (await words()).value.expose();
        const statusCallback = urls.messageStatus({ messageId, dispatchId });
        const { sid, segments } = await messaging.createMessage({ to, sender, body, statusCallback });
        counted = segments;
        return { sid };
      },
      prepare: render,
      // An answer goes out from where it was asked for, or not at all.
      otherSender: (from) => (ids.sender === null ? otherTextSender(deps, from, country) : null),
      async onRefused(error, sender) {
        if (error.class !== 'opted-out') return;
        await noteBlocked(pool, { recipientToken, sender, code: String(error.code) });
      },
    });
    const act = {
      ...ids,
      sender: chosen,
      channel: 'sms',
      callId: null,
      alertId: null,
      guard: sendingGuard({ subjectId, kind, channel: 'sms', messageClass }),
      holdMs: () => {
        const wakes = waitsForDay === undefined ? {} : { waitsForDay };
        const sleeper = { channel: 'sms', kind, messageClass, urgency, zone, country, subjectId, ...wakes } as const;
        return nightLeftMs(deps, sleeper, new Date());
      },
    } as const;
    const { sid } = await runDispatch(deps, act, by);
    return { sid, segments: counted ?? (await words()).segments };
  };
}

/** @returns null when the one that could not reach them is the only one */
async function senderFor(deps: ActivityDependencies, country: string, unreachedBy: string | null) {
  const before = unreachedBy === null ? null : await senderOf(deps.pool, unreachedBy);
  return before === null ? textSenderFor(deps, country) : otherTextSender(deps, before, country);
}

/** Words that were destroyed before they could be said, like a number: nothing was sent, and nothing will be. */
function gone(error: unknown): never {
  if (isDestroyed(error)) throw recordDestroyed();
  throw error;
}
