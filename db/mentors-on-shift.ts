/** Who could be rung at a moment, as far as others than the match have to know it; which of them is the best, it decides. */
import { z } from 'zod';
import type { Span } from '../domain/shifts';
import { type Db, many } from './query';

export interface MentorOnShift {
  readonly mentorId: string;
  /** The mentor's own switch. */
  readonly isOn: boolean;
  /** Not taken by a call; those kept for somebody who waits are still among them. */
  readonly freePlaces: number;
}

const row = z.object({ mentor_id: z.uuid(), available: z.boolean(), free: z.int() });

/** Everybody who is on shift, switched on or not, with places free or not. */
export async function mentorsScheduled(db: Db, at: Date): Promise<MentorOnShift[]> {
  const rows = await many(
    db,
    row,
    `SELECT m.mentor_id, m.available,
            (SELECT count(*)::int FROM mentor_slots s
              WHERE s.mentor_id = m.mentor_id AND s.call_id IS NULL AND s.n <= m.max_concurrent_calls) AS free
       FROM mentor_shifts t JOIN mentors m USING (mentor_id)
      WHERE t.during @> $1::timestamptz AND m.deleted_at IS NULL`,
    [at],
  );
  return rows.map(({ mentor_id: mentorId, available: isOn, free: freePlaces }) => ({ mentorId, isOn, freePlaces }));
}

/** Everybody who is on shift and switched on. */
export async function mentorsOnShift(db: Db, at: Date): Promise<MentorOnShift[]> {
  return (await mentorsScheduled(db, at)).filter(({ isOn }) => isOn);
}

/**
 * The shifts of everybody who is switched on, or of one mentor in any case, that overlap a time of the next two weeks.
 */
export async function shiftsWithin(
  db: Db,
  { from, until, mentorId }: { from: Date; until: Date; mentorId?: string },
): Promise<Span[]> {
  return await many(
    db,
    z.object({ from: z.coerce.number(), until: z.coerce.number() }),
    `SELECT floor(extract(epoch FROM lower(t.during)) * 1000) AS from, floor(extract(epoch FROM upper(t.during)) * 1000) AS until
       FROM mentor_shifts t JOIN mentors m USING (mentor_id)
      WHERE t.during && tstzrange($1, $2) AND m.deleted_at IS NULL AND CASE WHEN $3::uuid IS NULL THEN m.available ELSE m.mentor_id = $3 END
      ORDER BY lower(t.during)`,
    [from, until, mentorId ?? null],
  );
}

/** IANA zones of the mentors who are switched on, in order. */
export async function zonesOfMentors(db: Db): Promise<string[]> {
  const query = 'SELECT DISTINCT zone FROM mentors WHERE available AND deleted_at IS NULL ORDER BY zone';
  return (await many(db, z.object({ zone: z.string() }), query)).map(({ zone }) => zone);
}
