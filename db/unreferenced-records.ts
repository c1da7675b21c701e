/**
 * Sealed records that no row names. A request is sealed before its workflow writes a row; when that workflow never
 * begins, the record is left over, and nobody can ask for it, show it or erase it by its owner's row.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction } from './pool';
import { type Db, many, maybeOne } from './query';
import { destroyRecord } from './vault-rows';

export interface LeftOver {
  /** Records that nothing names, of those that were looked at. */
  readonly found: number;
  readonly destroyed: number;
}

/**
 * Destroys at most `limit` records that are older than `olderThanMs` and named by no row.
 * With `isDryRun` nothing is changed: it only says how many there are, up to the limit.
 */
export async function destroyUnreferencedRecords(
  pool: Pool,
  { olderThanMs, limit, isDryRun }: { olderThanMs: number; limit: number; isDryRun: boolean },
): Promise<LeftOver> {
  const unnamed = unnamedBy(await columnsThatName(pool));
  const left = await many(
    pool,
    recordId,
    `SELECT r.record_id FROM vault_records r
      WHERE r.destroyed_at IS NULL AND r.created_at < clock_timestamp() - $1 * interval '1 millisecond' AND ${unnamed}
      ORDER BY r.created_at LIMIT $2`,
    [olderThanMs, limit],
  );
  if (isDryRun) return { found: left.length, destroyed: 0 };
  let destroyed = 0;
  for (const { record_id: id } of left) {
    const isGone = await inTransaction(pool, async (tx) => {
      // A row that comes to name the record takes a key-share lock on it: the lock first, then the second look.
      await tx.query('SELECT FROM vault_records WHERE record_id = $1 FOR UPDATE', [id]);
      const still = await maybeOne(
        tx,
        recordId,
        `SELECT r.record_id FROM vault_records r WHERE r.record_id = $1 AND ${unnamed}`,
        [id],
      );
      return still !== null && (await destroyRecord(tx, id, { reason: 'unreferenced', actor: 'system' }));
    });
    if (isGone) destroyed += 1;
  }
  return { found: left.length, destroyed };
}

const recordId = z.object({ record_id: z.uuid() });
const naming = z.object({ table_name: z.string(), column_name: z.string() });

/** Read from the foreign keys, so that a table that is added later is never forgotten here. */
function columnsThatName(db: Db): Promise<z.output<typeof naming>[]> {
  return many(
    db,
    naming,
    `SELECT c.conrelid::regclass::text AS table_name, quote_ident(a.attname) AS column_name
       FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
      WHERE c.contype = 'f' AND c.confrelid = 'vault_records'::regclass AND array_length(c.conkey, 1) = 1`,
  );
}

function unnamedBy(columns: readonly z.output<typeof naming>[]): string {
  // Without a single one the catalogue was not readable: then nothing is left over, instead of everything.
  if (columns.length === 0) return 'false';
  return columns
    .map(({ table_name: table, column_name: column }) => {
      return `NOT EXISTS (SELECT FROM ${table} named WHERE named.${column} = r.record_id)`;
    })
    .join(' AND ');
}
