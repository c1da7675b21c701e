import { leaveQueue } from '../db/mentor-queue';
import { offerFreePlaces } from '../db/mentor-queue-offers';
import type { PlaceOffer } from '../domain/mentor-queue';
import { signalPlaceOffered } from '../temporal/mentor-calls';
import type { ActivityDependencies } from './dependencies';

/** An offer that is told later than this is half over (ms). */
const TELL_WITHIN = 1_000;
/** So many calls that are over stand in the way of one that is not, at the most, before the next pass goes on. */
const MOST_ROUNDS = 20;

export type QueueParts = Pick<ActivityDependencies, 'pool' | 'temporal' | 'logger'>;

/**
 * Whatever frees a place, or brings a mentor, ends here: every free place is offered to whoever has waited longest, and
 * their workflows are told. A call that is over leaves the queue, and its offer goes to the next at once. One whose
 * workflow cannot be told now has five seconds to look by itself.
 * @param except a call that asks for itself and needs no telling
 * @returns how many offers were made to calls that live
 * @throws what Postgres throws
 */
export async function offerPlaces(parts: QueueParts, except?: string): Promise<number> {
  let told = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const offers = await offerFreePlaces(parts.pool);
    const wereOver = await Promise.all(offers.map((offer) => isOver(parts, offer, except)));
    const over = wereOver.filter(Boolean).length;
    told += offers.length - over;
    if (over === 0) break;
  }
  return told;
}

async function isOver({ pool, temporal, logger }: QueueParts, { callId }: PlaceOffer, except?: string) {
  if (callId === except) return false;
  try {
    if ((await signalPlaceOffered(temporal, callId, TELL_WITHIN)) === 'signalled') return false;
  } catch (error) {
    logger.warn({ callId, error }, 'a call could not be told of a free place');
    return false;
  }
  await leaveQueue(pool, callId);
  return true;
}

/**
 * The same after something else was done, which stays done: what fails here the worker's next pass makes good
 * (`workers/queue-watch.ts`).
 */
export async function offerPlacesAfter(parts: QueueParts): Promise<void> {
  await offerPlaces(parts).catch((error: unknown) => {
    parts.logger.warn({ error }, 'free places could not be offered');
  });
}
