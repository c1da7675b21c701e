/**
 * `npm run retention -- --dry-run [--json]`: what the retention sweep would find, take and leave to a legal hold now, part
 * by part. Changes nothing. Without `--dry-run` it has a worker do it now, beside the run of every day, and shows how far
 * it is. In the running service or in the one that the environment describes.
 */
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { type Config, loadConfig } from '../config/config';
import { createPool } from '../db/pool';
import { countOver } from '../db/retention-pages';
import { type PartProgress, progressOfRun } from '../db/retention-runs';
import { periodOf, SWEPT_KINDS } from '../domain/retention';
import { connectTemporal } from '../temporal/connection';
import type { RetentionRun } from '../activities/retention';
import { codecKeys } from './codec-keys';
import { CommandError, runCommand } from './command-error';
import { progress } from './project';
import { serviceSettings } from './service-settings';

/** How long Temporal may take to begin the run, and how often its progress is read (ms). */
const ANSWER_WITHIN = 10_000;
const LOOK_EVERY = 500;
/** After this long without a sign of it, no worker is there. */
const WORKER_WITHIN = 15_000;
const DAY = 86_400_000;

type Part = Pick<PartProgress, 'kind' | 'found' | 'taken' | 'held' | 'isOver'>;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { 'dry-run': { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  });
  const config = loadConfig((await serviceSettings()).env);
  const isDryRun = values['dry-run'];
  const pool = createPool(config.database, { warn: () => undefined });
  try {
    const parts = isDryRun ? await counted(pool, config) : await swept(pool, config);
    const text = values.json ? JSON.stringify({ isDryRun, parts }, null, 2) : tableOf(parts, config, isDryRun);
    process.stdout.write(`${text}\n`);
    return parts.length === SWEPT_KINDS.length && parts.every(({ isOver }) => isOver) ? 0 : 1;
  } finally {
    await pool.end();
  }
}

async function counted(pool: Pool, config: Config): Promise<Part[]> {
  const parts: Part[] = [];
  for (const kind of SWEPT_KINDS) {
    progress(`Counting ${kind} …`);
    parts.push(await countOver(pool, kind, config.retention).then(shown, unreadable));
  }
  return parts;
}

function unreadable(): never {
  // Its own text names host, role and database.
  throw new CommandError('The database does not answer, refuses the role of its URL, or needs npm run migrate -- up.');
}

async function swept(pool: Pool, config: Config): Promise<Part[]> {
  const temporal = await connectTemporal(config.temporal, await codecKeys(config));
  try {
    const { client } = temporal;
    const run: RetentionRun = { isDryRun: false, kinds: SWEPT_KINDS };
    const handle = await client
      .withDeadline(Date.now() + ANSWER_WITHIN, () =>
        client.workflow.start('retentionSweep', {
          // One by hand at a time: asked again while it runs, that run is shown.
          workflowId: 'retention-sweep-by-hand',
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: client.workflowQueue,
          workflowRunTimeout: '1 hour',
          args: [run],
        }),
      )
      .catch(() => {
        throw new CommandError(`Temporal does not answer, or has no namespace ${config.temporal.namespace}.`);
      });
    const { runId } = await handle.describe();
    let isDone = false;
    // A part that failed is seen by what is missing in the table.
    const result = handle.result().then(noted, noted);
    function noted(): void {
      isDone = true;
    }
    await watch(pool, runId, () => isDone);
    await result;
    return (await progressOfRun(pool, runId)).map(shown);
  } finally {
    await temporal.close();
  }
}

/** Says of each part that it is over, until the run is. */
async function watch(pool: Pool, runId: string, isDone: () => boolean): Promise<void> {
  const said = new Set<string>();
  for (const began = Date.now(); ; ) {
    const last = isDone();
    for (const part of await progressOfRun(pool, runId)) {
      if (!part.isOver || said.has(part.kind)) continue;
      said.add(part.kind);
      progress(`${part.kind}: ${part.taken} gone${part.held > 0 ? `, ${part.held} held` : ''}`);
    }
    if (last) return;
    if (said.size === 0 && Date.now() - began > WORKER_WITHIN) {
      throw new CommandError('No worker has taken it up yet; it begins as soon as one runs, and goes on by itself.');
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
}

function shown({ kind, found, taken, held, isOver }: PartProgress): Part {
  return { kind, found, taken, held, isOver };
}

function tableOf(parts: readonly Part[], config: Config, isDryRun: boolean): string {
  const lines = [
    ['', 'kept for', 'over', isDryRun ? 'would go' : 'gone', 'held', ''],
    ...SWEPT_KINDS.map((kind) => {
      const part = parts.find((one) => one.kind === kind);
      const counts = part === undefined ? ['–', '–', '–'] : [part.found, part.taken, part.held].map(String);
      const left = part === undefined ? 'failed' : part.isOver ? '' : 'not at its end';
      return [kind, inDays(periodOf(kind, config.retention)), ...counts, left];
    }),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, at) => (at === 0 || at === 5 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function inDays(ms: number): string {
  return ms % DAY === 0 ? `${ms / DAY} d` : `${Math.round(ms / 3_600_000)} h`;
}

void runCommand(main);
