/** Checkpoints as objects of a bucket. With Object Lock, nobody who breaks in can take them away. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { CheckpointStore, StoredCheckpoint } from '../domain/audit-checkpoint';
import { awsTimeouts } from './aws';
import { readAhead } from './read-ahead';

export interface CheckpointBucket {
  readonly bucket: string;
  /** Empty, or ends with a slash. */
  readonly prefix: string;
}

export interface BucketOptions {
  /** Another server that speaks S3's API; null for AWS itself. */
  readonly endpoint: string | null;
  /** Null: from the AWS environment. */
  readonly region: string | null;
  /** One try of a request has half of it (ms). */
  readonly timeoutMs?: number;
}

const TIMEOUT = 10_000;
const ATTEMPTS = 3;
/** S3 answers a request in some 20 ms: one at a time, a year of checkpoints would take three hours. */
const READ_AT_ONCE = 32;

/** `s3://bucket/some/prefix` → its parts. */
export function bucketOf(url: string): CheckpointBucket {
  const [bucket = '', ...path] = url.replace(/^s3:\/\//, '').split('/');
  const prefix = path.filter((part) => part !== '').join('/');
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
}

/** The caller's AWS identity needs `s3:PutObject`, `s3:GetObject` and `s3:ListBucket`, and nothing that deletes. */
export function openCheckpointBucket(
  { bucket, prefix }: CheckpointBucket,
  { endpoint, region, timeoutMs = TIMEOUT }: BucketOptions,
): CheckpointStore & { close(): void } {
  const s3 = new S3Client({
    maxAttempts: ATTEMPTS,
    requestHandler: awsTimeouts(timeoutMs),
    ...(region === null ? {} : { region }),
    // Servers that are not AWS have no host name for each bucket.
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
  });

  async function* list(under: string, by: 'folders' | 'objects'): AsyncGenerator<string> {
    for (let token: string | undefined; ; ) {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: `${prefix}${under}`,
          ContinuationToken: token,
          ...(by === 'folders' ? { Delimiter: '/' } : {}),
        }),
      );
      const found = by === 'folders' ? page.CommonPrefixes?.map((p) => p.Prefix) : page.Contents?.map((o) => o.Key);
      for (const name of found ?? []) if (name !== undefined) yield name.slice(prefix.length);
      token = page.NextContinuationToken;
      if (token === undefined) return;
    }
  }

  const read = async (name: string): Promise<StoredCheckpoint> => {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}${name}` }));
    return { name, bytes: Buffer.from((await object.Body?.transformToByteArray()) ?? []) };
  };

  return {
    async newest() {
      // S3 lists in the order of keys and only forwards: the last folder, then its last.
      const folder = (await collected(list('', 'folders'))).at(-1);
      const name = folder === undefined ? undefined : (await collected(list(folder, 'objects'))).at(-1);
      return name === undefined ? null : read(name);
    },
    async add({ name, bytes }) {
      try {
        await s3.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: `${prefix}${name}`,
            Body: bytes,
            ContentType: 'application/json',
            IfNoneMatch: '*',
          }),
        );
        return true;
      } catch (error) {
        if (!isTaken(error)) throw error;
        // Our own earlier try may have arrived although its answer did not.
        return (await read(name)).bytes.equals(bytes);
      }
    },
    all: () => readAhead(checkpoints(list('', 'objects')), read, READ_AT_ONCE),
    close: () => s3.destroy(),
  };
}

/** 412: there is one. 409: somebody else is writing one this moment. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && ['PreconditionFailed', 'ConditionalRequestConflict'].includes(error.name);
}

async function* checkpoints(names: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const name of names) if (name.endsWith('.json')) yield name;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
