/** When a recording goes: after its time, or at once. It is gone when the provider does not know it any more. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { DeleteBecause } from '../domain/recording';
import { appendAudit } from './audit';
import { behindSql, cursorTime, type Place, type Placed, placeOfRow, placeValues } from './cursor';
import type { Held } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

export interface RecordingToDelete {
  readonly recordingId: string;
  readonly recordingSid: string;
  readonly callSid: string;
}

/** What must be gone, besides what goes before its time. */
export interface RecordingsWanted {
  /** How long one is kept; null: only those that go before their time. */
  readonly keptMs: number | null;
  /** What legal holds keep; what nobody has agreed to goes all the same. */
  readonly held: Held;
}

const OVER = `deletion_confirmed_at IS NULL AND recording_sid IS NOT NULL
        AND (delete_because IS NOT NULL OR agreed_at < now() - $1::bigint * interval '1 millisecond')`;

/** Recordings that must be gone by now and are not held, oldest first. */
export function recordingsToDelete(
  db: Db,
  { keptMs, held }: RecordingsWanted,
  limit: number,
  after: Place | null = null,
): Promise<Placed<RecordingToDelete>[]> {
  return many(
    db,
    z
      .object({ recording_id: z.uuid(), recording_sid: z.string(), call_sid: z.string() })
      .transform(
        (row): RecordingToDelete => ({
          recordingId: row.recording_id,
          recordingSid: row.recording_sid,
          callSid: row.call_sid,
        }),
      )
      .and(placeOfRow),
    `SELECT recording_id, recording_sid, call_sid, ${cursorTime('agreed_at')} AS cursor_at, recording_id AS cursor_id
       FROM call_recordings r
      WHERE ${OVER} AND NOT ${heldOfThese(held)}
        AND ${behindSql('agreed_at', 'recording_id', 3)}
      ORDER BY agreed_at, recording_id LIMIT $2`,
    [keptMs, limit, ...placeValues(after)],
  );
}

function heldOfThese(held: Held): string {
  // Who is held keeps it, also when the other one is erased.
  return held.isAny ? `(coalesce(delete_because, 'erased') = 'erased' AND ${heldSql('r', held)})` : 'false';
}

/** How many must be gone by now, and how many of them a legal hold keeps. */
export function countRecordingsOver(
  db: Db,
  { keptMs, held }: RecordingsWanted,
): Promise<{ readonly found: number; readonly held: number }> {
  const query = `SELECT count(*)::int AS found, count(*) FILTER (WHERE ${heldOfThese(held)})::int AS held
    FROM call_recordings r WHERE ${OVER}`;
  return one(db, z.object({ found: z.int(), held: z.int() }), query, [keptMs]);
}

/** It has to go before its time. May be repeated; the first reason stays. */
export async function deleteSoon(db: Db, recordingId: string, because: DeleteBecause): Promise<void> {
  await execute(
    db,
    'UPDATE call_recordings SET delete_because = $2 WHERE recording_id = $1 AND delete_because IS NULL',
    [recordingId, because],
  );
}

/** The provider was asked to delete it. May be repeated; the first time stays. */
export async function noteDeletionAsked(db: Db, recordingId: string): Promise<void> {
  await execute(
    db,
    'UPDATE call_recordings SET deleted_at = clock_timestamp() WHERE recording_id = $1 AND deleted_at IS NULL',
    [recordingId],
  );
}

/** The provider does not know it any more: noted with an audit entry. @returns false when it was noted before */
export function noteDeletionConfirmed(pool: Pool, recordingId: string): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const gone = await maybeOne(
      tx,
      z.object({ purpose: z.string() }),
      `UPDATE call_recordings SET deletion_confirmed_at = clock_timestamp()
        WHERE recording_id = $1 AND deletion_confirmed_at IS NULL AND deleted_at IS NOT NULL
        RETURNING coalesce(delete_because, 'retention') AS purpose`,
      [recordingId],
    );
    if (gone === null) return false;
    const { purpose } = gone;
    await appendAudit(tx, {
      actor: 'system',
      action: 'call-recording.deleted',
      objectId: recordingId,
      purpose,
      outcome: 'done',
    });
    return true;
  });
}

/** Rows of recordings that are gone, or of which none ever came. */
export function deleteOldRecordingRows(db: Db, rows: OldRows): Promise<OldPage> {
  const where = '(t.deletion_confirmed_at IS NOT NULL OR t.recording_sid IS NULL)';
  const heldWhere = (held: Held) => heldSql('t', held);
  return deleteOld(db, { table: 'call_recordings', key: 'recording_id', time: 't.agreed_at', where, heldWhere }, rows);
}

/** Links that do not open any more. */
export function deleteOldRecordingLinks(db: Db, rows: OldRows): Promise<OldPage> {
  const heldWhere = () => 'false';
  const old = { table: 'recording_links', key: 'link_hash', type: 'bytea', time: 't.expires_at', heldWhere } as const;
  return deleteOld(db, old, rows);
}

/** A recording is of both who agreed to it. */
function heldSql(table: string, { subjects, mentors }: Held): string {
  return `(${table}.user_id IN ${subjects} OR coalesce(${table}.mentor_id IN ${mentors}, false))`;
}
