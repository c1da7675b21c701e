/**
 * `npm run find -- <subject uuid> [--json]`: the workflows about one person, in the running service or in the one that
 * the environment describes. Temporal's store names nobody; this works only with the keys of the service.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Config, loadConfig } from '../config/config';
import { createPool } from '../db/pool';
import { workflowsOfBuddy } from '../db/workflows-of-buddies';
import { connectTemporal } from '../temporal/connection';
import { type WorkflowOfSubject, workflowsOfSubject } from '../temporal/workflows-of-subject';
import { codecKeys } from './codec-keys';
import { CommandError, runCommand } from './command-error';
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
  const keys = await codecKeys(config);
  const also = await ofBuddy(config, subjectId);
  const temporal = await connectTemporal(config.temporal, keys);
  try {
    const found = await temporal.client.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      workflowsOfSubject(temporal.client, subjectId, also),
    );
    return found.map((workflow) => ({ ...workflow, link: linkTo(workflow, config.temporal) }));
  } catch {
    // Its own text names addresses, and sometimes the query.
    throw new CommandError(`Temporal does not answer, or has no namespace ${config.temporal.namespace}.`);
  } finally {
    await temporal.close();
  }
}

/** What was begun by a user and is about this buddy of theirs. */
async function ofBuddy(config: Config, subjectId: string): Promise<string[]> {
  const pool = createPool(config.database, { warn: () => undefined });
  try {
    return await workflowsOfBuddy(pool, subjectId);
  } catch {
    // Its own text names host, role and database.
    throw new CommandError(
      'The database does not answer, refuses the role of its URL, or needs npm run migrate -- up.',
    );
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
