import { appendAudit } from '../db/audit';
import { legSeen } from '../db/webhook-events';
import { finishOffer, findReservation, releaseSlot, reserveSlot } from '../db/mentor-slots';
import { getMentor, matchCandidates } from '../db/mentors';
import { callerIdFor } from '../domain/caller-id';
import type { MentorPreferences } from '../domain/mentor-call';
import { rankMentors } from '../domain/mentor-matching';
import type { ActivityDependencies } from './dependencies';

/** How a mentor's turn ended; a closed list, operational class. */
export type OfferResult = 'no-answer' | 'busy' | 'declined' | 'failed' | 'silent' | 'completed' | 'caller-gone';

export interface ReserveMentor {
  readonly callId: string;
  readonly step: number;
  /** Mentors who were rung already. */
  readonly exclude: readonly string[];
  /** Only this one: to be connected again. */
  readonly only?: string;
  readonly preferences: MentorPreferences;
  /** Country of the user. */
  readonly country: string;
  readonly leaseMs: number;
}

export interface ReservedMentor {
  readonly mentorId: string;
  /** Vault record of the mentor's number. */
  readonly recordId: string;
  /** Our number that the mentor sees. */
  readonly callerId: string;
  readonly country: string;
}

/** Local activities on mentors and their places. */
export function createMentorActivities({ pool, phoneNumbers }: ActivityDependencies) {
  return {
    /**
     * Takes a place of the best free mentor, with the reasons kept. Asked again for the same step it gives the same
     * mentor, whoever would be the best by now: the phone may be ringing already.
     */
    async reserveMentor(
      asked: ReserveMentor,
    ): Promise<{ mentor: ReservedMentor | null; why: 'reserved' | 'nobody-on-shift' | 'all-busy' }> {
      throw new Error(
        `not yet ${asked.callId} ${pool} ${phoneNumbers} ${callerIdFor} ${getMentor} ${matchCandidates} ${rankMentors} ${reserveSlot} ${findReservation} ${appendAudit}`,
      );
    },

    /** Gives the place of a step back and notes how the turn ended; may be repeated. */
    async releaseMentor(asked: { callId: string; step: number; result: OfferResult }): Promise<void> {
      await finishOffer(pool, asked);
      await releaseSlot(pool, asked);
    },

    /** Whether the leg of a served Dial has shown any callback. */
    legSeen: async ({ callId, step }: { callId: string; step: number }): Promise<boolean> =>
      legSeen(pool, callId, 'mentor', step),
  };
}
