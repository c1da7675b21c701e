/** Rows of mentor calls: what GET shows, what the log keeps. The calls of alerts, in the same table, are in `alerts.ts`. */
import { z } from 'zod';
import {
  END_REASONS,
  type EndReason,
  LIVE_STATUSES,
  type LiveStatus,
  OUTCOMES,
  type Outcome,
} from '../domain/mentor-call';
import { notingAppEvents } from './app-events';
import { cursorTime, decodeCursor, type Page, toPage, behindSql, type Place, type Placed, placeValues } from './cursor';
import { type Db, execute, many, maybeOne, one } from './query';

export interface CallRow {
  readonly callId: string;
  readonly workflowId: string;
  readonly userId: string;
  /** Null where nobody was rung: the user called from the app. */
  readonly recordId: string | null;
  readonly numberIsForThisCallOnly: boolean;
  readonly country: string;
  readonly language: string;
  /** Our number that the user sees. */
  readonly organisationNumber: string;
  /** While live what happens now, afterwards the outcome. */
  readonly status: LiveStatus | Outcome;
  readonly outcome: Outcome | null;
  readonly endReason: EndReason | null;
  readonly live: boolean;
  readonly mergedInto: string | null;
  readonly requestHash: string;
  readonly consentVersion: string;
  readonly consentLanguage: string;
  readonly mayCallBack: boolean;
  /** The mentor that the request asked for by id. */
  readonly requestedMentorId: string | null;
  readonly mentorId: string | null;
  readonly callSid: string | null;
  readonly requestedAt: Date;
  readonly answeredAt: Date | null;
  readonly bridgedAt: Date | null;
  readonly endedAt: Date | null;
  /** Of the bridge. */
  readonly durationSeconds: number | null;
  /** While it waits in the queue. */
  readonly waiting: { readonly position: number; readonly since: Date; readonly until: Date } | null;
}

const callRow = z
  .object({
    call_id: z.uuid(),
    workflow_id: z.string(),
    user_id: z.uuid(),
    record_id: z.uuid().nullable(),
    number_is_for_this_call_only: z.boolean(),
    country: z.string(),
    language: z.string(),
    organisation_number: z.string(),
    status: z.enum([...LIVE_STATUSES, ...OUTCOMES]),
    outcome: z.enum(OUTCOMES).nullable(),
    end_reason: z.enum(END_REASONS).nullable(),
    live: z.boolean(),
    merged_into: z.uuid().nullable(),
    request_hash: z.string(),
    consent_version: z.string(),
    consent_language: z.string(),
    may_call_back: z.boolean(),
    requested_mentor_id: z.string().nullable(),
    mentor_id: z.uuid().nullable(),
    call_sid: z.string().nullable(),
    requested_at: z.date(),
    answered_at: z.date().nullable(),
    bridged_at: z.date().nullable(),
    ended_at: z.date().nullable(),
    duration_seconds: z.int().nullable(),
    waiting_since: z.date().nullable(),
    waits_until: z.date().nullable(),
    waiting_position: z.int().nullable(),
    cursor_at: z.string(),
  })
  .readonly();

/**
 * What Twilio has told since the workflow last wrote is read from the dispatch: the SID as soon as the call is accepted,
 * and with it that the user's phone rings. It costs the workflow no step.
 */
const SELECT_CALL = `SELECT call_logs.call_id, workflow_id, user_id, record_id, number_is_for_this_call_only, country,
  language, organisation_number,
  CASE WHEN status = 'starting' AND ring.sid IS NOT NULL THEN 'ringing-user' ELSE status END AS status, outcome,
  end_reason, live, merged_into, request_hash, consent_version, consent_language, may_call_back,
  preferences->>'mentorId' AS requested_mentor_id, mentor_id, COALESCE(call_sid, ring.sid) AS call_sid, requested_at,
  answered_at, bridged_at, ended_at, duration_seconds, place.waiting_since, place.waits_until,
  place.position AS waiting_position, ${cursorTime('opened_at')} AS cursor_at
  FROM call_logs LEFT JOIN LATERAL (
    SELECT sid FROM dispatches WHERE dispatches.call_id = call_logs.call_id AND sid IS NOT NULL
     ORDER BY dispatches.created_at DESC LIMIT 1) AS ring ON true
  LEFT JOIN LATERAL (
    SELECT q.waiting_since, q.waits_until, (SELECT count(*)::int FROM mentor_queue before
             WHERE (before.waiting_since, before.entry) <= (q.waiting_since, q.entry)) AS position
      FROM mentor_queue q WHERE q.call_id = call_logs.call_id) AS place ON true
  WHERE kind = 'mentor-call' AND`;

/** The call, whoever's it is; the caller checks `userId`. */
export async function findCall(db: Db, callId: string): Promise<CallRow | null> {
  const row = await maybeOne(db, callRow, `${SELECT_CALL} call_logs.call_id = $1`, [callId]);
  return row === null ? null : toCall(row);
}

/** The vault record of the number that a call rings, of whatever kind the call is; null when there is no such call or number. */
export async function recordOfCall(db: Db, callId: string): Promise<string | null> {
  const query = 'SELECT record_id FROM call_logs WHERE call_id = $1';
  return (await maybeOne(db, z.object({ record_id: z.uuid().nullable() }), query, [callId]))?.record_id ?? null;
}

/** The call whose user's leg this is, or null: for callbacks of legs that no dispatch of ours made. */
export async function findCallIdBySid(db: Db, callSid: string): Promise<string | null> {
  const query = "SELECT call_id FROM call_logs WHERE call_sid = $1 AND kind = 'mentor-call'";
  const row = await maybeOne(db, z.object({ call_id: z.uuid() }), query, [callSid]);
  return row?.call_id ?? null;
}

/** The one live call of a user, or null. */
export async function findLiveCall(db: Db, userId: string): Promise<CallRow | null> {
  const row = await maybeOne(db, callRow, `${SELECT_CALL} user_id = $1 AND live`, [userId]);
  return row === null ? null : toCall(row);
}

/** The live call whose user has this number, under any live version of the token key: for calls to our numbers. */
export async function findLiveCallByToken(db: Db, tokens: readonly Buffer[]): Promise<CallRow | null> {
  const row = await maybeOne(
    db,
    callRow,
    `${SELECT_CALL} recipient_token = ANY($1) AND live ORDER BY opened_at DESC LIMIT 1`,
    [tokens],
  );
  return row === null ? null : toCall(row);
}

export interface CallList {
  readonly userId?: string | undefined;
  /** Only those that are under way, or that are over. */
  readonly live?: boolean | undefined;
  readonly limit: number;
  readonly cursor?: string | null | undefined;
}

/** Calls, newest first, a page at a time; of one user, or of all. A cursor that is not ours starts from the newest. */
export async function listCalls(db: Db, { userId, live, limit, cursor }: CallList): Promise<Page<CallRow>> {
  const before = cursor == null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    callRow,
    `${SELECT_CALL} ($1::uuid IS NULL OR user_id = $1)
        AND ($2::timestamptz IS NULL OR (opened_at, call_logs.call_id) < ($2::timestamptz, $3::uuid))
        AND ($5::boolean IS NULL OR live = $5)
      ORDER BY opened_at DESC, call_logs.call_id DESC LIMIT $4`,
    [userId ?? null, before?.at ?? null, before?.id ?? null, limit + 1, live ?? null],
  );
  return toPage(rows, limit, (row) => row.call_id, toCall);
}

/** How many calls are under way. */
export async function countLiveCalls(db: Db): Promise<number> {
  const counted = z.object({ live: z.int() });
  const row = await one(db, counted, "SELECT count(*)::int AS live FROM call_logs WHERE live AND kind = 'mentor-call'");
  return row.live;
}

/** Live calls that were opened longer ago than this: the sweep asks Temporal whether they still run. */
export async function liveCalls(
  db: Db,
  olderThanMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<CallRow>[]> {
  const rows = await many(
    db,
    callRow,
    `${SELECT_CALL} live AND opened_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('opened_at', 'call_logs.call_id', 3)}
      ORDER BY opened_at, call_logs.call_id LIMIT $2`,
    [olderThanMs, limit, ...placeValues(after)],
  );
  return rows.map((row) => ({ ...toCall(row), place: { at: row.cursor_at, id: row.call_id } }));
}

/** What the workflow notes on the way. */
export interface CallPatch {
  readonly status?: LiveStatus | undefined;
  readonly callSid?: string | undefined;
  readonly mentorId?: string | undefined;
  readonly answeredAt?: Date | string | undefined;
  readonly bridgedAt?: Date | string | undefined;
}

/**
 * Notes what is given and leaves the rest; the app is told of a new status. The first answer and the first bridge stay; a call that is over does not
 * change any more.
 * @returns false when the call is over or unknown
 */
export async function updateCall(db: Db, callId: string, patch: CallPatch): Promise<boolean> {
  const changed = await execute(
    db,
    `WITH before AS (SELECT call_id, status FROM call_logs WHERE call_id = $1 AND live FOR UPDATE),
          after AS (
            UPDATE call_logs c
               SET status = coalesce($2, c.status), call_sid = coalesce($3, call_sid),
                   mentor_id = coalesce($4, mentor_id), answered_at = coalesce(answered_at, $5),
                   bridged_at = coalesce(bridged_at, $6)
              FROM before WHERE c.call_id = before.call_id
            RETURNING c.user_id AS subject_id, c.call_id AS object_id, c.status AS state, before.status AS was),
          told AS (${notingAppEvents('mentor-call', 'after WHERE state <> was')})
     SELECT 1 FROM after`,
    [callId, patch.status, patch.callSid, patch.mentorId, patch.answeredAt, patch.bridgedAt],
  );
  return changed === 1;
}

function toCall(row: z.output<typeof callRow>): CallRow {
  return {
    callId: row.call_id,
    workflowId: row.workflow_id,
    userId: row.user_id,
    recordId: row.record_id,
    numberIsForThisCallOnly: row.number_is_for_this_call_only,
    country: row.country,
    language: row.language,
    organisationNumber: row.organisation_number,
    status: row.status,
    outcome: row.outcome,
    endReason: row.end_reason,
    live: row.live,
    mergedInto: row.merged_into,
    requestHash: row.request_hash,
    consentVersion: row.consent_version,
    consentLanguage: row.consent_language,
    mayCallBack: row.may_call_back,
    requestedMentorId: row.requested_mentor_id,
    mentorId: row.mentor_id,
    callSid: row.call_sid,
    requestedAt: row.requested_at,
    answeredAt: row.answered_at,
    bridgedAt: row.bridged_at,
    endedAt: row.ended_at,
    durationSeconds: row.duration_seconds,
    waiting: toWaiting(row),
  };
}

function toWaiting(row: z.output<typeof callRow>): CallRow['waiting'] {
  const { waiting_position: position, waiting_since: since, waits_until: until } = row;
  return position === null || since === null || until === null ? null : { position, since, until };
}
