/** Who may ask for mentor calls while they are not for everybody. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { appendAudit } from './audit';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne } from './query';

export interface Access {
  readonly subjectId: string;
  readonly addedAt: Date;
}

const row = z.object({ subject_id: z.uuid(), added_at: z.date(), cursor_at: z.string() });
const COLUMNS = `subject_id, added_at, ${cursorTime('added_at')} AS cursor_at`;

/** In the order in which they were put on the list, a page at a time. */
export async function listAccess(db: Db, limit: number, cursor: string | null): Promise<Page<Access>> {
  const after = cursor === null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    row,
    `SELECT ${COLUMNS} FROM mentor_call_access
      WHERE $2::timestamptz IS NULL OR (added_at, subject_id) > ($2::timestamptz, $3::uuid)
      ORDER BY added_at, subject_id LIMIT $1`,
    [limit + 1, after?.at ?? null, after?.id ?? null],
  );
  return toPage(rows, limit, ({ subject_id: id }) => id, toAccess);
}

export async function hasAccess(db: Db, subjectId: string): Promise<boolean> {
  return (await execute(db, 'SELECT 1 FROM mentor_call_access WHERE subject_id = $1', [subjectId])) > 0;
}

/** May be repeated; whoever is on the list keeps their place. @returns null for a subject who is not there, or was erased */
export async function giveAccess(pool: Pool, subjectId: string, actor: string): Promise<Access | null> {
  return await inTransaction(pool, async (tx) => {
    const added = await execute(
      tx,
      `INSERT INTO mentor_call_access (subject_id, added_by)
       SELECT subject_id, $2 FROM subjects WHERE subject_id = $1 AND erased_at IS NULL ON CONFLICT DO NOTHING`,
      [subjectId, actor],
    );
    const entry = { actor, action: 'mentor-call-access.given', objectId: subjectId, outcome: 'done' } as const;
    if (added > 0) await appendAudit(tx, entry);
    const found = await maybeOne(tx, row, `SELECT ${COLUMNS} FROM mentor_call_access WHERE subject_id = $1`, [
      subjectId,
    ]);
    return found === null ? null : toAccess(found);
  });
}

/** @returns false for somebody who was not on the list */
export async function takeAccess(pool: Pool, subjectId: string, actor: string): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const taken = await execute(tx, 'DELETE FROM mentor_call_access WHERE subject_id = $1', [subjectId]);
    const entry = { actor, action: 'mentor-call-access.taken', objectId: subjectId, outcome: 'done' } as const;
    if (taken > 0) await appendAudit(tx, entry);
    return taken > 0;
  });
}

function toAccess({ subject_id: subjectId, added_at: addedAt }: z.output<typeof row>): Access {
  return { subjectId, addedAt };
}
