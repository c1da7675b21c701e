import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time';
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
import { type SkippingStage, startSkippingStage, untilSo } from './time-skipping';

type MentorCallActivities = Pick<
  Activities,
  | 'openCall'
  | 'noteCall'
  | 'closeCall'
  | 'destroyCallNumber'
  | 'reserveMentor'
  | 'releaseMentor'
  | 'queueOutlook'
  | 'joinQueue'
  | 'takeTurn'
  | 'legSeen'
  | 'abandonDispatch'
  | 'placedCall'
  | 'placeCall'
  | 'readCall'
  | 'endCall'
  | 'wentToFallback'
  | 'noteFeedback'
  | 'textAfterCall'
  | 'startRecording'
  | 'stopRecording'
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
  /** Why a reserve finds nobody. */
  why: 'nobody-on-shift' | 'all-busy' = 'nobody-on-shift';
  outlook: 'open' | 'full' | 'nobody' = 'open';
  isInQueue = false;
  /** The mentor whose place is kept for this call. */
  offered: string | null = null;
  looks = 0;
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
      this.isInQueue = false;
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
      if (!mentorId) return { mentor: null, why: this.why };
      this.slots.set(a.step, mentorId);
      return { mentor: reserved(mentorId), why: 'reserved' };
    },
    queueOutlook: async () => this.outlook,
    joinQueue: async (a) => {
      this.note(`join ${a.since ?? 'anew'}`);
      this.isInQueue = true;
      return { state: 'waiting', since: a.since ?? '2026-11-21T15:04:05.678Z' };
    },
    takeTurn: async (a) => {
      this.looks += 1;
      // As the database answers a step that has its place already: the answer may have been lost.
      const held = this.slots.get(a.step);
      if (held !== undefined) return { mentor: reserved(held), queue: 'offered' };
      if (!this.isInQueue) return { mentor: null, queue: 'gone' };
      if (this.offered === null) return { mentor: null, queue: 'waiting' };
      const mentorId = this.offered;
      this.offered = null;
      this.isInQueue = false;
      this.slots.set(a.step, mentorId);
      this.note(`take ${a.step} ${mentorId}`);
      return { mentor: reserved(mentorId), queue: 'offered' };
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
    placedCall: async () => ({ sid: null, waitsForLine: false }),
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
    noteFeedback: async (a) => {
      this.note(`rated ${a.rating}`);
    },
    textAfterCall: async (a) => {
      this.note(`text ${a.text}`);
    },
    startRecording: async (a) => {
      this.note(`record ${a.step}`);
      return { sid: `RE-${a.recordingId}` };
    },
    stopRecording: async () => {
      this.note('stop recording');
    },
  };

  private note(line: string): void {
    this.done.push(line);
  }
}

function reserved(mentorId: string) {
  return { mentorId, recordId: `record-of-${mentorId}`, callerId: '+14155550100', country: 'US' };
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

  /** What the activities of a call will do that the test starts by itself. */
  world(callId: string): CallWorld {
    const world = new CallWorld(callId);
    this.worlds.set(callId, world);
    return world;
  }

  async call(input: Partial<MentorCallInput> = {}, prepare: (world: CallWorld) => void = () => {}): Promise<TestCall> {
    const callId = randomUUID();
    const world = this.world(callId);
    prepare(world);
    const handle = await this.env.client.workflow.start<typeof mentorCall>('mentorCall', {
      workflowId: mentorCallWorkflowId(callId),
      taskQueue: 'kindline',
      args: [{ ...mentorCallInput({ callId }), ...input }],
    });
    const call = new TestCall(this.env, world, handle);
    this.started.push(call);
    return call;
  }
}

function routed(worlds: Map<string, CallWorld>): MentorCallActivities {
  const worldOf = (args: object): CallWorld => {
    const a = args as { callId?: string; sid?: string; call?: { callId: string } };
    const callId = a.callId ?? a.call?.callId ?? (a.sid === 'CA-inbound' ? '' : (a.sid?.slice(3, 39) ?? ''));
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
    const validUntil = (await this.env.currentTimeMs()) + 60_000;
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

  until(condition: () => boolean): Promise<void> {
    return untilSo(condition, () => this.world.done, this.handle);
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

  /** A place is kept for this call, and it is told so; `isLost`: it never hears of it. */
  async offer(mentorId: string, isLost = false): Promise<void> {
    this.world.offered = mentorId;
    if (!isLost) await this.handle.signal('placeOffered');
  }

  /** For how long each timer that has fired was set, in the order in which they fired (ms). */
  async firedTimers(): Promise<number[]> {
    const { events } = await this.handle.fetchHistory();
    const started = (events ?? []).flatMap((event) => event.timerStartedEventAttributes ?? []);
    const fired = (events ?? []).flatMap((event) => event.timerFiredEventAttributes ?? []);
    return fired.map(({ timerId }) => tsToMs(started.find((timer) => timer.timerId === timerId)?.startToFireTimeout));
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
