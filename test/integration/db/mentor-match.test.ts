import { randomInt } from 'node:crypto';
import { createException } from '../../../db/mentor-exceptions';
import { reserveBest } from '../../../db/mentor-match';
import { releaseAllSlots, releaseSlot } from '../../../db/mentor-slots';
import { updateMentor } from '../../../db/mentors';
import { defaultScorer, learnedScorer } from '../../../domain/match-scorers';
import type { MentorPreferences } from '../../../domain/mentor-call';
import { inOrder, type MentorCandidate, rankMentors } from '../../../domain/mentor-matching';
import { manyMentors } from '../../../scripts/bench/many-mentors';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { liveCall, mentorWith } from './people';

let database: TestDatabase;
let server: TestDatabase;
beforeAll(async () => {
  // Run by itself this suite has a server of its own, which this one keeps from ending between tests.
  server = await createTestDatabase();
});
afterAll(() => server.drop());
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const SCORER = defaultScorer();
const match = (callId: string, step: number, more: object = {}) => ({
  callId,
  step,
  leaseMs: 60_000,
  preferences: {},
  country: 'US',
  exclude: [],
  ...more,
});
const reserve = (callId: string, step: number, more: object = {}, scorer = SCORER) =>
  reserveBest(database.app, match(callId, step, more), scorer);
const reasonsOf = async (callId: string, step: number) =>
  (await database.owner.query('SELECT reasons FROM mentor_offers WHERE call_id = $1 AND step = $2', [callId, step]))
    .rows[0].reasons;

/** Everybody, as the model wants them. */
async function candidates(): Promise<MentorCandidate[]> {
  const { rows } = await database.owner.query(
    `SELECT m.mentor_id AS "mentorId", m.languages, m.specialties, m.country, m.available, c.current_calls AS "currentCalls",
            m.max_concurrent_calls AS "maxConcurrentCalls", m.last_called_at AS "lastCalledAt",
            EXISTS (SELECT 1 FROM mentor_shifts s WHERE s.mentor_id = m.mentor_id AND s.during @> now()) AS "isOnShift"
       FROM mentors m JOIN mentor_current_calls c USING (mentor_id) WHERE m.deleted_at IS NULL`,
  );
  return rows;
}

const pick = <T>(all: readonly T[]): T => all[randomInt(all.length)] as T;
const some = <T>(all: readonly T[]): T[] => all.filter(() => randomInt(2) === 0);

test.each([
  ['default', SCORER],
  [
    'learned',
    learnedScorer(1, { languageRank: 2, specialties: 0.5, mostForSpecialties: 9, sameCountry: 1, rested: 2, load: -3 }),
  ],
])('the statement chooses whom the rules choose, with the %s scorer', async (_name, scorer) => {
  const mentors = [];
  for (let made = 0; made < 14; made += 1) {
    mentors.push(
      await mentorWith(database.app, {
        languages: pick([['en'], ['es'], ['en', 'es'], ['fr']]),
        specialties: some(['sleep', 'twins', 'feeding']),
        country: pick(['US', 'CA']),
        maxConcurrentCalls: 1 + randomInt(3),
        // The first one is away, so that each answer occurs whatever chance brings.
        available: made > 0 && randomInt(6) > 0,
        ...(randomInt(6) === 0 ? { windows: [] } : {}),
      }),
    );
  }
  const ids = mentors.map(({ mentorId }) => mentorId);
  let [{ callId }, held] = [await liveCall(database.app), 0];
  const whys = new Set<string>();
  for (let step = 1; step <= 90; step += 1) {
    const preferences: MentorPreferences = {
      languages: some(['es', 'en']),
      specialties: some(['twins', 'sleep', 'none']),
      ...(randomInt(5) === 0 ? { mentorId: pick(ids) } : {}),
    };
    const asked = {
      preferences,
      country: 'US',
      exclude: some(some(ids)),
      only: step === 1 ? ids[0] : randomInt(6) === 0 ? pick(ids) : undefined,
    };
    const before = await candidates();
    const model = rankMentors(before, asked, scorer, { at: new Date(), random: Math.random });
    const { mentorId, why } = await reserve(callId, step, asked, scorer);
    whys.add(why);
    expect(why).toBe(model.why === 'ranked' ? 'reserved' : model.why);
    const [best] = model.ranked;
    const chosen = model.ranked.find((one) => one.mentorId === mentorId);
    if (best === undefined || chosen === undefined) {
      expect({ mentorId, best }).toEqual({ mentorId: null, best: undefined });
      continue;
    }
    // Where they stand alike chance decides. What moves with the clock is compared as closely as the two clocks allow.
    expect(Math.abs(inOrder({ ...best, score: 0 }, { ...chosen, score: 0 }))).toBe(
      best.score === chosen.score ? 0 : expect.anything(),
    );
    expect(chosen.score).toBeCloseTo(best.score, 3);
    const { chosen: kept } = await reasonsOf(callId, step);
    expect(kept?.score).toBeCloseTo(chosen.score, 3);
    held += 1;
    if (held % 3 !== 0) await releaseSlot(database.app, { callId, step, result: 'busy' });
    if (held % 20 === 0) ({ callId } = await liveCall(database.app));
  }
  expect(whys).toEqual(new Set(['reserved', 'nobody-on-shift', 'all-busy']));
});

test('ten thousand reservations by forty clients among a thousand mentors double-book nobody', async () => {
  // Fifty are on shift, for forty clients with up to three of them each: some find nobody.
  await manyMentors(database.owner, 1_000, 20);
  const calls = await Promise.all(Array.from({ length: 40 }, () => liveCall(database.app)));
  const pools = Array.from({ length: 4 }, () => database.anotherPool(10));
  // The model: who is held by whom, from the answer of a match until its release is asked for.
  const holders = new Map<string, string>();
  let [reservations, doubled, refused] = [0, 0, 0];
  await Promise.all(
    calls.map(async ({ callId }, i) => {
      const pool = pools[i % 4] ?? database.app;
      const mine: string[] = [];
      const giveBack = async () => {
        for (const mentorId of mine.splice(0)) holders.delete(mentorId);
        await releaseAllSlots(pool, callId, null);
      };
      for (let step = 1; step <= 250; step += 1) {
        const { mentorId } = await reserveBest(pool, match(callId, step), SCORER);
        if (mentorId === null) refused += 1;
        else {
          reservations += 1;
          if (holders.has(mentorId)) doubled += 1;
          holders.set(mentorId, callId);
          mine.push(mentorId);
        }
        if (step % 3 === 0) await giveBack();
      }
      await giveBack();
    }),
  );
  expect(doubled).toBe(0);
  expect(reservations + refused).toBe(10_000);
  expect(reservations).toBeGreaterThan(4_000);
  const { rows } = await database.owner.query('SELECT count(*)::int AS n FROM mentor_slots WHERE call_id IS NOT NULL');
  expect(rows).toEqual([{ n: 0 }]);
});

test('nobody on shift and everybody busy are told apart, and kept with how often it was asked', async () => {
  const { callId } = await liveCall(database.app);
  await expect(reserve(callId, 1)).resolves.toEqual({ mentorId: null, why: 'nobody-on-shift', again: false });
  const off = await mentorWith(database.app, { windows: [] });
  await expect(reserve(callId, 1)).resolves.toMatchObject({ why: 'nobody-on-shift' });
  const { mentorId } = await mentorWith(database.app);
  await expect(reserve(callId, 2)).resolves.toMatchObject({ mentorId, why: 'reserved' });
  await expect(reserve(callId, 3)).resolves.toMatchObject({ mentorId: null, why: 'all-busy' });
  await expect(reserve(callId, 4, { only: off.mentorId })).resolves.toMatchObject({ why: 'nobody-on-shift' });
  await expect(reserve(callId, 5, { exclude: [mentorId] })).resolves.toMatchObject({ why: 'all-busy' });
  const { rows } = await database.owner.query('SELECT step, why, times, reasons FROM match_misses ORDER BY step');
  expect(rows).toMatchObject([
    { step: 1, why: 'nobody-on-shift', times: 2, reasons: { chosen: null, others: [] } },
    { step: 3, why: 'all-busy', times: 1, reasons: { others: [{ mentorId, why: 'busy' }] } },
    { step: 4, why: 'nobody-on-shift' },
    { step: 5, reasons: { others: [{ mentorId, why: 'tried-already' }] } },
  ]);
});

test('the reasons say why this mentor, and why not the best of the others; of the rest how many', async () => {
  const spanish = await mentorWith(database.app, { languages: ['es'], specialties: ['sleep'] });
  const english = await mentorWith(database.app);
  const call = await liveCall(database.app);
  const busy = await mentorWith(database.app, { languages: ['es'], specialties: ['sleep'] });
  await reserve((await liveCall(database.app)).callId, 1, { only: busy.mentorId });
  const preferences = { languages: ['es'], specialties: ['sleep', 'twins'] };
  await reserve(call.callId, 1, { preferences });
  expect(await reasonsOf(call.callId, 1)).toEqual({
    scorer: { name: 'default', version: 0 },
    counts: { onShift: 3, free: 2, busy: 1, triedAlready: 0 },
    chosen: {
      askedFor: false,
      score: 110,
      features: { languageRank: 1, specialties: 1, sameCountry: 1, rested: 1, load: 0 },
      currentCalls: 0,
      lastCalledAt: null,
      met: { languages: ['es'], specialties: ['sleep'] },
    },
    others: [
      expect.objectContaining({ mentorId: busy.mentorId, why: 'busy', score: 110, currentCalls: 1 }),
      expect.objectContaining({ mentorId: english.mentorId, why: 'lower-score', score: 0 }),
    ],
  });
  expect(spanish.mentorId).not.toBe(busy.mentorId);
  await manyMentors(database.owner, 100, 1);
  await reserve(call.callId, 2, { preferences });
  const { others, counts } = await reasonsOf(call.callId, 2);
  expect(others).toHaveLength(20);
  expect(counts).toEqual({ onShift: 103, free: 101, busy: 2, triedAlready: 0 });
  expect(Buffer.byteLength(JSON.stringify(others))).toBeLessThan(10_000);
});

test.each<[string, object, object]>([
  ['another-was-asked-for', { languages: ['es'] }, { asked: true }],
  ['lower-score', {}, { languages: ['es'] }],
  ['more-calls', { calls: 1 }, {}],
  ['called-more-recently', { lastCalledAt: '2026-11-20' }, { lastCalledAt: '2026-11-19' }],
  ['called-more-recently', { lastCalledAt: '2026-11-20' }, {}],
  ['chance', {}, {}],
])('why it was not the other: %s', async (why, other, chosen) => {
  const made = async ({ languages = ['en'], calls = 0, lastCalledAt = null as string | null }) => {
    const { mentorId } = await mentorWith(database.app, { languages, maxConcurrentCalls: 2 });
    if (calls > 0) await reserve((await liveCall(database.app)).callId, 1, { only: mentorId });
    await database.owner.query('UPDATE mentors SET last_called_at = $2 WHERE mentor_id = $1', [mentorId, lastCalledAt]);
    return mentorId;
  };
  const [theOther, theChosen] = [await made(other), await made(chosen)];
  const { callId } = await liveCall(database.app);
  const preferences = { languages: ['es'], ...('asked' in chosen ? { mentorId: theChosen } : {}) };
  const { mentorId } = await reserve(callId, 1, { preferences });
  if (why !== 'chance') expect(mentorId).toBe(theChosen);
  const { others } = await reasonsOf(callId, 1);
  expect(others).toMatchObject([{ why, mentorId: mentorId === theChosen ? theOther : theChosen }]);
});

test('a switch, other hours or a day away count for the next match, and end nobody’s call', async () => {
  const mentor = await mentorWith(database.app, { maxConcurrentCalls: 9 });
  const { callId } = await liveCall(database.app);
  const { mentorId } = mentor;
  await expect(reserve(callId, 1)).resolves.toMatchObject({ mentorId });
  await updateMentor(database.app, mentorId, { available: false }, 'system');
  await expect(reserve(callId, 2)).resolves.toMatchObject({ why: 'nobody-on-shift' });
  await updateMentor(database.app, mentorId, { available: true }, 'system');
  await expect(reserve(callId, 3)).resolves.toMatchObject({ mentorId });
  await updateMentor(database.app, mentorId, { windows: [] }, 'system');
  await expect(reserve(callId, 4)).resolves.toMatchObject({ why: 'nobody-on-shift' });
  const day = (ahead: number) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 16);
  const span = { starts: day(-1), ends: day(1), zone: 'UTC' };
  await createException(database.app, mentorId, { kind: 'shift', ...span }, 'system');
  await expect(reserve(callId, 5)).resolves.toMatchObject({ mentorId });
  await createException(database.app, mentorId, { kind: 'away', ...span }, 'system');
  await expect(reserve(callId, 6)).resolves.toMatchObject({ why: 'nobody-on-shift' });
  const { rows } = await database.owner.query('SELECT count(*)::int AS n FROM mentor_slots WHERE call_id = $1', [
    callId,
  ]);
  expect(rows).toEqual([{ n: 3 }]);
});
