import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import {
  BUDDY_VERIFICATION,
  buddyVerificationWorkflowId,
  type InvitationRefusal,
  type InviteAnswer,
  type RenewalAnswer,
  type VerificationOutcome,
  type VerificationState,
} from '../../domain/buddies';
import { MESSAGE_NEWS, type MessageNews } from '../../domain/message';
import type { buddyVerification } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage, untilQuiet, untilSo } from './time-skipping';

type Steps = Pick<
  Activities,
  | 'claimInvitation'
  | 'answerInvitation'
  | 'expireInvitation'
  | 'noteInvitationSent'
  | 'takeInvitationBack'
  | 'noteRenewalAsked'
  | 'verificationStanding'
  | 'sendInvitation'
  | 'cancelInvitation'
  | 'tellUser'
>;

export const DAY = 86_400_000;

/** The row of one buddy, and what the activities were asked to do with it. */
export class VerificationWorld {
  readonly done: string[] = [];
  readonly mails: { readonly messageId: string; readonly version: number }[] = [];
  status: 'pending' | 'verified' | 'declined' | 'expired' | 'opted-out' = 'pending';
  isRemoved = false;
  link: { version: number; expiresAt: string } | null = null;
  /** Every claim is refused for this. */
  refused: InvitationRefusal | null = null;
  renewal: RenewalAnswer = 'asked';
  /** Whether e-mails can be started. */
  sends = true;
  /** While the user is told. */
  onTell: (() => Promise<void>) | null = null;

  constructor(
    readonly buddyId: string,
    private readonly env: TestWorkflowEnvironment,
  ) {}

  readonly activities: Steps = {
    claimInvitation: async ({ messageId }) => {
      if (this.refused !== null) return { refused: this.refused, retryAfterMs: null };
      const version = this.mails.length + 1;
      const expiresAt = new Date((await this.env.currentTimeMs()) + 7 * DAY).toISOString();
      this.mails.push({ messageId, version });
      this.link = { version, expiresAt };
      this.status = 'pending';
      this.done.push(`claim ${version}`);
      return { state: 'sending', version, expiresAt, messageId, isNew: true };
    },
    answerInvitation: async ({ action, version }): Promise<VerificationState> => {
      if (this.status === 'verified' || this.status === 'declined') return this.status;
      if (this.isRemoved || this.status === 'opted-out') return 'withdrawn';
      if (version !== this.link?.version) return 'replaced';
      this.status = action === 'accept' ? 'verified' : 'declined';
      this.done.push(this.status);
      return this.status;
    },
    expireInvitation: async ({ version }) => {
      if (this.status !== 'pending' || this.link?.version !== version) return false;
      this.status = 'expired';
      this.done.push(`expire ${version}`);
      return true;
    },
    noteInvitationSent: async ({ messageId }) => {
      this.done.push(`sent ${this.versionOf(messageId)}`);
    },
    takeInvitationBack: async ({ messageId }) => {
      this.done.push(`take back ${this.versionOf(messageId)}`);
      this.link = null;
    },
    noteRenewalAsked: async () => {
      this.done.push(`renewal ${this.renewal}`);
      return this.renewal;
    },
    verificationStanding: async () => {
      const { isRemoved, link } = this;
      const over = (outcome: VerificationOutcome) => ({ outcome, link: null, isRemoved });
      if (isRemoved || this.status === 'opted-out') return over('withdrawn');
      if (this.status !== 'pending') return over(this.status);
      return link === null ? over('not-sent') : { outcome: null, link, isRemoved };
    },
    sendInvitation: async ({ version }) => {
      this.done.push(`mail ${version}`);
      return this.sends;
    },
    cancelInvitation: async ({ messageId }) => {
      this.done.push(`cancel ${this.versionOf(messageId)}`);
    },
    tellUser: async ({ news }) => {
      if (this.onTell !== null) this.done.push(`telling ${news}`);
      await this.onTell?.();
      this.done.push(`tell ${news}`);
    },
  };

  private versionOf(messageId: string): number {
    return this.mails.find((mail) => mail.messageId === messageId)?.version ?? 0;
  }
}

/** A time-skipping server; each buddy has a world of their own. */
export class VerificationRig {
  private readonly started: WorkflowHandle[] = [];

  private constructor(
    private readonly worlds: Map<string, VerificationWorld>,
    private readonly stage: SkippingStage,
  ) {}

  static async start(): Promise<VerificationRig> {
    const worlds = new Map<string, VerificationWorld>();
    return new VerificationRig(worlds, await startSkippingStage([], (env) => routed(worlds, env)));
  }

  get env(): TestWorkflowEnvironment {
    return this.stage.env;
  }

  async buddy(prepare: (world: VerificationWorld) => void = () => undefined): Promise<TestBuddy> {
    const world = new VerificationWorld(randomUUID(), this.env);
    prepare(world);
    this.worlds.set(world.buddyId, world);
    const buddy = new TestBuddy(this.env, world);
    await buddy.begin();
    this.started.push(buddy.handle);
    return buddy;
  }

  replayAll(): Promise<string[]> {
    return this.stage.failedReplays(this.started);
  }

  stop(): Promise<void> {
    return this.stage.stop();
  }
}

function routed(worlds: Map<string, VerificationWorld>, env: TestWorkflowEnvironment): Steps {
  const names = Object.keys(new VerificationWorld('', env).activities) as (keyof Steps)[];
  const entries = names.map((name) => [
    name,
    async (args: { readonly buddyId?: string; readonly messageId?: string }) => {
      const owns = (one: VerificationWorld) => one.mails.some(({ messageId }) => messageId === args.messageId);
      const world = worlds.get(args.buddyId ?? '') ?? [...worlds.values()].find(owns);
      if (world === undefined) throw new Error('no world for this buddy');
      return (world.activities[name] as (asked: unknown) => Promise<unknown>)(args);
    },
  ]);
  return Object.fromEntries(entries) as Steps;
}

/** One buddy, seen from the user's side, from their own, and from the mail's. */
export class TestBuddy {
  private running: WorkflowHandle<typeof buddyVerification> | null = null;

  constructor(
    private readonly env: TestWorkflowEnvironment,
    readonly world: VerificationWorld,
  ) {}

  get handle(): WorkflowHandle<typeof buddyVerification> {
    if (this.running === null) throw new Error('it was never begun');
    return this.running;
  }

  async begin(): Promise<void> {
    const { buddyId } = this.world;
    this.running = await this.env.client.workflow.start<typeof buddyVerification>('buddyVerification', {
      workflowId: buddyVerificationWorkflowId(buddyId),
      taskQueue: 'kindline',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [{ buddyId, userId: randomUUID() }],
    });
  }

  async invite(): Promise<InviteAnswer> {
    const validUntil = (await this.env.currentTimeMs()) + 60_000;
    return this.handle.executeUpdate<InviteAnswer, [object]>(BUDDY_VERIFICATION.invite, {
      args: [{ invitationId: randomUUID(), validUntil }],
    });
  }

  async renew(version = 1): Promise<RenewalAnswer> {
    const validUntil = (await this.env.currentTimeMs()) + 60_000;
    return this.handle.executeUpdate<RenewalAnswer, [object]>(BUDDY_VERIFICATION.renew, {
      args: [{ version, validUntil }],
    });
  }

  async answer(action: 'accept' | 'decline', { version = 1, late = false } = {}): Promise<VerificationState> {
    const validUntil = (await this.env.currentTimeMs()) + (late ? -1 : 60_000);
    return this.handle.executeUpdate<VerificationState, [object]>(BUDDY_VERIFICATION.answer, {
      args: [{ action, version, ipRecordId: null, userAgentRecordId: null, validUntil }],
    });
  }

  async news(state: MessageNews['state'], nth = this.world.mails.length): Promise<void> {
    const messageId = this.world.mails[nth - 1]?.messageId ?? '';
    const at = new Date(await this.env.currentTimeMs()).toISOString();
    const news: MessageNews = { messageId, state, reason: null, at };
    await this.handle.signal(MESSAGE_NEWS, news);
  }

  ended(): Promise<void> {
    return this.handle.signal(BUDDY_VERIFICATION.ended);
  }

  async terminate(): Promise<void> {
    await untilQuiet(this.handle);
    await this.handle.terminate();
  }

  pass(ms: number): Promise<void> {
    return this.env.sleep(ms);
  }

  until(step: string): Promise<void> {
    return untilSo(
      () => this.world.done.includes(step),
      () => this.world.done,
      this.handle,
    );
  }

  result(): Promise<VerificationOutcome> {
    return this.handle.result();
  }

  recordAs(name: string): Promise<void> {
    return recordHistory(this.handle, 'buddyVerification', name);
  }
}
