import type { MessageInput } from '../domain/message';
import { endOfQuiet, type QuietHours, zonesOfCountry } from '../domain/quiet-hours';

/** What of a message says whether it waits for its recipient's day. */
export type Sleeper = Pick<MessageInput, 'kind' | 'messageClass' | 'urgency' | 'zone' | 'country'> & {
  readonly channel: MessageInput['channel'] | 'voice';
  readonly waitsForDay?: boolean;
};

/** How long it is still night where the recipient is, or may be (ms); 0 for what does not wait for the day. */
export function nightLeftMs(quietHours: QuietHours | null, message: Sleeper, now: Date): number {
  if (quietHours === null || !waitsForTheDay(message)) return 0;
  const zones = message.zone === null ? zonesOfCountry(message.country) : [message.zone];
  return endOfQuiet(now, quietHours, zones).valueOf() - now.valueOf();
}

/** An e-mail wakes nobody; for a code or an answer somebody waits; and what is urgent is worth being woken for. */
function waitsForTheDay({ channel, kind, messageClass, urgency, waitsForDay }: Sleeper): boolean {
  if (waitsForDay === false || channel === 'email' || messageClass === 'safety' || urgency === 'emergency')
    return false;
  return kind !== 'verification' && kind !== 'automatic';
}
