/** Reads the checkpoints in order beside the chain: each must be signed, follow the one before, and fit its place. */
import type { KeyObject } from 'node:crypto';
import {
  checkpointName,
  isCheckpointName,
  type CheckpointStore,
  parseCheckpoint,
  type SignedCheckpoint,
  type StoredCheckpoint,
} from '../domain/audit-checkpoint';
import { checkpointPublicKey, isSignedBy } from '../vault/checkpoint-signature';
import type { ServiceKeys } from '../vault/service-keys';
import { checkpointHash, type DatabaseIdentity } from './audit-checkpoints';
import { type AuditFault, auditFault, type AuditHorizon } from './audit-report';

interface Read {
  readonly name: string;
  readonly checkpoint: SignedCheckpoint;
}

export class CheckpointTrail {
  /** How many were judged, good and bad. */
  count = 0;
  /** The first checkpoint that is not as it was written. */
  fault: AuditFault | null = null;
  horizon: AuditHorizon | null = null;
  private readonly publicKeys: ReadonlyMap<number, KeyObject>;
  private readonly stored: AsyncIterator<StoredCheckpoint>;
  private waiting: Read | null = null;
  private isEnd = false;
  private lastGood: Read | null = null;
  private lastHash: string | null = null;
  private nextSequence = 1;

  /** @param newest name of the last one that is judged; null: there is none */
  constructor(
    store: CheckpointStore,
    keys: ServiceKeys,
    private readonly identity: DatabaseIdentity,
    private readonly newest: string | null,
  ) {
    this.publicKeys = new Map(keys.all('audit-checkpoint').map((key) => [key.version, checkpointPublicKey(key)]));
    this.stored = store.all()[Symbol.asyncIterator]();
  }

  /** To be called for every place in turn. @returns what a checkpoint of this place contradicts, or null */
  async compare(position: number, mac: Uint8Array): Promise<AuditFault | null> {
    let fault: AuditFault | null = null;
    for (let next = await this.peek(); next?.checkpoint.position === position; next = await this.peek()) {
      this.waiting = null;
      if (next.checkpoint.head === Buffer.from(mac).toString('hex')) {
        this.horizon = { checkpoint: next.name, at: next.checkpoint.at, position };
      } else {
        fault ??= auditFault(
          'cut',
          `The chain up to place ${position} is not the one that checkpoint ${next.name} vouches for: it was cut before it, and went on.`,
          { position, checkpoint: next.name },
        );
      }
    }
    return fault;
  }

  /** The first checkpoint of a place that the chain does not reach; reads all that are left. */
  async beyond(): Promise<Read | null> {
    const first = await this.peek();
    for (let next = first; next !== null; next = await this.peek()) this.waiting = null;
    return first;
  }

  /** The next that is as it was written. */
  private async peek(): Promise<Read | null> {
    while (this.waiting === null && !this.isEnd) {
      const { done, value } = await this.stored.next();
      if (done === true) this.isEnd = true;
      else if (!this.isLater(value.name)) this.waiting = this.judge(value);
    }
    return this.waiting;
  }

  /** Of one that was sealed since the trail began to be read. What has no name of ours is judged wherever it lies. */
  private isLater(name: string): boolean {
    return isCheckpointName(name) && (this.newest === null || name > this.newest);
  }

  private judge(stored: StoredCheckpoint): Read | null {
    this.count += 1;
    const checkpoint = parseCheckpoint(stored.bytes);
    const wrong = this.whatIsWrong(stored, checkpoint);
    this.lastHash = checkpointHash(stored.bytes);
    this.nextSequence = (checkpoint?.sequence ?? this.nextSequence) + 1;
    if (wrong === null && checkpoint !== null) {
      this.lastGood = { name: stored.name, checkpoint };
      return this.lastGood;
    }
    this.fault ??= auditFault('checkpoint', `Checkpoint ${stored.name} ${wrong}.`, { checkpoint: stored.name });
    return null;
  }

  private whatIsWrong({ name }: StoredCheckpoint, checkpoint: SignedCheckpoint | null): string | null {
    if (checkpoint === null) return 'is not one that we have written, or was changed';
    const publicKey = this.publicKeys.get(checkpoint.keyVersion);
    if (publicKey === undefined || !isSignedBy(checkpoint, publicKey)) return 'has a signature that does not fit';
    if (name !== checkpointName(checkpoint)) return 'lies under the name of another';
    if (checkpoint.sequence !== this.nextSequence)
      return `should be number ${this.nextSequence}: one is missing before it`;
    if (checkpoint.previous !== this.lastHash) return 'does not follow the one before it';
    if (checkpoint.system !== this.identity.system || checkpoint.database !== this.identity.database) {
      return `was written for another database: ${checkpoint.system}/${checkpoint.database}`;
    }
    if (checkpoint.position < (this.lastGood?.checkpoint.position ?? 0)) return 'goes back behind the one before it';
    return null;
  }
}
