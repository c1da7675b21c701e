/** Whom users have named to be asked when no buddy answers. Names and numbers are in the vault. */
import { z } from 'zod';
import type { SkipReason } from '../domain/wellbeing-alert';
import { appendAudit } from './audit';
import { noteAppEvent } from './app-events';
import { noteRefusal } from './buddy-refusals';
import { eraseUnlessHeld } from './erasure';
import { keepNamed } from './person-locks';
import { type Db, execute, many, maybeOne, one } from './query';
import { destroyRecord } from './vault-rows';

export const CONTACT_STATES = ['named', 'agreed', 'refused', 'opted-out'] as const;
export type ContactState = (typeof CONTACT_STATES)[number];

export interface RegisteredContact {
  readonly contactId: string;
  readonly userId: string;
  /** The contact as a person. */
  readonly subjectId: string;
  readonly nameRecordId: string;
  readonly phoneRecordId: string;
  /** Null once they were removed or erased. */
  readonly phoneToken: Buffer | null;
  readonly tokenVersion: number;
  /** ISO 3166, of the number. */
  readonly country: string;
  /** ISO 639-1. */
  readonly language: string;
  /** Of the text that tells them. */
  readonly messageId: string;
  readonly state: ContactState;
  readonly namedAt: Date;
  readonly toldAt: Date | null;
  readonly removedAt: Date | null;
}

const contactRow = z
  .object({
    contact_id: z.uuid(),
    user_id: z.uuid(),
    subject_id: z.uuid(),
    name_record_id: z.uuid(),
    phone_record_id: z.uuid(),
    phone_token: z.instanceof(Buffer).nullable(),
    token_version: z.int(),
    country: z.string(),
    language: z.string(),
    message_id: z.uuid(),
    state: z.enum(CONTACT_STATES),
    named_at: z.date(),
    told_at: z.date().nullable(),
    removed_at: z.date().nullable(),
  })
  .transform(
    (row): RegisteredContact => ({
      contactId: row.contact_id,
      userId: row.user_id,
      subjectId: row.subject_id,
      nameRecordId: row.name_record_id,
      phoneRecordId: row.phone_record_id,
      phoneToken: row.phone_token,
      tokenVersion: row.token_version,
      country: row.country,
      language: row.language,
      messageId: row.message_id,
      state: row.state,
      namedAt: row.named_at,
      toldAt: row.told_at,
      removedAt: row.removed_at,
    }),
  );

const SELECT_CONTACT = `SELECT c.contact_id, c.user_id, c.subject_id, c.name_record_id, c.phone_record_id, c.phone_token,
  c.token_version, c.country, c.language, c.message_id, c.named_at, c.told_at, c.removed_at,
  CASE WHEN c.refused_at IS NOT NULL THEN 'refused'
       WHEN c.opted_out_at IS NOT NULL
         OR EXISTS (SELECT FROM opt_outs o WHERE o.recipient_token = c.phone_token AND o.scope = 'organisation'
                       AND o.lifted_at IS NULL)
         OR EXISTS (SELECT FROM provider_blocks p WHERE p.recipient_token = c.phone_token AND p.lifted_at IS NULL
                       AND p.others_allowed_at IS NULL) THEN 'opted-out'
       WHEN c.agreed_at IS NOT NULL THEN 'agreed' ELSE 'named' END AS state
  FROM registered_contacts c`;

/** The one that a user has now. */
export function findRegisteredContact(db: Db, userId: string): Promise<RegisteredContact | null> {
  return maybeOne(db, contactRow, `${SELECT_CONTACT} WHERE c.user_id = $1 AND c.removed_at IS NULL`, [userId]);
}

/** Whoever the link was made for, while they are somebody's contact. */
export function contactOfLink(db: Db, linkHash: Buffer): Promise<RegisteredContact | null> {
  return maybeOne(db, contactRow, `${SELECT_CONTACT} WHERE c.link_hash = $1 AND c.removed_at IS NULL`, [linkHash]);
}

/** Whom an alert can ask now. */
export async function contactToAsk(
  db: Db,
  userId: string,
): Promise<RegisteredContact | { readonly nobody: SkipReason }> {
  const contact = await findRegisteredContact(db, userId);
  if (contact === null || contact.phoneToken === null) return { nobody: 'no-contact' };
  if (contact.state === 'refused') return { nobody: 'contact-refused' };
  return contact.state === 'opted-out' ? { nobody: 'contact-opted-out' } : contact;
}

export type NewContact = Pick<
  RegisteredContact,
  | 'contactId'
  | 'userId'
  | 'subjectId'
  | 'nameRecordId'
  | 'phoneRecordId'
  | 'tokenVersion'
  | 'country'
  | 'language'
  | 'messageId'
> & { readonly phoneToken: Buffer };

/** How many people this user has named in the last thirty days, also those who were replaced. */
export async function namedLately(tx: Db, userId: string): Promise<number> {
  const { named } = await one(
    tx,
    z.object({ named: z.int() }),
    `SELECT count(*)::int AS named FROM registered_contacts
      WHERE user_id = $1 AND named_at > clock_timestamp() - interval '30 days'`,
    [userId],
  );
  return named;
}

/** In the place of nobody: {@link removeContact} comes first. In the transaction that seals its records. */
export async function insertContact(tx: Db, contact: NewContact): Promise<void> {
  await execute(
    tx,
    `INSERT INTO registered_contacts (contact_id, user_id, subject_id, name_record_id, phone_record_id, phone_token,
                                      token_version, country, language, message_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      contact.contactId,
      contact.userId,
      contact.subjectId,
      contact.nameRecordId,
      contact.phoneRecordId,
      contact.phoneToken,
      contact.tokenVersion,
      contact.country,
      contact.language,
      contact.messageId,
    ],
  );
  const { userId: actor, contactId: objectId } = contact;
  await appendAudit(tx, { actor, action: 'registered-contact.named', objectId, outcome: 'done' });
}

/** Another name or language of the same person: they are not told again. */
export async function changeContact(
  tx: Db,
  { contactId, nameRecordId: before, userId: actor }: RegisteredContact,
  { nameRecordId, language }: { readonly nameRecordId: string; readonly language: string },
): Promise<void> {
  await execute(tx, 'UPDATE registered_contacts SET name_record_id = $2, language = $3 WHERE contact_id = $1', [
    contactId,
    nameRecordId,
    language,
  ]);
  await destroyRecord(tx, before, { reason: 'replaced', actor });
  await appendAudit(tx, { actor, action: 'registered-contact.changed', objectId: contactId, outcome: 'done' });
}

/**
 * By the user: the link opens nothing, and the person is erased as far as no legal hold stands. How often they were told
 * goes on counting. Behind `lockBuddiesOf`.
 */
export async function removeContact(tx: Db, { contactId, subjectId }: RegisteredContact, actor: string): Promise<void> {
  const erased = await eraseUnlessHeld(tx, subjectId, actor, 'limits');
  if (erased === 'held') {
    await execute(
      tx,
      `UPDATE registered_contacts
          SET removed_at = clock_timestamp(), untold_since_at = clock_timestamp(), link_hash = NULL
        WHERE contact_id = $1 AND removed_at IS NULL`,
      [contactId],
    );
  }
  await appendAudit(tx, { actor, action: 'registered-contact.removed', objectId: contactId, outcome: 'done' });
}

export interface ContactVisit {
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
}

const FROM_NOWHERE = async (): Promise<ContactVisit> => ({ ipRecordId: null, userAgentRecordId: null });

/**
 * By the contact. A no is kept beyond all of it: the same user cannot name that number again. May be repeated.
 * @param sealFrom seals from where, in the same transaction and behind its locks
 */
export async function noteContactAnswer(
  tx: Db,
  { contactId, userId, subjectId, phoneToken, tokenVersion }: RegisteredContact,
  answer: 'agreed' | 'refused',
  sealFrom: () => Promise<ContactVisit> = FROM_NOWHERE,
): Promise<void> {
  await keepNamed(tx, { table: 'registered_contacts', which: 'n.contact_id = $1', values: [contactId] });
  const open = await maybeOne(
    tx,
    z.object({ contact_id: z.uuid() }),
    `SELECT contact_id FROM registered_contacts
      WHERE contact_id = $1 AND removed_at IS NULL AND refused_at IS NULL AND (agreed_at IS NULL OR NOT $2)
        FOR NO KEY UPDATE`,
    [contactId, answer === 'agreed'],
  );
  if (open === null) return;
  const { ipRecordId, userAgentRecordId } = await sealFrom();
  const noted = await execute(
    tx,
    `UPDATE registered_contacts
        SET agreed_at = CASE WHEN $2 THEN clock_timestamp() END,
            refused_at = CASE WHEN $2 THEN NULL ELSE clock_timestamp() END,
            untold_since_at = CASE WHEN $2 THEN untold_since_at ELSE clock_timestamp() END,
            ip_record_id = $3, user_agent_record_id = $4
      WHERE contact_id = $1`,
    [contactId, answer === 'agreed', ipRecordId, userAgentRecordId],
  );
  if (noted === 0) return;
  if (answer === 'refused' && phoneToken !== null) {
    await noteRefusal(tx, { userId, tokens: [phoneToken], tokenVersion, reason: 'declined' });
  }
  const audited = { actor: subjectId, objectId: contactId, outcome: 'done' } as const;
  await appendAudit(tx, { ...audited, action: `registered-contact.${answer}` });
  await noteAppEvent(tx, {
    subjectId: userId,
    type: `registered-contact.${answer}`,
    objectId: contactId,
    state: answer,
  });
}

/** Named, and not told yet. */
export function untoldContacts(db: Db, limit: number): Promise<RegisteredContact[]> {
  return many(
    db,
    contactRow,
    `${SELECT_CONTACT} WHERE c.told_at IS NULL AND c.removed_at IS NULL ORDER BY c.named_at LIMIT $1`,
    [limit],
  );
}

/** Before the text goes out, so that its link opens something from the first moment. */
export async function noteContactLink(db: Db, contactId: string, linkHash: Buffer): Promise<void> {
  await execute(db, 'UPDATE registered_contacts SET link_hash = $2 WHERE contact_id = $1', [contactId, linkHash]);
}

export async function noteContactTold(db: Db, contactId: string): Promise<void> {
  await execute(
    db,
    'UPDATE registered_contacts SET told_at = clock_timestamp() WHERE contact_id = $1 AND told_at IS NULL',
    [contactId],
  );
}
