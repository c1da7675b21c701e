import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from './command-error';
import { STATE_DIR } from './project';

/** Where `npm start` keeps its data. */
export const START_DIR = join(STATE_DIR, 'start');

const addresses = z.object({
  api: z.string(),
  simulator: z.string(),
  /** Where the simulator takes mail. */
  smtpPort: z.number().nullable(),
  temporalUi: z.string().nullable(),
  codec: z.string().nullable(),
  temporal: z.object({ address: z.string(), namespace: z.string() }),
  /** Null: a Postgres that is not ours. */
  postgresPort: z.number().nullable(),
});
export type Addresses = z.infer<typeof addresses>;

const FILE = join(START_DIR, 'addresses.json');

/** Notes where the running service is to be found, for commands in another terminal. */
export function noteAddresses(found: Addresses): void {
  writeFileSync(FILE, JSON.stringify(found));
}

export function forgetAddresses(): void {
  rmSync(FILE, { force: true });
}

/** @throws CommandError when `npm start` is not running */
export function runningAddresses(): Addresses {
  const found = addressesIfRunning();
  if (found === null) throw new CommandError('Nothing is running: begin with npm start in another terminal.');
  return found;
}

export function addressesIfRunning(): Addresses | null {
  return existsSync(FILE) ? addresses.parse(JSON.parse(readFileSync(FILE, 'utf8'))) : null;
}
