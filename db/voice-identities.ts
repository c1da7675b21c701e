/**
 * Whom Twilio means by `client:<identity>`. The identity is a keyed hash of the subject, so it says nothing to Twilio
 * or to a mentor's phone; only a row here leads back, and only while the token lives for which it was written.
 */
import { z } from 'zod';
import { type Db, execute, maybeOne } from './query';

export interface VoiceIdentity {
  /** 64 hexadecimal digits. */
  readonly identity: string;
  readonly subjectId: string;
  /** ISO 3166: whose helpline they are offered. */
  readonly country: string;
  /** ISO 639-1: in which they are spoken to. */
  readonly language: string;
  /** Given with the token; null: not yet. */
  readonly consent: { readonly textVersion: string; readonly language: string } | null;
  readonly expiresAt: Date;
}

/** Twilio takes a call in the last second of a token, and asks us a moment later, or comes again. */
const GRACE = `interval '1 minute'`;

/** Writes whom the next token is for. What the newest token request says counts for all of the person's devices. */
export async function saveVoiceIdentity(db: Db, who: VoiceIdentity): Promise<void> {
  await execute(
    db,
    `INSERT INTO voice_identities (identity, subject_id, country, language, consent_version, consent_language, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (identity) DO UPDATE
       SET country = excluded.country, language = excluded.language, consent_version = excluded.consent_version,
           consent_language = excluded.consent_language, issued_at = clock_timestamp(),
           expires_at = excluded.expires_at`,
    [
      who.identity,
      who.subjectId,
      who.country,
      who.language,
      who.consent?.textVersion ?? null,
      who.consent?.language ?? null,
      who.expiresAt,
    ],
  );
}

const identityRow = z
  .object({
    identity: z.string(),
    subject_id: z.uuid(),
    country: z.string(),
    language: z.string(),
    consent_version: z.string().nullable(),
    consent_language: z.string().nullable(),
    expires_at: z.date(),
  })
  .transform(
    (row): VoiceIdentity => ({
      identity: row.identity,
      subjectId: row.subject_id,
      country: row.country,
      language: row.language,
      consent:
        row.consent_version === null || row.consent_language === null
          ? null
          : { textVersion: row.consent_version, language: row.consent_language },
      expiresAt: row.expires_at,
    }),
  );

/** Null for one that was never given out, whose token has expired, or whose owner has signed out or was erased. */
export function findVoiceIdentity(db: Db, identity: string): Promise<VoiceIdentity | null> {
  return maybeOne(
    db,
    identityRow,
    `SELECT identity, subject_id, country, language, consent_version, consent_language, expires_at
       FROM voice_identities WHERE identity = $1 AND expires_at > clock_timestamp() - ${GRACE}`,
    [identity],
  );
}

/** From now on no call of theirs is taken, whatever tokens they still have: Twilio itself can call none back. */
export async function endVoiceIdentities(db: Db, subjectId: string): Promise<void> {
  await execute(db, 'DELETE FROM voice_identities WHERE subject_id = $1', [subjectId]);
}

/** @returns how many were over */
export function deleteOldVoiceIdentities(db: Db): Promise<number> {
  return execute(db, `DELETE FROM voice_identities WHERE expires_at <= clock_timestamp() - ${GRACE}`);
}
