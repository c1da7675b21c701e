import { ServiceError, type WithStartWorkflowOperation } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { beginCheckIn } from '../../../temporal/check-ins';
import type { KindlineClient } from '../../../temporal/connection';
import { inviteBuddy } from '../../../temporal/buddy-verification';
import { beginMentorCall } from '../../../temporal/mentor-calls';
import { mentorCallInput } from '../../mentor-call-input';

const ID = '6f3c1de0-4b0e-4b57-9a5e-0d8ad2f3f001';

/** A server that drops a question twice, with the task that it came in; a client that takes what is started only once. */
function clientOfBusyServer() {
  const taken = new Set<WithStartWorkflowOperation<Workflow>>();
  const executeUpdateWithStart = (
    _update: string,
    { startWorkflowOperation }: { startWorkflowOperation: WithStartWorkflowOperation<Workflow> },
  ) => {
    if (taken.has(startWorkflowOperation)) throw new Error('has already been executed');
    taken.add(startWorkflowOperation);
    if (taken.size === 3) return Promise.resolve('answered');
    const cause = Object.assign(new Error('dropped'), { code: 9, details: 'dropped', metadata: {} });
    return Promise.reject(new ServiceError('Workflow Update failed', { cause }));
  };
  return {
    workflowQueue: 'workflows',
    subjectAttribute: () => 'somebody',
    withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
    workflow: { executeUpdateWithStart },
  } as unknown as KindlineClient;
}

const question = { step: 'user-answered', loop: 0, validUntil: 0 } as unknown as Parameters<typeof beginMentorCall>[2];

test.each<[string, (client: KindlineClient) => Promise<unknown>]>([
  ['a call from an app', (client) => beginMentorCall(client, mentorCallInput(), question, 'u', 5_000)],
  [
    'an invitation',
    (client) =>
      inviteBuddy(
        client,
        { buddyId: ID, userId: ID, country: 'US' },
        { invitationId: ID, validUntil: Date.now() + 5_000 },
        5_000,
      ),
  ],
  [
    'a check-in',
    (client) =>
      beginCheckIn(client, { requestId: ID, userId: ID } as unknown as Parameters<typeof beginCheckIn>[1], 'US', 5_000),
  ],
])('%s that meets a task which fails is begun by the next attempt', async (_what, begin) => {
  await expect(begin(clientOfBusyServer())).resolves.toBe('answered');
});
