/**
 * What a stack leaves behind, written down before it ends, for the search at the end of the run: every row of
 * every table, every workflow history with its payloads decoded, callback URLs and metrics.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import type { Pool } from 'pg';
import { loadConfig, VARIABLE_NAMES } from '../config/config';
import { ensureServiceKeys } from '../db/service-keys';
import { openKeyRing } from '../providers/open-key-ring';
import { openSecrets } from '../providers/secrets';
import type { SimulatorClient } from '../simulator/client';
import { dataConverter } from '../temporal/connection';
import { createPayloadCodec } from '../temporal/payload-codec';
import { saidByEntries } from './audit-entries';

export interface Witness {
  readonly pool: Pool;
  readonly sim: SimulatorClient;
  readonly temporalAddress: { readonly address: string; readonly namespace: string };
  readonly env: NodeJS.ProcessEnv;
  readonly stateDir: string;
}

/** Writes everything below `<stateDir>/evidence`. */
export async function gatherEvidence(witness: Witness): Promise<void> {
  const folder = join(witness.stateDir, 'evidence');
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const [table, rows] of await allTables(witness.pool)) write(`table-${table}.json`, rows);
  write('audit-entries.json', JSON.stringify(await saidByEntries(witness.pool)));
  const { histories, visible } = await decodedHistories(witness);
  write('histories.json', histories);
  write('visible-to-operators.json', visible);
  write('callback-urls.json', JSON.stringify((await witness.sim.webhooks()).map(({ url }) => url)));
  const urls = (await witness.sim.ledger()).flatMap((leg) => leg.urls);
  write('urls-given-to-twilio.json', JSON.stringify(urls));
  // Where the search does not look, because it has to know what it looks for.
  mkdirSync(join(folder, 'simulator'), { recursive: true });
  write('simulator/link-tokens.json', JSON.stringify(await linkTokens(witness.sim)));
  if (witness.env.METRICS_PORT) {
    const metrics = await fetch(`http://127.0.0.1:${witness.env.METRICS_PORT}/metrics`);
    write('metrics.txt', await metrics.text());
  }
  if (witness.env.API_METRICS_PORT) {
    // Some suites end with the API down on purpose.
    const metrics = await fetch(`http://127.0.0.1:${witness.env.API_METRICS_PORT}/metrics`).catch(() => null);
    if (metrics !== null) write('api-metrics.txt', await metrics.text());
  }
}

/** By name, from the catalogue: a table that is added is searched without anybody thinking of it. */
async function allTables(pool: Pool): Promise<[string, string][]> {
  const { rows } = await pool.query<{ schema: string; name: string }>(
    `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
      WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  return Promise.all(
    rows.map(async ({ schema, name }): Promise<[string, string]> => {
      const content = await pool.query(`SELECT t::text AS row FROM "${schema}"."${name}" t`);
      return [name, content.rows.map((row: { row: string }) => row.row).join('\n')];
    }),
  );
}

/** Of every link that the simulator's phones and mailbox hold. */
async function linkTokens(sim: SimulatorClient): Promise<string[]> {
  const texts = (await sim.messages()).map(({ body }) => body);
  const mails = (await sim.mailbox()).flatMap(({ text, html }) => [text ?? '', html ?? '']);
  const links = [...texts, ...mails].flatMap((words) => words.match(/(?<=[/=])[\w-]{64}(?![\w-])/g) ?? []);
  return [...new Set(links)];
}

/**
 * Decoded with the codec: sealed data must not even be inside the encryption. What lists and pages of Temporal show of a
 * workflow without anybody decoding its payloads stands by itself, because less may be there.
 */
async function decodedHistories(witness: Witness): Promise<{ histories: string; visible: string }> {
  const config = loadConfig((await openSecrets(witness.env, VARIABLE_NAMES)).env);
  const ring = await openKeyRing(config.keys, config);
  const keys = await ensureServiceKeys(witness.pool, ring);
  const codec = createPayloadCodec(keys.all('payload-codec'));
  const connection = await Connection.connect({ address: witness.temporalAddress.address });
  try {
    const { namespace } = witness.temporalAddress;
    const client = new Client({ connection, namespace, dataConverter: dataConverter(keys) });
    const [texts, visible]: [string[], string[]] = [[], []];
    for await (const { workflowId, runId } of client.workflow.list()) {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      texts.push(historyToJSON(history), ...(await Promise.all(payloadsIn(history).map((p) => decoded(codec, p)))));
      const shown = payloadsIn(partsNamed(history, VISIBLE));
      visible.push(workflowId, ...(await Promise.all(shown.map((p) => decodedOrPlain(codec, p)))));
    }
    return { histories: texts.join('\n'), visible: visible.join('\n') };
  } finally {
    await connection.close();
  }
}

interface Payload {
  readonly metadata: Record<string, Uint8Array>;
  readonly data: Uint8Array;
}

function payloadsIn(value: unknown, found: Payload[] = []): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return found;
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) found.push(value as Payload);
  else for (const inner of Object.values(value)) payloadsIn(inner, found);
  return found;
}

/** Summaries and details, search attributes, memos. */
const VISIBLE = ['userMetadata', 'searchAttributes', 'memo'];

/** Every part of a history that has one of these names, however deep it lies. */
function partsNamed(value: unknown, names: readonly string[]): unknown[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, inner]) => (names.includes(name) ? [inner] : partsNamed(inner, names)));
}

async function decodedOrPlain(codec: ReturnType<typeof createPayloadCodec>, payload: Payload): Promise<string> {
  return (await decoded(codec, payload)) || Buffer.from(payload.data).toString('utf8');
}

async function decoded(codec: ReturnType<typeof createPayloadCodec>, payload: Payload): Promise<string> {
  const encoding = Buffer.from(payload.metadata['encoding'] ?? []).toString();
  // Search attributes and the like are never encrypted; they are in the history's own text.
  if (!encoding.startsWith('binary/')) return '';
  const plain = await codec.decode([payload]);
  return plain.map((p) => Buffer.from(p.data ?? []).toString('utf8')).join('\n');
}
