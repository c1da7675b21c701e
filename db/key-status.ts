/** Which keys there are and what wraps them: for whoever plans a rotation, or wonders what a root key still holds. */
import { z } from 'zod';
import { type Db, many } from './query';

const serviceKeyStatus = z.object({
  purpose: z.string(),
  version: z.int(),
  state: z.enum(['current', 'previous', 'retired']),
  ring: z.enum(['local', 'kms']),
  rootKeyId: z.string(),
  madeAt: z.date(),
});

const subjectKeyStatus = z.object({
  ring: z.enum(['local', 'kms']),
  rootKeyId: z.string(),
  active: z.int(),
  /** Erased people: the row is left, the key is not. */
  destroyed: z.int(),
});

export type ServiceKeyStatus = z.output<typeof serviceKeyStatus>;
export type SubjectKeyStatus = z.output<typeof subjectKeyStatus>;

/** Rows that the role may not see (the audit chain's, for the API's role) are left out by the database itself. */
export function serviceKeyStatuses(db: Db): Promise<ServiceKeyStatus[]> {
  return many(
    db,
    serviceKeyStatus,
    `SELECT purpose, version, state, ring, root_key_id AS "rootKeyId", created_at AS "madeAt"
       FROM service_keys ORDER BY purpose, version DESC`,
  );
}

/** One row for each root key that has wrapped a person's key. */
export function subjectKeyStatuses(db: Db): Promise<SubjectKeyStatus[]> {
  return many(
    db,
    subjectKeyStatus,
    `SELECT ring, root_key_id AS "rootKeyId", count(*) FILTER (WHERE state = 'active')::int AS active,
            count(*) FILTER (WHERE state = 'destroyed')::int AS destroyed
       FROM subject_keys GROUP BY ring, root_key_id ORDER BY ring, root_key_id`,
  );
}
