import { DEMO_SUBJECTS, type Role } from '../simulator/issuer';
import { type HandsetView, type LedgerEntry, SimulatorClient } from '../simulator/client';
import { z } from 'zod';
import { CommandError } from './command-error';
import type { Services } from './services';

/** Numbers of the two simulated phones; 555-01xx belongs to nobody. */
export const USER_PHONE = '+14155550142';
export const MENTOR_PHONE = '+14155550161';
export const MENTOR_NAME = 'Maribel Quintanilla-Okafor';

/** The mentors that `npm start` has signed up. */
export const DEMO_MENTORS = [
  { name: MENTOR_NAME, phone: MENTOR_PHONE, languages: ['en'] },
  { name: 'Rosalind Achterberg', phone: '+14155550162', languages: ['en', 'es'] },
] as const;

export interface TimelineEntry {
  /** ISO 8601. */
  readonly time: string;
  readonly leg: 'app' | 'user' | 'mentor' | 'helpline';
  readonly event: string;
}

/** One call as everybody who took part saw it. */
export interface DemoCall {
  readonly callId: string;
  readonly outcome: string;
  readonly timeline: readonly TimelineEntry[];
  readonly numbersSeenByUser: readonly string[];
  readonly numbersSeenByMentor: readonly string[];
  readonly heardByUser: readonly string[];
  readonly heardByMentor: readonly string[];
  readonly durationSeconds: number | null;
}

const consentTexts = z.object({ texts: z.array(z.object({ textVersion: z.string(), language: z.string() })) });
const mentorAnswer = z.object({ mentorId: z.string() });
const acceptedAnswer = z.object({ callId: z.string() });
const callAnswer = z.object({
  status: z.string(),
  requestedAt: z.string().nullish(),
  endedAt: z.string().nullish(),
  durationSeconds: z.number().nullish(),
});

/** How long a whole call may take before we say that something is wrong. */
const CALL_PATIENCE_MS = 90_000;

/** Speaks to a running service as an app would: with access tokens, over HTTP. */
export class DemoApp {
  private readonly sim: SimulatorClient;

  constructor(private readonly services: Services) {
    this.sim = new SimulatorClient(services.simulatorUrl);
  }

  get simulator(): SimulatorClient {
    return this.sim;
  }

  /** A mentor who is on shift day and night. */
  async addMentor(name: string, phoneNumber: string, languages: readonly string[] = ['en']): Promise<string> {
    const windows = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, starts: '00:00', ends: '00:00' }));
    const body = { name, phoneNumber, languages, specialties: ['postpartum'], zone: 'America/Los_Angeles', windows };
    return (await this.ask('POST', '/mentors', 'admin', mentorAnswer, body)).mentorId;
  }

  async hasMentors(): Promise<boolean> {
    const page = z.object({ mentors: z.array(z.unknown()) });
    return (await this.ask('GET', '/mentors?limit=1', 'admin', page)).mentors.length > 0;
  }

  /** Asks for a call and watches until it is over. @throws CommandError when it does not end */
  async makeCall(): Promise<DemoCall> {
    const consent = (await this.ask('GET', '/consent-texts/mentor-call', 'user', consentTexts)).texts[0];
    if (consent === undefined) throw new CommandError('There is no consent text.');
    const { callId } = await this.ask('POST', '/connect-mentor', 'user', acceptedAnswer, {
      userPhoneNumber: USER_PHONE,
      consent: { textVersion: consent.textVersion, language: consent.language },
    });
    const call = await this.untilOver(callId);
    const [user, mentor, ledger] = await Promise.all([
      this.sim.handset(USER_PHONE),
      this.sim.handset(MENTOR_PHONE),
      this.sim.ledger(),
    ]);
    return {
      callId,
      outcome: call.status,
      timeline: timelineOf(call, ledger),
      numbersSeenByUser: numbersSeen(user),
      numbersSeenByMentor: numbersSeen(mentor),
      heardByUser: user.calls.flatMap(({ heard }) => heard),
      heardByMentor: mentor.calls.flatMap(({ heard }) => heard),
      durationSeconds: call.durationSeconds ?? null,
    };
  }

  private async untilOver(callId: string): Promise<z.infer<typeof callAnswer>> {
    const deadline = Date.now() + CALL_PATIENCE_MS;
    for (;;) {
      const call = await this.ask('GET', `/mentor-calls/${callId}`, 'user', callAnswer);
      if (call.endedAt != null) return call;
      if (Date.now() > deadline)
        throw new CommandError(`The call is still ${call.status} after ${CALL_PATIENCE_MS / 1000} s.`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  private async ask<T>(method: string, path: string, role: Role, shape: z.ZodType<T>, body?: unknown): Promise<T> {
    const response = await fetch(`${this.services.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${await this.token(role)}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new CommandError(`${method} ${path} answered ${response.status}: ${text}`);
    return shape.parse(JSON.parse(text));
  }

  private async token(role: Role): Promise<string> {
    const response = await fetch(`${this.services.simulatorUrl}/oidc/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ role, subject: DEMO_SUBJECTS[role] }),
    });
    return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
  }
}

function numbersSeen(handset: HandsetView): string[] {
  return [...new Set(handset.calls.map(({ callerId }) => callerId))];
}

function timelineOf(call: z.infer<typeof callAnswer>, ledger: readonly LedgerEntry[]): TimelineEntry[] {
  const app = [
    { time: call.requestedAt ?? null, leg: 'app' as const, event: 'requested' },
    { time: call.endedAt ?? null, leg: 'app' as const, event: call.status },
  ];
  const legs = ledger.flatMap((entry) => {
    const leg = legOf(entry);
    const bridgedAt = leg === 'mentor' || leg === 'helpline' ? entry.bridgedAt : null;
    return [
      { time: entry.ringingAt, leg, event: 'ringing' },
      { time: entry.answeredAt, leg, event: 'answered' },
      { time: bridgedAt, leg, event: 'bridged' },
      { time: entry.endedAt, leg, event: entry.status },
    ];
  });
  return [...app, ...legs]
    .flatMap(({ time, leg, event }) => (time === null ? [] : [{ time, leg, event }]))
    .toSorted((a, b) => a.time.localeCompare(b.time));
}

function legOf(entry: LedgerEntry): 'user' | 'mentor' | 'helpline' {
  if (entry.parentSid === null) return 'user';
  return entry.to === MENTOR_PHONE ? 'mentor' : 'helpline';
}
