/** From offers and ratings in the database to a scorer that is used: with the command that a person types. */
import { spawnSync } from 'node:child_process';
import { currentScorer } from '../../../db/match-models';
import { ratedMatches } from '../../../db/match-ratings';
import { reserveBest } from '../../../db/mentor-match';
import { releaseAllSlots } from '../../../db/mentor-slots';
import { defaultScorer, USUAL_POINTS } from '../../../domain/match-scorers';
import { manyMentors } from '../../../scripts/bench/many-mentors';
import { built } from '../../../scripts/project';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { liveCall } from './people';

const LEARNED = { scorer: 'learned', points: USUAL_POINTS } as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await manyMentors(database.owner, 30, 1);
});
afterAll(() => database.drop());

const evaluated = (...args: string[]) =>
  spawnSync(process.execPath, [built('scripts/match-evaluate.js'), ...args], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.appUrl,
      TWILIO_ACCOUNT_SID: `AC${'5'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'x',
      TWILIO_PHONE_NUMBER: '+14155550100',
      OIDC_ISSUER: 'http://127.0.0.1:1/oidc',
    },
  });

/** A call that led to a mentor, rated by whether they had the number of the same country. */
async function ratedCall(): Promise<void> {
  const { callId } = await liveCall(database.app);
  const match = { callId, step: 1, leaseMs: 1_000, preferences: { languages: ['es'] }, country: 'CA', exclude: [] };
  await reserveBest(database.app, match, defaultScorer());
  await releaseAllSlots(database.app, callId, { step: 1 });
  await database.owner.query(
    `INSERT INTO call_feedback (call_id, mentor_id, via, rating)
     SELECT call_id, mentor_id, 'key', 3 + 2 * (reasons->'chosen'->'features'->>'sameCountry')::int FROM mentor_offers WHERE call_id = $1`,
    [callId],
  );
}

test('without feedback there is nothing to learn from, and the rules are used', async () => {
  expect(evaluated()).toMatchObject({ status: 1, stderr: expect.stringContaining('There are 0 rated calls') });
  await expect(currentScorer(database.app, LEARNED)).resolves.toEqual(defaultScorer());
});

test('weights are learned, compared, and kept only when that is asked for', async () => {
  for (let made = 0; made < 40; made += 1) await ratedCall();
  // A call that nobody has said anything of teaches nothing; nor does one from before reasons were kept.
  const { callId } = await liveCall(database.app);
  await database.owner.query(
    "INSERT INTO call_feedback (call_id, mentor_id, via, rating) VALUES ($1, gen_random_uuid(), 'key', 1)",
    [callId],
  );
  const matches = await ratedMatches(database.app);
  expect(matches).toHaveLength(40);
  expect(matches[0]?.free).toHaveLength(21);
  expect(matches.every(({ free, chosen }) => free[0]?.mentorId === chosen)).toBe(true);

  const looked = evaluated('--json');
  expect([looked.status, looked.stderr]).toEqual([0, '']);
  const found = JSON.parse(looked.stdout);
  expect(found).toMatchObject({ calls: 40, savedAs: null, expected: { gain: { low: expect.any(Number) } } });
  expect(found.weights.sameCountry).toBeGreaterThan(0.5);
  expect(evaluated('--save')).toMatchObject({ status: 1, stderr: expect.stringContaining('50 are needed to save') });
  await expect(currentScorer(database.app, LEARNED)).resolves.toEqual(defaultScorer());

  for (let made = 0; made < 10; made += 1) await ratedCall();
  expect(evaluated('--save').stdout).toContain('Saved as version 1.');
  expect(evaluated('--save').stdout).toContain('Saved as version 2.');
  const scorer = await currentScorer(database.app, LEARNED);
  expect(scorer).toMatchObject({ name: 'learned', version: 2 });
  await expect(currentScorer(database.app, { ...LEARNED, scorer: 'default' })).resolves.toEqual(defaultScorer());

  const next = await liveCall(database.app);
  const match = {
    callId: next.callId,
    step: 1,
    leaseMs: 1_000,
    preferences: { languages: ['es'] },
    country: 'CA',
    exclude: [],
  };
  await reserveBest(database.app, match, scorer);
  const { rows } = await database.owner.query('SELECT reasons FROM mentor_offers WHERE call_id = $1', [next.callId]);
  expect(rows[0].reasons).toMatchObject({
    scorer: { name: 'learned', version: 2 },
    chosen: { features: { languageRank: 1, sameCountry: 1 } },
  });
});
