/**
 * Waiting for a mentor to be free: the words of the queue, and who is offered which place. Pure, and without any
 * package: the workflow imports this file.
 */

/** What a request that may wait is started with, fixed at its start. */
export interface WaitingTerms {
  /** Places of the queue. */
  readonly limit: number;
  /** From the user's key 2 until we give up, ms. */
  readonly longestWait: number;
}

/** A place is kept for whom it was offered to for so long; then it goes to the next (ms). */
export const OFFER_LASTS = 5_000;
/** Whoever let an offer lapse is passed over for so long, or until their workflow shows that it is alive (ms). */
export const PASSED_OVER_FOR = 10_000;
/** Each waiting workflow looks for itself so often: a lost signal costs this much, and no place (ms). */
export const LOOK_EVERY = 15_000;

/** A call that waits, as far as its turn depends on it. */
export interface WaitingCall {
  readonly callId: string;
  /** Mentors who were rung for it already: it has no use for their places. */
  readonly tried: readonly string[];
}

export interface FreePlaces {
  readonly mentorId: string;
  /** How many of theirs are neither taken nor kept for somebody. */
  readonly places: number;
}

export interface PlaceOffer {
  readonly callId: string;
  readonly mentorId: string;
}

/** What a waiting call finds when it asks to join. */
export type JoinedQueue =
  | { readonly state: 'waiting' /** ISO 8601. */; readonly since: string }
  /** `full`: no place left. `over`: the call is not live any more. */
  | { readonly state: 'full' | 'over' };

/**
 * Gives free places to those who wait, longest wait first. Nobody is passed over for a place they could use; a place
 * that nobody can use stays free.
 * @param waiting in the order of the queue
 */
export function placesInOrder(waiting: readonly WaitingCall[], free: readonly FreePlaces[]): PlaceOffer[] {
  const left = new Map(free.map(({ mentorId, places }) => [mentorId, places]));
  const offers: PlaceOffer[] = [];
  for (const { callId, tried } of waiting) {
    const mentorId = free.find(
      (mentor) => (left.get(mentor.mentorId) ?? 0) > 0 && !tried.includes(mentor.mentorId),
    )?.mentorId;
    if (mentorId === undefined) continue;
    left.set(mentorId, (left.get(mentorId) ?? 0) - 1);
    offers.push({ callId, mentorId });
  }
  return offers;
}
