import { randomUUID } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time';

/** Enough that chance cannot bring the urgent ones to the front: a queue has four partitions, asked at random. */
const BULK = 40;
const URGENT = 5;
const BULK_PRIORITY = 5;
const URGENT_PRIORITY = 1;
const STEP_WITHIN_MS = 10_000;
/** A scheduled task is in its queue after a tenth of this (ms). */
const QUEUED_WITHIN_MS = 1_000;
/** `CommandType` on the wire. */
const SCHEDULE_ACTIVITY = 1;

export interface PriorityMeasure {
  readonly isOvertaking: boolean;
  readonly bulk: number;
  readonly urgent: number;
}

/**
 * Whether the server hands out urgent tasks before those that have waited longer. Nothing in its API tells: a server
 * without `matching.useNewMatcher` takes priorities and ignores them. So it is tried, on a task queue that nobody
 * else uses: bulk activities first, urgent ones when those are all waiting, and then they are taken one at a time.
 *
 * The two workflows have no code: their only task is answered here. Both are terminated in the end, which also
 * drops what was not taken.
 */
export async function measurePriority(connection: Connection, namespace: string): Promise<PriorityMeasure> {
  const probe = new PriorityProbe(connection, namespace);
  try {
    await probe.schedule('bulk', BULK, BULK_PRIORITY);
    await probe.untilWaiting();
    await probe.schedule('urgent', URGENT, URGENT_PRIORITY);
    await probe.untilWaiting();
    const order = await probe.takeAll(BULK + URGENT);
    const places = order.flatMap((kind, place) => (kind === 'urgent' ? [place] : []));
    const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
    return { isOvertaking: places.length === URGENT && mean < order.length / 2, bulk: BULK, urgent: URGENT };
  } finally {
    await probe.clear();
  }
}

type Kind = 'bulk' | 'urgent';

class PriorityProbe {
  private readonly id = randomUUID();
  private readonly workflows: string[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly namespace: string,
  ) {}

  /** Starts a workflow and answers its one task with `count` activities. */
  async schedule(kind: Kind, count: number, priorityKey: number): Promise<void> {
    const { service, namespace } = this;
    const workflowId = `doctor-priority:${this.id}:${kind}`;
    const taskQueue = { name: `doctor-${this.id}-${kind}` };
    this.workflows.push(workflowId);
    await this.soon(() =>
      service.startWorkflowExecution({
        namespace,
        workflowId,
        requestId: randomUUID(),
        workflowType: { name: 'doctorPriority' },
        taskQueue,
        identity: 'doctor',
        // Ends it by itself where we are killed before we can.
        workflowExecutionTimeout: msToTs('2m'),
      }),
    );
    const { taskToken } = await this.soon(() =>
      service.pollWorkflowTaskQueue({ namespace, taskQueue, identity: 'doctor' }),
    );
    const commands = Array.from({ length: count }, (_unused, n) => ({
      commandType: SCHEDULE_ACTIVITY,
      scheduleActivityTaskCommandAttributes: {
        activityId: `${kind}-${n}`,
        activityType: { name: kind },
        taskQueue: this.queue,
        scheduleToCloseTimeout: msToTs('1m'),
        startToCloseTimeout: msToTs('1m'),
        priority: { priorityKey },
      },
    }));
    await this.soon(() => service.respondWorkflowTaskCompleted({ namespace, taskToken, identity: 'doctor', commands }));
  }

  /** The server's own count of what waits is seconds old, so they are given the time they need many times over. */
  async untilWaiting(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, QUEUED_WITHIN_MS));
  }

  /** @returns what came, in the order in which it came */
  async takeAll(count: number): Promise<Kind[]> {
    const order: Kind[] = [];
    while (order.length < count) {
      const { activityType } = await this.soon(() =>
        this.service.pollActivityTaskQueue({ namespace: this.namespace, taskQueue: this.queue, identity: 'doctor' }),
      );
      if (!activityType?.name) break;
      order.push(activityType.name === 'urgent' ? 'urgent' : 'bulk');
    }
    return order;
  }

  async clear(): Promise<void> {
    for (const workflowId of this.workflows) {
      const ended = this.soon(() =>
        this.service.terminateWorkflowExecution({
          namespace: this.namespace,
          workflowExecution: { workflowId },
          reason: 'the probe is over',
          identity: 'doctor',
        }),
      );
      await ended.catch(() => undefined);
    }
  }

  private get queue(): { name: string } {
    return { name: `doctor-${this.id}` };
  }

  private get service(): Connection['workflowService'] {
    return this.connection.workflowService;
  }

  private soon<T>(ask: () => Promise<T>): Promise<T> {
    return this.connection.withDeadline(Date.now() + STEP_WITHIN_MS, ask);
  }
}
