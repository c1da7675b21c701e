import { beginLook, insightsDue, keepInsights, noteCallQuality } from '../db/call-quality';
import { type CallInsights, INSIGHTS_AFTER, INSIGHTS_AGAIN, INSIGHTS_LOOKS } from '../domain/call-quality';
import type { ActivityDependencies } from './dependencies';
import { logged } from './provider-log';
import { countWhere, SWEEP_BATCH, sweepPart } from './sweep-part';

/** The last callbacks of a call come in seconds after its end, those that Twilio repeats somewhat later (ms). */
const CALLBACKS_AFTER = 60_000;

/** The parts of the sweep that look back at calls; each may be repeated and run beside itself. */
export function createCallQualityActivities({ pool, insights, maxDurationMs, logger }: ActivityDependencies) {
  const read = (sid: string | null) =>
    sid === null || insights === null ? null : logged(logger, { callSid: sid }, () => insights.readLeg(sid));
  return {
    /** How calls went that are over. */
    noteCallQuality: sweepPart(logger, 'note-call-quality', () =>
      noteCallQuality(pool, {
        settledMs: CALLBACKS_AFTER,
        timeLimitSeconds: Math.round(maxDurationMs / 1_000),
        insightsAfterMs: insights === null ? null : INSIGHTS_AFTER,
        limit: SWEEP_BATCH,
      }),
    ),

    /** What Twilio measured of them. Where it is switched off meanwhile, or never completes, there is none. */
    readCallInsights: sweepPart(logger, 'read-call-insights', async () => {
      if (insights === null) return 0;
      return countWhere(await insightsDue(pool, SWEEP_BATCH), async ({ callId, userSid, mentorSid, looks }) => {
        const isLast = looks + 1 >= INSIGHTS_LOOKS;
        // Before it is asked: a summary that takes all the time there is must not be the first one again.
        await beginLook(pool, callId, isLast ? null : INSIGHTS_AGAIN);
        const [user, mentor] = [await read(userSid), await read(mentorSid)];
        const told: CallInsights = { ...(user === null ? {} : { user }), ...(mentor === null ? {} : { mentor }) };
        const isWhole = user !== null && (mentor !== null || mentorSid === null);
        await keepInsights(pool, callId, told, isWhole);
        return isWhole;
      });
    }),
  };
}
