/** Why a call was offered to this mentor and not to another, as `mentor-match.ts` has kept it. */
import { z } from 'zod';
import { WHY_NOT } from '../domain/mentor-matching';
import { type Db, many } from './query';

const reason = z.object({
  askedFor: z.boolean(),
  score: z.number(),
  currentCalls: z.int(),
  lastCalledAt: z.coerce.date().nullable(),
  features: z.object({
    languageRank: z.number(),
    specialties: z.number(),
    sameCountry: z.number(),
    rested: z.number(),
    load: z.number(),
  }),
});

export const matchReasons = z.object({
  scorer: z.object({ name: z.enum(['default', 'learned']), version: z.int() }),
  counts: z.object({ onShift: z.int(), free: z.int(), busy: z.int(), triedAlready: z.int() }),
  chosen: reason
    .extend({ met: z.object({ languages: z.array(z.string()), specialties: z.array(z.string()) }) })
    .nullable(),
  others: z.array(reason.extend({ mentorId: z.uuid(), why: z.enum(WHY_NOT) })),
});

const stepRow = z.object({
  step: z.int(),
  mentor_id: z.uuid().nullable(),
  at: z.date(),
  why: z.enum(['reserved', 'nobody-on-shift', 'all-busy']),
  times: z.int(),
  result: z.string().nullable(),
  /** Null for what was kept before reasons had this form. */
  reasons: matchReasons.nullable().catch(null),
});

/** Every step at which a mentor was looked for, in order: what was found, and why. */
export async function matchesOfCall(db: Db, callId: string): Promise<readonly z.output<typeof stepRow>[]> {
  return await many(
    db,
    stepRow,
    `SELECT step, mentor_id, offered_at AS at, 'reserved' AS why, 1 AS times, result, reasons
       FROM mentor_offers WHERE call_id = $1
     UNION ALL
     SELECT step, NULL, last_at, why, times, NULL, reasons FROM match_misses WHERE call_id = $1
      ORDER BY step, at`,
    [callId],
  );
}
