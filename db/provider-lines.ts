/**
 * Whether a provider takes anything from us at all. A line is stopped by the first answer that says our account is
 * suspended or not authenticated: what waits is then not used up against a wall, and a human is called once.
 */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, execute, many } from './query';

/** `twilio`: calls and texts, which share an account. */
export const PROVIDER_LINES = ['twilio', 'mail'] as const;
export type ProviderLine = (typeof PROVIDER_LINES)[number];

export interface LineState {
  readonly line: ProviderLine;
  /** Null while it is open. */
  readonly stoppedAt: Date | null;
  /** The provider's code for it; null while it is open. */
  readonly code: string | null;
}

const lineRow = z
  .object({ line: z.enum(PROVIDER_LINES), stopped_at: z.date().nullable(), code: z.string().nullable() })
  .transform((row): LineState => ({ line: row.line, stoppedAt: row.stopped_at, code: row.code }));

/** Every line, also those that were never stopped. */
export async function lineStates(db: Db): Promise<LineState[]> {
  const known = await many(db, lineRow, 'SELECT line, stopped_at, code FROM provider_lines');
  return PROVIDER_LINES.map((line) => known.find((row) => row.line === line) ?? { line, stoppedAt: null, code: null });
}

/**
 * Stops a line, with an audit entry. Give it a transaction.
 * @param code the provider's, e.g. `20003`
 * @param openForMs a line whose account was read with success in this time stays open: that says more than what is
 *   told late about something older
 * @returns whether this stopped it: false for everybody after the first, so that one page goes out and not one a send
 */
export async function stopLine(tx: Db, line: ProviderLine, code: string, openForMs = 0): Promise<boolean> {
  const stopped = await execute(
    tx,
    `INSERT INTO provider_lines AS l (line, stopped_at, probed_at, code)
     VALUES ($1, clock_timestamp(), clock_timestamp(), $2)
     ON CONFLICT (line) DO UPDATE SET stopped_at = excluded.stopped_at, probed_at = excluded.probed_at, code = excluded.code
       WHERE l.stopped_at IS NULL AND l.probed_at <= clock_timestamp() - $3 * interval '1 millisecond'`,
    [line, code, openForMs],
  );
  if (stopped !== 1) return false;
  await appendAudit(tx, { actor: 'system', action: 'line.stopped', objectId: line, purpose: code, outcome: 'done' });
  return true;
}

/** Takes the turn to ask the provider about a stopped line: one of all workers, once in an interval. */
export async function takeProbe(db: Db, line: ProviderLine, everyMs: number): Promise<boolean> {
  const taken = await execute(
    db,
    `UPDATE provider_lines SET probed_at = clock_timestamp()
      WHERE line = $1 AND stopped_at IS NOT NULL AND probed_at <= clock_timestamp() - $2 * interval '1 millisecond'`,
    [line, everyMs],
  );
  return taken === 1;
}

/**
 * Opens a line again, with an audit entry. Give it a transaction.
 * @returns whether this opened it
 */
export async function resumeLine(tx: Db, line: ProviderLine): Promise<boolean> {
  const resumed = await execute(
    tx,
    `UPDATE provider_lines SET stopped_at = NULL, code = NULL WHERE line = $1 AND stopped_at IS NOT NULL`,
    [line],
  );
  if (resumed !== 1) return false;
  await appendAudit(tx, { actor: 'system', action: 'line.resumed', objectId: line, outcome: 'done' });
  return true;
}
