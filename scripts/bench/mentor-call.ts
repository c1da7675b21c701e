/** What a happy call costs Temporal, and how long its two people wait for the next words. */
import { Client, Connection } from '@temporalio/client';
import { SimulatorClient } from '../../simulator/client';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { makeHappyCalls } from './happy-calls';
import { median, percentile } from './rounds';
import { type BenchRow, rowOf } from './rows';
import { countActions } from './temporal-actions';

const CALLS_A_ROUND = 4;

export const mentorCallGroup: BenchGroup = { name: 'mentor-call', run: { needs: 'ground', measure } };

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  const callIds = await makeHappyCalls(ground, isQuick ? 2 : CALLS_A_ROUND * rounds);
  const costs = await costsOf(ground, callIds);
  return [
    rowOf({
      name: 'a happy mentor call: events of its history',
      unit: 'events',
      ours: median(costs.map(({ events }) => events)),
      target: { of: 'ours', is: '≤', than: 60 },
    }),
    rowOf({
      name: 'a happy mentor call: Temporal actions',
      unit: 'actions',
      ours: median(costs.map(({ actions }) => actions)),
      target: { of: 'ours', is: '≤', than: 14 },
    }),
    rowOf({
      name: 'TwiML questions that the workflow answers',
      unit: 'ms at the 95th percentile',
      ours: percentile(await questionTimes(ground), 95),
      target: { of: 'ours', is: '<', than: 300 },
    }),
  ];
}

async function costsOf(
  ground: BenchGround,
  callIds: readonly string[],
): Promise<{ readonly events: number; readonly actions: number }[]> {
  const { address, namespace } = ground.stack.temporalAddress;
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    const histories = callIds.map((callId) => workflow.getHandle(`mentor-call:${callId}`).fetchHistory());
    return (await Promise.all(histories)).map((history) => ({
      events: history.events?.length ?? 0,
      actions: countActions(history),
    }));
  } finally {
    await connection.close();
  }
}

/** As Twilio would have measured them, over HTTP and signed. Static words are left out: they need nobody. */
async function questionTimes(ground: BenchGround): Promise<number[]> {
  const webhooks = await new SimulatorClient(ground.stack.services.simulatorUrl).webhooks();
  return webhooks
    .filter(({ kind, url }) => kind === 'twiml' && !/step=greeting|mentor-whisper/.test(url))
    .map(({ durationMs }) => durationMs);
}
