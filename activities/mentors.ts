import { currentScorer } from '../db/match-models';
import { reserveBest } from '../db/mentor-match';
import { expandShifts, mentorsToExpand } from '../db/mentor-shifts';
import { getMentor } from '../db/mentors';
import { type OfferResult, releaseSlot } from '../db/mentor-slots';
import { inTransaction } from '../db/pool';
import { legSeen } from '../db/webhook-events';
import { callerIdFor } from '../domain/caller-id';
import type { MentorPreferences } from '../domain/mentor-call';
import { rememberedStretches } from '../domain/shifts';
import type { ActivityDependencies } from './dependencies';
import { offerPlacesAfter } from './queue-offers';
import { SWEEP_BATCH, sweepPart } from './sweep-part';

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

export interface ReleaseMentor {
  readonly callId: string;
  readonly step: number;
  readonly result: OfferResult;
  /** Of the conversation with this mentor. */
  readonly talkedSeconds?: number;
  /** The same call takes the place again at once: it is offered to nobody who waits. */
  readonly isForSameCall?: boolean;
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
  /** `gone`: the mentor of this step was deleted since. The step is used up, and others may be free for the next. */
  readonly why: 'reserved' | 'nobody-on-shift' | 'all-busy' | 'gone';
}

/** Local activities on mentors and their places. */
export function createMentorActivities(deps: ActivityDependencies) {
  const { pool, phoneNumbers, matching, logger } = deps;
  const asReserved = async (mentorId: string, { callId, step }: ReserveMentor): Promise<Reserved> => {
    const mentor = await getMentor(pool, mentorId);
    // Deleted since: their number is gone, so nobody can be rung for this step any more.
    if (mentor === null) {
      await releaseSlot(pool, { callId, step, result: 'not-rung' });
      return { mentor: null, why: 'gone' };
    }
    const { phoneRecordId: recordId, country } = mentor;
    return { mentor: { mentorId, recordId, callerId: callerIdFor(phoneNumbers, country), country }, why: 'reserved' };
  };

  return {
    /**
     * Takes a place of the best free mentor, with the reasons kept. Asked again for the same step it gives the same
     * mentor, whoever would be the best by now: the phone may be ringing already.
     */
    async reserveMentor(asked: ReserveMentor): Promise<Reserved> {
      const scorer = await currentScorer(pool, matching);
      const { mentorId, why } = await reserveBest(pool, asked, scorer);
      return mentorId === null ? { mentor: null, why } : asReserved(mentorId, asked);
    },

    /** Shifts a day further ahead, a few mentors at a time; part of the call sweep. */
    expandShifts: sweepPart(logger, 'expand-shifts', async () => {
      const mentors = await mentorsToExpand(pool, SWEEP_BATCH);
      const stretchesOf = rememberedStretches();
      const now = new Date();
      for (const mentorId of mentors) {
        await inTransaction(pool, (tx) => expandShifts(tx, mentorId, now, stretchesOf));
      }
      return mentors.length;
    }),

    /** Gives the place of a step back and notes how the turn ended; may be repeated, the first result stays. */
    async releaseMentor({ isForSameCall, ...asked }: ReleaseMentor): Promise<void> {
      const isFree = await releaseSlot(pool, asked);
      if (isFree && isForSameCall !== true) await offerPlacesAfter(deps);
    },

    /** Whether the leg of a served Dial has shown any callback. */
    async legSeen({ callId, step }: { callId: string; step: number }): Promise<boolean> {
      return legSeen(pool, callId, 'mentor', step);
    },
  };
}
