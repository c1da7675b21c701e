/**
 * `npm run keys -- status [--json]`: the organisation's keys and how many people's keys each root key wraps, in the
 * database of the running service or of the environment. Shows no key, and opens none.
 */
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { serviceKeyStatuses, subjectKeyStatuses } from '../db/key-status';
import type { ServiceKeyStatus, SubjectKeyStatus } from '../db/key-status';
import { CommandError, runCommand } from './command-error';
import { serviceSettings } from './service-settings';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
  if (positionals.length !== 1 || positionals[0] !== 'status') {
    throw new CommandError('usage: npm run keys -- status [--json]');
  }
  const client = await connected(await databaseUrl());
  try {
    const [serviceKeys, subjectKeys] = [await serviceKeyStatuses(client), await subjectKeyStatuses(client)];
    const text = values.json === true ? JSON.stringify({ serviceKeys, subjectKeys }) : tables(serviceKeys, subjectKeys);
    process.stdout.write(`${text}\n`);
  } finally {
    await client.end();
  }
}

/** The owner and the worker see the audit chain's keys too; the API's role does not. */
async function databaseUrl(): Promise<string> {
  const { env } = await serviceSettings();
  for (const name of ['DATABASE_MIGRATION_URL', 'DATABASE_WORKER_URL', 'DATABASE_URL']) {
    const url = env[name]?.trim() ?? '';
    if (url !== '') return url;
  }
  throw new CommandError('DATABASE_URL: expected a postgres:// URL.');
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch {
    // Its own text names host, role and database.
    throw new CommandError('The database does not answer, or refuses the role of its URL.');
  }
}

function tables(serviceKeys: readonly ServiceKeyStatus[], subjectKeys: readonly SubjectKeyStatus[]): string {
  return [
    'Keys of the organisation',
    ...table(
      ['purpose', 'version', 'state', 'ring', 'root key', 'made at'],
      serviceKeys.map((k) => [k.purpose, String(k.version), k.state, k.ring, k.rootKeyId, k.madeAt.toISOString()]),
    ),
    '',
    'Keys of people, by the root key that wraps them',
    ...table(
      ['ring', 'root key', 'active', 'destroyed'],
      subjectKeys.map((k) => [k.ring, k.rootKeyId, String(k.active), String(k.destroyed)]),
    ),
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['  none yet'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows].map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}

void runCommand(main);
