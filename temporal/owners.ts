import { WorkflowNotFoundError } from '@temporalio/client';
import type { KindlineClient } from './connection';

/** Whether the workflow that owns a row is still there to end it; `stopped`: by an operator. */
export type OwnerState = 'running' | 'stopped' | 'over';

const DESCRIBE_WITHIN_MS = 5_000;
const STOPPED: readonly string[] = ['TERMINATED', 'CANCELLED'];

/** @throws whatever the client throws when Temporal does not answer: what is not known is not cleaned up */
export async function ownerState(client: KindlineClient, workflowId: string): Promise<OwnerState> {
  try {
    const { status } = await client.withDeadline(Date.now() + DESCRIBE_WITHIN_MS, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    if (status.name === 'RUNNING') return 'running';
    return STOPPED.includes(status.name) ? 'stopped' : 'over';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'over';
    throw error;
  }
}
