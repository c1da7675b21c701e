/** Sealing and revealing a phone number whose owner's key is in memory, against the same cryptography by itself. */
import { randomBytes, randomUUID } from 'node:crypto';
import { SealedValue } from '../../domain/sealed';
import { openRecord, type SealedRecord, sealRecord } from '../../vault/envelope';
import { createSubjectKeyCache, type SubjectKeyCache } from '../../vault/subject-key-cache';
import { bareReveal, bareSeal } from './baseline-vault';
import type { BenchGroup, Effort } from './group';
import { inTurns } from './rounds';
import { type BenchRow, rowOf, type Target } from './rows';

const NUMBER = '+14155550142';
/** As long as what KMS makes of a key; it names the key in the cache. */
const WRAPPED = randomBytes(184);
const TARGET: Target = { of: 'ratio', is: '≥', than: 0.6 };

/** Short turns and many of them: a garbage collection in one of them is then no longer in the median. */
const TURNS_A_ROUND = 6;
const OPERATIONS_A_TURN = 400;

export const vaultGroup: BenchGroup = { name: 'vault', run: { needs: 'nothing', measure } };

async function measure(effort: Effort): Promise<BenchRow[]> {
  const subjectKey = randomBytes(32);
  const ids = { recordId: randomUUID(), subjectId: randomUUID() };
  const cache = createSubjectKeyCache();
  const seal = () => sealed(cache, ids, subjectKey);
  const record = await seal();
  const bare = bareSeal(ids.recordId, ids.subjectId, NUMBER, subjectKey);
  try {
    return [
      await compared('seal a phone number, warm subject key', effort, {
        ours: seal,
        baseline: () => bareSeal(ids.recordId, ids.subjectId, NUMBER, subjectKey),
      }),
      await compared('reveal a phone number, warm subject key', effort, {
        ours: () => revealed(cache, record, subjectKey),
        baseline: () => bareReveal(bare, subjectKey),
      }),
    ];
  } finally {
    cache.clear();
  }
}

/** As `db/vault-records.ts` does it, without the statements around. The cache takes a new copy every thousand uses. */
function sealed(
  cache: SubjectKeyCache,
  { recordId, subjectId }: { recordId: string; subjectId: string },
  key: Buffer,
): Promise<SealedRecord> {
  const plaintext = SealedValue.of('phone', NUMBER);
  return cache.withKey(subjectId, WRAPPED, copyOf(key), (subjectKey) =>
    sealRecord({ recordId, subjectId, kind: 'phone', plaintext, subjectKey, subjectKeyVersion: 1 }),
  );
}

async function revealed(cache: SubjectKeyCache, record: SealedRecord, key: Buffer): Promise<string> {
  const open = (subjectKey: Buffer): SealedValue => openRecord(record, subjectKey);
  const value = await cache.withKey(record.subjectId, WRAPPED, copyOf(key), open);
  return value.expose();
}

function copyOf(key: Buffer): () => Promise<Buffer> {
  return () => Promise.resolve(Buffer.from(key));
}

async function compared(
  name: string,
  { rounds, isQuick }: Effort,
  sides: { ours: () => Promise<unknown>; baseline: () => unknown },
): Promise<BenchRow> {
  const operations = isQuick ? 20 : OPERATIONS_A_TURN;
  const timed = async (act: () => unknown): Promise<number> => {
    const began = performance.now();
    for (let done = 0; done < operations; done += 1) await act();
    return (operations / (performance.now() - began)) * 1_000;
  };
  // Once for the compiler: the first thousand runs of a function are not what it costs.
  if (!isQuick) for (let turn = 0; turn < 5; turn += 1) await Promise.all([timed(sides.ours), timed(sides.baseline)]);
  const figures = await inTurns(rounds * (isQuick ? 1 : TURNS_A_ROUND), {
    ours: () => timed(sides.ours),
    baseline: () => timed(sides.baseline),
  });
  return rowOf({ name, unit: 'per second', ...figures, target: TARGET });
}
