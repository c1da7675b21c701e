/** The audit trail as the verifier reads it: both tables in the order of the chain, page by page. */
import { z } from 'zod';
import { canonicalBytes, entryFields } from './audit';
import { type Db, many, maybeOne } from './query';

const entryRow = entryFields.extend({
  /** Null for a time that no clock says: an entry may hold what the application would never write. */
  at: z.date().nullable(),
  canonical: z.instanceof(Buffer),
  txid: z.string(),
  /** Whether the time has no more than the milliseconds that the canonical bytes can say. */
  whole: z.boolean(),
});
export type StoredEntry = z.output<typeof entryRow>;

const linkRow = z.object({
  position: z.coerce.number(),
  entry_id: z.string(),
  txid: z.string(),
  key_version: z.int(),
  mac: z.instanceof(Buffer),
});
export type StoredLink = z.output<typeof linkRow>;

const ENTRY_COLUMNS = `entry_id, CASE WHEN at >= '0001-01-01Z' AND at < '10000-01-01Z' THEN at END AS at, actor, action, object_id, purpose, outcome, canonical, txid::text,
  at = date_trunc('milliseconds', at) AS whole`;

const WORDS = ['entry_id', 'actor', 'action', 'object_id', 'purpose', 'outcome'] as const;

/** Which of the entry's columns do not say what its bytes say; empty when all do. */
export function columnsThatDiffer(entry: StoredEntry): string[] {
  const { at } = entry;
  if (at !== null && entry.whole && canonicalBytes({ ...entry, at }).equals(entry.canonical)) return [];
  let said: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(entry.canonical.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null) said = { ...parsed };
  } catch {
    return ['canonical'];
  }
  const differing: string[] = WORDS.filter((name) => said[name] !== entry[name]);
  if (at === null || !entry.whole || said['at'] !== at.toISOString()) differing.push('at');
  return differing.length === 0 ? ['canonical'] : differing;
}

/** One row after another; asks for the next page when the last one is used up. */
export class Rows<T> {
  private page: readonly T[] = [];
  private at = 0;
  private isEnd = false;

  constructor(
    private readonly pageSize: number,
    private readonly next: (last: T | null) => Promise<readonly T[]>,
  ) {}

  async peek(): Promise<T | null> {
    if (this.at >= this.page.length && !this.isEnd) {
      this.page = await this.next(this.page.at(-1) ?? null);
      this.at = 0;
      this.isEnd = this.page.length < this.pageSize;
    }
    return this.page[this.at] ?? null;
  }

  skip(): void {
    this.at += 1;
  }
}

/** The chain up to a place. */
export function linksUpTo(db: Db, position: number, pageSize: number): Rows<StoredLink> {
  return new Rows(pageSize, (last) =>
    many(
      db,
      linkRow,
      `SELECT position, entry_id, txid::text, key_version, mac FROM audit_chain
        WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3`,
      [last?.position ?? 0, position, pageSize],
    ),
  );
}

/** Entries in the order in which they are chained. Both bounds are transaction ids. */
export function entriesBetween(
  db: Db,
  { after, upTo }: { readonly after: string; readonly upTo: string | null },
  pageSize: number,
): Rows<StoredEntry> {
  const none = '00000000-0000-0000-0000-000000000000';
  return new Rows(pageSize, (last) =>
    many(
      db,
      entryRow,
      // A bound that may be missing would keep Postgres from using the index for it.
      `SELECT ${ENTRY_COLUMNS} FROM audit_entries
        WHERE (audit_entries.txid, entry_id) > ($1::xid8, $2::uuid) AND audit_entries.txid > $3::xid8
              ${upTo === null ? '' : 'AND audit_entries.txid <= $5::xid8'}
        ORDER BY audit_entries.txid, entry_id LIMIT $4`,
      [
        last?.txid ?? after,
        last?.entry_id ?? none,
        last === null ? after : '0',
        pageSize,
        ...(upTo === null ? [] : [upTo]),
      ],
    ),
  );
}

export function entryById(db: Db, entryId: string): Promise<StoredEntry | null> {
  return maybeOne(db, entryRow, `SELECT ${ENTRY_COLUMNS} FROM audit_entries WHERE entry_id = $1`, [entryId]);
}

export function linkOfEntry(db: Db, entryId: string): Promise<StoredLink | null> {
  return maybeOne(
    db,
    linkRow,
    'SELECT position, entry_id, txid::text, key_version, mac FROM audit_chain WHERE entry_id = $1',
    [entryId],
  );
}
