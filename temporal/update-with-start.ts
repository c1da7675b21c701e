import type { WithStartWorkflowOperation } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import type { KindlineClient } from './connection';
import { spoken } from './speaking';

export interface Question<A extends unknown[]> {
  readonly update: string;
  /** The same one gets the same answer. */
  readonly updateId: string;
  readonly args: A;
}

/**
 * Starts a workflow, or finds the one that runs, and asks it something, in one request.
 *
 * @param start makes what is started; called for each attempt, because the client takes one only once
 * @throws as {@link spoken}
 */
export function askWithStart<W extends Workflow, R, A extends unknown[]>(
  client: KindlineClient,
  start: () => WithStartWorkflowOperation<W>,
  { update, updateId, args }: Question<A>,
  withinMs: number,
): Promise<R> {
  return spoken(client, withinMs, () =>
    client.workflow.executeUpdateWithStart<W, R, A>(update, { args, updateId, startWorkflowOperation: start() }),
  );
}
