import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import {
  mentorCallWorkflowId,
  type CallPlan,
  type MentorCallInput,
  type MentorCallResult,
  type TwimlQuestion,
} from '../../domain/mentor-call';
import type { mentorCall } from '../../workflows';
import { mentorCallInput } from '../mentor-call-input';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage } from './time-skipping';

type MentorCallActivities = Pick<
  Activities,
  | 'openCall'
  | 'noteCall'
  | 'closeCall'
  | 'destroyCallNumber'
  | 'reserveMentor'
  | 'releaseMentor'
  | 'legSeen'
  | 'abandonDispatch'
  | 'placedCall'
  | 'placeCall'
  | 'readCall'
  | 'endCall'
  | 'wentToFallback'
>;

/** What one call's activities do in a test, and what they were asked to do. */
export class CallWorld {
  readonly done: string[] = [];
  /** Mentors who are free, in the order in which they would be chosen. */
  mentors: string[] = ['mentor-1', 'mentor-2', 'mentor-3', 'mentor-4', 'mentor-5'];
  /** Slots held, by step. */
  readonly slots = new Map<number, string>();
  legStatus = 'in-progress';
  silentSteps = new Set<number>();
  fallback = false;
  closed: Parameters<Activities['closeCall']>[0][] = [];
  placed = 0;
  numberDestroyed = false;
  override: Partial<MentorCallActivities> = {};

  constructor(readonly callId: string) {}

  sid(nth = 1): string {
    return `CA-${this.callId}-${nth}`;
  }

  readonly activities: MentorCallActivities = {
    openCall: async () => ({ state: 'opened' }),
    noteCall: async (a) => {
      this.note(`note ${a.status ?? ''}`);
    },
    closeCall: async (a) => {
      this.closed.push(a);
      this.slots.clear();
      if (!a.keepNumber) this.numberDestroyed = true;
      this.note(`close ${a.outcome} ${a.endReason}`);
    },
    destroyCallNumber: async () => {
      this.numberDestroyed = true;
      this.note('destroy number');
    },
    reserveMentor: async (a) => {
      const mentorId = this.mentors.find((m) => (a.only ? m === a.only : !a.exclude.includes(m)));
      this.note(`reserve ${a.step} ${mentorId ?? 'nobody'}`);
      if (!mentorId) return { mentor: null, why: 'nobody-on-shift' };
      this.slots.set(a.step, mentorId);
      const mentor = { mentorId, recordId: `record-of-${mentorId}`, callerId: '+14155550100', country: 'US' };
      return { mentor, why: 'reserved' };
    },
    releaseMentor: async (a) => {
      this.slots.delete(a.step);
      this.note(`release ${a.step} ${a.result}`);
    },
    legSeen: async (a) => !this.silentSteps.has(a.step),
    abandonDispatch: async () => {
      this.note('abandon');
      return { state: 'abandoned', sid: this.placed > 0 ? this.sid(this.placed) : null, isQuiet: false };
    },
    placedCall: async () => ({ sid: null }),
    placeCall: async () => {
      this.placed += 1;
      this.note(`ring ${this.placed}`);
      return { sid: this.sid(this.placed) };
    },
    readCall: async () => ({ status: this.legStatus }),
    endCall: async (a) => {
      this.note(`end ${a.sid === 'CA-inbound' ? 'inbound' : a.sid.slice(-1)}`);
      return { status: 'completed' };
    },
    wentToFallback: async () => ({ fallback: this.fallback }),
  };

  private note(line: string): void {
    this.done.push(line);
  }
}

/** A time-skipping server with both queues; each call has a world of its own. */
export class MentorCallRig {
  private readonly started: TestCall[] = [];

  private constructor(
    private readonly worlds: Map<string, CallWorld>,
    private readonly stage: SkippingStage,
  ) {}

  static async start(): Promise<MentorCallRig> {
    const worlds = new Map<string, CallWorld>();
    return new MentorCallRig(worlds, await startSkippingStage(['voice'], () => routed(worlds)));
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

  async call(input: Partial<MentorCallInput> = {}, prepare: (world: CallWorld) => void = () => {}): Promise<TestCall> {
    const callId = randomUUID();
    const world = new CallWorld(callId);
    prepare(world);
    this.worlds.set(callId, world);
    const handle = await this.env.client.workflow.start<typeof mentorCall>('mentorCall', {
      workflowId: mentorCallWorkflowId(callId),
      taskQueue: 'kindline',
      args: [mentorCallInput({ callId, ...input })],
    });
    const call = new TestCall(this.env, world, handle);
    this.started.push(call);
    return call;
  }
}

function routed(worlds: Map<string, CallWorld>): MentorCallActivities {
  const worldOf = (args: object): CallWorld => {
    const a = args as { callId?: string; sid?: string };
    const callId = a.callId ?? (a.sid === 'CA-inbound' ? '' : (a.sid?.slice(3, 39) ?? ''));
    const world = worlds.get(callId) ?? [...worlds.values()].at(-1);
    if (!world) throw new Error('no world for this call');
    return world;
  };
  const names = Object.keys(new CallWorld('').activities) as (keyof MentorCallActivities)[];
  const entries = names.map((name) => [
    name,
    async (args: never) => {
      const world = worldOf(args);
      const activity = (world.override[name] ?? world.activities[name]) as (a: never) => Promise<unknown>;
      return activity(args);
    },
  ]);
  return Object.fromEntries(entries) as MentorCallActivities;
}

type Asked = TwimlQuestion extends infer Q
  ? Q extends TwimlQuestion
    ? Omit<Q, 'validUntil' | 'callSid'>
    : never
  : never;

/** One running call, seen from Twilio's side. */
export class TestCall {
  constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly world: CallWorld,
    readonly handle: WorkflowHandle<typeof mentorCall>,
  ) {}

  /** Lets this much of the workflow's time pass. */
  async pass(ms: number): Promise<void> {
    await this.env.sleep(ms);
  }

  async ask(question: Asked, callSid = this.world.sid(Math.max(1, this.world.placed))): Promise<CallPlan> {
    const validUntil = (await this.env.currentTimeMs()) + 4_000;
    return this.handle.executeUpdate<CallPlan, [TwimlQuestion]>('answerTwiml', {
      args: [{ ...question, callSid, validUntil }],
    });
  }

  /** The user answers and presses 1. */
  async confirm(): Promise<CallPlan> {
    await this.ringing();
    return this.ask({ kind: 'user-confirmed' });
  }

  /** Waits until the nth ring of the user's phone. */
  async ringing(nth = 1): Promise<void> {
    await this.until(() => this.world.placed >= nth);
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`waited in vain; so far: ${this.world.done.join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async userLegEnds(status = 'completed', callSid = this.world.sid(this.world.placed)): Promise<void> {
    await this.handle.signal('legEnded', {
      seenKey: randomUUID(),
      callSid,
      status,
      dispatchId: null,
      errorCode: null,
    });
  }

  result(): Promise<MentorCallResult> {
    return this.handle.result();
  }

  async recordAs(name: string): Promise<void> {
    await recordHistory(this.handle, 'mentorCall', name);
  }

  cancel(): Promise<MentorCallResult> {
    return this.handle.executeUpdate<MentorCallResult, []>('cancel');
  }
}
