/**
 * `npm run find -- <subject uuid> [--json]`: the workflows about one person, in the running service or in the one that
 * the environment describes. Temporal's store names nobody; this works only with the keys of the service.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Config, loadConfig } from '../config/config';
import { createPool } from '../db/pool';
import { openServiceKeys } from '../db/service-keys';
import { connectTemporal } from '../temporal/connection';
import { type WorkflowOfSubject, workflowsOfSubject } from '../temporal/workflows-of-subject';
import type { ServiceKeys } from '../vault/service-keys';
import { CommandError, runCommand } from './command-error';
import { existingKeyRing } from './existing-key-ring';
import { serviceSettings } from './service-settings';

/** How long Temporal may take (ms). */
const ANSWER_WITHIN = 10_000;

type Found = WorkflowOfSubject & { readonly link: string | null };

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { json: { type: 'boolean' } }, allowPositionals: true });
  const subject = z.uuid().safeParse(positionals[0]?.toLowerCase());
  if (!subject.success || positionals.length !== 1) {
    throw new CommandError('usage: npm run find -- <subject id, a UUID> [--json]');
  }
  const config = loadConfig((await serviceSettings()).env);
  const workflows = await find(config, subject.data);
  process.stdout.write(values.json === true ? `${JSON.stringify({ workflows }, null, 2)}\n` : inWords(workflows));
}

async function find(config: Config, subjectId: string): Promise<Found[]> {
  const temporal = await connectTemporal(config.temporal, await codecKeys(config));
  try {
    const found = await temporal.client.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      workflowsOfSubject(temporal.client, subjectId),
    );
    return found.map((workflow) => ({ ...workflow, link: linkTo(workflow, config.temporal) }));
  } catch {
    // Its own text names addresses, and sometimes the query.
    throw new CommandError(`Temporal does not answer, or has no namespace ${config.temporal.namespace}.`);
  } finally {
    await temporal.close();
  }
}

/** The one key that is needed; no other is opened. */
async function codecKeys(config: Config): Promise<ServiceKeys> {
  const pool = createPool(config.database, { warn: () => undefined });
  try {
    const keys = await openServiceKeys(pool, await existingKeyRing(config), ['payload-codec']);
    keys.current('payload-codec');
    return keys;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('The keys of the service cannot be opened: the database or the key ring does not answer.');
  } finally {
    await pool.end();
  }
}

function linkTo({ workflowId, runId }: WorkflowOfSubject, temporal: Config['temporal']): string | null {
  if (temporal.uiUrl === null) return null;
  const path = ['namespaces', temporal.namespace, 'workflows', workflowId, runId, 'history'];
  return `${temporal.uiUrl}/${path.map(encodeURIComponent).join('/')}`;
}

function inWords(workflows: readonly Found[]): string {
  if (workflows.length === 0) return 'No workflow is about this subject, or none that Temporal still remembers.\n';
  const blocks = workflows.map((w) =>
    [
      w.workflowId,
      `  ${w.type}, ${w.status.toLowerCase()}${w.state === null ? '' : `; ${w.state} since ${w.since ?? '?'}`}`,
      `  started ${w.started}`,
      ...(w.link === null ? [] : [`  ${w.link}`]),
    ].join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}

void runCommand(main);
