/**
 * Sealed records that no row names. A request is sealed before its workflow writes a row; when that workflow never
 * begins, the record is left over, and nobody can ask for it, show it or erase it by its owner's row.
 */
import { z } from 'zod';
import { heldBySubject } from './legal-holds';
import { type OldPage, type OldRows, pageOf, takePage } from './old-rows';
import { type Db, many, maybeOne } from './query';
import { destroyRecord } from './vault-rows';

/** Destroys a page of records that are older and named by no row. Run it in a transaction. */
export async function destroyUnreferencedRecords(tx: Db, rows: OldRows): Promise<OldPage> {
  const unnamed = unnamedBy(await columnsThatName(tx));
  const where = `t.destroyed_at IS NULL AND ${unnamed}`;
  const old = { table: 'vault_records', key: 'record_id', time: 't.created_at', where, heldWhere: heldBySubject };
  const statement = pageOf(old, rows);
  const page = await takePage(tx, statement, '', { ...rows, isDryRun: true });
  if (rows.isDryRun || page.taken === 0) return page;
  const values = [rows.olderThanMs, rows.limit, rows.after?.at ?? null, rows.after?.id ?? null];
  const left = await many(tx, recordId, `SELECT key AS record_id FROM (${statement}) p WHERE NOT is_held`, values);
  let taken = 0;
  for (const { record_id: id } of left) {
    // A row that comes to name the record takes a key-share lock on it: the lock first, then the second look.
    await tx.query('SELECT FROM vault_records WHERE record_id = $1 FOR UPDATE', [id]);
    const still = await maybeOne(
      tx,
      recordId,
      `SELECT t.record_id FROM vault_records t WHERE t.record_id = $1 AND ${unnamed}`,
      [id],
    );
    if (still !== null && (await destroyRecord(tx, id, { reason: 'unreferenced', actor: 'system' }))) taken += 1;
  }
  return { ...page, taken };
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
      return `NOT EXISTS (SELECT FROM ${table} named WHERE named.${column} = t.record_id)`;
    })
    .join(' AND ');
}
