import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { FallbackAlert } from '../../activities/alerts';
import type { MessageClosing, MessageNoting, MessageRetry, MessageTurn } from '../../activities/messages';
import type { SendText } from '../../activities/send-text';
import { type MessageInput, type MessageResult, messageWorkflowId } from '../../domain/message';
import type { message } from '../../workflows';
import { messageInput } from '../message-input';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage, untilSo } from './time-skipping';

const NOW: MessageTurn = { waitMs: 0, reason: null };

/** What one message's activities do in a test, and what they were asked to do. */
export class MessageWorld {
  readonly done: string[] = [];
  /** One after the other; then the message may go. */
  turns: MessageTurn[] = [];
  /** What each try does; then it is accepted. */
  tries: (() => Promise<unknown>)[] = [];
  sent: SendText[] = [];
  notes: MessageNoting[] = [];
  retries: MessageRetry[] = [];
  closed: MessageClosing[] = [];
  receiptPatienceMs = 12 * 3_600_000;
  goesByVoiceWhenBlocked = false;
  /** What abandoning finds. */
  onAbandon: () => void = () => undefined;
  /** Whether it finds that nothing had left, or will. */
  isQuiet = false;
  fallsBack = true;
  /** What each call instead goes past. */
  overrides: FallbackAlert['overrides'][] = [];

  constructor(readonly messageId: string) {}

  sid(nth = this.sent.length): string {
    return `SM-${this.messageId}-${nth}`;
  }

  readonly activities = {
    openMessage: async () => ({
      turn: this.nextTurn(),
      receiptPatienceMs: this.receiptPatienceMs,
      goesByVoiceWhenBlocked: this.goesByVoiceWhenBlocked,
    }),
    messageTurn: async () => this.nextTurn(),
    noteMessage: async (note: MessageNoting) => {
      this.notes.push(note);
      this.done.push(note.state);
    },
    noteRetry: async (retry: MessageRetry) => {
      this.retries.push(retry);
      this.done.push(`retry ${retry.attempt} ${retry.errorClass ?? ''} ${retry.delayMs}`);
    },
    closeMessage: async (closing: MessageClosing) => {
      this.closed.push(closing);
      this.done.push(`close ${closing.outcome}`);
    },
    abandonDispatch: async () => {
      this.done.push('abandon');
      this.onAbandon();
      return { state: 'abandoned', sid: null, isQuiet: this.isQuiet };
    },
    sendText: async (asked: SendText) => {
      this.sent.push(asked);
      this.done.push(`send ${this.sent.length}`);
      const planned = this.tries[this.sent.length - 1];
      return (await planned?.()) ?? { sid: this.sid(), segments: 2 };
    },
    sendMail: async (asked: SendText) => {
      this.sent.push(asked);
      this.done.push('mail');
      return { sid: this.sid() };
    },
    startFallbackAlert: async ({ overrides }: FallbackAlert) => {
      this.overrides.push(overrides);
      if (!this.fallsBack) throw new Error('Temporal hiccups');
      this.done.push('call instead');
    },
  };

  private nextTurn(): MessageTurn {
    return this.turns.shift() ?? NOW;
  }
}

/** A time-skipping server with all queues; each message has a world of its own. */
export class MessageRig {
  private readonly started: TestMessage[] = [];

  private constructor(
    private readonly worlds: Map<string, MessageWorld>,
    private readonly stage: SkippingStage,
  ) {}

  static async start(): Promise<MessageRig> {
    const worlds = new Map<string, MessageWorld>();
    return new MessageRig(worlds, await startSkippingStage(['messages', 'mail'], () => routed(worlds)));
  }

  get env(): TestWorkflowEnvironment {
    return this.stage.env;
  }

  async send(
    more: Partial<MessageInput> = {},
    prepare: (world: MessageWorld) => void = () => undefined,
  ): Promise<TestMessage> {
    const input = messageInput(more);
    const world = new MessageWorld(input.messageId);
    prepare(world);
    this.worlds.set(input.messageId, world);
    const handle = await this.env.client.workflow.start<typeof message>('message', {
      workflowId: messageWorkflowId(input.messageId),
      taskQueue: 'kindline',
      args: [input],
    });
    const started = new TestMessage(this.env, world, input, handle);
    this.started.push(started);
    return started;
  }

  replayAll(): Promise<string[]> {
    return this.stage.failedReplays(this.started.map(({ handle }) => handle));
  }

  stop(): Promise<void> {
    return this.stage.stop();
  }
}

type Doubles = MessageWorld['activities'];

function routed(worlds: Map<string, MessageWorld>): Record<string, (asked: never) => Promise<unknown>> {
  const names = Object.keys(new MessageWorld('').activities) as (keyof Doubles)[];
  return Object.fromEntries(
    names.map((name) => [
      name,
      async (asked: { messageId?: string; message?: { messageId: string } }) => {
        const messageId = asked.messageId ?? asked.message?.messageId ?? '';
        // A dispatch is withdrawn by its own id: it is the newest message's.
        const world = worlds.get(messageId) ?? [...worlds.values()].at(-1);
        const run = world?.activities[name] as unknown as (asked: unknown) => Promise<unknown>;
        return run(asked);
      },
    ]),
  );
}

/** One running message, seen from the provider's side and its sender's. */
export class TestMessage {
  constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly world: MessageWorld,
    readonly input: MessageInput,
    readonly handle: WorkflowHandle<typeof message>,
  ) {}

  async pass(ms: number): Promise<void> {
    await this.env.sleep(ms);
  }

  nowMs(): Promise<number> {
    return this.env.currentTimeMs();
  }

  until(condition: () => boolean): Promise<void> {
    return untilSo(condition, () => this.world.done, this.handle);
  }

  /** Waits until the provider has the nth try. */
  async accepted(nth = 1): Promise<void> {
    await this.until(() => this.world.done.filter((step) => step === 'sent').length >= nth);
  }

  async receipt(status: string, errorCode: string | null = null, sid = this.world.sid()): Promise<void> {
    await this.handle.signal('receipt', { seenKey: `message-status:${sid}:${status}`, sid, status, errorCode });
  }

  cancel(): Promise<MessageResult | 'too-late'> {
    return this.handle.executeUpdate<MessageResult | 'too-late', []>('cancel');
  }

  result(): Promise<MessageResult> {
    return this.handle.result();
  }

  recordAs(name: string): Promise<void> {
    return recordHistory(this.handle, 'message', name);
  }
}
