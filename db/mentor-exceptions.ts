/** Days away and single shifts of mentors. Every change makes their shifts anew, in the same transaction. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { AvailabilityException } from '../domain/shifts';
import { appendAudit } from './audit';
import { decodeCursor, type Page, toPage } from './cursor';
import { expandShifts } from './mentor-shifts';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

export interface KnownException extends AvailabilityException {
  readonly exceptionId: string;
  readonly source: 'entered' | 'imported';
}

/** More than anybody enters by hand, and what an import may bring. */
const MOST_EXCEPTIONS = 1_000;

const COLUMNS = `
  exception_id, kind, to_char(starts, 'YYYY-MM-DD"T"HH24:MI') AS starts, to_char(ends, 'YYYY-MM-DD"T"HH24:MI') AS ends, zone,
  source, to_char(starts, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS cursor_at`;
const row = z.object({
  exception_id: z.uuid(),
  kind: z.enum(['away', 'shift']),
  starts: z.string(),
  ends: z.string(),
  zone: z.string().nullable(),
  source: z.enum(['entered', 'imported']),
  cursor_at: z.string(),
});

/** In the order of their starts, a page at a time. */
export async function listExceptions(
  db: Db,
  mentorId: string,
  limit: number,
  cursor: string | null,
): Promise<Page<KnownException>> {
  const after = cursor === null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    row,
    `SELECT ${COLUMNS} FROM mentor_exceptions
      WHERE mentor_id = $1 AND ($3::timestamp IS NULL OR (starts, exception_id) > ($3::timestamp, $4::uuid))
      ORDER BY mentor_exceptions.starts, exception_id LIMIT $2`,
    [mentorId, limit + 1, after?.at ?? null, after?.id ?? null],
  );
  return toPage(rows, limit, ({ exception_id: id }) => id, toException);
}

export async function findException(db: Db, mentorId: string, exceptionId: string): Promise<KnownException | null> {
  const found = await maybeOne(
    db,
    row,
    `SELECT ${COLUMNS} FROM mentor_exceptions WHERE mentor_id = $1 AND exception_id = $2`,
    [mentorId, exceptionId],
  );
  return found === null ? null : toException(found);
}

/** Run it in a transaction. @returns the new id; null where the mentor has {@link MOST_EXCEPTIONS} already */
export async function createException(
  tx: Db,
  mentorId: string,
  { kind, starts, ends, zone }: AvailabilityException,
  actor: string,
): Promise<string | null> {
  const { count } = await one(
    tx,
    z.object({ count: z.int() }),
    'SELECT count(*)::int AS count FROM mentor_exceptions WHERE mentor_id = $1',
    [mentorId],
  );
  if (count >= MOST_EXCEPTIONS) return null;
  const { exception_id: exceptionId } = await one(
    tx,
    z.object({ exception_id: z.uuid() }),
    `INSERT INTO mentor_exceptions (mentor_id, kind, starts, ends, zone) VALUES ($1, $2, $3, $4, $5) RETURNING exception_id`,
    [mentorId, kind, starts, ends, zone],
  );
  await changed(tx, mentorId, actor);
  return exceptionId;
}

/** @returns false when there is no such exception of this mentor */
export async function changeException(
  pool: Pool,
  mentorId: string,
  exceptionId: string,
  { kind, starts, ends, zone }: AvailabilityException,
  actor: string,
): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const isThere = await execute(
      tx,
      `UPDATE mentor_exceptions SET kind = $3, starts = $4, ends = $5, zone = $6, source = 'entered'
        WHERE mentor_id = $1 AND exception_id = $2`,
      [mentorId, exceptionId, kind, starts, ends, zone],
    );
    if (isThere > 0) await changed(tx, mentorId, actor);
    return isThere > 0;
  });
}

/** @returns false when there is no such exception of this mentor */
export async function deleteException(
  pool: Pool,
  mentorId: string,
  exceptionId: string,
  actor: string,
): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const wasThere = await execute(tx, 'DELETE FROM mentor_exceptions WHERE mentor_id = $1 AND exception_id = $2', [
      mentorId,
      exceptionId,
    ]);
    if (wasThere > 0) await changed(tx, mentorId, actor);
    return wasThere > 0;
  });
}

/**
 * Puts the shifts of a calendar in the place of those that an earlier one has brought. What was entered by hand stays.
 * @returns `too-many` where it would be more than {@link MOST_EXCEPTIONS} together; then nothing changes
 */
export async function replaceImported(
  pool: Pool,
  mentorId: string,
  shifts: readonly Omit<AvailabilityException, 'kind'>[],
  actor: string,
): Promise<'replaced' | 'too-many'> {
  return await inTransaction(pool, async (tx) => {
    // Whoever imports at the same time waits here, so that one calendar is there in the end and not two.
    await execute(tx, 'SELECT 1 FROM mentors WHERE mentor_id = $1 FOR NO KEY UPDATE', [mentorId]);
    const { entered } = await one(
      tx,
      z.object({ entered: z.int() }),
      `SELECT count(*)::int AS entered FROM mentor_exceptions WHERE mentor_id = $1 AND source = 'entered'`,
      [mentorId],
    );
    if (entered + shifts.length > MOST_EXCEPTIONS) return 'too-many';
    await execute(tx, `DELETE FROM mentor_exceptions WHERE mentor_id = $1 AND source = 'imported'`, [mentorId]);
    await execute(
      tx,
      `INSERT INTO mentor_exceptions (mentor_id, kind, starts, ends, zone, source)
       SELECT $1, 'shift', s, e, z, 'imported' FROM unnest($2::timestamp[], $3::timestamp[], $4::text[]) AS shift(s, e, z)`,
      [mentorId, shifts.map(({ starts }) => starts), shifts.map(({ ends }) => ends), shifts.map(({ zone }) => zone)],
    );
    await changed(tx, mentorId, actor);
    return 'replaced';
  });
}

async function changed(tx: Db, mentorId: string, actor: string): Promise<void> {
  await expandShifts(tx, mentorId);
  await appendAudit(tx, { actor, action: 'mentor.shifts-changed', objectId: mentorId, outcome: 'done' });
}

function toException({
  exception_id: exceptionId,
  kind,
  starts,
  ends,
  zone,
  source,
}: z.output<typeof row>): KnownException {
  return { exceptionId, kind, starts, ends, zone, source };
}
