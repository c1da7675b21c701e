import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import type { RetentionRun } from '../activities/retention';
import { SWEPT_KINDS } from '../domain/retention';
import {
  AUDIT_SEAL_SCHEDULE,
  CALL_SWEEP_SCHEDULE,
  COST_SWEEP_SCHEDULE,
  RETENTION_SWEEP_SCHEDULE,
  WATCHDOG_SCHEDULE,
} from '../temporal/schedule-ids';

/** What recurs: which workflow, how often, and how late a run that was missed may still be made up for. */
interface Recurring {
  readonly scheduleId: string;
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly everyMs: number;
  readonly args?: readonly unknown[];
  /** Temporal's duration words; a run that hangs must not keep the next ones from starting for long. */
  readonly runTimeout: '3 minutes' | '5 minutes' | '1 hour';
  readonly catchupWindow: '1 minute' | '1 day';
  /** Spreads what all deployments would otherwise do at the same instant. */
  readonly jitter?: '10 minutes';
}

/** Phones, places and rows of calls, every `SWEEP_INTERVAL`. */
export function ensureCallSweep(client: Client, taskQueue: string, intervalMs: number): Promise<void> {
  return ensureSchedule(client, {
    scheduleId: CALL_SWEEP_SCHEDULE,
    workflowType: 'callSweep',
    taskQueue,
    everyMs: intervalMs,
    // When Twilio hangs each part that asks it has 40 s; runs that were missed have nothing of their own to do.
    runTimeout: '5 minutes',
    catchupWindow: '1 minute',
  });
}

/** Chains new audit entries and writes a checkpoint, every `AUDIT_SEAL_INTERVAL`. */
export function ensureAuditSeal(client: Client, taskQueue: string, intervalMs: number): Promise<void> {
  return ensureSchedule(client, {
    scheduleId: AUDIT_SEAL_SCHEDULE,
    workflowType: 'auditSeal',
    taskQueue,
    everyMs: intervalMs,
    runTimeout: '3 minutes',
    // One run takes up everything that earlier ones have missed.
    catchupWindow: '1 minute',
  });
}

/** Costs, prices and the budget, every `COSTS_INTERVAL`. */
export function ensureCostSweep(client: Client, taskQueue: string, intervalMs: number): Promise<void> {
  return ensureSchedule(client, {
    scheduleId: COST_SWEEP_SCHEDULE,
    workflowType: 'costSweep',
    taskQueue,
    everyMs: intervalMs,
    runTimeout: '1 hour',
    // One run takes up everything that earlier ones have missed.
    catchupWindow: '1 minute',
  });
}

/** Whether anything is wrong, every `WATCHDOG_INTERVAL`. */
export function ensureWatchdog(client: Client, taskQueue: string, intervalMs: number): Promise<void> {
  return ensureSchedule(client, {
    scheduleId: WATCHDOG_SCHEDULE,
    workflowType: 'watchdog',
    taskQueue,
    everyMs: intervalMs,
    runTimeout: '5 minutes',
    // It looks at how things are now: looks that were missed would see nothing else.
    catchupWindow: '1 minute',
  });
}

const DAY = 24 * 3_600_000;

/** What has been kept for its time, once a day; a day without a worker is made up for. */
export function ensureRetentionSweep(client: Client, taskQueue: string): Promise<void> {
  const run: RetentionRun = { isDryRun: false, kinds: SWEPT_KINDS };
  return ensureSchedule(client, {
    scheduleId: RETENTION_SWEEP_SCHEDULE,
    workflowType: 'retentionSweep',
    taskQueue,
    everyMs: DAY,
    args: [run],
    runTimeout: '1 hour',
    catchupWindow: '1 day',
    jitter: '10 minutes',
  });
}

/**
 * Creates a schedule, or brings an existing one to what is configured. The server takes whatever is written last; where
 * workers of two ages start at once, `oneAtATime` keeps what each writes whole.
 */
async function ensureSchedule(client: Client, recurring: Recurring): Promise<void> {
  const { scheduleId, workflowType, taskQueue, everyMs, args = [], runTimeout, catchupWindow, jitter } = recurring;
  const action = {
    type: 'startWorkflow',
    workflowType,
    taskQueue,
    args: [...args],
    workflowId: scheduleId,
    workflowRunTimeout: runTimeout,
  } as const;
  const options: ScheduleOptions = {
    scheduleId,
    spec: { intervals: [{ every: everyMs }], ...(jitter === undefined ? {} : { jitter }) },
    action,
    // What one run leaves the next one takes up.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow, pauseOnFailure: false },
  };
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update((known) => ({
      ...known,
      spec: options.spec,
      action,
      policies: { ...known.policies, ...options.policies },
    }));
  }
}
