import { randomBytes, randomUUID } from 'node:crypto';
import { legRecipient } from '../../../db/call-recipients';
import {
  closeCall,
  countRecentRequests,
  destroyCallNumber,
  findCall,
  findLiveCall,
  findLiveCallByToken,
  listCalls,
  liveCalls,
  openCall,
  updateCall,
} from '../../../db/calls';
import { lastRings } from '../../../db/mentor-rings';
import { releaseSlot } from '../../../db/mentor-slots';
import { getMentor } from '../../../db/mentors';
import type { Leg, MentorCallInput } from '../../../domain/mentor-call';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { callInput, LIMITS, liveCall, mentorWith, personWithNumber, reserveSlot, tokenHex } from './people';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const open = (input: MentorCallInput) => openCall(database.app, input, LIMITS);
const end = (callId: string, more: Partial<Parameters<typeof closeCall>[1]> = {}) =>
  closeCall(database.app, {
    callId,
    outcome: 'completed',
    endReason: 'bridge-over',
    endedAt: new Date(),
    durationSeconds: 61,
    ...more,
  });
const entriesOf = async (callId: string) =>
  (
    await database.app.query('SELECT action, purpose, outcome FROM audit_entries WHERE object_id = $1 ORDER BY txid', [
      callId,
    ])
  ).rows;
const ageBy = (callId: string, minutes: number) =>
  database.owner.query(`UPDATE call_logs SET opened_at = opened_at - $2 * interval '1 minute' WHERE call_id = $1`, [
    callId,
    minutes,
  ]);

describe('opening a call', () => {
  test('writes a live row and one entry with the consent, and repeats as the first time', async () => {
    const input = callInput(await personWithNumber(database.app), {
      consent: { textVersion: '2026-01', language: 'es' },
    });
    await expect(open(input)).resolves.toEqual({ state: 'opened' });
    await expect(open(input)).resolves.toEqual({ state: 'opened' });
    expect(await findCall(database.app, input.callId)).toMatchObject({
      status: 'starting',
      live: true,
      workflowId: `mentor-call:${input.callId}`,
      consentVersion: '2026-01',
      consentLanguage: 'es',
    });
    expect(await entriesOf(input.callId)).toEqual([
      { action: 'mentor-call.requested', purpose: 'consent:2026-01:es', outcome: 'done' },
    ]);
  });

  test('of many requests of one user at once one is live, and all others name it', async () => {
    const person = await personWithNumber(database.app);
    const inputs = Array.from({ length: 20 }, () => callInput(person));
    const pools = [database.app, database.anotherPool(10)];
    const results = await Promise.all(inputs.map((input, i) => openCall(pools[i % 2] ?? database.app, input, LIMITS)));
    expect(results.filter(({ state }) => state === 'opened')).toHaveLength(1);
    const live = await findLiveCall(database.app, person.userId);
    const merged = results.filter(({ state }) => state === 'merged');
    expect(merged).toEqual(Array.from({ length: 19 }, () => ({ state: 'merged', mergedInto: live?.callId })));
  });

  test('two live rows of one user cannot be, whoever writes them', async () => {
    const { callId } = await liveCall(database.app);
    const again = database.owner.query(
      `INSERT INTO call_logs SELECT (c).* FROM (SELECT jsonb_populate_record(c, jsonb_build_object('call_id', gen_random_uuid())) AS c
         FROM call_logs c WHERE call_id = $1) AS copies`,
      [callId],
    );
    await expect(again).rejects.toMatchObject({ code: '23505', constraint: 'call_logs_one_live_per_user' });
  });

  test('a merged request repeats as merged after the other call is over, and is over itself', async () => {
    const person = await personWithNumber(database.app);
    const [first, second] = [callInput(person), callInput(person)];
    await open(first);
    await open(second);
    await end(first.callId);
    await expect(open(second)).resolves.toEqual({ state: 'merged', mergedInto: first.callId });
    expect(await findCall(database.app, second.callId)).toMatchObject({
      outcome: 'merged',
      live: false,
      status: 'merged',
    });
  });

  test('a user gets three calls an hour; merged requests do not count; the fourth says when', async () => {
    const person = await personWithNumber(database.app);
    const calls = Array.from({ length: 3 }, () => callInput(person));
    for (const input of calls) {
      await expect(open(input)).resolves.toEqual({ state: 'opened' });
      await expect(open(callInput(person))).resolves.toMatchObject({ state: 'merged' });
      await end(input.callId);
    }
    const fourth = callInput(person);
    const limited = await open(fourth);
    expect(limited).toMatchObject({ state: 'limited', which: 'user' });
    const wait = limited.state === 'limited' ? limited.retryAfterSeconds : 0;
    expect(wait).toBeGreaterThan(3_500);
    expect(wait).toBeLessThanOrEqual(3_600);
    await expect(open(fourth)).resolves.toMatchObject({ state: 'limited', which: 'user' });
    expect(await findCall(database.app, fourth.callId)).toMatchObject({
      outcome: 'failed',
      endReason: 'too-many-requests',
    });
    expect(await entriesOf(fourth.callId)).toMatchObject([{ action: 'mentor-call.limited', outcome: 'refused' }]);

    await ageBy(calls[0]?.callId ?? '', 61);
    await expect(open(callInput(person))).resolves.toEqual({ state: 'opened' });
  });

  test('a number is rung for three requests an hour, over all users and however many ask at once', async () => {
    const recipientToken = tokenHex();
    const people = await Promise.all(Array.from({ length: 12 }, () => personWithNumber(database.app)));
    const results = await Promise.all(people.map((person) => open(callInput(person, { recipientToken }))));
    expect(results.filter(({ state }) => state === 'opened')).toHaveLength(3);
    expect(results.filter((result) => result.state === 'limited' && result.which === 'target')).toHaveLength(9);
  });

  test('limits are counted before anything is started, under every version of the token key', async () => {
    const input = await liveCall(database.app);
    const ask = (tokenHexes: string[]) =>
      countRecentRequests(database.app, { userId: randomUUID(), tokenHexes }, { perUser: 1, perTarget: 1 });
    await expect(ask([tokenHex(), input.recipientToken])).resolves.toMatchObject({ which: 'target' });
    await expect(ask([tokenHex()])).resolves.toBeNull();
  });

  test('requests of users and numbers that cross each other never wait for each other in a circle', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => personWithNumber(database.app)));
    const tokens = Array.from({ length: 6 }, () => tokenHex());
    const crossed = people.flatMap((person, i) =>
      tokens.map((_, j) => callInput(person, { recipientToken: tokens[(i + j) % 6] ?? '' })),
    );
    await expect(Promise.all(crossed.map(open))).resolves.toHaveLength(36);
  });
});

describe('a running call', () => {
  test('keeps what is noted, the first answer and bridge for good, and nothing after its end', async () => {
    const { callId } = await liveCall(database.app);
    const answeredAt = new Date('2026-01-01T00:00:00Z');
    await expect(updateCall(database.app, callId, { status: 'ringing-user', callSid: 'CA1' })).resolves.toBe(true);
    await updateCall(database.app, callId, { status: 'finding-mentor', answeredAt });
    await updateCall(database.app, callId, { answeredAt: new Date().toISOString() });
    expect(await findCall(database.app, callId)).toMatchObject({
      status: 'finding-mentor',
      callSid: 'CA1',
      answeredAt,
    });
    await end(callId);
    await expect(updateCall(database.app, callId, { status: 'connected' })).resolves.toBe(false);
    expect(await findCall(database.app, callId)).toMatchObject({ status: 'completed' });
  });

  test('is found by its user and by the number that rings us', async () => {
    const input = await liveCall(database.app);
    const token = Buffer.from(input.recipientToken, 'hex');
    expect(await findLiveCallByToken(database.app, [Buffer.alloc(32), token])).toMatchObject({ callId: input.callId });
    expect(await findLiveCallByToken(database.app, [Buffer.alloc(32)])).toBeNull();
    expect((await liveCalls(database.app, 0, 1_000)).map(({ callId }) => callId)).toContain(input.callId);
    expect(await liveCalls(database.app, 3_600_000, 1_000)).toEqual([]);
  });
});

describe('whom a leg was for, as its log line says it', () => {
  test('is the user, or the mentor of that step with the country of the mentor’s own number', async () => {
    const input = callInput(await personWithNumber(database.app), { country: 'GB' });
    await open(input);
    const phoneToken = randomBytes(32);
    const { mentorId } = await mentorWith(database.app, { country: 'US', phoneToken });
    await reserveSlot(database.app, { mentorId, callId: input.callId, step: 2, leaseMs: 60_000 });
    const leg = (kind: Leg, step: number | null) =>
      legRecipient(database.app, { callId: input.callId, leg: kind, step, dispatchId: null });
    const user = { recipientToken: Buffer.from(input.recipientToken, 'hex'), country: 'GB', retryCount: 0 };
    expect(await leg('user', null)).toEqual(user);
    expect(await leg('mentor', 2)).toEqual({ recipientToken: phoneToken, country: 'US', retryCount: 0 });
    expect(await leg('mentor', 7)).toEqual({ recipientToken: null, country: null, retryCount: 0 });
    expect(await leg('helpline', null)).toEqual({ ...user, recipientToken: null });
  });
});

describe('closing a call', () => {
  const destroyed = async (recordId: string) =>
    (await database.app.query('SELECT ciphertext IS NULL AS gone FROM vault_records WHERE record_id = $1', [recordId]))
      .rows[0].gone;

  test('ends row, places, offers and number at once, with one entry, however often it is asked', async () => {
    const input = await liveCall(database.app);
    const mentor = await mentorWith(database.app);
    await reserveSlot(database.app, { mentorId: mentor.mentorId, callId: input.callId, step: 1, leaseMs: 1_000 });
    const closed = await Promise.all([1, 2, 3].map(() => end(input.callId, { connectedStep: 1 })));
    expect(closed.filter(Boolean)).toHaveLength(1);
    await expect(end(input.callId, { outcome: 'failed', endReason: 'stopped-by-operator' })).resolves.toBe(false);
    expect(await findCall(database.app, input.callId)).toMatchObject({
      live: false,
      status: 'completed',
      endReason: 'bridge-over',
      durationSeconds: 61,
    });
    expect(await getMentor(database.app, mentor.mentorId)).toMatchObject({ currentCalls: 0 });
    expect(await destroyed(input.recordId)).toBe(true);
    expect((await entriesOf(input.callId)).map(({ action }) => action)).toEqual([
      'mentor-call.requested',
      'mentor-call.closed',
    ]);
    const { rows } = await database.app.query('SELECT result FROM mentor_offers WHERE call_id = $1', [input.callId]);
    expect(rows).toEqual([{ result: 'completed' }]);
  });

  test('says of a mentor who rang when the user hung up that nobody talked to them, whoever had talked before', async () => {
    const input = await liveCall(database.app);
    const [talked, rang] = [await mentorWith(database.app), await mentorWith(database.app)];
    const places = [talked, rang].map(({ mentorId }, n) => ({ mentorId, callId: input.callId, step: n + 1 }));
    for (const place of places) await reserveSlot(database.app, { ...place, leaseMs: 60_000 });
    await releaseSlot(database.app, { callId: input.callId, step: 1, result: 'completed' });
    await end(input.callId);
    const states = await Promise.all([talked, rang].map(({ mentorId }) => lastRings(database.app, mentorId, 1)));
    expect(states.flat()).toMatchObject([{ state: 'talked' }, { state: 'missed' }]);
  });

  test('keeps the number for the ring-back window when asked to, then destroys it', async () => {
    const input = await liveCall(database.app);
    await expect(destroyCallNumber(database.app, input.callId)).resolves.toBe(false);
    await end(input.callId, { keepNumber: true });
    expect(await destroyed(input.recordId)).toBe(false);
    await expect(destroyCallNumber(database.app, input.callId)).resolves.toBe(true);
    await expect(destroyCallNumber(database.app, input.callId)).resolves.toBe(false);
    expect(await destroyed(input.recordId)).toBe(true);
  });

  test('leaves a saved contact point alone', async () => {
    const input = callInput(await personWithNumber(database.app), { numberIsForThisCallOnly: false });
    await open(input);
    await end(input.callId);
    expect(await destroyed(input.recordId)).toBe(false);
  });

  test('a merged or limited request loses its number too', async () => {
    const person = await personWithNumber(database.app);
    const other = await personWithNumber(database.app);
    await open(callInput(person));
    const merged = callInput({ userId: person.userId, recordId: other.recordId });
    const opened = await open(merged);
    await end(merged.callId, {
      outcome: 'merged',
      endReason: 'merged',
      ...(opened.state === 'merged' ? { mergedInto: opened.mergedInto } : {}),
    });
    expect(await destroyed(other.recordId)).toBe(true);
    expect(await destroyed(person.recordId)).toBe(false);
  });

  test('changes nothing when its entry cannot be written', async () => {
    const input = await liveCall(database.app);
    await database.owner.query(
      `ALTER TABLE audit_entries ADD CONSTRAINT broken CHECK (action <> 'mentor-call.closed') NOT VALID`,
    );
    await expect(end(input.callId)).rejects.toMatchObject({ code: '23514' });
    await database.owner.query('ALTER TABLE audit_entries DROP CONSTRAINT broken');
    expect(await findCall(database.app, input.callId)).toMatchObject({ live: true });
    expect(await destroyed(input.recordId)).toBe(false);
  });
});

describe('lists of calls', () => {
  test('show the calls of one user, newest first, each once over all pages', async () => {
    const person = await personWithNumber(database.app);
    const ids: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      const input = callInput(person);
      await openCall(database.app, input, { perUser: 100, perTarget: 100 });
      ids.unshift(input.callId);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listCalls(database.app, { userId: person.userId, limit: 3, cursor });
      seen.push(...page.rows.map(({ callId }) => callId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    const fromNonsense = await listCalls(database.app, { userId: person.userId, limit: 3, cursor: 'nonsense' });
    expect(fromNonsense.rows[0]?.callId).toBe(ids[0]);
  });
});
