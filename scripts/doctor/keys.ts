import { existsSync } from 'node:fs';
import { AUDIT_PURPOSES, openServiceKeys } from '../../db/service-keys';
import { KeyRingError } from '../../domain/errors';
import { openKeyRing } from '../../providers/open-key-ring';
import type { KeyContext, KeyRing } from '../../vault/key-ring';
import { SERVICE_KEY_PURPOSES, type ServiceKeyPurpose } from '../../vault/service-keys';
import { examined, fail, type Finding, ok, type Patient, warn } from './finding';
import { connected } from './postgres';

/** Stands in CloudTrail in the clear, as the context of every key does. */
const CONTEXT: KeyContext = { subject: 'doctor', purpose: 'service-key' };

/** Can the key ring make a key and open it again, and does it open those that the service has stored? Keeps nothing. */
export async function keyChecks({ config }: Patient): Promise<readonly Finding[]> {
  const { ring, localKeyFile } = config.keys;
  if (ring === 'local' && !existsSync(localKeyFile)) {
    // Opening it would make one, and a key file that nobody expected is the worst kind.
    return [warn('keys', 'There is no key file yet.', 'The first start makes it at LOCAL_KEY_FILE.')];
  }
  const todo =
    ring === 'kms'
      ? 'Does KMS_KEY_ID exist in AWS_REGION, and may our role DescribeKey, GenerateDataKey and Decrypt with it?'
      : 'Is LOCAL_KEY_FILE the file that the first start made?';
  return examined('keys', todo, async () => {
    const keyRing = await openKeyRing(config.keys, { nodeEnv: config.nodeEnv });
    await keyRing.describe();
    const { plaintext, wrapped } = await keyRing.generate(CONTEXT);
    const opened = await keyRing.unwrap(wrapped, CONTEXT);
    const isSame = opened.equals(plaintext);
    plaintext.fill(0);
    opened.fill(0);
    if (!isSame) return fail('keys', 'A key that was wrapped opened as another one.', todo);
    const says = ring === 'kms' ? 'KMS makes a key and opens it again.' : 'The key file makes a key and opens it.';
    return [ok('keys', says), ...(await storedKeys({ config }, keyRing))];
  });
}

/** A ring that works may still be another one than the one that wrapped what is there. */
async function storedKeys({ config }: Pick<Patient, 'config'>, keyRing: KeyRing): Promise<readonly Finding[]> {
  const { url, workerUrl } = config.database;
  const ordinary = SERVICE_KEY_PURPOSES.filter((purpose) => !AUDIT_PURPOSES.includes(purpose));
  const asked: readonly (readonly [string, readonly ServiceKeyPurpose[]])[] = [
    [url, ordinary],
    // Only the worker's role sees these.
    ...(workerUrl === url ? [] : [[workerUrl, AUDIT_PURPOSES] as const]),
  ];
  const check = 'stored keys';
  return examined(check, 'Mend what is said about Postgres first.', async () => {
    const missing: string[] = [];
    let count = 0;
    for (const [databaseUrl, purposes] of asked) {
      const found = await openedCounts(databaseUrl, keyRing, purposes);
      if (found instanceof KeyRingError) return notOpened(found);
      missing.push(...purposes.filter((purpose) => !found.has(purpose)));
      for (const n of found.values()) count += n;
    }
    if (missing.length > 0) {
      return warn(
        check,
        `Not made yet: ${missing.join(', ')}.`,
        'The first start of the API and of a worker makes them.',
      );
    }
    return ok(check, `The key ring opens all ${count} keys of the service that the database holds.`);
  });

  function notOpened({ code }: KeyRingError): Finding {
    const how =
      config.keys.ring === 'kms'
        ? 'Is KMS_KEY_ID the key of this database? KMS_PREVIOUS_KEY_ID opens what an earlier one has wrapped.'
        : 'Is LOCAL_KEY_FILE the file that this database was begun with, and is the key ring not KMS?';
    return fail(check, `The key ring does not open what the database holds (${code}).`, `${how} See docs/keys.md.`);
  }
}

/** How many keys of each purpose were opened; the error when one was not. */
async function openedCounts(databaseUrl: string, keyRing: KeyRing, purposes: readonly ServiceKeyPurpose[]) {
  const db = await connected(databaseUrl);
  try {
    const keys = await openServiceKeys(db, keyRing, purposes);
    const counts = purposes.flatMap((purpose) => {
      const all = keys.all(purpose);
      for (const { key } of all) key.fill(0);
      return all.length === 0 ? [] : [[purpose, all.length] as const];
    });
    return new Map(counts);
  } catch (error) {
    if (error instanceof KeyRingError) return error;
    throw error;
  } finally {
    await db.end();
  }
}
