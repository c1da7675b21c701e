/** What is held of a buddy, read out of the vault for the buddy: on their page, or as a file of their own. */
import { createHash } from 'node:crypto';
import type { Buddy } from '../db/buddies';
import { type HeldOfBuddy, heldOfBuddy, type LinkedBuddy } from '../db/buddy-rights';
import type { RevealPurpose } from '../domain/audit-actions';
import { RecordDestroyed } from '../domain/errors';
import type { ShownOfBuddy } from '../web/buddy-rights';
import type { ApiDeps } from './deps';

/** Null for a record that there is none of (any more). */
type Reader = (recordId: string | null) => Promise<string | null>;

/** Each look has its audit entry, in the name of the person it is about. @throws {SubjectErased} */
function readerFor({ vault }: Pick<ApiDeps, 'vault'>, { subjectId: actor }: Buddy, purpose: RevealPurpose): Reader {
  return async (recordId) => {
    if (recordId === null) return null;
    try {
      return (await vault.reveal({ recordId, purpose, actor })).expose();
    } catch (error) {
      if (error instanceof RecordDestroyed) return null;
      throw error;
    }
  };
}

/** What is shown of whose data, and by which kind of link. */
type Looked = Pick<LinkedBuddy, 'buddy' | 'proves'>;

/**
 * For the page: without where anything was pressed from, and without what only the other link opens.
 * @throws {SubjectErased}
 */
export async function shownOfBuddy(deps: Pick<ApiDeps, 'pool' | 'vault'>, looked: Looked): Promise<ShownOfBuddy> {
  const { buddy, proves } = looked;
  const read = readerFor(deps, buddy, 'own-view');
  const { history, checkIns } = await heldOfBuddy(deps.pool, buddy);
  return {
    ...(await contactsOf(looked, read)),
    proves,
    status: buddy.status,
    namedAt: buddy.createdAt,
    history: history.map(({ event, happened_at: at }) => ({ event, at })),
    checkIns: await inOrder(checkIns, async (asked) => ({
      kind: asked.kind,
      requestedAt: asked.requested_at,
      response: asked.response,
      note: proves === 'phone' ? await read(asked.note_record_id) : null,
    })),
  };
}

/**
 * What a link that proves only the mailbox, or only the phone, leaves out: fields of the part, or channels of messages. A
 * user has typed the number and the address, and nothing says that both are of one person.
 */
const OPENS_BY_OTHER_LINK: Readonly<Record<LinkedBuddy['proves'], Readonly<Record<string, readonly string[]>>>> = {
  email: {
    about: ['phone'],
    history: ['ipAddress', 'userAgent'],
    checkIns: ['note', 'ipAddress', 'userAgent'],
    messages: ['sms'],
  },
  phone: { about: ['email'], history: ['ipAddress', 'userAgent'], messages: ['email'] },
};

/**
 * Everything that this link opens, as JSON. `manifest` has the SHA-256 of each part, as `JSON.stringify` writes it, and
 * what of it the other link opens.
 * @throws {SubjectErased}
 */
export async function exportOfBuddy(deps: Pick<ApiDeps, 'pool' | 'vault'>, looked: Looked): Promise<string> {
  const { buddy, proves } = looked;
  const read = readerFor(deps, buddy, 'own-export');
  const parts = await partsOf(looked, await heldOfBuddy(deps.pool, buddy), read);
  const manifest = Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [
      name,
      {
        sha256: createHash('sha256').update(JSON.stringify(part)).digest('hex'),
        opensByOtherLink: OPENS_BY_OTHER_LINK[proves][name] ?? [],
      },
    ]),
  );
  return JSON.stringify({
    format: 'kindline/buddy-export/1',
    madeAt: new Date().toISOString(),
    proves,
    manifest,
    parts,
  });
}

async function partsOf(looked: Looked, held: HeldOfBuddy, read: Reader): Promise<Record<string, unknown>> {
  const { buddy, proves } = looked;
  const { language, rank, status, createdAt: namedAt, verifiedAt, declinedAt, optedOutAt, removedAt } = buddy;
  const contacts = await contactsOf(looked, read);
  const ofPhone: Reader = async (recordId) => (proves === 'phone' ? await read(recordId) : null);
  // Buttons of the mail's pages are pressed at its link's version; those of a text's have none.
  const ofPress = ({ version }: HeldOfBuddy['history'][number]): Reader =>
    (version === null) === (proves === 'phone') ? read : async () => null;
  const ours = held.messages.filter(({ channel }) => channel === (proves === 'phone' ? 'sms' : 'email'));
  return {
    about: { ...contacts, language, rank, status, namedAt, verifiedAt, declinedAt, optedOutAt, removedAt },
    invitations: held.invitations.map((row) => ({
      version: row.version,
      askedBy: row.asked_by,
      askedAt: row.asked_at,
      sentAt: row.sent_at,
      expiresAt: row.expires_at,
    })),
    history: await inOrder(held.history, async (row) => ({
      event: row.event,
      at: row.happened_at,
      ipAddress: await ofPress(row)(row.ip_record_id),
      userAgent: await ofPress(row)(row.user_agent_record_id),
    })),
    checkIns: await inOrder(held.checkIns, async (row) => ({
      kind: row.kind,
      state: row.state,
      requestedAt: row.requested_at,
      sentAt: row.sent_at,
      deliveredAt: row.delivered_at,
      remindedAt: row.reminded_at,
      openedAt: row.link_opened_at,
      respondedAt: row.responded_at,
      response: row.response,
      closedAt: row.closed_at,
      note: await ofPhone(row.note_record_id),
      ipAddress: await ofPhone(row.ip_record_id),
      userAgent: await ofPhone(row.user_agent_record_id),
    })),
    messages: await inOrder(ours, async (row) => ({
      channel: row.channel,
      template: row.template,
      state: row.state,
      requestedAt: row.requested_at,
      sentAt: row.sent_at,
      endedAt: row.ended_at,
      words: await read(row.content_record_id),
    })),
  };
}

async function contactsOf(
  { buddy, proves }: Looked,
  read: Reader,
): Promise<Pick<ShownOfBuddy, 'name' | 'email' | 'phone' | 'relationship'>> {
  const phone = await read(buddy.phoneRecordId);
  return {
    name: await read(buddy.nameRecordId),
    email: proves === 'email' ? await read(buddy.emailRecordId) : null,
    // As on the page of the invitation: enough to see whether it is theirs.
    phone: proves === 'phone' || phone === null ? phone : `••${phone.slice(-2)}`,
    relationship: await read(buddy.relationshipRecordId),
  };
}

/** One after the other: each look takes a connection for its audit entry, and others want theirs. */
async function inOrder<T, R>(rows: readonly T[], one: (row: T) => Promise<R>): Promise<R[]> {
  const made: R[] = [];
  for (const row of rows) made.push(await one(row));
  return made;
}
