/**
 * Audit entries: written in the transaction of the act they are about, so that there is never one without the other.
 * Each stores its fields a second time as canonical bytes; a later chain covers those bytes, and until then they show
 * whether a column was changed behind our back.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AuditAction, AuditOutcome } from '../domain/audit-actions';
import { type Db, execute, many, maybeOne } from './query';

export interface AuditEntry {
  /** Subject id, or `system`. */
  readonly actor: string;
  readonly action: AuditAction;
  /** The id of what it was done to: call, record, mentor, dispatch or subject. */
  readonly objectId: string;
  /** Why, in a word of ours; never a value. */
  readonly purpose?: string | null;
  readonly outcome: AuditOutcome;
}

/**
 * Adds an entry. Give it the client of the transaction that does the deed.
 * @returns the entry's id
 */
export async function appendAudit(tx: Db, entry: AuditEntry): Promise<string> {
  const row: EntryFields = {
    entry_id: randomUUID(),
    at: new Date(),
    actor: entry.actor,
    action: entry.action,
    object_id: entry.objectId,
    purpose: entry.purpose ?? null,
    outcome: entry.outcome,
  };
  await execute(
    tx,
    `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, purpose, outcome, canonical)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [row.entry_id, row.at, row.actor, row.action, row.object_id, row.purpose, row.outcome, canonicalBytes(row)],
  );
  return row.entry_id;
}

export interface AuditVerdict {
  readonly entries: number;
  /** Ids of entries whose columns do not say what their bytes say. */
  readonly broken: readonly string[];
  /** Whether the triggers that refuse changes are in force. */
  readonly guarded: boolean;
}

/**
 * Reads every entry and compares columns with bytes, in pages. Whether entries are missing, only the chain can say.
 */
export async function verifyEntriesUnchanged(db: Db, pageSize = 5_000): Promise<AuditVerdict> {
  const broken: string[] = [];
  let entries = 0;
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const page = await many(
      db,
      storedEntry,
      `SELECT entry_id, at, actor, action, object_id, purpose, outcome, canonical
         FROM audit_entries WHERE entry_id > $1 ORDER BY entry_id LIMIT $2`,
      [after, pageSize],
    );
    for (const entry of page) if (!canonicalBytes(entry).equals(entry.canonical)) broken.push(entry.entry_id);
    entries += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) break;
    after = last.entry_id;
  }
  return { entries, broken, guarded: await isGuarded(db) };
}

export const entryFields = z.object({
  entry_id: z.string(),
  at: z.date(),
  actor: z.string(),
  action: z.string(),
  object_id: z.string(),
  purpose: z.string().nullable(),
  outcome: z.string(),
});
export type EntryFields = z.output<typeof entryFields>;
const storedEntry = entryFields.extend({ canonical: z.instanceof(Buffer) });

/** RFC 8785: keys in order, no blanks. Only strings and null occur, for which `JSON.stringify` writes the same. */
export function canonicalBytes(entry: EntryFields): Buffer {
  return Buffer.from(
    JSON.stringify({
      action: entry.action,
      actor: entry.actor,
      at: entry.at.toISOString(),
      entry_id: entry.entry_id,
      object_id: entry.object_id,
      outcome: entry.outcome,
      purpose: entry.purpose,
    }),
  );
}

/** `A`: fires always, also for a session that calls itself a replica. */
async function isGuarded(db: Db): Promise<boolean> {
  const row = await maybeOne(
    db,
    z.object({ guarded: z.boolean() }),
    `SELECT count(*) FILTER (WHERE tgenabled = 'A') = 2 AS guarded
       FROM pg_trigger WHERE tgrelid = 'audit_entries'::regclass AND NOT tgisinternal`,
  );
  return row?.guarded ?? false;
}
