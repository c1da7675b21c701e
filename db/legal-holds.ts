/**
 * Legal holds: while one stands, neither a sweep nor an erasure takes what is held of that person. They count from their
 * commit; the page of a sweep that is under way at that moment may still be taken.
 */
import { z } from 'zod';
import { LEGAL_HOLD_REASONS, type LegalHoldReason } from '../domain/legal-holds';
import { appendAudit } from './audit';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { type Db, many, maybeOne, one } from './query';

export interface LegalHold {
  readonly holdId: string;
  readonly subjectId: string;
  readonly reason: LegalHoldReason;
  readonly placedBy: string;
  readonly placedAt: Date;
  readonly liftedBy: string | null;
  readonly liftedAt: Date | null;
}

const COLUMNS = 'hold_id, subject_id, reason, placed_by, placed_at, lifted_by, lifted_at';
const holdRow = z
  .object({
    hold_id: z.uuid(),
    subject_id: z.uuid(),
    reason: z.enum(LEGAL_HOLD_REASONS),
    placed_by: z.uuid(),
    placed_at: z.date(),
    lifted_by: z.uuid().nullable(),
    lifted_at: z.date().nullable(),
    cursor_at: z.string(),
  })
  .readonly();

const SELECT_HOLD = `SELECT ${COLUMNS}, ${cursorTime('placed_at')} AS cursor_at FROM legal_holds`;

/**
 * Places a hold, with its audit entry. One that stands for the same reason is that hold, and nothing changes. Run it in a
 * transaction.
 * @returns null when there is no such person, or they have been erased: nothing is left to hold
 */
export async function placeHold(
  tx: Db,
  { subjectId, reason, actor }: { subjectId: string; reason: LegalHoldReason; actor: string },
): Promise<{ hold: LegalHold; isNew: boolean } | null> {
  // The lock orders us with an erasure: it is wholly before, or finds the hold.
  const lock = 'SELECT subject_id FROM subjects WHERE subject_id = $1 AND erased_at IS NULL FOR UPDATE';
  if ((await maybeOne(tx, z.object({ subject_id: z.uuid() }), lock, [subjectId])) === null) return null;
  const standing = `${SELECT_HOLD} WHERE subject_id = $1 AND reason = $2 AND lifted_at IS NULL`;
  const known = await maybeOne(tx, holdRow, standing, [subjectId, reason]);
  if (known !== null) return { hold: toHold(known), isNew: false };
  const row = await one(
    tx,
    holdRow,
    `INSERT INTO legal_holds (subject_id, reason, placed_by) VALUES ($1, $2, $3)
     RETURNING ${COLUMNS}, ${cursorTime('placed_at')} AS cursor_at`,
    [subjectId, reason, actor],
  );
  const what = { objectId: row.hold_id, purpose: reason, outcome: 'done' } as const;
  await appendAudit(tx, { actor, action: 'legal-hold.placed', ...what });
  return { hold: toHold(row), isNew: true };
}

/**
 * Lifts a hold, with its audit entry; one that was lifted stays as it is. Run it in a transaction.
 * @returns null when there is no such hold
 */
export async function liftHold(tx: Db, holdId: string, actor: string): Promise<LegalHold | null> {
  const lifted = await maybeOne(
    tx,
    holdRow,
    `UPDATE legal_holds SET lifted_at = clock_timestamp(), lifted_by = $2
      WHERE hold_id = $1 AND lifted_at IS NULL RETURNING ${COLUMNS}, ${cursorTime('placed_at')} AS cursor_at`,
    [holdId, actor],
  );
  if (lifted === null) return await findHold(tx, holdId);
  const what = { objectId: holdId, purpose: lifted.reason, outcome: 'done' } as const;
  await appendAudit(tx, { actor, action: 'legal-hold.lifted', ...what });
  return toHold(lifted);
}

/** As it is now, lifted or not. */
export async function findHold(db: Db, holdId: string): Promise<LegalHold | null> {
  const row = await maybeOne(db, holdRow, `${SELECT_HOLD} WHERE hold_id = $1`, [holdId]);
  return row === null ? null : toHold(row);
}

/** Newest first, a page at a time. A cursor that is not ours starts from the newest. */
export async function listHolds(
  db: Db,
  filter: {
    /** Undefined: both. */
    readonly standing?: boolean | undefined;
    readonly subjectId?: string | undefined;
    readonly limit: number;
    readonly cursor?: string | null | undefined;
  },
): Promise<Page<LegalHold>> {
  const before = filter.cursor == null ? null : decodeCursor(filter.cursor);
  const rows = await many(
    db,
    holdRow,
    `${SELECT_HOLD}
      WHERE ($1::bool IS NULL OR (lifted_at IS NULL) = $1) AND ($2::uuid IS NULL OR subject_id = $2)
        AND ($3::timestamptz IS NULL OR (placed_at, hold_id) < ($3::timestamptz, $4::uuid))
      ORDER BY placed_at DESC, hold_id DESC LIMIT $5`,
    [filter.standing, filter.subjectId, before?.at, before?.id, filter.limit + 1],
  );
  return toPage(rows, filter.limit, (row) => row.hold_id, toHold);
}

/** Whether any hold of this person stands. */
export async function isHeld(db: Db, subjectId: string): Promise<boolean> {
  const held = 'SELECT EXISTS (SELECT FROM legal_holds WHERE subject_id = $1 AND lifted_at IS NULL) AS is_held';
  return (await one(db, z.object({ is_held: z.boolean() }), held, [subjectId])).is_held;
}

/**
 * What legal holds keep, as SQL: each a set of ids for `… IN`. Where no hold stands, which is nearly always, no statement
 * asks for it.
 */
export interface Held {
  readonly isAny: boolean;
  readonly subjects: string;
  readonly mentors: string;
  readonly calls: string;
  readonly messages: string;
  readonly alerts: string;
}

const STANDING = 'FROM legal_holds h';
const stand = 'h.lifted_at IS NULL';
/** A mentor is held as whom the list knows, and as whom they sign in: two subjects of one person. */
const HELD_MENTORS = `(SELECT m.mentor_id ${STANDING} JOIN mentors m ON h.subject_id IN (m.subject_id, m.account_subject_id)
                        WHERE ${stand})`;
const HELD = {
  mentors: HELD_MENTORS,
  subjects: `(SELECT h.subject_id ${STANDING} WHERE ${stand})`,
  // A call is of its user, and of every mentor that it was offered to.
  calls: `(SELECT c.call_id ${STANDING} JOIN call_logs c ON c.user_id = h.subject_id WHERE ${stand}
           UNION SELECT o.call_id FROM mentor_offers o WHERE o.mentor_id IN ${HELD_MENTORS})`,
  messages: `(SELECT m.message_id ${STANDING} JOIN messages m USING (subject_id) WHERE ${stand}
              UNION SELECT m.message_id ${STANDING} JOIN messages m ON m.requested_by = h.subject_id WHERE ${stand})`,
  alerts: `(SELECT r.alert_id ${STANDING} JOIN voice_alert_recipients r USING (subject_id) WHERE ${stand}
            UNION SELECT a.alert_id ${STANDING} JOIN voice_alerts a ON a.requested_by = h.subject_id WHERE ${stand})`,
} as const;

export const NOTHING_HELD: Held = { isAny: false, ...HELD };

/** Asks once whether any hold stands. */
export async function whatIsHeld(db: Db): Promise<Held> {
  const any = 'SELECT EXISTS (SELECT FROM legal_holds WHERE lifted_at IS NULL) AS is_any';
  return { isAny: (await one(db, z.object({ is_any: z.boolean() }), any)).is_any, ...HELD };
}

/** A row that names a call, a message or an alert, each perhaps. */
export function heldByObject({ calls, messages, alerts }: Held): string {
  return `coalesce(t.call_id IN ${calls}, false) OR coalesce(t.message_id IN ${messages}, false)
    OR coalesce(t.alert_id IN ${alerts}, false)`;
}

export function heldBySubject({ subjects }: Held): string {
  return `coalesce(t.subject_id IN ${subjects}, false)`;
}

/** A row that names a mentor. */
export function heldByMentor({ mentors }: Held): string {
  return `t.mentor_id IN ${mentors}`;
}

function toHold(row: z.output<typeof holdRow>): LegalHold {
  return {
    holdId: row.hold_id,
    subjectId: row.subject_id,
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: row.placed_at,
    liftedBy: row.lifted_by,
    liftedAt: row.lifted_at,
  };
}
