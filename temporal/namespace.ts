import type { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time';

const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Closed runs are remembered this long: a repeated start of the same call within it is recognised, and what
 * histories hold is gone after it.
 */
export const NAMESPACE_RETENTION_DAYS = 7;
/** Servers cache their list of namespaces for up to ten seconds. */
const READY_WITHIN_MS = 30_000;

/**
 * Creates the namespace, or sets the retention of an existing one; then waits until the server accepts it.
 * On Temporal Cloud, where the client may do neither, an existing namespace with enough retention is left alone.
 */
export async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  const retention = msToTs(NAMESPACE_RETENTION_DAYS * DAY_MS);
  const service = connection.workflowService;
  try {
    const found = await service.describeNamespace({ namespace });
    const known = found.config?.workflowExecutionRetentionTtl;
    if (!known || tsToMs(known) !== tsToMs(retention)) {
      await service.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
    }
  } catch (error) {
    if (code(error) !== NOT_FOUND) throw error;
    await service
      .registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention })
      .catch((refused: unknown) => {
        if (code(refused) !== ALREADY_EXISTS) throw refused;
      });
  }
  await untilUsable(connection, namespace);
}

async function untilUsable(connection: Connection, namespace: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query: '' });
      return;
    } catch (error) {
      if (code(error) !== NOT_FOUND || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

function code(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
