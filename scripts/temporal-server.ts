import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { ensureNamespace } from '../temporal/namespace';
import { registerSearchAttributes } from '../temporal/search-attributes';
import { Child } from './child';
import { temporalBinary } from './temporal-binary';

export interface TemporalOptions {
  readonly stateDir: string;
  readonly logDir: string;
  readonly port: number;
  /** Of the HTTP interface, which says when the server is ready. */
  readonly httpPort: number;
  /** Null: no Web UI. */
  readonly uiPort: number | null;
  /** Where the Web UI has payloads decoded; null or left out: it shows them as they are stored. */
  readonly codecUrl?: string | null;
  readonly onDeath?: (name: string, how: string) => void;
}

/**
 * The development server has one history shard and reads its queues 20 times a second: a workflow with one activity
 * then takes 150 ms instead of 20. Without the new matcher, task priority is ignored without a word.
 */
const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'history.transferProcessorMaxPollRPS': '2000',
  'history.timerProcessorMaxPollRPS': '2000',
  'history.visibilityProcessorMaxPollRPS': '2000',
  'system.enableActivityEagerExecution': 'true',
  'matching.useNewMatcher': 'true',
  // A namespace made for one test is usable at once, not after ten seconds.
  'system.namespaceCacheRefreshInterval': '"200ms"',
};

/** WAL with NORMAL: three times the starts per second, and nothing acknowledged is lost to a SIGKILL (tried). */
const SQLITE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** A Temporal development server as a child process. @throws CommandError when no `temporal` program can be had */
export async function temporalChild(options: TemporalOptions): Promise<Child> {
  const { port, httpPort, uiPort } = options;
  return new Child(
    {
      name: 'temporal',
      command: await temporalBinary(),
      args: [
        'server',
        'start-dev',
        '--ip=127.0.0.1',
        '--log-level=warn',
        '--log-format=json',
        `--port=${port}`,
        `--http-port=${httpPort}`,
        ...(uiPort === null ? ['--headless'] : [`--ui-port=${uiPort}`, '--ui-ip=127.0.0.1']),
        ...(uiPort === null || options.codecUrl == null ? [] : [`--ui-codec-endpoint=${options.codecUrl}`]),
        `--db-filename=${temporalDatabase(options.stateDir)}`,
        ...SQLITE_PRAGMAS.map((pragma) => `--sqlite-pragma=${pragma}`),
        ...Object.entries(DYNAMIC_CONFIG).map(([name, value]) => `--dynamic-config-value=${name}=${value}`),
      ],
      env: { PATH: process.env.PATH, HOME: options.stateDir },
      logFile: join(options.logDir, 'temporal.log'),
      isReady: async () => (await fetch(`http://127.0.0.1:${httpPort}/api/v1/namespaces/default`)).ok,
      readyWithinMs: 60_000,
    },
    options.onDeath,
  );
}

/** The file that holds everything Temporal knows. */
export function temporalDatabase(stateDir: string): string {
  return join(stateDir, 'temporal.db');
}

/** Makes a namespace ready for our workflows: retention and search attributes. May be repeated. */
export async function prepareNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await ensureNamespace(connection, namespace);
    await registerSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}
