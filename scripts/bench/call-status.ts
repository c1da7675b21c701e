/** How many of Twilio's status callbacks are taken in a second, and how long each waits when many come at once. */
import { randomBytes } from 'node:crypto';
import autocannon from 'autocannon';
import { loadConfig } from '../../config/config';
import { connectTemporal } from '../../temporal/connection';
import { startMentorCall } from '../../temporal/mentor-calls';
import { createServiceKeys } from '../../vault/service-keys';
import { progress } from '../project';
import { callInput } from './call-input';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { inTurns, median, percentile } from './rounds';
import { type BenchRow, rowOf } from './rows';
import { callbacksOfCalls, informingCallbacks, type SignedCallback, type SigningAccount } from './status-callbacks';

/** Running workflows that take the signals. */
const CALLS = 100;
const CONNECTIONS = 20;
/** In one turn: each call of `CALLS` twice, with new legs. */
const CALLS_A_TURN = 2 * CALLS;

const MANY_AT_ONCE = 100;
const CALLBACKS_EACH = 25;

export const callStatusGroup: BenchGroup = { name: 'call-status', run: { needs: 'ground', measure } };

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  await ground.stopWorker();
  const baseline = await ground.startBaseline('call-status');
  const { accountSid, authToken } = loadConfig(ground.env).twilio;
  const account: SigningAccount = { accountSid, authToken };
  try {
    const callIds = await startCalls(ground, isQuick ? 5 : CALLS);
    const connections = isQuick ? 5 : CONNECTIONS;
    const perSecond = async (url: string): Promise<number> => {
      const callbacks = callbacksOfCalls(url, account, repeated(callIds, isQuick ? 5 : CALLS_A_TURN));
      return (await load(url, callbacks, connections)).perSecond;
    };
    // The first turn of both only warms up: connections, prepared statements, compiled code.
    for (const url of [ground.apiUrl, baseline.url]) await perSecond(url);
    const throughput = await inTurns(rounds, {
      ours: () => perSecond(ground.apiUrl),
      baseline: () => perSecond(baseline.url),
    });

    const many = isQuick ? 5 : MANY_AT_ONCE;
    const p99s: number[] = [];
    for (let round = 0; round < Math.min(rounds, 5); round += 1) {
      const callbacks = informingCallbacks(ground.apiUrl, account, repeated(callIds, many * CALLBACKS_EACH));
      p99s.push((await load(ground.apiUrl, callbacks, many)).p99);
    }
    return [
      rowOf({
        name: 'POST /call-status, all callbacks of a call',
        unit: 'per second',
        ...throughput,
        target: { of: 'ratio', is: '≥', than: 0.8 },
      }),
      rowOf({
        name: `POST /call-status, callbacks that inform, ${many} at once`,
        unit: 'ms at the 99th percentile',
        ours: median(p99s),
        target: { of: 'ours', is: '<', than: 100 },
      }),
    ];
  } finally {
    await baseline.stop();
  }
}

/** Workflows that run and that no worker takes up. */
async function startCalls(ground: BenchGround, count: number): Promise<string[]> {
  const keys = createServiceKeys([{ purpose: 'payload-codec', version: 1, key: randomBytes(32) }]);
  const config = loadConfig(ground.env);
  const temporal = await connectTemporal(config.temporal, keys);
  try {
    const inputs = Array.from({ length: count }, () => callInput(config));
    for (const input of inputs) await startMentorCall(temporal.client, input);
    return inputs.map(({ callId }) => callId);
  } finally {
    await temporal.close();
  }
}

function repeated(callIds: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, at) => callIds[at % callIds.length] ?? '');
}

/** Sends every callback once, over so many connections, each as fast as it is answered. */
async function load(
  url: string,
  callbacks: readonly SignedCallback[],
  connections: number,
): Promise<{ perSecond: number; p99: number }> {
  const each = Math.ceil(callbacks.length / connections);
  const waited: number[] = [];
  let client = 0;
  const began = performance.now();
  // Taken here: the generator itself looks only once a second whether it is done, and rounds what it measures.
  let lastAnswer = began;
  const result = await autocannon({
    url,
    connections,
    amount: callbacks.length,
    setupClient: (connection) => {
      connection.setRequests(callbacks.slice(client * each, (client + 1) * each));
      client += 1;
      connection.on('response', (_status, _bytes, milliseconds) => {
        lastAnswer = performance.now();
        waited.push(milliseconds);
      });
    },
  });
  // What is refused or cut off is not taken: it counts for nothing, and for its whole time of waiting.
  const taken = result['2xx'];
  if (taken < callbacks.length) progress(`${url} took ${taken} of ${callbacks.length} callbacks.`);
  return { perSecond: (taken / (lastAnswer - began)) * 1_000, p99: percentile(waited, 99) };
}
