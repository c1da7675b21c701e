/** Recordings of conversations: who agreed, what it is called at the provider, and what the provider tells of it. */
import { z } from 'zod';
import { RECORDING_STATES, type RecordingState, type RecordingStatus } from '../domain/recording';
import { appendAudit } from './audit';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { type Db, execute, many, maybeOne } from './query';

export interface Recording {
  readonly recordingId: string;
  readonly callId: string;
  readonly state: RecordingState;
  readonly recordingSid: string | null;
  readonly durationSeconds: number | null;
  readonly agreedAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** Asked for, and confirmed by the provider. */
  readonly deletedAt: Date | null;
  readonly deletionConfirmedAt: Date | null;
  /** It goes with the next sweep. */
  readonly mustGo: boolean;
}

/** Who agreed to what; both by then. */
export interface Agreement {
  readonly recordingId: string;
  readonly callId: string;
  readonly step: number;
  readonly callSid: string;
  readonly userId: string;
  readonly mentorId: string;
  readonly country: string;
}

const COLUMNS = `recording_id, call_id, state, recording_sid, duration_seconds, agreed_at, started_at, ended_at, deleted_at,
  deletion_confirmed_at, delete_because IS NOT NULL AS must_go`;

const recordingRow = z.object({
  recording_id: z.uuid(),
  call_id: z.uuid(),
  state: z.enum(RECORDING_STATES),
  recording_sid: z.string().nullable(),
  duration_seconds: z.int().nullable(),
  agreed_at: z.date(),
  started_at: z.date().nullable(),
  ended_at: z.date().nullable(),
  deleted_at: z.date().nullable(),
  deletion_confirmed_at: z.date().nullable(),
  must_go: z.boolean(),
});

function toRecording(row: z.output<typeof recordingRow>): Recording {
  return {
    recordingId: row.recording_id,
    callId: row.call_id,
    state: row.state,
    recordingSid: row.recording_sid,
    durationSeconds: row.duration_seconds,
    agreedAt: row.agreed_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    deletedAt: row.deleted_at,
    deletionConfirmedAt: row.deletion_confirmed_at,
    mustGo: row.must_go,
  };
}

/**
 * Both have agreed: before anything is asked of the provider. May be repeated; give it a transaction. Should one of
 * them have been erased meanwhile, whatever comes of it must go.
 */
export async function noteAgreement(tx: Db, agreed: Agreement): Promise<void> {
  const { recordingId, callId, step, callSid, userId, mentorId, country } = agreed;
  const made = await maybeOne(
    tx,
    z.object({ subject_id: z.uuid() }),
    `INSERT INTO call_recordings (recording_id, call_id, step, call_sid, user_id, mentor_id, country, delete_because)
     SELECT $1, $2, $3, $4, $5::uuid, $6::uuid, $7,
            CASE WHEN EXISTS (SELECT FROM subjects s WHERE s.erased_at IS NOT NULL
              AND (s.subject_id = $5 OR s.subject_id = (SELECT subject_id FROM mentors WHERE mentor_id = $6)))
            THEN 'erased' END
     ON CONFLICT DO NOTHING
     RETURNING (SELECT m.subject_id FROM mentors m WHERE m.mentor_id = $6::uuid) AS subject_id`,
    [recordingId, callId, step, callSid, userId, mentorId, country],
  );
  if (made === null) return;
  const entry = { action: 'call-recording.agreed', objectId: recordingId, outcome: 'done' } as const;
  await appendAudit(tx, { ...entry, actor: userId, purpose: 'request' });
  await appendAudit(tx, { ...entry, actor: made.subject_id, purpose: 'key' });
}

/** What it is called at the provider. May be repeated; the first stays. */
export async function noteRecordingSid(db: Db, recordingId: string, sid: string): Promise<void> {
  await execute(
    db,
    `UPDATE call_recordings SET recording_sid = $2 WHERE recording_id = $1 AND recording_sid IS NULL
        AND NOT EXISTS (SELECT FROM call_recordings o WHERE o.recording_sid = $2)`,
    [recordingId, sid],
  );
}

/** What the provider tells of one, late or twice as it may: a final word stays, and times stay as they were first told. */
export async function noteRecordingStatus(
  db: Db,
  told: { readonly sid: string; readonly status: RecordingStatus; readonly durationSeconds: number | null },
): Promise<void> {
  await execute(
    db,
    `UPDATE call_recordings
        SET state = CASE WHEN state IN ('completed', 'absent') THEN state ELSE $2 END,
            started_at = CASE WHEN $2 = 'in-progress' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
            ended_at = CASE WHEN $2 = 'in-progress' THEN ended_at ELSE coalesce(ended_at, clock_timestamp()) END,
            duration_seconds = CASE WHEN $2 = 'completed' THEN coalesce(duration_seconds, $3::int) ELSE duration_seconds END
      WHERE recording_sid = $1`,
    [told.sid, told.status, told.durationSeconds],
  );
}

/** One more than was asked for: known here, so that it is deleted. May be repeated. */
export async function keepDouble(db: Db, recordingId: string, sid: string): Promise<void> {
  await execute(
    db,
    `INSERT INTO call_recordings (recording_id, call_id, step, call_sid, user_id, mentor_id, country, agreed_at,
                                  recording_sid, delete_because)
     SELECT gen_random_uuid(), call_id, step, call_sid, user_id, mentor_id, country, agreed_at, $2, 'doubled'
       FROM call_recordings WHERE recording_id = $1 AND recording_sid IS DISTINCT FROM $2
     ON CONFLICT (recording_sid) DO NOTHING`,
    [recordingId, sid],
  );
}

/** Of one call, oldest first. */
export async function listRecordings(
  db: Db,
  { callId, limit, cursor }: { callId: string; limit: number; cursor: string | null },
): Promise<Page<Recording>> {
  const after = cursor === null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    recordingRow.extend({ cursor_at: z.string() }),
    `SELECT ${COLUMNS}, ${cursorTime('agreed_at')} AS cursor_at FROM call_recordings
      WHERE call_id = $1 AND ($2::timestamptz IS NULL OR (agreed_at, recording_id) > ($2::timestamptz, $3::uuid))
      ORDER BY agreed_at, recording_id LIMIT $4`,
    [callId, after?.at ?? null, after?.id ?? null, limit + 1],
  );
  return toPage(rows, limit, (row) => row.recording_id, toRecording);
}

/** Null when there is no such recording of that call. */
export async function findRecording(db: Db, callId: string, recordingId: string): Promise<Recording | null> {
  const row = await maybeOne(
    db,
    recordingRow,
    `SELECT ${COLUMNS} FROM call_recordings WHERE call_id = $1 AND recording_id = $2`,
    [callId, recordingId],
  );
  return row && toRecording(row);
}

/** What is needed to stop one, or to look for what came of asking for it. */
export async function legOfRecording(
  db: Db,
  recordingId: string,
): Promise<{ callSid: string; recordingSid: string | null } | null> {
  const row = await maybeOne(
    db,
    z.object({ call_sid: z.string(), recording_sid: z.string().nullable() }),
    'SELECT call_sid, recording_sid FROM call_recordings WHERE recording_id = $1',
    [recordingId],
  );
  return row && { callSid: row.call_sid, recordingSid: row.recording_sid };
}
