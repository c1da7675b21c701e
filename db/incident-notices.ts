/**
 * Who is to be told of an incident. A row is written with what it tells of, claimed by moving its next attempt into the
 * future, and done when the mail's workflow was started or the webhook was answered: a worker that dies in between lets it
 * come due again. A mail is one by its id; a webhook may come twice, and its receiver knows the alert by its fingerprint.
 */
import { z } from 'zod';
import { INCIDENT_PHASES, type IncidentPhase, type ToldIncident } from '../domain/incident-words';
import { INCIDENT_KINDS } from '../domain/watchdog-rules';
import { type Db, execute, many } from './query';

/** How many addresses there are, and whether there is a webhook. */
export interface NoticeChannels {
  readonly emails: number;
  readonly webhook: boolean;
}

/** Claimed for one attempt. */
export interface DueNotice {
  readonly incident: ToldIncident;
  readonly phase: IncidentPhase;
  readonly channel: 'email' | 'webhook';
  /** Place in `ALERT_EMAILS`, from 1. */
  readonly recipient: number;
  /** Of the e-mail. */
  readonly messageId: string;
  /** Before this one. */
  readonly attempts: number;
}

/** After a day it is told no more: whoever looks finds it in the list. */
const GIVE_UP_AFTER = "interval '24 hours'";

/** Notes who is to be told; in the transaction that raises or closes the incident. */
export async function noteNotices(
  tx: Db,
  incidentId: string,
  phase: IncidentPhase,
  { emails, webhook }: NoticeChannels,
): Promise<void> {
  await execute(
    tx,
    `INSERT INTO incident_notices (incident_id, phase, channel, recipient)
     SELECT $1, $2, channel, recipient
       FROM (SELECT 'email' AS channel, n AS recipient FROM generate_series(1, $3::int) AS n
             UNION ALL SELECT 'webhook', 1 WHERE $4::boolean) AS told
     ON CONFLICT DO NOTHING`,
    [incidentId, phase, emails, webhook],
  );
}

const dueRow = z
  .object({
    incident_id: z.uuid(),
    kind: z.enum(INCIDENT_KINDS),
    counts: z.record(z.string(), z.number()),
    raised_at: z.date(),
    closed_at: z.date().nullable(),
    phase: z.enum(INCIDENT_PHASES),
    channel: z.enum(['email', 'webhook']),
    recipient: z.int(),
    message_id: z.uuid(),
    attempts: z.int(),
  })
  .transform(
    (row): DueNotice => ({
      incident: {
        incidentId: row.incident_id,
        kind: row.kind,
        counts: row.counts,
        raisedAt: row.raised_at,
        // What began is told as it began, also when it is over by now.
        closedAt: row.phase === 'resolved' ? row.closed_at : null,
      },
      phase: row.phase,
      channel: row.channel,
      recipient: row.recipient,
      messageId: row.message_id,
      attempts: row.attempts,
    }),
  );

/**
 * Claims what is due. That something is over is told only to who was told that it had begun: it waits while that is still
 * tried, and is dropped where it never will be.
 * @param leaseMs longer than an attempt takes
 */
export async function claimDueNotices(db: Db, limit: number, leaseMs: number): Promise<DueNotice[]> {
  return await many(
    db,
    dueRow,
    `WITH untold AS (
       UPDATE incident_notices n SET next_attempt_at = NULL
        WHERE n.phase = 'resolved' AND n.next_attempt_at <= clock_timestamp()
          AND NOT EXISTS (SELECT FROM incident_notices first
            WHERE first.phase = 'firing' AND first.incident_id = n.incident_id
              AND first.channel = n.channel AND first.recipient = n.recipient
              AND (first.done_at IS NOT NULL OR first.next_attempt_at IS NOT NULL))),
     due AS (
       SELECT n.incident_id, n.phase, n.channel, n.recipient FROM incident_notices n
        WHERE n.next_attempt_at <= clock_timestamp()
          AND (n.phase = 'firing' OR EXISTS (SELECT FROM incident_notices first
            WHERE first.phase = 'firing' AND first.incident_id = n.incident_id
              AND first.channel = n.channel AND first.recipient = n.recipient AND first.done_at IS NOT NULL))
        ORDER BY n.next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED),
     claimed AS (
       UPDATE incident_notices n SET next_attempt_at = clock_timestamp() + $2 * interval '1 millisecond'
         FROM due WHERE (n.incident_id, n.phase, n.channel, n.recipient)
                      = (due.incident_id, due.phase, due.channel, due.recipient)
       RETURNING n.incident_id, n.phase, n.channel, n.recipient, n.message_id, n.attempts, n.noted_at)
     SELECT i.incident_id, i.kind, i.counts, i.raised_at, i.closed_at, c.phase, c.channel, c.recipient, c.message_id,
            c.attempts
       FROM claimed c JOIN incidents i USING (incident_id) ORDER BY c.noted_at, c.channel, c.recipient`,
    [limit, leaseMs],
  );
}

const THIS_ONE = 'incident_id = $1 AND phase = $2 AND channel = $3 AND recipient = $4';

function thisOne({ incident, phase, channel, recipient }: DueNotice): readonly unknown[] {
  return [incident.incidentId, phase, channel, recipient];
}

export async function noteTold(db: Db, notice: DueNotice): Promise<void> {
  await execute(
    db,
    `UPDATE incident_notices SET attempts = attempts + 1, next_attempt_at = NULL, done_at = clock_timestamp(),
            last_error = NULL WHERE ${THIS_ONE}`,
    [...thisOne(notice)],
  );
}

/**
 * An attempt failed: another one after the pause, until a day is over.
 * @param error a word of ours
 * @param pauseMs null: no attempt can help any more
 */
export async function noteNotTold(db: Db, notice: DueNotice, error: string, pauseMs: number | null): Promise<void> {
  await execute(
    db,
    `UPDATE incident_notices SET attempts = attempts + 1, last_error = $5,
            next_attempt_at = CASE WHEN noted_at > clock_timestamp() - ${GIVE_UP_AFTER}
              THEN clock_timestamp() + $6 * interval '1 millisecond' END
      WHERE ${THIS_ONE}`,
    [...thisOne(notice), error, pauseMs],
  );
}

/** How telling has gone, for whoever looks at an incident. */
export interface ToldNotice {
  readonly phase: IncidentPhase;
  readonly channel: 'email' | 'webhook';
  readonly recipient: number;
  readonly state: 'waiting' | 'told' | 'given-up';
  readonly attempts: number;
  readonly lastError: string | null;
  /** Of the e-mail; null for a webhook. */
  readonly messageId: string | null;
}

const toldRow = z
  .object({
    incident_id: z.uuid(),
    phase: z.enum(INCIDENT_PHASES),
    channel: z.enum(['email', 'webhook']),
    recipient: z.int(),
    state: z.enum(['waiting', 'told', 'given-up']),
    attempts: z.int(),
    last_error: z.string().nullable(),
    message_id: z.uuid(),
  })
  .transform(({ incident_id: incidentId, last_error: lastError, message_id: id, ...row }) => ({
    incidentId,
    notice: { ...row, lastError, messageId: row.channel === 'email' ? id : null } satisfies ToldNotice,
  }));

/** By incident. */
export async function noticesOf(db: Db, incidentIds: readonly string[]): Promise<ReadonlyMap<string, ToldNotice[]>> {
  const rows = await many(
    db,
    toldRow,
    `SELECT incident_id, phase, channel, recipient, attempts, last_error, message_id,
            CASE WHEN done_at IS NOT NULL THEN 'told' WHEN next_attempt_at IS NULL THEN 'given-up' ELSE 'waiting' END
              AS state
       FROM incident_notices WHERE incident_id = ANY($1::uuid[]) ORDER BY noted_at, channel, recipient`,
    [incidentIds],
  );
  return grouped(rows);
}

function grouped(rows: readonly { incidentId: string; notice: ToldNotice }[]): Map<string, ToldNotice[]> {
  const byIncident = new Map<string, ToldNotice[]>();
  for (const { incidentId, notice } of rows) {
    byIncident.set(incidentId, [...(byIncident.get(incidentId) ?? []), notice]);
  }
  return byIncident;
}
