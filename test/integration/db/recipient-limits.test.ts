/** How often one recipient is reached: counted from what was accepted, and held where a dispatch is claimed. */
import { randomBytes, randomUUID } from 'node:crypto';
import {
  claim,
  ensureDispatch,
  markLost,
  type NewDispatch,
  settleAccepted,
  settleRefused,
  settleUnknown,
} from '../../../db/dispatches';
import { recipientWaitMs } from '../../../db/recipient-limits';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { personWithNumber, tokenHex } from './people';

const MINUTE = 60_000;
const LIMITS = {
  ordinary: [
    { count: 1, withinMs: MINUTE },
    { count: 3, withinMs: 15 * MINUTE },
  ],
  safety: [{ count: 2, withinMs: MINUTE }],
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function make(recipientToken: string, more: Partial<NewDispatch> = {}): Promise<string> {
  const dispatchId = randomUUID();
  await ensureDispatch(database.app, {
    dispatchId,
    businessKey: `test:${dispatchId}`,
    callId: null,
    workflowId: 'test',
    recipientToken,
    channel: 'sms',
    sender: '+14155550100',
    country: 'US',
    ...more,
  });
  return dispatchId;
}

const newSid = () => `SM${randomBytes(16).toString('hex')}`;
async function send(recipientToken: string, agoMs = 0): Promise<void> {
  const id = await make(recipientToken);
  const result = await claim(database.app, id, MINUTE);
  if (!('claimed' in result)) throw new Error('not claimed');
  await settleAccepted(database.app, id, newSid());
  await database.owner.query(
    `UPDATE dispatches SET attempt_began_at = attempt_began_at - $2 * interval '1 millisecond' WHERE dispatch_id = $1`,
    [id, agoMs],
  );
}

/** Somebody who has shown that these numbers are theirs; `saved` are those of which they only say so. */
async function personWith(verified: readonly string[], saved: readonly string[] = []): Promise<void> {
  const { userId } = await personWithNumber(database.app);
  for (const token of [...verified, ...saved]) {
    const { recordId } = await personWithNumber(database.app);
    await database.owner.query(
      `INSERT INTO contact_points (subject_id, record_id, kind, token, token_version, country, verified_at)
       VALUES ($1, $2, 'phone', decode($3, 'hex'), 1, 'US', CASE WHEN $4 THEN now() END)`,
      [userId, recordId, token, verified.includes(token)],
    );
  }
}

const waitOf = (token: string, messageClass: 'ordinary' | 'safety' = 'ordinary', channel: 'sms' | 'voice' = 'sms') =>
  recipientWaitMs(database.app, { tokenHexes: [tokenHex(), token], channel, messageClass }, LIMITS);

test('the first is free, the second waits for its spacing, and other channels, people and classes do not', async () => {
  const token = tokenHex();
  expect(await waitOf(token)).toBe(0);
  const began = Date.now();
  await send(token, 20_000);
  const wait = await waitOf(token);
  expect(wait).toBeGreaterThanOrEqual(40_000 - (Date.now() - began) - 10);
  expect(wait).toBeLessThanOrEqual(40_000);
  expect(await waitOf(token, 'safety')).toBe(0);
  expect(await waitOf(token, 'ordinary', 'voice')).toBe(0);
  expect(await waitOf(tokenHex())).toBe(0);
});

test('every step holds: the third within a quarter of an hour makes the fourth wait for the first to be over', async () => {
  const token = tokenHex();
  const began = Date.now();
  for (const ago of [10, 8, 2]) await send(token, ago * MINUTE);
  const wait = await waitOf(token);
  expect(wait).toBeGreaterThanOrEqual(5 * MINUTE - (Date.now() - began) - 10);
  expect(wait).toBeLessThanOrEqual(5 * MINUTE);
});

test('what was never sent is never counted: refused and lost give their turn back by being so, however often it is said', async () => {
  const token = tokenHex();
  for (const settle of [
    (id: string) => settleRefused(database.app, id, 1, { class: 'invalid-number', code: '21211' }),
    (id: string) => markLost(database.app, id, 1),
  ]) {
    const id = await make(token);
    await claim(database.app, id, MINUTE);
    expect(await waitOf(token)).toBeGreaterThan(0);
    await settle(id);
    await settle(id);
    expect(await waitOf(token)).toBe(0);
  }
});

test('one whose outcome nobody knows counts until it is known', async () => {
  const token = tokenHex();
  const id = await make(token);
  await claim(database.app, id, MINUTE);
  await settleUnknown(database.app, id, 1);
  expect(await waitOf(token)).toBeGreaterThan(0);
});

test('what went to one number of a person counts at their others, but not at one that they have only saved', async () => {
  const [one, two, strangers] = [tokenHex(), tokenHex(), tokenHex()];
  await personWith([one, two], [strangers]);
  await send(strangers);
  expect(await waitOf(one)).toBe(0);
  await send(one, 20_000);
  expect(await waitOf(two)).toBeGreaterThan(0);
  expect(await waitOf(two)).toBeLessThanOrEqual(40_000);
  // An alert rings the other phone of whoever does not answer.
  expect(await waitOf(two, 'ordinary', 'voice')).toBe(0);
  const terms = { guard: null, isConfigured: true, limits: LIMITS.ordinary };
  const answer = await claim(database.app, await make(two), MINUTE, terms);
  expect(answer).toMatchObject({ because: 'recipient-limit' });
});

test('of ten to two numbers of one person that were all told to go at once, one goes', async () => {
  const numbers = [tokenHex(), tokenHex()];
  await personWith(numbers);
  const terms = { guard: null, isConfigured: true, limits: LIMITS.ordinary };
  const ids = await Promise.all(Array.from({ length: 10 }, (_, n) => make(numbers[n % 2] ?? '')));
  const claims = await Promise.all(ids.map((id) => claim(database.app, id, MINUTE, terms)));
  expect(claims.filter((answer) => 'claimed' in answer)).toHaveLength(1);
});

test('of ten that were all told to go, one goes; the others are told how long until it is their turn', async () => {
  const token = tokenHex();
  const terms = { guard: null, isConfigured: true, limits: LIMITS.ordinary };
  const ids = await Promise.all(Array.from({ length: 10 }, () => make(token)));
  const claims = await Promise.all(ids.map((id) => claim(database.app, id, MINUTE, terms)));
  const winner = ids[claims.findIndex((answer) => 'claimed' in answer)] ?? '';
  expect(claims.filter((answer) => 'claimed' in answer)).toHaveLength(1);
  await settleAccepted(database.app, winner, newSid());
  const later = await Promise.all(
    ids.filter((id) => id !== winner).map((id) => claim(database.app, id, MINUTE, terms)),
  );
  expect(later.every((answer) => 'busy' in answer && answer.because === 'recipient-limit')).toBe(true);
  const [first] = later;
  expect(first !== undefined && 'busy' in first && first.busy > 50_000).toBe(true);
});
