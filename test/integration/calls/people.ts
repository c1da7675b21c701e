import { randomUUID } from 'node:crypto';
import { currentConsentTexts } from '../../../domain/consent-texts';
import type { HandsetScript, LedgerEntry } from '../../../simulator/client';
import { OUTCOMES } from '../../../domain/mentor-call';
import { MARKED } from '../../marked-people';
import { eventually, type TestStack } from '../../stack';
import { openTwilioContract } from '../../twilio-contract';
import { ALWAYS } from '../db/people';

/** Presses 1 at our neutral words, talks until the other side or the test hangs up. */
export const READY_USER: HandsetScript = {
  answerAfterMs: 50,
  keys: [{ when: 'greeting', press: '1', afterMs: 20 }],
};
/** Takes the call by key 1. */
export const READY_MENTOR: HandsetScript = {
  answerAfterMs: 50,
  keys: [{ when: 'whisper', press: '1', afterMs: 20 }],
};

/** Agreement to the text that is shown today. */
export function consent() {
  return { textVersion: currentConsentTexts()[0]?.version ?? '', language: 'en' };
}

const ADMIN = { role: 'admin', subject: 'an-admin' } as const;

/** Makes a mentor who is on shift all the time. @returns the mentor's id */
export async function addMentor(stack: TestStack, phoneNumber: string, change: object = {}): Promise<string> {
  const json = { name: MARKED.mentorName, phoneNumber, zone: 'UTC', languages: ['en'], windows: ALWAYS, ...change };
  const { status, body, text } = await stack.api('/mentors', { json }, ADMIN);
  if (status !== 201) throw new Error(`the mentor was not made: ${status} ${text}`);
  return body.mentorId as string;
}

export async function removeMentor(stack: TestStack, mentorId: string): Promise<void> {
  await stack.api(`/mentors/${mentorId}`, { method: 'DELETE', headers: { 'If-Match': '*' } }, ADMIN);
}

/** One app user with a phone of their own. */
export class AppUser {
  readonly who = { role: 'user', subject: randomUUID() } as const;
  callId = '';

  constructor(
    private readonly stack: TestStack,
    readonly phone: string,
  ) {}

  /** Asks for a call; `more` is added to the body. */
  async ask(more: object = {}, headers: Record<string, string> = {}) {
    const json = { userPhoneNumber: this.phone, consent: consent(), ...more };
    const answer = await this.stack.api('/connect-mentor', { json, headers }, this.who);
    if (answer.status === 202) this.callId = answer.body.callId as string;
    return answer;
  }

  /** Asks for a call that must be taken. */
  async start(more: object = {}): Promise<void> {
    const { status, text } = await this.ask(more);
    if (status !== 202) throw new Error(`the request was refused: ${status} ${text}`);
  }

  async look(callId = this.callId) {
    return this.stack.api(`/mentor-calls/${callId}`, {}, this.who);
  }

  async cancel() {
    return this.stack.api(`/mentor-calls/${this.callId}`, { method: 'DELETE' }, this.who);
  }

  async status(wanted: string): Promise<void> {
    await eventually(async () => {
      const { body } = await this.look();
      if (body?.status !== wanted) throw new Error(`status is ${String(body?.status)}, not ${wanted}`);
    });
  }

  /** Waits until the call is over; its last state. */
  async end(): Promise<Record<string, unknown>> {
    const ends: readonly string[] = OUTCOMES;
    return eventually(async () => {
      const { body } = await this.look();
      if (!ends.includes(body?.status)) throw new Error(`still ${String(body?.status)}`);
      return body as Record<string, unknown>;
    });
  }
}

/** The rings of one phone so far, oldest first. */
export async function rings(stack: TestStack, phone: string): Promise<LedgerEntry[]> {
  return (await stack.sim.ledger()).filter((leg) => leg.to === phone && leg.ringingAt !== null);
}

/** Waits until a phone's newest leg is as wanted. */
export async function legOf(
  stack: TestStack,
  phone: string,
  wanted: (leg: LedgerEntry) => boolean,
): Promise<LedgerEntry> {
  return eventually(async () => {
    const leg = (await rings(stack, phone)).find(wanted);
    if (!leg) throw new Error('no such leg yet');
    return leg;
  });
}

/** Places that mentors still hold. */
export async function heldSlots(stack: TestStack): Promise<number> {
  const { rows } = await stack.pool.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM mentor_slots WHERE call_id IS NOT NULL',
  );
  return rows[0]?.n ?? -1;
}

const contract = openTwilioContract();

/** What the service asked of Twilio, and what it was answered, that Twilio's own OpenAPI document does not allow. */
export async function contractViolations(stack: TestStack): Promise<string[]> {
  return (await stack.sim.exchanges()).flatMap((exchange) => contract?.violations(exchange) ?? []);
}
