import { BUDDY_VERIFICATION, buddyVerificationWorkflowId, CHECK_IN, checkInWorkflowId } from '../domain/buddies';
import type { KindlineClient } from './connection';
import { ProcessIsOver } from './errors';
import { spoken } from './speaking';

/**
 * Tells every running workflow of a buddy that they are not asked any more; each then looks at the row. Those that are
 * over have nothing to learn.
 * @throws TemporalNotInTime
 */
export async function tellBuddyEnded(
  client: KindlineClient,
  { buddyId, checkInIds }: { readonly buddyId: string; readonly checkInIds: readonly string[] },
  deadlineMs: number,
): Promise<void> {
  const workflows = [
    [buddyVerificationWorkflowId(buddyId), BUDDY_VERIFICATION.ended],
    ...checkInIds.map((requestId) => [checkInWorkflowId(requestId), CHECK_IN.ended] as const),
  ] as const;
  await Promise.all(
    workflows.map(async ([workflowId, signal]) => {
      try {
        await spoken(client, deadlineMs, () => client.workflow.getHandle(workflowId).signal(signal));
      } catch (error) {
        if (!(error instanceof ProcessIsOver)) throw error;
      }
    }),
  );
}
