/** Texts that asked buddies to look after somebody, as rows: what pages, users and workflows read. */
import { z } from 'zod';
import { CHECK_IN_RESPONSES, CHECK_IN_STATES, type CheckInResponse, type CheckInState } from '../domain/buddies';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { keepNamed } from './person-locks';
import { type Db, execute, many, maybeOne, one } from './query';

export interface CheckIn {
  readonly requestId: string;
  readonly buddyId: string;
  readonly userId: string;
  /** The buddy as a person. */
  readonly buddySubjectId: string;
  /** `user` asked, or an alert of the `system`. */
  readonly kind: 'user' | 'system';
  readonly state: CheckInState;
  readonly messageId: string;
  readonly requestedAt: Date;
  readonly sentAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly remindedAt: Date | null;
  readonly linkOpenedAt: Date | null;
  readonly respondedAt: Date | null;
  readonly response: CheckInResponse | null;
  /** Vault record of what the buddy wrote. */
  readonly noteRecordId: string | null;
  readonly closesAt: Date;
  readonly closedAt: Date | null;
  /** Of an alert: how many days it is about. */
  readonly alertDays: number | null;
  /** Of an alert that is over: by this answer, by what somebody else has said, or without anybody. Null: it goes on, or there is none. */
  readonly alertEnd: 'by-this' | 'by-others' | 'by-nobody' | null;
}

const COLUMNS = `request_id, buddy_id, user_id, kind, state, message_id, requested_at, sent_at, delivered_at, reminded_at,
  link_opened_at, responded_at, response, note_record_id, closes_at, closed_at, alert_days,
  (SELECT b.subject_id FROM buddy_contacts b WHERE b.buddy_id = r.buddy_id) AS buddy_subject_id,
  (SELECT CASE WHEN a.decided_by = r.request_id THEN 'by-this'
               WHEN a.decided_by IS NOT NULL OR a.end_reason IN ('taken-over', 'closed-by-user', 'closed-by-staff') THEN 'by-others'
               ELSE 'by-nobody' END FROM wellbeing_alerts a
    WHERE a.alert_id = r.alert_id AND a.ended_at IS NOT NULL) AS alert_end,
  ${cursorTime('requested_at')} AS cursor_at`;

const checkInRow = z.object({
  request_id: z.uuid(),
  buddy_id: z.uuid(),
  user_id: z.uuid(),
  buddy_subject_id: z.uuid(),
  kind: z.enum(['user', 'system']),
  state: z.enum(CHECK_IN_STATES),
  message_id: z.uuid(),
  requested_at: z.date(),
  sent_at: z.date().nullable(),
  delivered_at: z.date().nullable(),
  reminded_at: z.date().nullable(),
  link_opened_at: z.date().nullable(),
  responded_at: z.date().nullable(),
  response: z.enum(CHECK_IN_RESPONSES).nullable(),
  note_record_id: z.uuid().nullable(),
  closes_at: z.date(),
  closed_at: z.date().nullable(),
  alert_days: z.int().nullable(),
  alert_end: z.enum(['by-this', 'by-others', 'by-nobody']).nullable(),
  cursor_at: z.string(),
});

function toCheckIn(row: z.output<typeof checkInRow>): CheckIn {
  return {
    requestId: row.request_id,
    buddyId: row.buddy_id,
    userId: row.user_id,
    buddySubjectId: row.buddy_subject_id,
    kind: row.kind,
    state: row.state,
    messageId: row.message_id,
    requestedAt: row.requested_at,
    sentAt: row.sent_at,
    deliveredAt: row.delivered_at,
    remindedAt: row.reminded_at,
    linkOpenedAt: row.link_opened_at,
    respondedAt: row.responded_at,
    response: row.response,
    noteRecordId: row.note_record_id,
    closesAt: row.closes_at,
    closedAt: row.closed_at,
    alertDays: row.alert_days,
    alertEnd: row.alert_end,
  };
}

/** Whoever's it is; the caller checks `userId`. */
export async function findCheckIn(db: Db, requestId: string): Promise<CheckIn | null> {
  const row = await maybeOne(db, checkInRow, `SELECT ${COLUMNS} FROM buddy_check_in_requests r WHERE request_id = $1`, [
    requestId,
  ]);
  return row === null ? null : toCheckIn(row);
}

/** As {@link findCheckIn}, by its link; only one of the kind that the link's page is for. */
export async function findCheckInByLink(db: Db, linkHash: Buffer, kind: CheckIn['kind']): Promise<CheckIn | null> {
  const row = await maybeOne(
    db,
    checkInRow,
    `SELECT ${COLUMNS} FROM buddy_check_in_requests r WHERE link_hash = $1 AND kind = $2`,
    [linkHash, kind],
  );
  return row === null ? null : toCheckIn(row);
}

/** Before its row is changed: an erasure of the buddy or the user comes wholly before, or after. */
export function keepPeopleOfCheckIn(tx: Db, requestId: string): Promise<void> {
  const which = 'n.buddy_id = (SELECT r.buddy_id FROM buddy_check_in_requests r WHERE r.request_id = $1)';
  return keepNamed(tx, { table: 'buddy_contacts', which, values: [requestId] });
}

/** As {@link findCheckIn}; nobody else changes the row until the transaction ends. */
export async function lockCheckIn(tx: Db, requestId: string): Promise<CheckIn | null> {
  await keepPeopleOfCheckIn(tx, requestId);
  const row = await maybeOne(
    tx,
    checkInRow,
    `SELECT ${COLUMNS} FROM buddy_check_in_requests r WHERE request_id = $1 FOR UPDATE`,
    [requestId],
  );
  return row === null ? null : toCheckIn(row);
}

/** Of one user, newest first, a page at a time; of all buddies or of one. */
export async function listCheckIns(
  db: Db,
  filter: {
    readonly userId: string;
    readonly buddyId?: string | undefined;
    readonly limit: number;
    readonly cursor: string | null;
  },
): Promise<Page<CheckIn>> {
  const before = filter.cursor === null ? null : decodeCursor(filter.cursor);
  const rows = await many(
    db,
    checkInRow,
    `SELECT ${COLUMNS} FROM buddy_check_in_requests r
      WHERE user_id = $1 AND ($2::uuid IS NULL OR buddy_id = $2)
        AND ($3::timestamptz IS NULL OR (requested_at, request_id) < ($3::timestamptz, $4::uuid))
      ORDER BY requested_at DESC, request_id DESC LIMIT $5`,
    [filter.userId, filter.buddyId ?? null, before?.at ?? null, before?.id ?? null, filter.limit + 1],
  );
  return toPage(rows, filter.limit, (row) => row.request_id, toCheckIn);
}

/** Somebody or something has followed the link; only the first time is kept. */
export async function noteLinkFetched(db: Db, requestId: string): Promise<void> {
  await execute(
    db,
    `UPDATE buddy_check_in_requests SET link_fetched_at = clock_timestamp()
      WHERE request_id = $1 AND link_fetched_at IS NULL`,
    [requestId],
  );
}

/** How long until the user may ask this buddy again, ms; 0: now. What holds is the exclusion constraint. */
export async function checkInWaitMs(db: Db, buddyId: string): Promise<number> {
  const { wait_ms: waitMs } = await one(
    db,
    z.object({ wait_ms: z.coerce.number() }),
    `SELECT greatest(0, ceil(extract(epoch FROM coalesce(max(upper(cooldown)), clock_timestamp()) - clock_timestamp()) * 1000)) AS wait_ms
       FROM buddy_check_in_requests WHERE buddy_id = $1 AND counts AND kind = 'user'`,
    [buddyId],
  );
  return waitMs;
}
