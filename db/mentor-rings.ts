/** What a mentor may see of their own calls: times, and nothing of whom they were with. */
import { z } from 'zod';
import { heldByMentor } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, many, maybeOne } from './query';

export interface MentorRing {
  readonly rungAt: Date;
  /** `talked`: connected. `under-way`: it rings, or they are talking now. `missed`: rung, and not connected. */
  readonly state: 'talked' | 'under-way' | 'missed';
  /** Of the conversation; null where there was none, or it goes on. */
  readonly seconds: number | null;
  /** Whether they have told staff that they were busy. */
  readonly isNoted: boolean;
}

const ringRow = z
  .object({
    offered_at: z.date(),
    state: z.enum(['talked', 'under-way', 'missed']),
    seconds: z.int().nullable(),
    is_noted: z.boolean(),
  })
  .transform(
    (row): MentorRing => ({
      rungAt: row.offered_at,
      state: row.state,
      seconds: row.seconds,
      isNoted: row.is_noted,
    }),
  );

/**
 * A place that is kept for a user whose own phone rings, or who did not pick up: no phone of the mentor has rung, and
 * nothing was missed.
 */
const WAS_RUNG = `o.result IS DISTINCT FROM 'not-rung'
   AND NOT (o.result IS NULL AND EXISTS (
     SELECT FROM call_logs k WHERE k.call_id = o.call_id AND k.live AND k.status = 'ringing-user'
        AND k.mentor_id IS DISTINCT FROM o.mentor_id))`;

/**
 * The newest rings of a mentor. No column of the other person's side is read: a mentor could otherwise put together who
 * rings when.
 */
export function lastRings(db: Db, mentorId: string, limit: number): Promise<MentorRing[]> {
  return many(
    db,
    ringRow,
    `SELECT o.offered_at,
            CASE WHEN o.result = 'completed' THEN 'talked' WHEN o.result IS NULL THEN 'under-way' ELSE 'missed' END AS state,
            coalesce(o.talked_seconds,
                     CASE WHEN o.result = 'completed' AND c.mentor_id = o.mentor_id THEN c.duration_seconds END) AS seconds,
            EXISTS (SELECT FROM mentor_ring_notes n
                     WHERE n.mentor_id = o.mentor_id AND n.rung_at = o.offered_at) AS is_noted
       FROM mentor_offers o LEFT JOIN call_logs c USING (call_id)
      WHERE o.mentor_id = $1 AND ${WAS_RUNG} ORDER BY o.offered_at DESC LIMIT $2`,
    [mentorId, limit],
  );
}

/** How long after a ring it can still be noted. */
export const NOTED_WITHIN_HOURS = 24;

/**
 * Notes that the mentor was busy when they were rung, for staff to see. May be repeated: one note a ring.
 * @param rungAt of the ring that they saw on their page, to the millisecond: another may have come since
 * @returns false when they were not rung then, or not lately, so that there is nothing to note
 */
export async function noteRungWhileBusy(db: Db, mentorId: string, rungAt: Date): Promise<boolean> {
  const last = await maybeOne(
    db,
    z.object({ is_there: z.boolean() }),
    `WITH last AS (SELECT mentor_id, offered_at FROM mentor_offers o
                    WHERE mentor_id = $1 AND ${WAS_RUNG} AND offered_at > clock_timestamp() - $2 * interval '1 hour'
                      AND date_trunc('milliseconds', offered_at) = $3
                    ORDER BY offered_at DESC LIMIT 1),
          noted AS (INSERT INTO mentor_ring_notes (mentor_id, rung_at) SELECT mentor_id, offered_at FROM last
                    ON CONFLICT (mentor_id, rung_at) DO NOTHING)
     SELECT true AS is_there FROM last`,
    [mentorId, NOTED_WITHIN_HOURS, rungAt],
  );
  return last !== null;
}

export interface RingNote {
  readonly noteId: string;
  readonly mentorId: string;
  /** Null once the mentor was deleted. */
  readonly nameRecordId: string | null;
  readonly rungAt: Date;
}

/** What mentors have noted and no one of the staff has seen yet, oldest first. */
export async function unseenRingNotes(db: Db, limit: number): Promise<RingNote[]> {
  const rows = await many(
    db,
    z.object({
      note_id: z.uuid(),
      mentor_id: z.uuid(),
      name_record_id: z.uuid().nullable(),
      rung_at: z.date(),
    }),
    `SELECT n.note_id, n.mentor_id, CASE WHEN m.deleted_at IS NULL THEN m.name_record_id END AS name_record_id, n.rung_at
       FROM mentor_ring_notes n JOIN mentors m USING (mentor_id)
      WHERE n.seen_at IS NULL ORDER BY n.noted_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({
    noteId: row.note_id,
    mentorId: row.mentor_id,
    nameRecordId: row.name_record_id,
    rungAt: row.rung_at,
  }));
}

/**
 * Somebody of the staff has seen it; the first one stays.
 * @returns false when there is no such note
 */
export async function markRingNoteSeen(db: Db, noteId: string, actor: string): Promise<boolean> {
  const found = await execute(
    db,
    `UPDATE mentor_ring_notes SET seen_at = coalesce(seen_at, clock_timestamp()), seen_by = coalesce(seen_by, $2)
      WHERE note_id = $1`,
    [noteId, actor],
  );
  return found > 0;
}

/** Notes that are so old that nobody asks for them, seen or not. */
export function deleteOldRingNotes(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'mentor_ring_notes', key: 'note_id', time: 't.noted_at', heldWhere: heldByMentor };
  return deleteOld(db, old, rows);
}
