import { getMentor, matchCandidates } from '../db/mentors';
import { mentorOfStep, releaseSlot, reserveSlot, type OfferResult } from '../db/mentor-slots';
import { legSeen } from '../db/webhook-events';
import { callerIdFor } from '../domain/caller-id';
import type { MentorPreferences } from '../domain/mentor-call';
import { rankMentors } from '../domain/mentor-matching';
import type { ActivityDependencies } from './dependencies';

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

export interface Reserved {
  readonly mentor: ReservedMentor | null;
  readonly why: 'reserved' | 'nobody-on-shift' | 'all-busy';
}

/** Local activities on mentors and their places. */
export function createMentorActivities({ pool, phoneNumbers }: ActivityDependencies) {
  const asReserved = async (mentorId: string): Promise<Reserved> => {
    const mentor = await getMentor(pool, mentorId);
    // Deleted since: their number is gone, so nobody can be rung for this step any more.
    if (mentor === null) return { mentor: null, why: 'all-busy' };
    const { phoneRecordId: recordId, country } = mentor;
    return { mentor: { mentorId, recordId, callerId: callerIdFor(phoneNumbers, country), country }, why: 'reserved' };
  };

  return {
    /**
     * Takes a place of the best free mentor, with the reasons kept. Asked again for the same step it gives the same
     * mentor, whoever would be the best by now: the phone may be ringing already.
     */
    async reserveMentor(asked: ReserveMentor): Promise<Reserved> {
      const { callId, step, exclude, only, preferences, leaseMs } = asked;
      const before = await mentorOfStep(pool, callId, step);
      if (before !== null) return asReserved(before);
      const { ranked, why } = rankMentors(await matchCandidates(pool), {
        preferences,
        exclude,
        ...(only === undefined ? {} : { only }),
        at: new Date(),
        random: Math.random,
      });
      for (const { mentorId, reasons } of ranked) {
        // Somebody else may take the last place between the ranking and this.
        const taken = await reserveSlot(pool, { mentorId, callId, step, leaseMs, reasons });
        if (taken !== null) return asReserved(taken.mentorId);
      }
      return { mentor: null, why: why === 'nobody-on-shift' ? why : 'all-busy' };
    },

    /** Gives the place of a step back and notes how the turn ended; may be repeated, the first result stays. */
    async releaseMentor(asked: { callId: string; step: number; result: OfferResult }): Promise<void> {
      await releaseSlot(pool, asked);
    },

    /** Whether the leg of a served Dial has shown any callback. */
    async legSeen({ callId, step }: { callId: string; step: number }): Promise<boolean> {
      return legSeen(pool, callId, 'mentor', step);
    },
  };
}
