/** Incidents: what the watchdog has found, and how it goes on. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { incidentSteps, type IncidentStep } from '../domain/incident-course';
import { type Finding, INCIDENT_KINDS, type IncidentKind } from '../domain/watchdog-rules';
import { appendAudit } from './audit';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { type NoticeChannels, noteNotices } from './incident-notices';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

/** Any number: only one look at a time may decide. */
const LOCK = 7_305_561;

const openRow = z
  .object({
    incident_id: z.uuid(),
    kind: z.enum(INCIDENT_KINDS),
    key: z.string(),
    first_seen_at: z.date(),
    raised_at: z.date().nullable(),
    calm_since: z.date().nullable(),
  })
  .transform((row) => ({
    incidentId: row.incident_id,
    kind: row.kind,
    key: row.key,
    firstSeenAt: row.first_seen_at,
    raisedAt: row.raised_at,
    calmSince: row.calm_since,
  }));

/** How many incidents were raised and closed by one look. */
export interface Noted {
  readonly raised: number;
  readonly closed: number;
}

/**
 * Takes up what was found. Whoever is to be told of a beginning or an end is noted in the same transaction, so that no
 * crash leaves an incident that nobody hears of, or tells of one twice.
 */
export async function noteFindings(
  pool: Pool,
  findings: readonly Finding[],
  { calmMs, channels }: { calmMs: number; channels: NoticeChannels },
): Promise<Noted> {
  return await inTransaction(pool, async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const { now } = await one(tx, z.object({ now: z.date() }), 'SELECT clock_timestamp() AS now');
    const open = await many(
      tx,
      openRow,
      'SELECT incident_id, kind, key, first_seen_at, raised_at, calm_since FROM incidents WHERE closed_at IS NULL',
    );
    let [raised, closed] = [0, 0];
    for (const step of incidentSteps(open, findings, now, calmMs)) {
      const phase = await take(tx, step);
      if (phase === null) continue;
      await noteNotices(tx, phase.incidentId, phase.is, channels);
      if (phase.is === 'firing') raised += 1;
      else closed += 1;
    }
    return { raised, closed };
  });
}

/** @returns what somebody has to be told, or null */
async function take(
  tx: Db,
  step: IncidentStep,
): Promise<{ readonly incidentId: string; readonly is: 'firing' | 'resolved' } | null> {
  switch (step.do) {
    case 'open': {
      const { kind, key, counts } = step.finding;
      const { incident_id: incidentId } = await one(
        tx,
        z.object({ incident_id: z.uuid() }),
        `INSERT INTO incidents (kind, key, counts, raised_at)
         VALUES ($1, $2, $3, CASE WHEN $4 THEN clock_timestamp() END) RETURNING incident_id`,
        [kind, key, JSON.stringify(counts), step.isRaised],
      );
      return step.isRaised ? { incidentId, is: 'firing' } : null;
    }
    case 'go-on': {
      const { incidentId, isRaised } = step;
      await execute(
        tx,
        `UPDATE incidents SET counts = $2, last_seen_at = clock_timestamp(), calm_since = NULL,
                raised_at = CASE WHEN $3 THEN clock_timestamp() ELSE raised_at END
          WHERE incident_id = $1`,
        [incidentId, JSON.stringify(step.finding.counts), isRaised],
      );
      return isRaised ? { incidentId, is: 'firing' } : null;
    }
    case 'wait':
      await execute(tx, 'UPDATE incidents SET calm_since = clock_timestamp() WHERE incident_id = $1', [
        step.incidentId,
      ]);
      return null;
    case 'drop':
      await execute(tx, 'DELETE FROM incidents WHERE incident_id = $1', [step.incidentId]);
      return null;
    case 'close':
      await execute(tx, 'UPDATE incidents SET closed_at = clock_timestamp() WHERE incident_id = $1', [step.incidentId]);
      return { incidentId: step.incidentId, is: 'resolved' };
  }
}

export interface Incident {
  readonly incidentId: string;
  readonly kind: IncidentKind;
  /** Of the user, mentor, call or alert it is about, or a class or line. */
  readonly key: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly raisedAt: Date;
  readonly lastSeenAt: Date;
  readonly closedAt: Date | null;
  readonly acknowledgedAt: Date | null;
}

const incidentRow = z.object({
  incident_id: z.uuid(),
  kind: z.enum(INCIDENT_KINDS),
  key: z.string(),
  counts: z.record(z.string(), z.number()),
  raised_at: z.date(),
  last_seen_at: z.date(),
  closed_at: z.date().nullable(),
  acknowledged_at: z.date().nullable(),
  cursor_at: z.string(),
});
const SELECT_INCIDENT = `SELECT incident_id, kind, key, counts, raised_at, last_seen_at, closed_at, acknowledged_at,
  ${cursorTime('raised_at')} AS cursor_at FROM incidents WHERE raised_at IS NOT NULL`;

/** Those that somebody was told of, newest first, a page at a time. A cursor that is not ours starts from the newest. */
export async function listIncidents(
  db: Db,
  filter: {
    isOpen?: boolean | undefined;
    /** Kinds that are left out. */
    without?: readonly IncidentKind[];
    limit: number;
    cursor?: string | null | undefined;
  },
): Promise<Page<Incident>> {
  const { isOpen, without = [], limit, cursor } = filter;
  const before = cursor == null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    incidentRow,
    `${SELECT_INCIDENT} AND ($1::boolean IS NULL OR (closed_at IS NULL) = $1)
        AND ($2::timestamptz IS NULL OR (raised_at, incident_id) < ($2::timestamptz, $3::uuid))
        AND kind <> ALL ($5)
      ORDER BY raised_at DESC, incident_id DESC LIMIT $4`,
    [isOpen ?? null, before?.at ?? null, before?.id ?? null, limit + 1, without],
  );
  return toPage(rows, limit, (row) => row.incident_id, toIncident);
}

/** Null for one that is not there, or that nobody was told of yet. */
export async function findIncident(db: Db, incidentId: string): Promise<Incident | null> {
  const row = await maybeOne(db, incidentRow, `${SELECT_INCIDENT} AND incident_id = $1`, [incidentId]);
  return row === null ? null : toIncident(row);
}

/** Somebody looks after it; the first one stays. May be repeated. @returns null when there is no such incident */
export async function acknowledgeIncident(pool: Pool, incidentId: string, actor: string): Promise<Incident | null> {
  return await inTransaction(pool, async (tx) => {
    const first = await execute(
      tx,
      `UPDATE incidents SET acknowledged_at = clock_timestamp(), acknowledged_by = $2
        WHERE incident_id = $1 AND raised_at IS NOT NULL AND acknowledged_at IS NULL`,
      [incidentId, actor],
    );
    if (first === 1) {
      await appendAudit(tx, { actor, action: 'incident.acknowledged', objectId: incidentId, outcome: 'done' });
    }
    return await findIncident(tx, incidentId);
  });
}

/** How many are open, by kind, for metrics; kinds without any are 0. */
export async function countOpenIncidents(db: Db): Promise<ReadonlyMap<string, number>> {
  const rows = await many(
    db,
    z.object({ kind: z.string(), count: z.coerce.number() }),
    'SELECT kind, count(*) FROM incidents WHERE closed_at IS NULL AND raised_at IS NOT NULL GROUP BY kind',
  );
  const known = new Map(rows.map(({ kind, count }) => [kind, count]));
  return new Map(INCIDENT_KINDS.map((kind) => [kind, known.get(kind) ?? 0]));
}

/** Deletes those that have been over for longer than this, with what was told of them. */
export function deleteOldIncidents(db: Db, rows: OldRows): Promise<OldPage> {
  // No hold is about them: they name nobody but by an id.
  const heldWhere = () => 'false';
  return deleteOld(db, { table: 'incidents', key: 'incident_id', time: 't.closed_at', heldWhere }, rows);
}

function toIncident(row: z.output<typeof incidentRow>): Incident {
  return {
    incidentId: row.incident_id,
    kind: row.kind,
    key: row.key,
    counts: row.counts,
    raisedAt: row.raised_at,
    lastSeenAt: row.last_seen_at,
    closedAt: row.closed_at,
    acknowledgedAt: row.acknowledged_at,
  };
}
