/**
 * A real AWS over HTTP as far as we use it (KMS, S3, Secrets Manager): moto, as a process of its own. It keeps
 * everything in memory, so each start is an empty account.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { freePort } from '../scripts/ports';
import { motoServer } from '../scripts/moto-server';
import { eventually } from './stack';

export interface Moto {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** `describe` where moto can be had. Elsewhere the suite is skipped, counted, and said where nobody overlooks it. */
export const describeWithMoto: jest.Describe = motoServer() === null ? describe.skip : describe;

/** What every client of moto must have: it checks no credentials, but a client without any asks nobody. */
export const MOTO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'moto',
  AWS_SECRET_ACCESS_KEY: 'only-for-moto',
  AWS_REGION: 'us-east-1',
} as const;

/**
 * Starts moto on the port, or on a free one, and waits until it answers.
 * @returns null where there is no moto; `describeWithMoto` suites do not get here then
 */
export async function startMoto(options: { readonly port?: number } = {}): Promise<Moto | null> {
  const server = motoServer();
  if (server === null) return null;
  const port = options.port ?? (await freePort());
  const args = [...server.args, '-H', '127.0.0.1', '-p', String(port)];
  const child = spawn(server.command, args, { env: server.env, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (!isRunning(child)) return;
    await (await fetch(`${url}/moto-api/`)).arrayBuffer();
  }, 60_000);
  if (!isRunning(child) || child.pid === undefined) throw new Error('moto ended at once');
  // A test process that is killed leaves none behind.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  return {
    url,
    port,
    pid: child.pid,
    async stop() {
      process.off('exit', end);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
