import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from './leftovers';
import { freePort } from './ports';
import { LocalPostgres } from './postgres';
import { removePostgresHome } from './postgres-home';
import { built, STATE_DIR } from './project';
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

const PREFIX = 'test-';

/** Starts one Postgres and one Temporal for all suites, and finds the time-skipping server. */
export async function startTestParts(): Promise<TestParts> {
  removeForgotten();
  const stateDir = join(STATE_DIR, `${PREFIX}${process.pid}`);
  const logDir = join(stateDir, 'logs');
  mkdirSync(logDir, { recursive: true });
  const [port, temporalPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const testServer = await testServerBinary();
  const temporal = await temporalChild({ stateDir, logDir, port: temporalPort, httpPort, uiPort: null });
  const [postgres] = await Promise.all([
    LocalPostgres.start({ stateDir, logDir, port, password: 'only-for-tests', durable: false }),
    temporal.start(),
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

/** What runs that were killed have left behind. */
function removeForgotten(): void {
  mkdirSync(STATE_DIR, { recursive: true });
  for (const entry of readdirSync(STATE_DIR).filter((name) => name.startsWith(PREFIX))) {
    const pid = Number(entry.slice(PREFIX.length));
    if (!commandLine(pid).includes(built('scripts'))) removeRun(join(STATE_DIR, entry));
  }
}

function removeRun(stateDir: string): void {
  const stacks = join(stateDir, 'stacks');
  mkdirSync(stacks, { recursive: true });
  for (const stack of readdirSync(stacks)) removePostgresHome(join(stacks, stack));
  removePostgresHome(stateDir);
  rmSync(stateDir, { recursive: true, force: true });
}
