import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import { asksNotBegun } from '../../activities/failures';
import { CHECK_IN_NEWS, type CheckInNews, type CheckInResponse } from '../../domain/buddies';
import { BUILT_IN_POLICY, type EscalationPolicy } from '../../domain/escalation-policy';
import { MESSAGE_NEWS, type MessageOutcome } from '../../domain/message';
import { VOICE_ALERT_NEWS, type AlertOutcome } from '../../domain/voice-alert';
import {
  type Ask,
  type BegunStep,
  type SkipReason,
  type WellbeingResult,
  wellbeingAlertWorkflowId,
} from '../../domain/wellbeing-alert';
import type { wellbeingAlert } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage, untilSo } from './time-skipping';

type WellbeingActivities = Pick<
  Activities,
  | 'openWellbeingAlert'
  | 'beginWellbeingStep'
  | 'noteWellbeingStep'
  | 'noteEmergencyConfirmed'
  | 'closeWellbeingAlert'
  | 'startWellbeingAsks'
  | 'endWellbeingAsks'
>;

export const HOUR = 3_600_000;

/** What one alert's activities do in a test, and what they were asked to do. */
export class WellbeingWorld {
  readonly done: string[] = [];
  readonly started: (Parameters<Activities['startWellbeingAsks']>[0] & { readonly at: number })[] = [];
  readonly ended: Parameters<Activities['endWellbeingAsks']>[0][] = [];
  readonly notes: Parameters<Activities['noteWellbeingStep']>[0][] = [];
  readonly closed: Parameters<Activities['closeWellbeingAlert']>[0][] = [];
  /** How the row says it has ended, where it knows better. */
  endInRow: Awaited<ReturnType<Activities['closeWellbeingAlert']>> = null;
  readonly confirmed: Parameters<Activities['noteEmergencyConfirmed']>[0][] = [];
  policy: EscalationPolicy = BUILT_IN_POLICY;
  /** Buddies that can be asked, by rank. */
  buddies: readonly string[] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  /** Steps that have nobody to ask, by position. */
  nobody: Partial<Record<number, SkipReason>> = {};
  isGone = false;
  /** Closed before its workflow has begun. */
  isOver = false;
  /** Of whom nothing can be begun. */
  isUnreachable: (ask: Ask) => boolean = () => false;
  startFails = false;
  /** Who cannot be asked now, while the others are. */
  isStuck: (ask: Ask) => boolean = () => false;
  endFails = false;

  constructor(
    readonly alertId: string,
    private readonly env: TestWorkflowEnvironment,
  ) {}

  readonly activities: WellbeingActivities = {
    openWellbeingAlert: async () => {
      this.done.push('open');
      if (this.isOver) return null;
      return { policy: this.policy, days: 3 };
    },
    beginWellbeingStep: async ({ position, step, askedBuddyIds, askIds }): Promise<BegunStep> => {
      if (this.isGone) return { gone: true };
      const left = this.buddies.filter((id) => !askedBuddyIds.includes(id)).slice(0, step.count);
      const skipped = this.nobody[position] ?? (step.who === 'buddies' && left.length === 0 ? 'all-asked' : undefined);
      this.done.push(skipped === undefined ? `step ${position}` : `skip ${position} ${skipped}`);
      if (skipped !== undefined) return { skipped };
      if (step.who === 'emergency') return { asks: [] };
      const by = step.who === 'buddies' ? 'check-in' : step.channel === 'voice' ? 'call' : 'message';
      const whom = step.who === 'buddies' ? left : [null];
      return { asks: whom.map((buddyId, index) => ({ askId: askIds[index] ?? '', by, buddyId })) };
    },
    noteWellbeingStep: async (note) => {
      this.notes.push(note);
      this.done.push(`note ${note.position} ${note.state}`);
    },
    noteEmergencyConfirmed: async (confirmed) => {
      this.confirmed.push(confirmed);
      this.done.push('confirmed');
    },
    closeWellbeingAlert: async (closing) => {
      this.closed.push(closing);
      this.done.push(`close ${closing.endReason}`);
      return this.endInRow;
    },
    startWellbeingAsks: async (asked) => {
      if (this.startFails) throw new Error('down');
      if (!this.started.some(({ position }) => position === asked.position)) {
        this.started.push({ ...asked, at: await this.env.currentTimeMs() });
        this.done.push(`ask ${asked.position}`);
      }
      const stuck = asked.asks.filter((ask) => this.isStuck(ask)).map(({ askId }) => askId);
      if (stuck.length > 0) throw asksNotBegun(stuck);
      return asked.asks.filter((ask) => this.isUnreachable(ask)).map(({ askId }) => askId);
    },
    endWellbeingAsks: async (ended) => {
      if (this.endFails) throw new Error('down');
      this.ended.push(ended);
      this.done.push('end asks');
    },
  };
}

/** A time-skipping server; each alert has a world of its own. */
export class WellbeingRig {
  private readonly started: TestWellbeingAlert[] = [];

  private constructor(
    private readonly worlds: Map<string, WellbeingWorld>,
    private readonly stage: SkippingStage,
  ) {}

  static async start(): Promise<WellbeingRig> {
    const worlds = new Map<string, WellbeingWorld>();
    return new WellbeingRig(worlds, await startSkippingStage([], (env) => routed(worlds, env)));
  }

  async alert(prepare: (world: WellbeingWorld) => void = () => undefined): Promise<TestWellbeingAlert> {
    const { env } = this.stage;
    const alertId = randomUUID();
    const world = new WellbeingWorld(alertId, env);
    prepare(world);
    this.worlds.set(alertId, world);
    const begunAt = await env.currentTimeMs();
    const handle = await env.client.workflow.start<typeof wellbeingAlert>('wellbeingAlert', {
      workflowId: wellbeingAlertWorkflowId(alertId),
      taskQueue: 'kindline',
      args: [{ alertId, userId: randomUUID() }],
    });
    const alert = new TestWellbeingAlert(env, world, handle, begunAt);
    this.started.push(alert);
    return alert;
  }

  replayAll(): Promise<string[]> {
    return this.stage.failedReplays(this.started.map(({ handle }) => handle));
  }

  stop(): Promise<void> {
    return this.stage.stop();
  }
}

function routed(worlds: Map<string, WellbeingWorld>, env: TestWorkflowEnvironment): WellbeingActivities {
  const names = Object.keys(new WellbeingWorld('', env).activities) as (keyof WellbeingActivities)[];
  const entries = names.map((name) => [
    name,
    async (asked: { readonly alertId: string }) => {
      const world = worlds.get(asked.alertId);
      if (world === undefined) throw new Error('no world for this alert');
      const activity = world.activities[name] as unknown as (a: unknown) => Promise<unknown>;
      return activity(asked);
    },
  ]);
  return Object.fromEntries(entries) as WellbeingActivities;
}

/** One running alert, seen by those it asks. */
export class TestWellbeingAlert {
  constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly world: WellbeingWorld,
    readonly handle: WorkflowHandle<typeof wellbeingAlert>,
    private readonly begunAt: number,
  ) {}

  async pass(ms: number): Promise<void> {
    await this.env.sleep(ms);
  }

  until(condition: () => boolean): Promise<void> {
    return untilSo(condition, () => this.world.done, this.handle);
  }

  /** Lets this much time pass and waits until this step has asked; a second more, so that it falls behind its timer. */
  async asked(position: number, afterMs = 0) {
    if (afterMs > 0) await this.pass(afterMs + 1_000);
    await this.until(() => this.world.started.some((one) => one.position === position));
    const step = this.world.started.find((one) => one.position === position);
    if (step === undefined) throw new Error('no such step');
    return { ...step, minutes: Math.round((step.at - this.begunAt) / 60_000) };
  }

  /** Goes on to this step with nobody who answers. */
  async askedInTurn(upTo: number) {
    for (const [index, { afterMinutes }] of this.world.policy.steps.slice(0, upTo - 1).entries()) {
      await this.asked(index + 1, afterMinutes * 60_000);
    }
    return this.asked(upTo, (this.world.policy.steps[upTo - 1]?.afterMinutes ?? 0) * 60_000);
  }

  /** What the nth one whom a step asked says, from 1. */
  async answers(position: number, nth: number, response: CheckInResponse): Promise<void> {
    await this.tell(position, nth, 'answered', response);
  }

  async tell(
    position: number,
    nth: number,
    state: CheckInNews['state'],
    response: CheckInResponse | null = null,
  ): Promise<void> {
    const { askId, buddyId } = await this.askOf(position, nth);
    const news: CheckInNews = { requestId: askId, buddyId: buddyId ?? '', state, response };
    await this.handle.signal(CHECK_IN_NEWS, news);
  }

  async message(position: number, state: 'sent' | MessageOutcome): Promise<void> {
    const { askId: messageId } = await this.askOf(position, 1);
    await this.handle.signal(MESSAGE_NEWS, { messageId, state, reason: null, at: new Date().toISOString() });
  }

  async call(position: number, state: AlertOutcome): Promise<void> {
    const { askId: alertId } = await this.askOf(position, 1);
    await this.handle.signal(VOICE_ALERT_NEWS, { alertId, state, endReason: 'acknowledged-by-key' });
  }

  async contact(response: CheckInResponse, late = false): Promise<string> {
    return this.handle.executeUpdate<string, [unknown]>('contactAnswers', {
      args: [{ response, ...(await this.valid(late)) }],
    });
  }

  async confirm(actor: string, late = false): Promise<string> {
    return this.handle.executeUpdate<string, [unknown]>('confirmEmergency', {
      args: [{ actor, ...(await this.valid(late)) }],
    });
  }

  async close(by: 'user' | 'staff', late = false): Promise<WellbeingResult> {
    return this.handle.executeUpdate<WellbeingResult, [unknown]>('close', {
      args: [{ by, ...(await this.valid(late)) }],
    });
  }

  result(): Promise<WellbeingResult> {
    return this.handle.result();
  }

  recordAs(name: string): Promise<void> {
    return recordHistory(this.handle, 'wellbeingAlert', name);
  }

  private async askOf(position: number, nth: number): Promise<Ask> {
    const ask = (await this.asked(position)).asks[nth - 1];
    if (ask === undefined) throw new Error('nobody was asked there');
    return ask;
  }

  private async valid(late = false): Promise<{ validUntil: number }> {
    return { validUntil: (await this.env.currentTimeMs()) + (late ? -1 : 60_000) };
  }
}
