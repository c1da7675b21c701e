/** How many scores are taken and judged in a second, against the bare INSERT of the same batches. */
import { randomUUID } from 'node:crypto';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { type OneByOne, oneByOne } from './http-client';
import { inTurns } from './rounds';
import { type BenchRow, rowOf } from './rows';

const EVENTS = 10_000;
const USERS = 1_000;
/** As many as one request may bring. */
const BATCH = 500;
const DAY_MS = 86_400_000;

export const wellbeingScoresGroup: BenchGroup = { name: 'wellbeing-scores', run: { needs: 'ground', measure } };

export interface BenchScore {
  readonly eventId: string;
  readonly userId: string;
  readonly score: number;
  readonly risk: 'low';
  readonly measuredAt: string;
}

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  await ground.stopWorker();
  const baseline = await ground.startBaseline('scores');
  const [ours, theirs] = [oneByOne(), oneByOne()];
  const count = isQuick ? 100 : EVENTS;
  try {
    const userIds = await newUsers(ground, isQuick ? 10 : USERS);
    const token = await ground.tokenOf('service');
    const side = (client: OneByOne, url: string) => () => perSecond(client, url, token, batchesOf(userIds, count));
    const sides = { ours: side(ours, ground.apiUrl), baseline: side(theirs, baseline.url) };
    // Signs in, and loads what is loaded once.
    for (const warm of Object.values(sides)) await warm();
    const figures = await inTurns(isQuick ? 1 : Math.min(rounds, 5), sides);
    return [
      rowOf({
        name: `score events in batches of ${BATCH}, of ${userIds.length} users`,
        unit: 'per second',
        ...figures,
      }),
    ];
  } finally {
    ours.close();
    theirs.close();
    await baseline.stop();
  }
}

async function newUsers(ground: BenchGround, count: number): Promise<string[]> {
  const { rows } = await ground.owner.query<{ subject_id: string }>(
    'INSERT INTO subjects SELECT FROM generate_series(1, $1) RETURNING subject_id',
    [count],
  );
  return rows.map(({ subject_id: userId }) => userId);
}

/**
 * Each user's in turn, of the last ten days, and such that no alert begins: what an alert costs afterwards is not what is
 * measured.
 */
function batchesOf(userIds: readonly string[], count: number): string[] {
  const events = Array.from(
    { length: count },
    (_, n): BenchScore => ({
      eventId: randomUUID(),
      userId: userIds[n % userIds.length] ?? '',
      score: 55 + (n % 150) / 10,
      risk: 'low',
      measuredAt: new Date(Date.now() - ((n * 7_919) % 1_000) * (DAY_MS / 100)).toISOString(),
    }),
  );
  return Array.from({ length: Math.ceil(count / BATCH) }, (_, n) =>
    JSON.stringify({ events: events.slice(n * BATCH, (n + 1) * BATCH) }),
  );
}

/** One request after the other. */
async function perSecond(client: OneByOne, url: string, token: string, batches: readonly string[]): Promise<number> {
  const events = batches.reduce((sum, batch) => sum + (batch.match(/eventId/g)?.length ?? 0), 0);
  const began = performance.now();
  for (const body of batches) {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    };
    await client.post(`${url}/api/wellbeing/scores`, headers, body, 200);
  }
  return (events / (performance.now() - began)) * 1_000;
}
