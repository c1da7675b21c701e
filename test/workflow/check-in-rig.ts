import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import {
  CHECK_IN,
  type CheckInAnswer,
  type CheckInInput,
  type CheckInNews,
  type CheckInOpened,
  type CheckInOpening,
  type CheckInResponse,
  type CheckInResult,
  type CheckInTaken,
  checkInWorkflowId,
} from '../../domain/buddies';
import { MESSAGE_NEWS, type MessageNews } from '../../domain/message';
import type { checkIn } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage, untilSo } from './time-skipping';

const HOUR = 3_600_000;

export function checkInInput(more: Partial<CheckInInput> = {}): CheckInInput {
  return {
    requestId: randomUUID(),
    buddyId: randomUUID(),
    userId: randomUUID(),
    alert: null,
    reminderAfterMs: 2 * HOUR,
    closesAfterMs: 24 * HOUR,
    reportsTo: null,
    ...more,
  };
}

type Doubled = Pick<
  Activities,
  | 'openCheckIn'
  | 'noteCheckIn'
  | 'takeCheckInAnswer'
  | 'closeCheckIn'
  | 'startCheckInText'
  | 'cancelCheckInTexts'
  | 'tellOfCheckIn'
>;
type ArgumentOf<Name extends keyof Doubled> = Parameters<Doubled[Name]>[0];

/** What one check-in's activities do in a test, and what they were asked to do. */
export class CheckInWorld {
  readonly done: string[] = [];
  opened: Awaited<ReturnType<Doubled['openCheckIn']>> = { opening: { state: 'pending' }, isBegun: true };
  readonly openings: ArgumentOf<'openCheckIn'>[] = [];
  readonly texts: ArgumentOf<'startCheckInText'>[] = [];
  readonly answers: ArgumentOf<'takeCheckInAnswer'>[] = [];
  readonly closed: ArgumentOf<'closeCheckIn'>[] = [];
  readonly cancelled: string[] = [];
  readonly told: string[] = [];
  /** The alert it belongs to was decided: its row says so. */
  isAlertOver = false;
  /** What starting a text does. */
  onText: () => Promise<boolean> = async () => true;

  readonly activities: Doubled = {
    openCheckIn: async (asked) => {
      this.openings.push(asked);
      return this.opened;
    },
    noteCheckIn: async ({ what }) => void this.done.push(what),
    takeCheckInAnswer: async (answer) => {
      this.answers.push(answer);
      if (this.isAlertOver) return false;
      this.done.push(`answer ${answer.response}`);
      return true;
    },
    closeCheckIn: async (end) => {
      this.closed.push(end);
      this.done.push(`close ${end.state}`);
    },
    startCheckInText: async (asked) => {
      this.texts.push(asked);
      this.done.push(`text ${asked.which}`);
      return await this.onText();
    },
    cancelCheckInTexts: async ({ messageIds }) => {
      this.cancelled.push(...messageIds);
      this.done.push('cancel');
    },
    tellOfCheckIn: async ({ news }) => void this.told.push(news),
  };
}

/** A time-skipping server; each check-in has a world of its own. */
export class CheckInRig {
  private readonly started: TestCheckIn[] = [];

  private constructor(
    private readonly worlds: Map<string, CheckInWorld>,
    private readonly stage: SkippingStage,
  ) {}

  static async start(): Promise<CheckInRig> {
    const worlds = new Map<string, CheckInWorld>();
    return new CheckInRig(worlds, await startSkippingStage([], () => routed(worlds)));
  }

  get env(): TestWorkflowEnvironment {
    return this.stage.env;
  }

  async begin(
    more: Partial<CheckInInput> = {},
    prepare: (world: CheckInWorld) => void = () => undefined,
  ): Promise<TestCheckIn> {
    const input = checkInInput(more);
    const world = new CheckInWorld();
    prepare(world);
    this.worlds.set(input.requestId, world);
    this.worlds.set(input.buddyId, world);
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof checkIn>(CHECK_IN.workflow, {
      workflowId: checkInWorkflowId(input.requestId),
      taskQueue: 'kindline',
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    const opening = await this.env.client.workflow.executeUpdateWithStart<typeof checkIn, CheckInOpening, []>(
      CHECK_IN.opening,
      { args: [], updateId: CHECK_IN.opening, startWorkflowOperation },
    );
    const handle = await startWorkflowOperation.workflowHandle();
    const begun = new TestCheckIn(this.env, world, input, handle, opening);
    this.started.push(begun);
    return begun;
  }

  /** Somebody who hears how check-ins go, for a month: another workflow, in whose history all it is told stands. */
  async listener(): Promise<{ readonly workflowId: string; heard(): Promise<CheckInNews[]> }> {
    const { handle } = await this.begin({ reminderAfterMs: null, closesAfterMs: 30 * 24 * HOUR });
    return {
      workflowId: handle.workflowId,
      async heard() {
        const { events } = await handle.fetchHistory();
        return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
          const [payload] = signal?.input?.payloads ?? [];
          return payload === undefined ? [] : [defaultPayloadConverter.fromPayload<CheckInNews>(payload)];
        });
      },
    };
  }

  replayAll(): Promise<string[]> {
    return this.stage.failedReplays(this.started.map(({ handle }) => handle));
  }

  stop(): Promise<void> {
    return this.stage.stop();
  }
}

function routed(worlds: Map<string, CheckInWorld>): Record<string, (asked: never) => Promise<unknown>> {
  const names = Object.keys(new CheckInWorld().activities) as (keyof Doubled)[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      async (asked: { requestId?: string; input?: CheckInInput; buddyId?: string; messageIds?: string[] }) => {
        const isOurs = (world: CheckInWorld) =>
          world.texts.some(({ messageId }) => asked.messageIds?.includes(messageId));
        const key = asked.requestId ?? asked.input?.requestId ?? asked.buddyId ?? '';
        // A text that is withdrawn is known by its own id.
        const world = worlds.get(key) ?? [...worlds.values()].find(isOurs);
        const run = world?.activities[name] as unknown as (asked: unknown) => Promise<unknown>;
        return run(asked);
      },
    ]),
  );
}

/** One running check-in, seen from its text's side, its buddy's and its user's. */
export class TestCheckIn {
  constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly world: CheckInWorld,
    readonly input: CheckInInput,
    readonly handle: WorkflowHandle<typeof checkIn>,
    /** What it said when it was begun. */
    readonly opening: CheckInOpening,
  ) {}

  async pass(ms: number): Promise<void> {
    await this.env.sleep(ms);
  }

  until(condition: () => boolean): Promise<void> {
    return untilSo(condition, () => this.world.done, this.handle);
  }

  async untilDone(step: string): Promise<void> {
    await this.until(() => this.world.done.includes(step));
  }

  /** What its text tells, once that was begun. */
  async news(state: MessageNews['state'], reason: MessageNews['reason'] = null): Promise<void> {
    await this.untilDone('text first');
    const at = new Date(await this.env.currentTimeMs()).toISOString();
    const [text] = this.world.texts;
    await this.handle.signal(MESSAGE_NEWS, { messageId: text?.messageId ?? '', state, reason, at });
  }

  async sent(): Promise<void> {
    await this.news('sent');
    await this.untilDone('sent');
  }

  async opened(): Promise<void> {
    const visit: CheckInOpened = { ipRecordId: randomUUID(), userAgentRecordId: randomUUID() };
    await this.handle.signal(CHECK_IN.opened, visit);
    await this.untilDone('opened');
  }

  async respond(response: CheckInResponse, more: Partial<CheckInAnswer> = {}): Promise<CheckInTaken> {
    const validUntil = (await this.env.currentTimeMs()) + 60_000;
    const answer: CheckInAnswer = { response, noteRecordId: null, validUntil, ...more };
    return await this.handle.executeUpdate<CheckInTaken, [CheckInAnswer]>(CHECK_IN.respond, { args: [answer] });
  }

  async texted(response: CheckInResponse): Promise<void> {
    await this.handle.signal(CHECK_IN.texted, response);
  }

  async ended(): Promise<void> {
    await this.handle.signal(CHECK_IN.ended);
  }

  result(): Promise<CheckInResult> {
    return this.handle.result();
  }

  recordAs(name: string): Promise<void> {
    return recordHistory(this.handle, CHECK_IN.workflow, name);
  }
}
