import type { MessageClass } from '../domain/message';

/** What an outward act goes out by. */
export type Channel = 'voice' | 'sms' | 'email' | 'recording';

/**
 * What is done when the answer to a create is lost and neither an event nor a settled list names what came of it:
 * nobody can know, so the harm of twice is weighed against the harm of never.
 *
 * - A call is placed again: two rings are better than none, and only one leg ever speaks.
 * - An ordinary text is not: a doubled text cannot be recalled. It is shown as `lost`, and another channel is tried.
 * - A recording is asked for again: of two one is kept, and the other is deleted.
 * - A text of class `safety` and an e-mail are sent again, with the same link (and the same Message-ID).
 */
export function choiceWhenNobodyKnows(channel: Channel, messageClass: MessageClass): 'send-again' | 'lost' {
  return channel === 'sms' && messageClass === 'ordinary' ? 'lost' : 'send-again';
}

/**
 * What the attempt that holds the claim does, once it has asked everybody who could name an earlier call.
 *
 * @param earlier how long ago the last attempt began that may have sent something; null when none can have
 * @param found whether an event, a heartbeat or the list named a call
 */
export function nextStep(
  facts: { readonly earlierAgeMs: number | null; readonly found: boolean; readonly settleMs: number },
  channel: Channel,
  messageClass: MessageClass,
): 'send' | 'adopt' | 'wait' | 'give-up' {
  if (facts.found) return 'adopt';
  if (facts.earlierAgeMs === null) return 'send';
  // One empty read proves nothing: the list is eventually consistent.
  if (facts.earlierAgeMs < facts.settleMs) return 'wait';
  return choiceWhenNobodyKnows(channel, messageClass) === 'send-again' ? 'send' : 'give-up';
}
