/**
 * Checkpoints: signed words about how far the audit chain went at a time, kept outside the database. Whoever cuts
 * the chain's end, or the whole database back, contradicts one of them.
 */
import { z } from 'zod';

/** In the order in which they are written. */
const checkpointFields = z.strictObject({
  version: z.literal(1),
  /** From 1, without gaps. */
  sequence: z.int().min(1),
  /** ISO 8601, UTC, as the worker's clock said. A clock may jump: the order of checkpoints is that of their numbers. */
  at: z.iso.datetime(),
  /** Which database the chain is in: Postgres's own identifier of the cluster, and the database's name. */
  system: z.string().regex(/^\d{1,20}$/),
  database: z.string().min(1),
  /** The last place of the chain; as places have no gaps, also how many entries it covers. */
  position: z.int().min(0),
  /** The keyed hash at that place, in hexadecimal. */
  head: z.string().regex(/^[0-9a-f]{64}$/),
  /** SHA-256 of the whole checkpoint before it, in hexadecimal; null for the first. */
  previous: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** Of the service key `audit-checkpoint`. */
  keyVersion: z.int().min(1),
});
const signedFields = checkpointFields.extend({ signature: z.base64url() });

export type Checkpoint = z.output<typeof checkpointFields>;
export type SignedCheckpoint = z.output<typeof signedFields>;

/** As it lies in a store. */
export interface StoredCheckpoint {
  /** `000000000/000000000042.json`: the order of names is the order of checkpoints. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** Somewhere outside the database where what was once written is never written over. */
export interface CheckpointStore {
  /** The last in order, or null. */
  newest(): Promise<StoredCheckpoint | null>;
  /** @returns false when there is one of that name already; it is left as it is */
  add(checkpoint: StoredCheckpoint): Promise<boolean>;
  /** All, in order of their names. */
  all(): AsyncIterable<StoredCheckpoint>;
}

/** So that the newest is found among few, however many there are: seven years, one a minute, are 3,700 folders. */
const IN_ONE_FOLDER = 1_000;

/**
 * Of the number alone. With a time in it, two workers could each write a checkpoint of the same number, one on either
 * side of midnight.
 */
export function checkpointName({ sequence }: Pick<Checkpoint, 'sequence'>): string {
  const folder = String(Math.floor(sequence / IN_ONE_FOLDER)).padStart(9, '0');
  return `${folder}/${String(sequence).padStart(12, '0')}.json`;
}

/** Whether a checkpoint could have this name. */
export function isCheckpointName(name: string): boolean {
  return /^\d{9}\/\d{12}\.json$/.test(name);
}

/** What is signed: the fields in their order. */
export function checkpointText(checkpoint: Checkpoint): string {
  const { version, sequence, at, system, database, position, head, previous, keyVersion } = checkpoint;
  return JSON.stringify({ version, sequence, at, system, database, position, head, previous, keyVersion });
}

export function checkpointBytes(checkpoint: SignedCheckpoint): Buffer {
  const { signature, ...fields } = checkpoint;
  return Buffer.from(`${checkpointText(fields).slice(0, -1)},"signature":${JSON.stringify(signature)}}\n`);
}

/** @returns null when these are not, to the byte, what `checkpointBytes` writes */
export function parseCheckpoint(bytes: Buffer): SignedCheckpoint | null {
  try {
    const parsed = signedFields.safeParse(JSON.parse(bytes.toString('utf8')));
    return parsed.success && checkpointBytes(parsed.data).equals(bytes) ? parsed.data : null;
  } catch {
    return null;
  }
}
