/** Buddies as users name them, and what they were asked, written straight into the tables. */
import { createHash, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { findBuddy, insertBuddy } from '../../../db/buddies';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import type { Vault } from '../../../db/vault-records';
import { SealedValue } from '../../../domain/sealed';
import { newLinkToken } from '../../../vault/link-tokens';
import type { Tokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';

export interface BuddyWorld {
  readonly pool: Pool;
  readonly vault: Pick<Vault, 'seal'>;
  readonly tokenizer: Tokenizer;
}

export interface Named {
  readonly userId?: string;
  readonly name?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly relationship?: string;
  readonly language?: string;
  readonly rank?: number;
  readonly isVerified?: boolean;
}

export interface NamedBuddy {
  readonly buddyId: string;
  readonly userId: string;
  readonly subjectId: string;
  readonly phone: string;
  readonly email: string;
}

let nth = 0;

/** A number and an address that nobody else has. */
export function somebodyNew(): { phone: string; email: string } {
  nth += 1;
  return { phone: `+1628555${String(100 + (nth % 100)).padStart(4, '0')}`, email: `buddy.${randomUUID()}@example.org` };
}

export async function nameBuddy({ pool, vault, tokenizer }: BuddyWorld, named: Named = {}): Promise<NamedBuddy> {
  const { phone, email } = { ...somebodyNew(), ...named };
  const userId = named.userId ?? (await createSubject(pool, 'system'));
  const subjectId = await createSubject(pool, 'system');
  const buddyId = randomUUID();
  const seal = (kind: 'name' | 'email' | 'phone' | 'text', text: string) =>
    vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) });
  const records = {
    nameRecordId: await seal('name', named.name ?? MARKED.otherMentorName),
    emailRecordId: await seal('email', email),
    phoneRecordId: await seal('phone', phone),
    relationshipRecordId: named.relationship === undefined ? null : await seal('text', named.relationship),
  };
  await inTransaction(pool, (tx) =>
    insertBuddy(tx, {
      buddyId,
      userId,
      subjectId,
      rank: named.rank ?? 1,
      ...records,
      emailToken: tokenizer.token(SealedValue.of('email', email)),
      phoneToken: tokenizer.token(SealedValue.of('phone', phone)),
      tokenVersion: tokenizer.version,
      country: 'US',
      language: named.language ?? 'en',
    }),
  );
  if (named.isVerified !== false) {
    await pool.query('UPDATE buddy_contacts SET verified = true, verified_at = now() WHERE buddy_id = $1', [buddyId]);
  }
  return { buddyId, userId, subjectId, phone, email };
}

export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** An e-mail that asked them, some time ago. @returns the token of its link */
export async function invited(pool: Pool, buddyId: string, { version = 1, daysAgo = 0 } = {}): Promise<string> {
  const token = newLinkToken();
  await pool.query(
    `INSERT INTO buddy_invitations (invitation_id, buddy_id, version, link_hash, email_token, phone_token, asked_by, asked_at,
                                    expires_at, cooldown, message_id, sent_at)
     SELECT gen_random_uuid(), buddy_id, $2, $3, email_token, phone_token, 'user', at, at + interval '7 days',
            tstzrange(at, at + interval '1 hour'), gen_random_uuid(), at
       FROM buddy_contacts, (SELECT now() - $4 * interval '1 day' AS at) AS asked WHERE buddy_id = $1`,
    [buddyId, version, hashOf(token), daysAgo],
  );
  await pool.query(
    `UPDATE buddy_contacts SET verification_token_hash = $2, verification_token_version = $3,
            verification_token_expires_at = now() + (7 - $4) * interval '1 day' WHERE buddy_id = $1`,
    [buddyId, hashOf(token), version, daysAgo],
  );
  return token;
}

export interface Asked {
  readonly requestId: string;
  readonly token: string;
}

/** A text that asked them to get in touch; answered, it is closed. */
export async function checkedIn(
  { pool, vault }: BuddyWorld,
  { buddyId, userId, subjectId }: NamedBuddy,
  { daysAgo = 0, note = null as string | null, ip = null as string | null, isOpen = false, counts = true } = {},
): Promise<Asked> {
  const [requestId, token] = [randomUUID(), newLinkToken()];
  const seal = (kind: 'text' | 'ip', text: string | null) =>
    text === null ? null : vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) });
  await pool.query(
    `INSERT INTO buddy_check_in_requests (request_id, buddy_id, user_id, kind, state, link_hash, phone_token, message_id,
       requested_at, sent_at, responded_at, response, note_record_id, ip_record_id, closes_at, closed_at, counts, cooldown)
     SELECT $1, buddy_id, $3, 'user', CASE WHEN $8 THEN 'sent' ELSE 'answered' END, $4, phone_token, gen_random_uuid(),
            at, at, CASE WHEN NOT $8 THEN at END, CASE WHEN NOT $8 THEN 'called' END, $6, $7, at + interval '24 hours',
            CASE WHEN NOT $8 THEN at END, $9, tstzrange(at, at + interval '24 hours')
       FROM buddy_contacts, (SELECT now() - $5 * interval '1 day' AS at) AS asked WHERE buddy_id = $2`,
    [
      requestId,
      buddyId,
      userId,
      hashOf(token),
      daysAgo,
      await seal('text', note),
      await seal('ip', ip),
      isOpen,
      counts,
    ],
  );
  return { requestId, token };
}

export async function buddyOf(pool: Pool, buddyId: string) {
  const buddy = await findBuddy(pool, buddyId);
  if (buddy === null) throw new Error('there is no such buddy');
  return buddy;
}

export async function eventsOf(pool: Pool, buddyId: string): Promise<string[]> {
  const { rows } = await pool.query(
    'SELECT event FROM buddy_verification_audit WHERE buddy_id = $1 ORDER BY happened_at, audit_id',
    [buddyId],
  );
  return rows.map(({ event }) => String(event));
}

/** What the app was told of a buddy. */
export async function statesTold(pool: Pool, buddyId: string): Promise<string[]> {
  const { rows } = await pool.query('SELECT state FROM app_events WHERE object_id = $1 ORDER BY position', [buddyId]);
  return rows.map(({ state }) => String(state));
}

/** Audit entries of this action about this object, with their purpose and outcome. */
export async function audited(pool: Pool, action: string, objectId: string) {
  const { rows } = await pool.query(
    'SELECT actor, purpose, outcome FROM audit_entries WHERE action = $1 AND object_id = $2 ORDER BY at',
    [action, objectId],
  );
  return rows;
}
