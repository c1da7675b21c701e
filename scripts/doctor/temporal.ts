import { Connection } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time';
import { VOICE_QUEUE } from '../../domain/task-queues';
import { connectionOptions } from '../../temporal/connection';
import { NAMESPACE_RETENTION_DAYS } from '../../temporal/namespace';
import { SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes';
import { examined, fail, type Finding, ok, type Patient, reasonOf, warn } from './finding';
import { measurePriority } from './priority';

const ANSWER_WITHIN_MS = 5_000;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** The server forgets a poller after five minutes; ours poll again at least once a minute. */
const POLLED_WITHIN_MS = 2 * 60_000;
const WORKFLOW = 1;
const ACTIVITY = 2;

/** Is Temporal there, is the namespace ready for our workflows, and does a worker listen? */
export async function temporalChecks({ config }: Patient): Promise<readonly Finding[]> {
  const { namespace, taskQueue, address } = config.temporal;
  const connection = Connection.lazy(connectionOptions(config.temporal));
  const soon = <T>(ask: () => Promise<T>) => connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, ask);
  try {
    const version = await soon(() => connection.workflowService.getSystemInfo({})).then(
      ({ serverVersion }) => ({ serverVersion }),
      (error: unknown) => reasonOf(error),
    );
    if (typeof version === 'string') {
      return [
        fail(
          'temporal',
          `Temporal does not answer at ${address} (${version}).`,
          'Is it running? See TEMPORAL_ADDRESS.',
        ),
      ];
    }
    const findings = [ok('temporal', `Temporal ${version.serverVersion} answers.`)];
    const todo = 'A worker makes the namespace ready when it starts.';
    const add = async (check: string, examine: () => Promise<Finding | readonly Finding[]>) =>
      findings.push(...(await examined(check, todo, examine)));
    let isThere = false;
    await add('namespace', async () => {
      const described = await soon(() => connection.workflowService.describeNamespace({ namespace }));
      isThere = true;
      return retention(namespace, tsToMs(described.config?.workflowExecutionRetentionTtl ?? undefined) / DAY_MS);
    });
    if (!isThere) return findings;
    await add('search attributes', () => soon(() => searchAttributes(connection, namespace)));
    await add('worker', () => soon(() => pollers(connection, namespace, taskQueue)));
    return findings;
  } finally {
    await connection.close();
  }
}

function retention(namespace: string, days: number): Finding {
  const wanted = NAMESPACE_RETENTION_DAYS;
  if (days < wanted) {
    return fail(
      'namespace',
      `${namespace} forgets closed workflows after ${days} days; a repeated request is recognised for ${wanted}.`,
      `Set its retention to ${wanted} days: a worker does when it starts, where it may.`,
    );
  }
  if (days > wanted) {
    return warn(
      'namespace',
      `${namespace} keeps histories for ${days} days, longer than the ${wanted} we promise.`,
      `Set its retention to ${wanted} days.`,
    );
  }
  return ok('namespace', `${namespace} keeps closed workflows for ${wanted} days.`);
}

async function searchAttributes(connection: Connection, namespace: string): Promise<Finding> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const known: Readonly<Record<string, number>> = customAttributes ?? {};
  const wrong = Object.entries(SEARCH_ATTRIBUTE_TYPES)
    .filter(([name, type]) => known[name] !== type)
    .map(([name]) => name);
  if (wrong.length === 0) return ok('search attributes', 'All search attributes are registered.');
  return fail(
    'search attributes',
    `Missing, or of another type: ${wrong.join(', ')}. A workflow that sets one would hang.`,
    'A worker registers them when it starts; where it may not (Temporal Cloud), add them by hand.',
  );
}

async function pollers(connection: Connection, namespace: string, taskQueue: string): Promise<readonly Finding[]> {
  const queues = [
    { name: taskQueue, type: WORKFLOW, what: 'workflows' },
    { name: taskQueue, type: ACTIVITY, what: 'activities' },
    { name: VOICE_QUEUE, type: ACTIVITY, what: 'calls to be placed' },
  ];
  const missing: string[] = [];
  for (const { name, type, what } of queues) {
    const { pollers: known } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is in no package of ours
      taskQueueType: type,
    });
    const isPolled = (known ?? []).some(
      ({ lastAccessTime }) => lastAccessTime && Date.now() - tsToMs(lastAccessTime) < POLLED_WITHIN_MS,
    );
    if (!isPolled) missing.push(`${what} (queue ${name})`);
  }
  if (missing.length === 0) return [ok('worker', 'A worker takes workflows, activities and calls to be placed.')];
  return [fail('worker', `No worker takes ${missing.join(', ')}.`, 'Start a worker: node dist/workers/main.js.')];
}

/** Does priority overtake? Takes some seconds, and leaves two terminated workflows in the namespace. */
export async function priorityCheck({ config }: Patient): Promise<readonly Finding[]> {
  const connection = Connection.lazy(connectionOptions(config.temporal));
  try {
    return await examined('priority', 'Mend what is said about Temporal first.', async () => {
      const { isOvertaking, bulk, urgent } = await measurePriority(connection, config.temporal.namespace);
      if (isOvertaking) return ok('priority', `${urgent} urgent tasks overtook ${bulk} that had waited longer.`);
      return fail(
        'priority',
        'The server ignores task priority: somebody at their phone would wait behind bulk work.',
        'Start the server with the dynamic configuration matching.useNewMatcher=true.',
      );
    });
  } finally {
    await connection.close();
  }
}
