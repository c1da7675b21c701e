import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bothOrNone } from './both-or-none';
import { PidFile } from './leftovers';
import { freePort } from './ports';
import { LocalPostgres } from './postgres';
import { built } from './project';
import { removeRun, runDir } from './run-dirs';
import { temporalChild, temporalDatabase } from './temporal-server';
import { testServerBinary } from './test-server-binary';

/** What all suites share, and how they find it. */
export interface TestParts {
  readonly stateDir: string;
  /** `KINDLINE_TEST_*`: the only configuration that tests read. */
  readonly env: NodeJS.ProcessEnv;
  stop(): Promise<void>;
  /** Removes everything the run has left on disk. */
  remove(): void;
}

/** Starts one Postgres and one Temporal for all suites, and finds the time-skipping server. */
export async function startTestParts(): Promise<TestParts> {
  const stateDir = await runDir('test');
  const logDir = join(stateDir, 'logs');
  mkdirSync(logDir, { recursive: true });
  const [port, temporalPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const testServer = await testServerBinary();
  // Once for the dozens of workers that the suites start, each of which would do it for a second.
  await promisify(execFile)(process.execPath, [built('scripts/build-workflow-bundle.js')]);
  const temporal = await temporalChild({ stateDir, logDir, port: temporalPort, httpPort, uiPort: null });
  const startingPostgres = LocalPostgres.start({ stateDir, logDir, port, password: 'only-for-tests', durable: false });
  const [postgres] = await bothOrNone(startingPostgres, temporal.start()).catch(async (error: unknown) => {
    await temporal.stop();
    await startingPostgres.then(
      (server) => server.stop(),
      () => undefined,
    );
    throw error;
  });
  // So that the next run, or npm run reset, can end what a SIGKILL leaves.
  new PidFile(stateDir).write([
    { name: 'starter', pid: process.pid },
    { name: 'temporal', pid: temporal.pid },
  ]);
  return {
    stateDir,
    env: {
      KINDLINE_TEST_STATE_DIR: stateDir,
      KINDLINE_TEST_SERVER: testServer,
      KINDLINE_TEST_DATABASE_ADMIN_URL: postgres.superuserUrl('postgres'),
      KINDLINE_TEST_POSTGRES_DATA: postgres.dataDir,
      KINDLINE_TEST_TEMPORAL_ADDRESS: `127.0.0.1:${temporalPort}`,
      KINDLINE_TEST_TEMPORAL_DATABASE: temporalDatabase(stateDir),
    },
    stop: async () => {
      await temporal.stop();
      await postgres.stop();
    },
    remove: () => removeRun(stateDir),
  };
}
