import type { Config } from '../config/config';
import type { CheckpointStore } from '../domain/audit-checkpoint';
import { bucketOf, openCheckpointBucket } from './checkpoint-bucket';
import { openCheckpointDirectory } from './checkpoint-directory';

type StoreConfig = Pick<Config['audit'], 'checkpointDir' | 'checkpointS3' | 's3Endpoint'>;

/** The store that is configured: a bucket where one is named, else a directory. Nothing is asked of it yet. */
export function openCheckpointStore(config: StoreConfig, region: string | null): CheckpointStore & { close(): void } {
  if (config.checkpointS3 !== null) {
    return openCheckpointBucket(bucketOf(config.checkpointS3), { endpoint: config.s3Endpoint, region });
  }
  return { ...openCheckpointDirectory(config.checkpointDir), close: () => undefined };
}
