import { randomUUID } from 'node:crypto';
import { MARKED } from '../../marked-people';
import type { Answer, ApiUnderTest, Who } from '../api/api-under-test';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export interface TestUser extends Who {
  readonly role: 'user';
  readonly userId: string;
}

let numbers = 0;

/** A number and an address that nobody has yet. */
export function somebody(more: object = {}) {
  numbers += 1;
  const phoneNumber = `+1415555${String(110 + (numbers % 60)).padStart(4, '0')}`;
  return { name: MARKED.variable, phoneNumber, email: `${randomUUID()}@example.org`, ...more };
}

/** Somebody with a profile. */
export async function newUser(api: ApiUnderTest, profile: object = {}): Promise<TestUser> {
  const who = { role: 'user', subject: randomUUID() } as const;
  const json = { firstName: MARKED.mentorName, ...profile };
  const { body } = await api.ask('PUT', '/api/users/me/profile', { who, json });
  return { ...who, userId: body.userId };
}

/** @returns the id of the new buddy */
export async function newBuddy(api: ApiUnderTest, who: Who, more: object = {}): Promise<string> {
  const { status, body } = await api.ask('POST', '/api/buddy', { who, json: somebody(more) });
  if (status !== 201) throw new Error(`a buddy could not be added: ${status} ${body?.code}`);
  return body.buddyId;
}

export function invite(api: ApiUnderTest, who: TestUser, buddyId: string, key?: string): Promise<Answer> {
  const json = { buddyContactId: buddyId, userId: who.userId };
  const raw = key === undefined ? {} : { headers: { 'Idempotency-Key': key } };
  return api.ask('POST', '/api/buddy/send-verification', { who, json, raw });
}

/** A user, a buddy of theirs who was asked, and the token of the link. */
export async function asked(api: ApiUnderTest, more: object = {}) {
  const who = await newUser(api);
  const buddyId = await newBuddy(api, who, more);
  await invite(api, who, buddyId);
  return { who, buddyId, token: api.buddies.token(buddyId) };
}

export async function buddyOf(api: ApiUnderTest, who: Who, buddyId: string) {
  return (await api.ask('GET', `/api/buddy/${buddyId}`, { who })).body;
}

export const open = (api: ApiUnderTest, token: string, action = 'accept', raw: RequestInit = {}): Promise<Answer> =>
  api.fetch(`/api/buddy/verify?token=${token}&action=${action}`, raw);

/** The button of the page. */
export const press = (api: ApiUnderTest, token: string, action = 'accept', headers = {}): Promise<Answer> =>
  api.fetch('/api/buddy/verify', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams({ token, action }).toString(),
  });
