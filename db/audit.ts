/**
 * Audit entries: written in the transaction of the act they are about, so that there is never one without the other.
 * Each stores its fields a second time as canonical bytes, which the chain covers (`audit-chain.ts`).
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AuditAction, AuditOutcome } from '../domain/audit-actions';
import { type Db, execute } from './query';

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
  const added = await execute(
    tx,
    `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, purpose, outcome, canonical)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [row.entry_id, row.at, row.actor, row.action, row.object_id, row.purpose, row.outcome, canonicalBytes(row)],
  );
  // A rule or a trigger that swallows entries must not go unnoticed by the deed that is to be accounted for.
  if (added !== 1) throw new Error('An audit entry was not written');
  return row.entry_id;
}

/** The fields that an entry says, as its columns. */
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
