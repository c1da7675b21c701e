/** How a buddy came to agree, or not: for the user, for the buddy's own page, and for admins. */
import { z } from 'zod';
import { BUDDY_EVENTS, type BuddyEvent } from '../domain/buddies';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { type Db, many } from './query';

export interface BuddyHistoryEntry {
  readonly event: BuddyEvent;
  readonly at: Date;
  /** Of the link it was done by; null: by none. */
  readonly linkVersion: number | null;
}

/** Vault records of where a button was pressed from. */
export interface BuddyTrailEntry extends BuddyHistoryEntry {
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
}

const historyRow = z.object({
  audit_id: z.uuid(),
  event: z.enum(BUDDY_EVENTS),
  version: z.int().nullable(),
  ip_record_id: z.uuid().nullable(),
  user_agent_record_id: z.uuid().nullable(),
  happened_at: z.date(),
  cursor_at: z.string(),
});

const SELECT = `SELECT audit_id, event, version, ip_record_id, user_agent_record_id, happened_at,
                       ${cursorTime('happened_at')} AS cursor_at
                  FROM buddy_verification_audit`;

/** Newest first, a page at a time, without whatever says from where. A cursor that is not ours starts from the newest. */
export async function buddyHistory(
  db: Db,
  { buddyId, limit, cursor }: { readonly buddyId: string; readonly limit: number; readonly cursor: string | null },
): Promise<Page<BuddyHistoryEntry>> {
  const before = cursor === null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    historyRow,
    `${SELECT} WHERE buddy_id = $1 AND ($2::timestamptz IS NULL OR (happened_at, audit_id) < ($2::timestamptz, $3::uuid))
      ORDER BY happened_at DESC, audit_id DESC LIMIT $4`,
    [buddyId, before?.at ?? null, before?.id ?? null, limit + 1],
  );
  return toPage(rows, limit, ({ audit_id: id }) => id, entryOf);
}

/** All of it, oldest first, with the records of from where: for the report of an admin. */
export async function buddyTrail(db: Db, buddyId: string): Promise<BuddyTrailEntry[]> {
  const rows = await many(db, historyRow, `${SELECT} WHERE buddy_id = $1 ORDER BY happened_at, audit_id`, [buddyId]);
  return rows.map((row) => ({
    ...entryOf(row),
    ipRecordId: row.ip_record_id,
    userAgentRecordId: row.user_agent_record_id,
  }));
}

function entryOf({ event, version, happened_at: at }: z.output<typeof historyRow>): BuddyHistoryEntry {
  return { event, at, linkVersion: version };
}
