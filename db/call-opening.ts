/**
 * The first fact of a mentor call: may it ring at all? One live call per user, and a few requests an hour per user
 * and per number, so that nobody can use us to make a phone ring all day.
 */
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { AuditAction } from '../domain/audit-actions';
import { type MentorCallInput, mentorCallWorkflowId } from '../domain/mentor-call';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { inTransaction } from './pool';
import { type Db, execute, maybeOne, one } from './query';

/** Requests within any hour. */
export interface RequestLimits {
  readonly perUser: number;
  /** Over all users: a number is protected from many callers as from one. */
  readonly perTarget: number;
}

export type Opened =
  | { readonly state: 'opened' }
  | { readonly state: 'merged'; readonly mergedInto: string }
  | { readonly state: 'limited'; readonly which: 'user' | 'target'; readonly retryAfterSeconds: number };

const existingRow = z.object({
  merged_into: z.uuid().nullable(),
  limited_by: z.enum(['user', 'target']).nullable(),
});

/**
 * Inserts the call's row, in one transaction: live, or over at once as merged or limited. Repeated for the same call
 * it answers as the first time.
 */
export async function openCall(pool: Pool, input: MentorCallInput, limits: RequestLimits): Promise<Opened> {
  return await inTransaction(pool, async (tx) => {
    // Always user before number, so that two requests never wait for each other. Held until the commit.
    await lock(tx, LOCKS.user, input.userId);
    if (input.recipientToken !== null) await lock(tx, LOCKS.target, input.recipientToken);
    const before = await maybeOne(tx, existingRow, 'SELECT merged_into, limited_by FROM call_logs WHERE call_id = $1', [
      input.callId,
    ]);
    if (before !== null) {
      if (before.merged_into !== null) return { state: 'merged', mergedInto: before.merged_into };
      if (before.limited_by === null) return { state: 'opened' };
      const now = await countRecentRequests(tx, whoAndWhom(input), limits);
      return { state: 'limited', which: before.limited_by, retryAfterSeconds: now?.retryAfterSeconds ?? 1 };
    }
    return await open(tx, input, limits);
  });
}

async function open(tx: PoolClient, input: MentorCallInput, limits: RequestLimits): Promise<Opened> {
  const live = await maybeOne(
    tx,
    z.object({ call_id: z.uuid() }),
    "SELECT call_id FROM call_logs WHERE user_id = $1 AND live AND kind = 'mentor-call'",
    [input.userId],
  );
  if (live !== null) {
    await insertCall(tx, input, { status: 'merged', endReason: 'merged', mergedInto: live.call_id });
    await audit(tx, input, 'mentor-call.merged');
    return { state: 'merged', mergedInto: live.call_id };
  }
  const limited = await countRecentRequests(tx, whoAndWhom(input), limits);
  if (limited !== null) {
    await insertCall(tx, input, { status: 'failed', endReason: 'too-many-requests', limitedBy: limited.which });
    await audit(tx, input, 'mentor-call.limited');
    return { state: 'limited', ...limited };
  }
  await insertCall(tx, input, { status: 'starting' });
  await audit(tx, input, 'mentor-call.requested');
  return { state: 'opened' };
}

/** Where nobody is rung there is nobody to protect from it: a call from the app counts for its user only. */
function whoAndWhom({ userId, recipientToken }: MentorCallInput): { userId: string; tokenHexes: readonly string[] } {
  return { userId, tokenHexes: recipientToken === null ? [] : [recipientToken] };
}

/**
 * Whether another request would be over a limit. Counted are calls that were opened; merged and limited ones rang
 * nobody. The API asks before it starts anything, `openCall` again under its locks.
 * @param tokenHexes the number's token under every live version of the token key
 * @returns null, or which limit and when a request will be within it again
 */
export async function countRecentRequests(
  db: Db,
  { userId, tokenHexes }: { userId: string; tokenHexes: readonly string[] },
  limits: RequestLimits,
): Promise<{ which: 'user' | 'target'; retryAfterSeconds: number } | null> {
  const row = await one(
    db,
    z.object({ user_wait: z.int().nullable(), target_wait: z.int().nullable() }),
    `SELECT (${waitUntilFewer('user_id = $1', '$3')}) AS user_wait,
            (${waitUntilFewer("recipient_token = ANY(SELECT decode(t, 'hex') FROM unnest($2::text[]) t)", '$4')})
              AS target_wait`,
    [userId, tokenHexes, limits.perUser, limits.perTarget],
  );
  if (row.user_wait !== null) return { which: 'user', retryAfterSeconds: row.user_wait };
  if (row.target_wait !== null) return { which: 'target', retryAfterSeconds: row.target_wait };
  return null;
}

/** Seconds until the limit-th newest call of the last hour is an hour old; null when there are fewer. */
function waitUntilFewer(whose: string, limit: string): string {
  return `SELECT greatest(1, ceil(extract(epoch FROM opened_at + interval '1 hour' - clock_timestamp())))::int
            FROM call_logs
           WHERE ${whose} AND kind = 'mentor-call' AND merged_into IS NULL AND limited_by IS NULL
             AND opened_at > clock_timestamp() - interval '1 hour'
           ORDER BY opened_at DESC OFFSET ${limit}::int - 1 LIMIT 1`;
}

interface FirstState {
  readonly status: 'starting' | 'merged' | 'failed';
  readonly endReason?: 'merged' | 'too-many-requests';
  readonly mergedInto?: string;
  readonly limitedBy?: 'user' | 'target';
}

async function insertCall(tx: Db, input: MentorCallInput, first: FirstState): Promise<void> {
  const isOver = first.endReason !== undefined;
  await execute(
    tx,
    `INSERT INTO call_logs (call_id, workflow_id, user_id, record_id, number_is_for_this_call_only, recipient_token,
                            country, language, organisation_number, status, outcome, end_reason, live, merged_into,
                            request_hash, consent_version, consent_language, may_call_back, preferences, requested_at,
                            limited_by, way_in, call_sid, ended_at)
     VALUES ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
             $22, $23, CASE WHEN $13 THEN NULL ELSE clock_timestamp() END)`,
    [
      input.callId,
      mentorCallWorkflowId(input.callId),
      input.userId,
      input.recordId,
      input.numberIsForThisCallOnly,
      input.recipientToken,
      input.country,
      input.language,
      input.organisationNumber,
      first.status,
      isOver ? first.status : null,
      first.endReason ?? null,
      !isOver,
      first.mergedInto ?? null,
      input.requestHash,
      input.consent.textVersion,
      input.consent.language,
      input.mayCallBack,
      JSON.stringify(input.preferences),
      input.requestedAt,
      first.limitedBy ?? null,
      input.fromApp ? 'app' : 'phone',
      // One that is over at once is told so and hangs up by itself: no sweep is to end it in the middle of a word.
      isOver ? null : (input.fromApp?.callSid ?? null),
    ],
  );
  const { userId: subjectId, callId: objectId } = input;
  await noteAppEvent(tx, { subjectId, type: `mentor-call.${first.status}`, objectId, state: first.status });
}

/** The consent under which we act stands in the entry: text version and language. */
async function audit(tx: Db, input: MentorCallInput, action: AuditAction): Promise<void> {
  await appendAudit(tx, {
    actor: input.userId,
    action,
    objectId: input.callId,
    purpose: `consent:${input.consent.textVersion}:${input.consent.language}`,
    outcome: action === 'mentor-call.limited' ? 'refused' : 'done',
  });
}

/** First halves of advisory locks: one number space per kind of thing that is locked. */
const LOCKS = { user: 1, target: 2 } as const;

async function lock(tx: Db, space: number, of: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [space, of]);
}
