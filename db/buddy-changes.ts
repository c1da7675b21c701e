/** What users change of their entries. */
import { type Db, execute } from './query';

export interface BuddyRecords {
  readonly nameRecordId: string;
  readonly relationshipRecordId: string | null;
  readonly language: string;
}

/** Behind `lockBuddy`. */
export async function changeBuddy(tx: Db, buddyId: string, records: BuddyRecords): Promise<void> {
  await execute(
    tx,
    'UPDATE buddy_contacts SET name_record_id = $2, relationship_record_id = $3, language = $4 WHERE buddy_id = $1',
    [buddyId, records.nameRecordId, records.relationshipRecordId, records.language],
  );
}

export interface BuddyDestination {
  readonly kind: 'phone' | 'email';
  readonly recordId: string;
  readonly token: Buffer;
  readonly tokenVersion: number;
  /** ISO 3166 of a number; null for an address, which changes nothing about it. */
  readonly country: string | null;
}

/** How they are reached. Behind `lockBuddy`, and only before the first e-mail: later it would be another person's consent. */
export async function changeDestination(tx: Db, buddyId: string, to: BuddyDestination): Promise<void> {
  const { kind, recordId, token, tokenVersion, country } = to;
  // The other of the two keeps its token: while the key is rotated, the row counts as of the older version.
  const columns =
    kind === 'phone'
      ? 'phone_record_id = $2, phone_token = $3, token_version = least(token_version, $4), country = $5'
      : 'email_record_id = $2, email_token = $3, token_version = least(token_version, $4), country = coalesce($5, country)';
  const text = `UPDATE buddy_contacts SET ${columns} WHERE buddy_id = $1`;
  await execute(tx, text, [buddyId, recordId, token, tokenVersion, country]);
}
