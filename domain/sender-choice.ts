/** Which sender of ours a text goes out by. */
import { callerIdFor } from './caller-id';

export interface Senders {
  /** SID of the service that chooses the number by itself; null: there is none. */
  readonly messagingServiceSid: string | null;
  /** E.164, in the order of configuration. */
  readonly phoneNumbers: readonly string[];
}

/**
 * @param country ISO country of the recipient
 * @returns the Messaging Service, else our number in that country, else our first
 */
export function textSenderFor({ messagingServiceSid, phoneNumbers }: Senders, country: string): string {
  return messagingServiceSid ?? callerIdFor(phoneNumbers, country);
}

/** Another one for somebody whom `sender` cannot reach: a number of ours, never the one that has just failed. */
export function otherTextSender({ phoneNumbers }: Senders, sender: string, country: string): string | null {
  const others = phoneNumbers.filter((number) => number !== sender);
  return others.length === 0 ? null : callerIdFor(others, country);
}
