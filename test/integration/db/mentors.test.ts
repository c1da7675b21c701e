import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { closeCall } from '../../../db/calls';
import {
  createContactPoint,
  deleteContactPoint,
  findContactPoint,
  listContactPoints,
} from '../../../db/contact-points';
import { freeDeadSlots, haveTalked, mentorOfStep, releaseSlot } from '../../../db/mentor-slots';
import { deleteMentor, findMentorByToken, getMentor, listMentors, updateMentor } from '../../../db/mentors';
import { inTransaction } from '../../../db/pool';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { liveCall, mentorWith, personWithNumber, reserveSlot } from './people';

const LEASE = 60_000;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const reserve = (mentorId: string, callId: string, step = 1) =>
  reserveSlot(database.app, { mentorId, callId, step, leaseMs: LEASE });
const release = (callId: string, step = 1) => releaseSlot(database.app, { callId, step, result: 'no-answer' });
const callsOf = async (mentorId: string) => (await getMentor(database.app, mentorId))?.currentCalls;

describe('places of a mentor', () => {
  test('of forty calls at once as many get the mentor as there are places', async () => {
    const { mentorId } = await mentorWith(database.app, { maxConcurrentCalls: 3 });
    const calls = await Promise.all(Array.from({ length: 40 }, () => liveCall(database.app)));
    const pools = Array.from({ length: 4 }, () => database.anotherPool(10));
    const results = await Promise.all(
      calls.map(({ callId }, i) =>
        reserveSlot(pools[i % 4] ?? database.app, { mentorId, callId, step: 1, leaseMs: LEASE }),
      ),
    );
    expect(results.filter((result) => result !== null)).toHaveLength(3);
    expect(await callsOf(mentorId)).toBe(3);
  });

  test('forty clients that reserve and release at random never hold more than there is, and leave nothing', async () => {
    const mentors = await Promise.all(Array.from({ length: 5 }, () => mentorWith(database.app)));
    const calls = await Promise.all(Array.from({ length: 40 }, () => liveCall(database.app)));
    const pools = Array.from({ length: 4 }, () => database.anotherPool(10));
    // The model: who holds whom, from the answer of a reserve until the release is asked for.
    const holders = new Map<string, number>();
    let [reservations, most] = [0, 0];
    await Promise.all(
      calls.map(async ({ callId }, i) => {
        const pool = pools[i % 4] ?? database.app;
        for (let step = 1; step <= 15; step += 1) {
          const mentorId = mentors[randomInt(5)]?.mentorId ?? '';
          const got = await reserveSlot(pool, { mentorId, callId, step, leaseMs: LEASE });
          if (got === null) continue;
          reservations += 1;
          const now = (holders.get(mentorId) ?? 0) + 1;
          holders.set(mentorId, now);
          most = Math.max(most, now);
          // The mentor is held while others try.
          await pool.query('SELECT 1');
          holders.set(mentorId, (holders.get(mentorId) ?? 0) - 1);
          await releaseSlot(pool, { callId, step, result: 'busy' });
        }
      }),
    );
    expect(most).toBe(1);
    expect(reservations).toBeGreaterThan(40);
    for (const { mentorId } of mentors) expect(await callsOf(mentorId)).toBe(0);
  });

  test('a repeated reserve of a step gets the first mentor again, also when it asks for another', async () => {
    const [first, second] = [await mentorWith(database.app), await mentorWith(database.app)];
    const { callId } = await liveCall(database.app);
    await expect(reserve(first.mentorId, callId)).resolves.toEqual({ mentorId: first.mentorId, again: false });
    await expect(reserve(second.mentorId, callId)).resolves.toEqual({ mentorId: first.mentorId, again: true });
    expect(await callsOf(second.mentorId)).toBe(0);
    await expect(mentorOfStep(database.app, callId, 1)).resolves.toBe(first.mentorId);
    await expect(mentorOfStep(database.app, callId, 2)).resolves.toBeNull();
  });

  test('the same reserve many times at once takes one place', async () => {
    const { mentorId } = await mentorWith(database.app, { maxConcurrentCalls: 5 });
    const { callId } = await liveCall(database.app);
    const results = await Promise.all(Array.from({ length: 10 }, () => reserve(mentorId, callId)));
    expect(results.every((result) => result?.mentorId === mentorId)).toBe(true);
    expect(await callsOf(mentorId)).toBe(1);
  });

  test('a reserve that arrives after its release takes no place, and a release may be repeated', async () => {
    const { mentorId } = await mentorWith(database.app);
    const { callId } = await liveCall(database.app);
    await reserve(mentorId, callId);
    await expect(release(callId)).resolves.toBe(true);
    await expect(release(callId)).resolves.toBe(false);
    await expect(reserve(mentorId, callId)).resolves.toEqual({ mentorId, again: true });
    expect(await callsOf(mentorId)).toBe(0);
  });

  test('a call that is over reserves nobody', async () => {
    const { mentorId } = await mentorWith(database.app);
    const { callId } = await liveCall(database.app);
    await closeCall(database.app, {
      callId,
      outcome: 'cancelled',
      endReason: 'cancelled-by-user',
      endedAt: new Date(),
      durationSeconds: 0,
    });
    await expect(reserve(mentorId, callId)).resolves.toBeNull();
    await expect(reserve(mentorId, randomUUID())).resolves.toBeNull();
  });

  test('a release touches no place that another call has taken meanwhile', async () => {
    const { mentorId } = await mentorWith(database.app);
    const [first, second] = [await liveCall(database.app), await liveCall(database.app)];
    await reserve(mentorId, first.callId);
    await release(first.callId);
    await reserve(mentorId, second.callId);
    await release(first.callId);
    expect(await callsOf(mentorId)).toBe(1);
  });

  test('the sweep frees places of calls that do not run, and only those', async () => {
    const { mentorId } = await mentorWith(database.app, { maxConcurrentCalls: 2 });
    const [dead, running] = [await liveCall(database.app), await liveCall(database.app)];
    await reserve(mentorId, dead.callId);
    await reserve(mentorId, running.callId);
    const freed = await freeDeadSlots(database.app, (callId) => Promise.resolve(callId !== dead.callId));
    expect(freed).toEqual([dead.callId]);
    expect(await callsOf(mentorId)).toBe(1);
  });

  test('more places are there at once, fewer when the calls are over', async () => {
    const { mentorId } = await mentorWith(database.app, { maxConcurrentCalls: 1 });
    const [first, second, third] = [
      await liveCall(database.app),
      await liveCall(database.app),
      await liveCall(database.app),
    ];
    await reserve(mentorId, first.callId);
    await expect(reserve(mentorId, second.callId)).resolves.toBeNull();
    await updateMentor(database.app, mentorId, { maxConcurrentCalls: 2 }, 'system');
    await expect(reserve(mentorId, second.callId)).resolves.toMatchObject({ mentorId });
    await updateMentor(database.app, mentorId, { maxConcurrentCalls: 1 }, 'system');
    expect(await callsOf(mentorId)).toBe(2);
    await release(first.callId);
    await release(second.callId);
    const { rows } = await database.app.query('SELECT n FROM mentor_slots WHERE mentor_id = $1', [mentorId]);
    expect(rows).toEqual([{ n: 1 }]);
    await expect(reserve(mentorId, third.callId, 2)).resolves.toMatchObject({ mentorId });
  });

  test('reserving while places are changed ends without a deadlock', async () => {
    const { mentorId } = await mentorWith(database.app, { maxConcurrentCalls: 4 });
    const calls = await Promise.all(Array.from({ length: 12 }, () => liveCall(database.app)));
    const changes = Array.from({ length: 8 }, (_, i) =>
      updateMentor(database.app, mentorId, { maxConcurrentCalls: 1 + (i % 4) }, 'system'),
    );
    await Promise.all([...changes, ...calls.map(({ callId }) => reserve(mentorId, callId))]);
    await Promise.all(calls.map(({ callId }) => release(callId)));
    expect(await callsOf(mentorId)).toBe(0);
  });
});

describe('mentors', () => {
  const windows = [
    { weekday: 1, starts: '09:00', ends: '17:30' },
    { weekday: 5, starts: '22:00', ends: '06:00' },
  ];

  test('are found with windows and current calls, and are rung while they are switched on', async () => {
    const mentor = await mentorWith(database.app, { specialties: ['sleep'], languages: ['en', 'es'] });
    const { callId } = await liveCall(database.app);
    await reserve(mentor.mentorId, callId);
    expect(await getMentor(database.app, mentor.mentorId)).toMatchObject({
      windows: mentor.windows,
      currentCalls: 1,
      languages: ['en', 'es'],
      lastCalledAt: expect.any(Date),
    });
    await release(callId);
    await updateMentor(database.app, mentor.mentorId, { available: false }, 'system');
    await expect(reserve(mentor.mentorId, (await liveCall(database.app)).callId)).resolves.toBeNull();
  });

  test('change only in what is given, and a replaced number is destroyed', async () => {
    const mentor = await mentorWith(database.app, { windows });
    const { recordId } = await personWithNumber(database.app);
    const changed = await updateMentor(
      database.app,
      mentor.mentorId,
      { phoneRecordId: recordId, zone: 'UTC' },
      'system',
    );
    expect(changed).toMatchObject({ zone: 'UTC', windows, phoneRecordId: recordId, country: 'US' });
    const { rows } = await database.app.query('SELECT destroyed_at FROM vault_records WHERE record_id = $1', [
      mentor.phoneRecordId,
    ]);
    expect(rows).toEqual([{ destroyed_at: expect.any(Date) }]);
    await expect(updateMentor(database.app, randomUUID(), { zone: 'UTC' }, 'system')).resolves.toBeNull();
  });

  test('are gone when deleted, with name, number and token', async () => {
    const phoneToken = randomBytes(32);
    const mentor = await mentorWith(database.app, { phoneToken, windows });
    await expect(findMentorByToken(database.app, [Buffer.alloc(32), phoneToken])).resolves.toBe(mentor.mentorId);
    await expect(deleteMentor(database.app, mentor.mentorId, 'system')).resolves.toBe('deleted');
    await expect(deleteMentor(database.app, mentor.mentorId, 'system')).resolves.toBeNull();
    await expect(getMentor(database.app, mentor.mentorId)).resolves.toBeNull();
    await expect(findMentorByToken(database.app, [phoneToken])).resolves.toBeNull();
    const { rows } = await database.app.query(
      'SELECT count(*)::int AS left FROM vault_records WHERE record_id = ANY($1) AND ciphertext IS NOT NULL',
      [[mentor.nameRecordId, mentor.phoneRecordId]],
    );
    expect(rows).toEqual([{ left: 0 }]);
  });

  test('are listed page by page, each once', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => mentorWith(database.app)));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listMentors(database.app, 2, cursor);
      seen.push(...page.rows.map(({ mentorId }) => mentorId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(made.map(({ mentorId }) => mentorId)));
  });

  test('can be asked for by those who have talked to them', async () => {
    const { mentorId } = await mentorWith(database.app);
    const { userId, callId } = await liveCall(database.app);
    await expect(haveTalked(database.app, userId, mentorId)).resolves.toBe(false);
    await database.app.query('UPDATE call_logs SET mentor_id = $2, bridged_at = now() WHERE call_id = $1', [
      callId,
      mentorId,
    ]);
    await expect(haveTalked(database.app, userId, mentorId)).resolves.toBe(true);
  });
});

describe('contact points', () => {
  const save = async (subjectId: string, recordId: string, token: Buffer) =>
    await inTransaction(database.app, (tx) =>
      createContactPoint(tx, { subjectId, recordId, kind: 'phone', token, tokenVersion: 1, country: 'US' }),
    );

  test('are saved once per number and person; the second record is destroyed', async () => {
    const [first, second] = [await personWithNumber(database.app), await personWithNumber(database.app)];
    const token = randomBytes(32);
    const saved = await save(first.userId, first.recordId, token);
    await expect(save(first.userId, second.recordId, token)).resolves.toEqual(saved);
    await expect(listContactPoints(database.app, first.userId)).resolves.toEqual([saved]);
    const { rows } = await database.app.query('SELECT destroyed_at FROM vault_records WHERE record_id = $1', [
      second.recordId,
    ]);
    expect(rows).toEqual([{ destroyed_at: expect.any(Date) }]);
  });

  test('are seen and deleted by their own person only, and leave neither record nor token', async () => {
    const [mine, theirs] = [await personWithNumber(database.app), await personWithNumber(database.app)];
    const { contactPointId } = await save(mine.userId, mine.recordId, randomBytes(32));
    const remove = (subjectId: string) =>
      inTransaction(database.app, (tx) => deleteContactPoint(tx, subjectId, contactPointId));
    await expect(findContactPoint(database.app, theirs.userId, contactPointId)).resolves.toBeNull();
    await expect(remove(theirs.userId)).resolves.toBe(false);
    await expect(remove(mine.userId)).resolves.toBe(true);
    await expect(remove(mine.userId)).resolves.toBe(false);
    const { rows } = await database.app.query(
      'SELECT c.token, v.ciphertext FROM contact_points c JOIN vault_records v USING (record_id) WHERE contact_point_id = $1',
      [contactPointId],
    );
    expect(rows).toEqual([{ token: null, ciphertext: null }]);
  });
});
