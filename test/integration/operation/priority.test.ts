/** Whether priorities count can only be tried: two real servers, one with the setting and one without. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { Child } from '../../../scripts/child';
import { measurePriority } from '../../../scripts/doctor/priority';
import { priorityCheck } from '../../../scripts/doctor/temporal';
import { freePort } from '../../../scripts/ports';
import { temporalBinary } from '../../../scripts/temporal-binary';
import { eventually } from '../../stack';
import { alertBehindBulk } from './alert-behind-bulk';
import { testConfig } from '../api/api-under-test';

const dir = mkdtempSync(join(tmpdir(), 'kindline-priority-'));
const servers: Child[] = [];
/** Or a development server gives out twenty tasks a second, which is measured then. */
const QUICK = ['transfer', 'timer', 'visibility'].map((queue) => `history.${queue}ProcessorMaxPollRPS=2000`);
afterAll(async () => {
  for (const server of servers) await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function server(...settings: readonly string[]): Promise<string> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const child = new Child({
    name: `temporal-${port}`,
    command: await temporalBinary(),
    args: [
      'server',
      'start-dev',
      '--headless',
      '--ip=127.0.0.1',
      '--log-level=never',
      `--port=${port}`,
      `--http-port=${httpPort}`,
      ...[...QUICK, ...settings].map((setting) => `--dynamic-config-value=${setting}`),
    ],
    env: { PATH: process.env.PATH, HOME: dir },
    logFile: join(dir, `${port}.log`),
    isReady: async () => (await fetch(`http://127.0.0.1:${httpPort}/api/v1/namespaces/default`)).ok,
    readyWithinMs: 60_000,
  });
  servers.push(child);
  await child.start();
  return `127.0.0.1:${port}`;
}

test('a server that overtakes passes, again and again', async () => {
  const address = await server('matching.useNewMatcher=true');
  const connection = await Connection.connect({ address });
  try {
    for (let round = 0; round < 2; round += 1) {
      expect((await measurePriority(connection, 'default')).isOvertaking).toBe(true);
    }
    // Nothing of the probe goes on.
    await eventually(async () => {
      const { executions } = await connection.workflowService.listWorkflowExecutions({
        namespace: 'default',
        query: "ExecutionStatus='Running'",
      });
      expect(executions).toEqual([]);
    });
    // An alert while a batch waits: it goes out in a fraction of the time that the batch takes.
    const { before, bulk } = await alertBehindBulk(connection, address);
    expect(before).toBeLessThan(bulk / 4);
  } finally {
    await connection.close();
  }
});

test('a server without matching.useNewMatcher fails the check, again and again', async () => {
  const address = await server();
  const connection = await Connection.connect({ address });
  try {
    for (let round = 0; round < 2; round += 1) {
      expect((await measurePriority(connection, 'default')).isOvertaking).toBe(false);
    }
    // Without the setting the same alert waits for its turn: behind all of the batch that is in its partition of the
    // queue, and partitions are asked at random.
    const { before, bulk } = await alertBehindBulk(connection, address);
    expect(before).toBeGreaterThan(bulk / 4);
  } finally {
    await connection.close();
  }
  const config = testConfig('postgres://nobody@127.0.0.1:1/none', 'none', { TEMPORAL_ADDRESS: address });
  const findings = await priorityCheck({ config, apply: false });
  expect(findings).toMatchObject([{ state: 'fail', todo: expect.stringContaining('matching.useNewMatcher=true') }]);
});
