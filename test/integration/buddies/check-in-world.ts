/**
 * Check-ins over the API with the real activities of the workflow behind it, step by step as a test wants them: what is
 * written, sent and shown is the service's own; only Temporal is played.
 */
import { randomUUID } from 'node:crypto';
import { subjectOfAccounts } from '../../../api/accounts';
import { createCheckInTexts } from '../../../activities/check-in-texts';
import { createCheckInActivities } from '../../../activities/check-ins';
import type { ActivityDependencies } from '../../../activities/dependencies';
import type { Buddy } from '../../../db/buddies';
import { findCheckIn } from '../../../db/check-ins';
import type { CheckInInput } from '../../../domain/buddies';
import type { MessageInput } from '../../../domain/message';
import type { LinkUse } from '../../../domain/message-links';
import type { KindlineClient } from '../../../temporal/connection';
import { messageLinkToken } from '../../../vault/link-tokens';
import { ApiUnderTest, type Answer, type Who } from '../api/api-under-test';
import { addBuddy, type BuddyWanted, giveProfile } from './people';

export const LINK_KEY = { version: 1, key: Buffer.alloc(32, 7) };
const DAY = 24 * 3_600_000;
let nth = 100;

/** A phone nobody has heard of. */
export function newPhone(): string {
  nth += 1;
  return `+1415555${String(nth).padStart(4, '0')}`;
}

export interface Asking {
  readonly who: Who & { readonly subject: string };
  readonly userId: string;
  readonly buddy: Buddy;
}

export class CheckInsUnderTest {
  private constructor(
    readonly api: ApiUnderTest,
    readonly deps: ActivityDependencies,
    /** The texts that were begun. */
    readonly texts: MessageInput[],
  ) {}

  static async start(env: Record<string, string> = {}): Promise<CheckInsUnderTest> {
    const api = await ApiUnderTest.start(env);
    const texts: MessageInput[] = [];
    const { pool, vault, tokenizer, config, logger } = api.deps;
    const temporal = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflowQueue: 'q',
      subjectAttribute: () => 's',
      workflow: {
        start: async (_type: string, { args }: { args: [MessageInput] }) => {
          if (!texts.some(({ messageId }) => messageId === args[0].messageId)) texts.push(args[0]);
        },
      },
    } as unknown as KindlineClient;
    const mail = {
      linkKey: LINK_KEY,
      publicBaseUrl: config.api.publicBaseUrl,
      provider: null,
      from: 'no-reply@example.org',
    };
    const parts: Partial<ActivityDependencies> = {
      pool,
      vault,
      tokenizer,
      temporal,
      logger,
      mail,
      buddies: config.buddies,
      retention: config.retention,
      phoneNumbers: config.twilio.phoneNumbers,
      messagingServiceSid: null,
    };
    const world = new CheckInsUnderTest(api, parts as ActivityDependencies, texts);
    const acts = world.activities;
    api.checkIns.onBegin = async (input) => (await world.open(input)).opening;
    api.checkIns.onOpened = (requestId, visit) =>
      acts.noteCheckIn({ requestId, what: 'opened', at: new Date().toISOString(), ...visit });
    api.checkIns.onRespond = async (requestId, { response, noteRecordId }) => {
      const before = await findCheckIn(pool, requestId);
      if (before?.response === response && noteRecordId === null) return 'answered-before';
      await acts.takeCheckInAnswer({ requestId, response, noteRecordId, at: new Date().toISOString() });
      return 'taken';
    };
    return world;
  }

  get activities() {
    return { ...createCheckInActivities(this.deps), ...createCheckInTexts(this.deps) };
  }

  stop(): Promise<void> {
    return this.api.stop();
  }

  /** As the workflow opens it. */
  open(input: CheckInInput, messageId: string = randomUUID()) {
    const closesAt = new Date(Date.now() + DAY).toISOString();
    return this.activities.openCheckIn({ input, messageId, closesAt, validUntil: null });
  }

  /** A user with a profile and a verified buddy. */
  async asking(more: Partial<BuddyWanted> = {}, profile: Parameters<typeof giveProfile>[2] = {}): Promise<Asking> {
    const who = { role: 'user', subject: randomUUID() } as const;
    const userId = await this.userId(who);
    await giveProfile(this.api.deps, userId, profile);
    const buddy = await addBuddy(this.api.deps, { userId, phone: newPhone(), ...more });
    return { who, userId, buddy };
  }

  /** The subject of an account, made when it is first asked for. */
  userId({ subject }: { readonly subject: string }): Promise<string> {
    const { pool, tokenizer, config } = this.api.deps;
    return subjectOfAccounts(pool, tokenizer)(config.oidc.issuer, subject);
  }

  send({ who, userId, buddy }: Asking, headers: Record<string, string> = {}): Promise<Answer> {
    const json = { buddyContactId: buddy.buddyId, userId };
    return this.api.ask('POST', '/api/buddy/send-checkin', { who, json, raw: { headers } });
  }

  /** Asks, and must be taken. @returns the request's id */
  async sent(asking: Asking): Promise<string> {
    const { status, body, text } = await this.send(asking);
    if (status !== 202) throw new Error(`it was not taken: ${status} ${text}`);
    return body.requestId;
  }

  /** An alert that asks a buddy. */
  async alerted({ userId, buddy }: Asking, days = 3): Promise<CheckInInput> {
    const times = { reminderAfterMs: null, closesAfterMs: DAY, reportsTo: null };
    const alert = { alertId: randomUUID(), days };
    const input = { requestId: randomUUID(), buddyId: buddy.buddyId, userId, alert, ...times };
    await this.open(input);
    return input;
  }

  async row(requestId: string): Promise<Record<string, unknown>> {
    const found = await this.api.database.owner.query('SELECT * FROM buddy_check_in_requests WHERE request_id = $1', [
      requestId,
    ]);
    return found.rows[0] ?? {};
  }

  async eventsOf(requestId: string): Promise<string[]> {
    const found = await this.api.database.owner.query(
      'SELECT type FROM app_events WHERE object_id = $1 ORDER BY txid, position',
      [requestId],
    );
    return found.rows.map(({ type }) => type);
  }

  async auditOf(requestId: string): Promise<string[]> {
    const found = await this.api.database.owner.query(
      'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY at, entry_id',
      [requestId],
    );
    return found.rows.map(({ action }) => action);
  }

  /** The path in the text. */
  linkOf(requestId: string, use: LinkUse = 'buddy-check-in'): string {
    const token = messageLinkToken(LINK_KEY, { use, id: requestId, version: 1 });
    return `${use === 'buddy-check-in' ? '/buddy/checkin' : '/buddy/alert'}/${token}`;
  }

  /** Presses a button of a page. */
  press(path: string, fields: Record<string, string>): Promise<Answer> {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'User-Agent': 'A Phone of Marshgrave' };
    return this.api.fetch(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() });
  }

  see(path: string): Promise<Answer> {
    return this.api.fetch(path, {});
  }
}
