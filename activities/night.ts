import { toldZone } from '../db/user-profiles';
import type { MessageInput } from '../domain/message';
import { endOfQuiet, zonesOfCountry } from '../domain/quiet-hours';
import type { ActivityDependencies } from './dependencies';

/** What of a message says whether it waits for its recipient's day. */
export type Sleeper = Pick<MessageInput, 'kind' | 'messageClass' | 'urgency' | 'zone' | 'country'> & {
  readonly channel: MessageInput['channel'] | 'voice';
  readonly waitsForDay?: boolean;
  /** Who sleeps; left out by calls of alerts that began before it was told. */
  readonly subjectId?: string;
};

/**
 * How long it is still night where the recipient is, or may be (ms); 0 for what does not wait for the day. Where no zone
 * was given the one counts that they have told us, as it is now: whoever moves is not woken by what waits for them.
 */
export async function nightLeftMs(
  { pool, messages: { quietHours } }: Pick<ActivityDependencies, 'pool' | 'messages'>,
  message: Sleeper,
  now: Date,
): Promise<number> {
  if (quietHours === null || !waitsForTheDay(message)) return 0;
  const { subjectId, country } = message;
  const zone = message.zone ?? (subjectId === undefined ? null : await toldZone(pool, subjectId));
  const zones = zone === null ? zonesOfCountry(country) : [zone];
  return endOfQuiet(now, quietHours, zones).valueOf() - now.valueOf();
}

/** An e-mail wakes nobody; for a code or an answer somebody waits; and what is urgent is worth being woken for. */
function waitsForTheDay({ channel, kind, messageClass, urgency, waitsForDay }: Sleeper): boolean {
  if (waitsForDay === false || channel === 'email' || messageClass === 'safety' || urgency === 'emergency')
    return false;
  return kind !== 'verification' && kind !== 'automatic';
}
