/** How many of Twilio's callbacks, of calls and texts, are taken in a second, and how long each waits when many come at once. */
import { randomBytes } from 'node:crypto';
import autocannon from 'autocannon';
import { loadConfig } from '../../config/config';
import { connectTemporal } from '../../temporal/connection';
import type { KindlineClient } from '../../temporal/connection';
import { startMentorCall } from '../../temporal/mentor-calls';
import { startMessage } from '../../temporal/messages';
import { createServiceKeys } from '../../vault/service-keys';
import { progress } from '../project';
import { callInput } from './call-input';
import { messageInput } from './message-input';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { inTurns, median, percentile } from './rounds';
import { type BenchRow, rowOf } from './rows';
import {
  callbacksOfCalls,
  informingCallbacks,
  receipts,
  type SignedCallback,
  type SigningAccount,
} from './status-callbacks';

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
    const config = loadConfig(ground.env);
    const some = Array.from({ length: isQuick ? 5 : CALLS });
    const callIds = await startAll(
      ground,
      some.map(() => callInput(config)),
      startMentorCall,
      ({ callId }) => callId,
    );
    const messageIds = await startAll(ground, some.map(messageInput), startMessage, ({ messageId }) => messageId);
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
    const p99Of = async (callbacks: (url: string) => readonly SignedCallback[]): Promise<number> => {
      const p99s: number[] = [];
      for (let round = 0; round < Math.min(rounds, 5); round += 1) {
        p99s.push((await load(ground.apiUrl, callbacks(ground.apiUrl), many)).p99);
      }
      return median(p99s);
    };
    const ofCalls = repeated(callIds, many * CALLBACKS_EACH);
    const ofTexts = repeated(messageIds, many * CALLBACKS_EACH);
    const atOnce = {
      'POST /call-status, callbacks that inform': await p99Of((url) => informingCallbacks(url, account, ofCalls)),
      'POST /message-status, receipts that inform': await p99Of((url) => receipts(url, account, ofTexts, 'sent')),
      'POST /message-status, last receipts': await p99Of((url) => receipts(url, account, ofTexts, 'delivered')),
    };
    return [
      rowOf({
        name: 'POST /call-status, all callbacks of a call',
        unit: 'per second',
        ...throughput,
        target: { of: 'ratio', is: '≥', than: 0.8 },
      }),
      ...Object.entries(atOnce).map(([name, ours]) =>
        rowOf({
          name: `${name}, ${many} at once`,
          unit: 'ms at the 99th percentile',
          ours,
          target: { of: 'ours', is: '<', than: 100 },
        }),
      ),
    ];
  } finally {
    await baseline.stop();
  }
}

/** Workflows that run and that no worker takes up. */
async function startAll<T>(
  ground: BenchGround,
  inputs: readonly T[],
  start: (client: KindlineClient, input: T) => Promise<unknown>,
  idOf: (input: T) => string,
): Promise<string[]> {
  const keys = createServiceKeys([{ purpose: 'payload-codec', version: 1, key: randomBytes(32) }]);
  const temporal = await connectTemporal(loadConfig(ground.env).temporal, keys);
  try {
    for (const input of inputs) await start(temporal.client, input);
    return inputs.map(idOf);
  } finally {
    await temporal.close();
  }
}

function repeated(ids: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, at) => ids[at % ids.length] ?? '');
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
