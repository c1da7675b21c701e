import { beginTurn, declineOffer, joinQueue, lookAtQueue, queueLength, type QueueLook } from '../db/mentor-queue';
import { isAnybodyLeft, mayAnybodyCome } from '../db/mentor-queue-offers';
import { mentorOfStep } from '../db/mentor-slots';
import type { JoinedQueue, WaitingTerms } from '../domain/mentor-queue';
import type { ActivityDependencies } from './dependencies';
import type { Reserved, ReservedMentor, ReserveMentor } from './mentors';
import { offerPlaces } from './queue-offers';

export interface AskToWait {
  readonly callId: string;
  readonly terms: WaitingTerms;
  /** Of a call that has waited before, ISO 8601. */
  readonly since?: string;
}

export interface Turn {
  readonly mentor: ReservedMentor | null;
  /** Of what the queue held for the call when it asked. */
  readonly queue: QueueLook;
  /** The mentor of this step was deleted since: the next step is to be asked for, and at once. */
  readonly isGone?: true;
  /** Nobody who was not rung for this call is on shift, or will be while it may wait. */
  readonly isHopeless?: true;
}

/** Local activities of calls that wait for a mentor. */
export function createMentorQueueActivities(
  deps: ActivityDependencies,
  reserveMentor: (asked: ReserveMentor) => Promise<Reserved>,
) {
  const { pool } = deps;
  /** Puts the call's own look first: nobody may take a place before it is offered to whoever is due. */
  const look = async (callId: string): Promise<QueueLook> => {
    const found = await lookAtQueue(pool, callId);
    if (found !== 'waiting') return found;
    await offerPlaces(deps, callId);
    return lookAtQueue(pool, callId);
  };

  return {
    /**
     * Whether it is worth asking somebody if they want to wait. `nobody`: all who are on shift were rung for this call
     * already.
     */
    async queueOutlook(asked: { terms: WaitingTerms; tried: readonly string[] }): Promise<'open' | 'full' | 'nobody'> {
      if (!(await isAnybodyLeft(pool, asked.tried))) return 'nobody';
      return (await queueLength(pool)) < asked.terms.limit ? 'open' : 'full';
    },

    /** Takes a place in the queue; may be repeated. */
    joinQueue: ({ callId, terms, since }: AskToWait): Promise<JoinedQueue> =>
      joinQueue(pool, {
        callId,
        limit: terms.limit,
        longestWaitMs: terms.longestWait,
        ...(since === undefined ? {} : { since }),
      }),

    /**
     * Takes the place that is kept for this call, if one is, and with it the call out of the queue. Asked again for the
     * same step it gives the same mentor.
     */
    async takeTurn(asked: ReserveMentor): Promise<Turn> {
      const { callId, step } = asked;
      const before = await mentorOfStep(pool, callId, step);
      const queue = before === null ? await look(callId) : 'offered';
      if (queue === 'waiting' && !(await mayAnybodyCome(pool, callId, asked.exclude))) {
        return { mentor: null, queue, isHopeless: true };
      }
      if (queue !== 'offered') return { mentor: null, queue };
      const { mentor, why } = await reserveMentor(asked);
      if (mentor === null) await declineOffer(pool, callId);
      else await beginTurn(pool, callId);
      return { mentor, queue, ...(why === 'gone' ? { isGone: true } : {}) };
    },
  };
}
