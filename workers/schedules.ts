import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { CALL_SWEEP_SCHEDULE } from '../temporal/schedule-ids';

/** A sweep that hangs would keep every later one from starting; it ends before three of them are missed at 60 s. */
const LONGEST_SWEEP = '3 minutes';

/**
 * Creates the schedule of the call sweep, or brings an existing one to what is configured. Several workers may do
 * so at once; they all write the same.
 */
export async function ensureCallSweep(client: Client, taskQueue: string, intervalMs: number): Promise<void> {
  const options: ScheduleOptions = {
    scheduleId: CALL_SWEEP_SCHEDULE,
    spec: { intervals: [{ every: intervalMs }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'callSweep',
      taskQueue,
      args: [],
      workflowId: CALL_SWEEP_SCHEDULE,
      workflowRunTimeout: LONGEST_SWEEP,
    },
    policies: {
      // What one run leaves the next one takes up; runs that were missed have nothing of their own to do.
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: '1 minute',
      pauseOnFailure: false,
    },
  };
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(CALL_SWEEP_SCHEDULE).update((known) => ({
      ...known,
      spec: options.spec,
      action: { ...options.action, workflowId: CALL_SWEEP_SCHEDULE, args: [] },
      policies: { ...known.policies, ...options.policies },
    }));
  }
}
