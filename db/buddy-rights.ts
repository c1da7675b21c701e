/** What buddies may do for themselves by any link that was ever sent to them, and what is held of them. */
import { z } from 'zod';
import { BUDDY_EVENTS, CHECK_IN_RESPONSES, CHECK_IN_STATES } from '../domain/buddies';
import { appendAudit } from './audit';
import { type Buddy, findBuddy, lockBuddy } from './buddies';
import { endBuddy } from './buddy-endings';
import { noteRefusal } from './buddy-refusals';
import { keepLists } from './person-locks';
import { type Db, many, maybeOne } from './query';

export interface LinkedBuddy {
  readonly buddy: Buddy;
  /** What whoever has the link has shown to be theirs: the mailbox it was sent to, or the phone. */
  readonly proves: 'email' | 'phone';
  /** Of that address or number, as it was when the link was sent; null once it was forgotten. */
  readonly token: Buffer | null;
  /** Of an invitation; null: it was no invitation. */
  readonly version: number | null;
  readonly isErased: boolean;
}

const linkRow = z.object({
  buddy_id: z.uuid(),
  proves: z.enum(['email', 'phone']),
  token: z.instanceof(Buffer).nullable(),
  version: z.int().nullable(),
  is_erased: z.boolean(),
});

/**
 * Whose link this is, also long after it ran out. A link that went to another address than the buddy's of today opens
 * nothing: it may have been somebody else's.
 */
export async function findBuddyByLink(db: Db, linkHash: Buffer): Promise<LinkedBuddy | null> {
  const row = await maybeOne(
    db,
    linkRow,
    `SELECT l.buddy_id, l.proves, l.token, l.version, s.erased_at IS NOT NULL AS is_erased
       FROM (SELECT buddy_id, 'email' AS proves, email_token AS token, version FROM buddy_invitations WHERE link_hash = $1
             UNION ALL
             SELECT buddy_id, 'phone', phone_token, NULL FROM buddy_check_in_requests WHERE link_hash = $1) l
       JOIN buddy_contacts b ON b.buddy_id = l.buddy_id JOIN subjects s ON s.subject_id = b.subject_id
      CROSS JOIN LATERAL (SELECT CASE l.proves WHEN 'email' THEN b.email_token ELSE b.phone_token END AS token) today
      WHERE l.token = today.token OR l.token IS NULL OR today.token IS NULL`,
    [linkHash],
  );
  const buddy = row === null ? null : await findBuddy(db, row.buddy_id);
  if (row === null || buddy === null) return null;
  return { buddy, proves: row.proves, token: row.token, version: row.version, isErased: row.is_erased };
}

/** Vault records of where a button was pressed from. */
export interface PressedFrom {
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
}

/** Seals from where, in the same transaction and behind its locks. */
export type SealFrom = () => Promise<PressedFrom>;

const FROM_NOWHERE: SealFrom = async () => ({ ipRecordId: null, userAgentRecordId: null });

/**
 * Not asked any more for this user, and not invited by them again. Run it in a transaction.
 * @returns whether anything changed
 */
export async function endByLink(
  tx: Db,
  linked: LinkedBuddy,
  how: 'withdrawn' | 'blocked',
  sealFrom: SealFrom = FROM_NOWHERE,
): Promise<boolean> {
  const locked = await lockBuddy(tx, linked.buddy.buddyId);
  if (locked === null) return false;
  const from = await sealFrom();
  const buddy = { ...locked, ...(await tokensOf(tx, locked, linked)) };
  return await endBuddy(tx, { buddy, how, actor: buddy.subjectId, version: linked.version, ...from });
}

/** Of who was taken off the list, what they were asked at: it goes on counting, and what they refuse is just that. */
async function tokensOf(
  tx: Db,
  { buddyId, emailToken, phoneToken }: Buddy,
  { proves, token }: LinkedBuddy,
): Promise<Pick<Buddy, 'emailToken' | 'phoneToken'>> {
  if (emailToken !== null && phoneToken !== null) return { emailToken, phoneToken };
  const asked = await maybeOne(
    tx,
    askedRow,
    'SELECT email_token, phone_token FROM buddy_invitations WHERE buddy_id = $1 ORDER BY version DESC LIMIT 1',
    [buddyId],
  );
  const proven = (what: typeof proves) => (proves === what ? token : null);
  return {
    emailToken: emailToken ?? asked?.email_token ?? proven('email'),
    phoneToken: phoneToken ?? asked?.phone_token ?? proven('phone'),
  };
}

const tokenColumn = z.instanceof(Buffer).nullable();
const askedRow = z.object({ email_token: tokenColumn, phone_token: tokenColumn });

/** An address or number as tokens. */
export interface ProvenTokens {
  /** Under the key's version `tokenVersion`. */
  readonly token: Buffer;
  readonly tokenVersion: number;
  /** Under every live version. */
  readonly candidates: readonly Buffer[];
}

/**
 * Not asked any more by anybody: of what the link has proven to be theirs, and only of that, because whoever named them
 * may have put somebody else's number beside their address. Run it in a transaction.
 * @returns whether anything changed
 */
export async function blockEverybody(
  tx: Db,
  linked: LinkedBuddy,
  proven: ProvenTokens,
  sealFrom: SealFrom,
): Promise<boolean> {
  const { buddy, proves } = linked;
  const { token, tokenVersion, candidates } = proven;
  const column = proves === 'email' ? 'email_token' : 'phone_token';
  const which = `(n.${column} = ANY($1::bytea[]) OR n.buddy_id = $2) AND n.removed_at IS NULL`;
  await keepLists(tx, { table: 'buddy_contacts', which, values: [candidates, buddy.buddyId] });
  const isNew = await noteRefusal(tx, { userId: null, tokens: [token], tokenVersion, reason: 'blocked' });
  if (isNew) {
    const what = { action: 'buddy.blocked', objectId: buddy.buddyId, purpose: 'everybody', outcome: 'done' } as const;
    await appendAudit(tx, { actor: buddy.subjectId, ...what });
  }
  const named = await many(
    tx,
    z.object({ buddy_id: z.uuid() }),
    `SELECT buddy_id FROM buddy_contacts
      WHERE (${column} = ANY($1::bytea[]) OR buddy_id = $2) AND removed_at IS NULL
      ORDER BY buddy_id`,
    [candidates, buddy.buddyId],
  );
  let hasChanged = isNew;
  for (const { buddy_id: buddyId } of named) {
    const isThis = buddyId === buddy.buddyId;
    const other = isThis ? null : await lockBuddy(tx, buddyId);
    const ended =
      other === null
        ? await endByLink(tx, linked, 'blocked', sealFrom)
        : await endBuddy(tx, { buddy: other, how: 'blocked', actor: other.subjectId, version: null });
    hasChanged ||= ended;
  }
  return hasChanged;
}

const moment = z.date().nullable();
const historyRow = z.object({
  event: z.enum(BUDDY_EVENTS),
  // Of the mail's link it was done by; null: by none, or by that of a text.
  version: z.int().nullable(),
  happened_at: z.date(),
  ip_record_id: z.uuid().nullable(),
  user_agent_record_id: z.uuid().nullable(),
});
const invitationRow = z.object({
  version: z.int(),
  asked_by: z.string(),
  asked_at: z.date(),
  sent_at: moment,
  expires_at: z.date(),
});
const checkInRow = z.object({
  kind: z.enum(['user', 'system']),
  state: z.enum(CHECK_IN_STATES),
  requested_at: z.date(),
  sent_at: moment,
  delivered_at: moment,
  reminded_at: moment,
  link_opened_at: moment,
  responded_at: moment,
  response: z.enum(CHECK_IN_RESPONSES).nullable(),
  closed_at: moment,
  note_record_id: z.uuid().nullable(),
  ip_record_id: z.uuid().nullable(),
  user_agent_record_id: z.uuid().nullable(),
});
const messageRow = z.object({
  channel: z.string(),
  template: z.string().nullable(),
  state: z.string(),
  requested_at: z.date(),
  sent_at: moment,
  ended_at: moment,
  content_record_id: z.uuid(),
});

/** Everything that names this buddy, but for what is sealed: that goes by the ids of its records. Oldest first. */
export interface HeldOfBuddy {
  readonly invitations: readonly z.output<typeof invitationRow>[];
  readonly history: readonly z.output<typeof historyRow>[];
  readonly checkIns: readonly z.output<typeof checkInRow>[];
  readonly messages: readonly z.output<typeof messageRow>[];
}

export async function heldOfBuddy(db: Db, { buddyId, subjectId }: Buddy): Promise<HeldOfBuddy> {
  return {
    invitations: await many(
      db,
      invitationRow,
      `SELECT version, asked_by, asked_at, sent_at, expires_at FROM buddy_invitations WHERE buddy_id = $1 ORDER BY version`,
      [buddyId],
    ),
    history: await many(
      db,
      historyRow,
      `SELECT event, version, happened_at, ip_record_id, user_agent_record_id FROM buddy_verification_audit
        WHERE buddy_id = $1 ORDER BY happened_at, audit_id`,
      [buddyId],
    ),
    checkIns: await many(
      db,
      checkInRow,
      `SELECT kind, state, requested_at, sent_at, delivered_at, reminded_at, link_opened_at, responded_at, response,
              closed_at, note_record_id, ip_record_id, user_agent_record_id
         FROM buddy_check_in_requests WHERE buddy_id = $1 ORDER BY requested_at, request_id`,
      [buddyId],
    ),
    messages: await many(
      db,
      messageRow,
      `SELECT m.channel, t.name AS template, m.state, m.requested_at, m.sent_at, m.ended_at, m.content_record_id
         FROM messages m LEFT JOIN templates t ON t.template_id::text = m.template_id
        WHERE m.subject_id = $1 ORDER BY m.requested_at, m.message_id`,
      [subjectId],
    ),
  };
}
