/** Shifts of mentors as ranges of time: made from weekly hours and exceptions, two weeks ahead. */
import { z } from 'zod';
import { RETENTION } from '../domain/retention';
import { rememberedStretches, type Rota, shiftsOf } from '../domain/shifts';
import { type Db, execute, many, maybeOne } from './query';

const DAY_MS = 24 * 3_600_000;
/** How far ahead shifts are expanded. */
const SHIFTS_AHEAD_MS = 14 * DAY_MS;
/** Clocks are looked at again when a day of that is over. */
const EXPANDED_AGAIN_MS = 13 * DAY_MS;

const rotaRow = z.object({
  zone: z.string(),
  windows: z.array(z.object({ weekday: z.int(), starts: z.string(), ends: z.string() })),
  exceptions: z.array(
    z.object({
      kind: z.enum(['away', 'shift']),
      starts: z.string(),
      ends: z.string(),
      zone: z.string().nullable(),
    }),
  ),
});

/** Columns of a rota. @param from and `until`: exceptions outside are left out, a day more on both sides for zones */
const ROTA_COLUMNS = (from: string, until: string) => `
  m.zone,
  coalesce((SELECT jsonb_agg(jsonb_build_object('weekday', w.weekday, 'starts', to_char(w.starts, 'HH24:MI:SS'),
                                                'ends', to_char(w.ends, 'HH24:MI:SS')))
              FROM mentor_windows w WHERE w.mentor_id = m.mentor_id), '[]'::jsonb) AS windows,
  coalesce((SELECT jsonb_agg(jsonb_build_object('kind', e.kind, 'zone', e.zone,
                                                'starts', to_char(e.starts, 'YYYY-MM-DD"T"HH24:MI:SS'),
                                                'ends', to_char(e.ends, 'YYYY-MM-DD"T"HH24:MI:SS')))
              FROM mentor_exceptions e
             WHERE e.mentor_id = m.mentor_id AND e.ends > (${from}) AT TIME ZONE 'UTC' - interval '1 day'
               AND e.starts < (${until}) AT TIME ZONE 'UTC' + interval '1 day'), '[]'::jsonb) AS exceptions`;

/**
 * Makes the shifts of a mentor anew. Run it in the transaction that changes what they are made from; a mentor who is gone
 * has none.
 * @param stretchesOf remembers clocks, where many mentors come one after another
 */
export async function expandShifts(
  tx: Db,
  mentorId: string,
  now = new Date(),
  stretchesOf: ReturnType<typeof rememberedStretches> = rememberedStretches(),
): Promise<void> {
  // Whole hours, so that the clocks of a zone are the same question for many mentors.
  const from = Math.floor(now.getTime() / 3_600_000) * 3_600_000;
  const until = from + SHIFTS_AHEAD_MS;
  // The lock lets two who change the same mentor follow each other: the second sees what the first has changed.
  const isThere = await execute(
    tx,
    `UPDATE mentors SET shifts_until = $2 WHERE mentor_id = $1 AND deleted_at IS NULL`,
    [mentorId, new Date(until)],
  );
  await execute(tx, 'DELETE FROM mentor_shifts WHERE mentor_id = $1', [mentorId]);
  await execute(tx, 'DELETE FROM mentor_exceptions WHERE mentor_id = $1 AND ends < $2', [
    mentorId,
    new Date(from - RETENTION.mentorException).toISOString().slice(0, 16),
  ]);
  if (isThere === 0) return;
  const rota = await maybeOne(
    tx,
    rotaRow,
    `SELECT ${ROTA_COLUMNS('$2::timestamptz', '$3::timestamptz')} FROM mentors m WHERE m.mentor_id = $1`,
    [mentorId, new Date(from), new Date(until)],
  );
  if (rota === null) return;
  const shifts = shiftsOf(rota, { from, until }, stretchesOf);
  await execute(
    tx,
    `INSERT INTO mentor_shifts (mentor_id, during)
     SELECT $1, tstzrange(begins, ends) FROM unnest($2::timestamptz[], $3::timestamptz[]) AS span(begins, ends)`,
    [mentorId, shifts.map((shift) => new Date(shift.from)), shifts.map((shift) => new Date(shift.until))],
  );
}

/** Mentors whose shifts end too soon, those that wait longest first. */
export async function mentorsToExpand(db: Db, limit: number): Promise<readonly string[]> {
  const rows = await many(
    db,
    z.object({ mentor_id: z.uuid() }),
    `SELECT mentor_id FROM mentors
      WHERE deleted_at IS NULL AND (shifts_until IS NULL OR shifts_until < clock_timestamp() + $2 * interval '1 millisecond')
      ORDER BY shifts_until NULLS FIRST LIMIT $1`,
    [limit, EXPANDED_AGAIN_MS],
  );
  return rows.map((row) => row.mentor_id);
}

/** What everybody's shifts between two moments are made from; without those who are gone. */
export async function rotas(db: Db, from: Date, until: Date): Promise<readonly Rota[]> {
  return await many(
    db,
    rotaRow,
    `SELECT ${ROTA_COLUMNS('$1::timestamptz', '$2::timestamptz')} FROM mentors m WHERE m.deleted_at IS NULL`,
    [from, until],
  );
}
