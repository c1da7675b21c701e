/** The row of a dispatch: one outward act, which Twilio may do at most once and which must not get lost. */
import { z } from 'zod';
import { type Db, execute, maybeOne, one } from './query';

const DISPATCH_STATES = [
  'ready', // nothing is under way
  'attempting', // somebody holds the lease
  'unknown', // an attempt ended and nobody knows how
  'accepted', // the provider has it; the SID says what it is called there
  'refused', // the provider will not do it
  'lost', // nobody can ever know, and it is not to be repeated
  'abandoned', // not wanted any more; what came out of it is ended
] as const;
export type DispatchState = (typeof DISPATCH_STATES)[number];

export interface Dispatch {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly callId: string | null;
  readonly messageId: string | null;
  readonly alertId: string | null;
  readonly workflowId: string;
  readonly channel: 'voice' | 'sms' | 'email' | 'recording';
  readonly messageClass: 'ordinary' | 'safety';
  readonly state: DispatchState;
  /** Counts from 1 with the first claim; names the claim in everything the claimant writes. */
  readonly attempt: number;
  readonly sid: string | null;
  /** Our number or service. */
  readonly sender: string;
  readonly country: string;
  readonly errorCode: string | null;
  readonly errorClass: string | null;
  /** Legs beyond the one intended. */
  readonly doubledCount: number;
  /** No call that was created before can have come of it. */
  readonly createdAt: Date;
  /** Null while the outcome is open, also for an abandoned dispatch whose attempt is still under way. */
  readonly settledAt: Date | null;
  /** Until the lease ends; 0 when it is over or there is none. */
  readonly leaseRemainingMs: number;
}

export interface NewDispatch {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly callId: string | null;
  readonly messageId?: string | null;
  readonly alertId?: string | null;
  readonly workflowId: string;
  /** Hex of the recipient's token. */
  readonly recipientToken: string;
  readonly channel: 'voice' | 'sms' | 'email' | 'recording';
  readonly messageClass?: 'ordinary' | 'safety';
  readonly sender: string;
  readonly country: string;
}

/** Columns of a {@link Dispatch}; times that are compared are compared by the database clock. */
export const DISPATCH_COLUMNS = `dispatch_id, business_key, call_id, message_id, alert_id, workflow_id, channel, message_class, state, attempt,
  sid, sender, country, error_code, error_class, doubled_count, created_at, settled_at,
  greatest(0, ceil(extract(epoch FROM lease_until - clock_timestamp()) * 1000))::int AS lease_remaining_ms`;

export const dispatchRow = z
  .object({
    dispatch_id: z.uuid(),
    business_key: z.string(),
    call_id: z.uuid().nullable(),
    message_id: z.uuid().nullable(),
    alert_id: z.uuid().nullable(),
    workflow_id: z.string(),
    channel: z.enum(['voice', 'sms', 'email', 'recording']),
    message_class: z.enum(['ordinary', 'safety']),
    state: z.enum(DISPATCH_STATES),
    attempt: z.int(),
    sid: z.string().nullable(),
    sender: z.string(),
    country: z.string(),
    error_code: z.string().nullable(),
    error_class: z.string().nullable(),
    doubled_count: z.int(),
    created_at: z.date(),
    settled_at: z.date().nullable(),
    lease_remaining_ms: z.int().nullable(),
  })
  .transform(
    (row): Dispatch => ({
      dispatchId: row.dispatch_id,
      businessKey: row.business_key,
      callId: row.call_id,
      messageId: row.message_id,
      alertId: row.alert_id,
      workflowId: row.workflow_id,
      channel: row.channel,
      messageClass: row.message_class,
      state: row.state,
      attempt: row.attempt,
      sid: row.sid,
      sender: row.sender,
      country: row.country,
      errorCode: row.error_code,
      errorClass: row.error_class,
      doubledCount: row.doubled_count,
      createdAt: row.created_at,
      settledAt: row.settled_at,
      leaseRemainingMs: row.lease_remaining_ms ?? 0,
    }),
  );

/**
 * The dispatch of a business key, made as `ready` when there was none. The id given first stays: a repeated request
 * gets the row, and with it the id, of the first.
 */
export async function ensureDispatch(db: Db, input: NewDispatch): Promise<Dispatch> {
  await execute(
    db,
    `INSERT INTO dispatches (dispatch_id, business_key, call_id, workflow_id, recipient_token, channel, message_class,
                             sender, country, message_id, alert_id)
     VALUES ($1, $2, $3, $4, decode($5, 'hex'), $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
    [
      input.dispatchId,
      input.businessKey,
      input.callId,
      input.workflowId,
      input.recipientToken,
      input.channel,
      input.messageClass ?? 'ordinary',
      input.sender,
      input.country,
      input.messageId ?? null,
      input.alertId ?? null,
    ],
  );
  return await one(
    db,
    dispatchRow,
    `SELECT ${DISPATCH_COLUMNS} FROM dispatches WHERE business_key = $1 OR dispatch_id = $2
      ORDER BY business_key = $1 DESC LIMIT 1`,
    [input.businessKey, input.dispatchId],
  );
}

/**
 * Withdraws a dispatch that was not made yet: the request to make it may still wait in a queue, and must then find
 * it abandoned.
 * @returns false when it has been made meanwhile
 */
export async function withdrawUnmade(db: Db, dispatchId: string): Promise<boolean> {
  const made = await execute(
    db,
    `INSERT INTO dispatches (dispatch_id, business_key, workflow_id, channel, state, sender, country, settled_at)
     VALUES ($1::uuid, 'withdrawn:' || $1::text, '', 'voice', 'abandoned', '', '', clock_timestamp())
     ON CONFLICT DO NOTHING`,
    [dispatchId],
  );
  return made === 1;
}

/** Which of ours something went out by; null when no dispatch knows it. */
export async function senderOf(db: Db, sid: string): Promise<string | null> {
  const row = z.object({ sender: z.string() });
  return (await maybeOne(db, row, 'SELECT sender FROM dispatches WHERE sid = $1', [sid]))?.sender ?? null;
}

/** The dispatch, or null. */
export function findDispatch(db: Db, dispatchId: string): Promise<Dispatch | null> {
  return maybeOne(db, dispatchRow, `SELECT ${DISPATCH_COLUMNS} FROM dispatches WHERE dispatch_id = $1`, [dispatchId]);
}
