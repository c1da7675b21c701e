import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { CommandError } from './command-error';
import { progress } from './project';

/** Below the range from which systems take the near ends of outgoing connections, so that none takes it meanwhile. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Suites that run side by side draw from ranges of their own: what is free here may be given out there. */
const SHARES = 12;
const share = Number(process.env['JEST_WORKER_ID'] ?? 0);
const size = (HIGHEST - LOWEST) / (share === 0 ? 1 : SHARES);
const lowest = LOWEST + (share % SHARES) * size;

/** Whoever asks for several listens on the first only when it has the last. */
const given = new Set<number>();

/** A port that nobody listens on at this moment; never the same one twice. */
export async function freePort(): Promise<number> {
  const port = randomInt(lowest, lowest + size);
  if (given.has(port) || !(await isPortFree(port))) return freePort();
  given.add(port);
  return port;
}

/** Free ports for a stack that nobody looks into: it has no Web UI. */
export async function freeStackPorts() {
  return {
    api: await freePort(),
    simulator: await freePort(),
    smtp: await freePort(),
    postgres: await freePort(),
    temporal: await freePort(),
    temporalHttp: await freePort(),
    temporalUi: null,
  };
}

/** A port as somebody writes it; null when it is none. */
export function portFrom(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * The port of one part: the preferred one, or another when it is busy, and then says so.
 *
 * @param part what listens there, for the message
 * @param explicit the variable in which the reader chose the port, else null: another one would then be a surprise
 * @throws CommandError when an explicit port is busy
 */
export async function choosePort(part: string, preferred: number, explicit: string | null): Promise<number> {
  if (await isPortFree(preferred)) return preferred;
  if (explicit !== null) {
    throw new CommandError(`Port ${preferred} for ${part} is busy. Free it, or set ${explicit} to another port.`);
  }
  const port = await freePort();
  progress(`Port ${preferred} for ${part} is busy: taking ${port}.`);
  return port;
}
