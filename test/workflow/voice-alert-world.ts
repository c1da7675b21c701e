import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import {
  type AlertPlan,
  type AlertQuestion,
  type VoiceAlertInput,
  type VoiceAlertResult,
  voiceAlertWorkflowId,
} from '../../domain/voice-alert';
import type { voiceAlert } from '../../workflows';
import { voiceAlertInput } from '../voice-alert-input';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage, untilSo } from './time-skipping';

type AlertActivities = Pick<
  Activities,
  | 'openAlert'
  | 'nightLeft'
  | 'closeAlertLeg'
  | 'closeAlert'
  | 'destroyAlertNumbers'
  | 'placeAlertCall'
  | 'textRecipients'
  | 'readCall'
  | 'endCall'
  | 'abandonDispatch'
  | 'placedCall'
>;

type Placed = Parameters<Activities['placeAlertCall']>[0] & { readonly sid: string; readonly at: number };

/** What one alert's activities do in a test, and what they were asked to do. */
export class AlertWorld {
  readonly done: string[] = [];
  readonly placed: Placed[] = [];
  readonly legs: Parameters<Activities['closeAlertLeg']>[0][] = [];
  readonly closed: Parameters<Activities['closeAlert']>[0][] = [];
  readonly texted: string[] = [];
  numbersDestroyed = false;
  legStatus = 'in-progress';
  /** Whether nothing could be tried yet. */
  isHeldUp = false;
  /** How long it is still night, each time that is asked (ms); then it is day. */
  nights: number[] = [];
  /** How each call ends by itself, in the order in which they are placed; null: it rings until the test says more. */
  phones: (string | null)[] = [];
  override: Partial<AlertActivities> = {};

  constructor(
    readonly alertId: string,
    private readonly env: TestWorkflowEnvironment,
  ) {}

  readonly activities: AlertActivities = {
    openAlert: async () => {
      this.done.push('open');
    },
    nightLeft: async () => {
      const left = this.nights.shift() ?? 0;
      this.done.push(left > 0 ? 'night' : 'day');
      return left;
    },
    closeAlertLeg: async (leg) => {
      this.legs.push(leg);
      this.done.push(`leg ${leg.position} ${leg.outcome}`);
    },
    closeAlert: async (end) => {
      this.closed.push(end);
      this.done.push(`close ${end.outcome}`);
    },
    destroyAlertNumbers: async () => {
      this.numbersDestroyed = true;
      this.done.push('destroy numbers');
    },
    placeAlertCall: async (asked) => {
      const sid = `CA-${this.alertId}-${this.placed.length + 1}`;
      const ends = this.phones[this.placed.length] ?? null;
      this.placed.push({ ...asked, sid, at: await this.env.currentTimeMs() });
      this.done.push(`ring ${asked.position}.${asked.attempt}`);
      if (ends !== null) await this.signalEnd(sid, ends);
      return { sid };
    },
    textRecipients: async ({ messageIds }) => {
      this.texted.push(...messageIds);
      this.done.push('text');
    },
    placedCall: async () => ({ sid: null, waitsForLine: this.isHeldUp }),
    readCall: async () => ({ status: this.legStatus }),
    endCall: async ({ sid }) => {
      this.done.push(`end ${sid.slice(-1)}`);
      return { status: 'completed' };
    },
    abandonDispatch: async ({ dispatchId }) => {
      this.done.push('abandon');
      const sid = this.placed.find(({ legId }) => legId === dispatchId)?.sid ?? null;
      return { state: 'abandoned', sid, isQuiet: false };
    },
  };

  async signalEnd(sid: string, status: string): Promise<void> {
    const handle = this.env.client.workflow.getHandle(voiceAlertWorkflowId(this.alertId));
    await handle.signal('legEnded', { seenKey: randomUUID(), callSid: sid, status, dispatchId: null, errorCode: null });
  }

  /** Milliseconds between the nth ring and the one before. */
  waits(): number[] {
    return this.placed.slice(1).map(({ at }, index) => at - (this.placed[index]?.at ?? 0));
  }
}

/** A time-skipping server with both queues; each alert has a world of its own. */
export class VoiceAlertRig {
  private readonly started: TestAlert[] = [];

  private constructor(
    private readonly worlds: Map<string, AlertWorld>,
    private readonly stage: SkippingStage,
  ) {}

  static async start(): Promise<VoiceAlertRig> {
    const worlds = new Map<string, AlertWorld>();
    return new VoiceAlertRig(worlds, await startSkippingStage(['voice'], (env) => routed(worlds, env)));
  }

  get env(): TestWorkflowEnvironment {
    return this.stage.env;
  }

  replayAll(): Promise<string[]> {
    return this.stage.failedReplays(this.started.map(({ handle }) => handle));
  }

  stop(): Promise<void> {
    return this.stage.stop();
  }

  async alert(
    more: Partial<VoiceAlertInput> = {},
    prepare: (world: AlertWorld) => void = () => undefined,
  ): Promise<TestAlert> {
    const input = voiceAlertInput(more);
    const world = new AlertWorld(input.alertId, this.env);
    prepare(world);
    this.worlds.set(input.alertId, world);
    const handle = await this.env.client.workflow.start<typeof voiceAlert>('voiceAlert', {
      workflowId: voiceAlertWorkflowId(input.alertId),
      taskQueue: 'kindline',
      args: [input],
    });
    const alert = new TestAlert(this.env, world, handle);
    this.started.push(alert);
    return alert;
  }
}

function routed(worlds: Map<string, AlertWorld>, env: TestWorkflowEnvironment): AlertActivities {
  const worldOf = (args: {
    alertId?: string;
    sid?: string;
    dispatchId?: string;
    input?: VoiceAlertInput;
  }): AlertWorld => {
    const alertId = args.alertId ?? args.input?.alertId ?? args.sid?.slice(3, 39) ?? '';
    const known = [...worlds.values()];
    const ofLeg = known.find((world) => world.placed.some(({ legId }) => legId === args.dispatchId));
    const world = worlds.get(alertId) ?? ofLeg ?? known.at(-1);
    if (world === undefined) throw new Error('no world for this alert');
    return world;
  };
  const names = Object.keys(new AlertWorld('', env).activities) as (keyof AlertActivities)[];
  const entries = names.map((name) => [
    name,
    async (args: never) => {
      const world = worldOf(args);
      const activity = (world.override[name] ?? world.activities[name]) as (a: never) => Promise<unknown>;
      return activity(args);
    },
  ]);
  return Object.fromEntries(entries) as AlertActivities;
}

type Asked = AlertQuestion extends infer Q
  ? Q extends AlertQuestion
    ? Omit<Q, 'validUntil' | 'callSid' | 'legId'>
    : never
  : never;

/** One running alert, seen from Twilio's side. */
export class TestAlert {
  constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly world: AlertWorld,
    readonly handle: WorkflowHandle<typeof voiceAlert>,
  ) {}

  /** Lets this much of the workflow's time pass. */
  async pass(ms: number): Promise<void> {
    await this.env.sleep(ms);
  }

  until(condition: () => boolean): Promise<void> {
    return untilSo(condition, () => this.world.done, this.handle);
  }

  /** Waits until the nth call is placed. */
  async ringing(nth = 1): Promise<Placed> {
    await this.until(() => this.world.placed.length >= nth);
    const placed = this.world.placed[nth - 1];
    if (placed === undefined) throw new Error('no such call');
    return placed;
  }

  async ask(question: Asked, { nth = this.world.placed.length, callSid = '', late = false } = {}): Promise<AlertPlan> {
    const leg = this.world.placed[nth - 1];
    if (leg === undefined) throw new Error('no such call');
    const validUntil = (await this.env.currentTimeMs()) + (late ? -1 : 60_000);
    return this.handle.executeUpdate<AlertPlan, [AlertQuestion]>('answerTwiml', {
      args: [{ ...question, callSid: callSid === '' ? leg.sid : callSid, legId: leg.legId, validUntil }],
    });
  }

  async legEnds(status = 'completed', nth = this.world.placed.length): Promise<void> {
    const leg = this.world.placed[nth - 1];
    if (leg !== undefined) await this.world.signalEnd(leg.sid, status);
  }

  result(): Promise<VoiceAlertResult> {
    return this.handle.result();
  }

  cancel(): Promise<VoiceAlertResult> {
    return this.handle.executeUpdate<VoiceAlertResult, []>('cancel');
  }

  async recordAs(name: string): Promise<void> {
    await recordHistory(this.handle, 'voiceAlert', name);
  }
}
