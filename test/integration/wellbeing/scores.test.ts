import { randomUUID } from 'node:crypto';
import { takeScores, type ScoreEvent, type ScoreRules } from '../../../db/wellbeing-scores';
import { alertsToStart, noteAlertStarted } from '../../../db/wellbeing-sweeps';
import { createSubject } from '../../../db/subjects';
import { TemporalNotInTime } from '../../../temporal/errors';
import { ApiUnderTest } from '../api/api-under-test';
import { scoreOf, sent } from './circle';

const DAY = 24 * 3_600_000;
const RULES: ScoreRules = {
  triggers: { low: 40, lowInARow: 3, drop: 20 },
  alertSpacingMs: 3 * DAY,
  countForMs: 14 * DAY,
};
const service = { role: 'service' } as const;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.wellbeing.down = null;
});

const somebody = () => createSubject(api.deps.pool, 'system');
const send = (...events: ScoreEvent[]) =>
  api.ask('POST', '/api/wellbeing/scores', { who: service, json: { events: events.map(sent) } });
const alertsOf = async (userId: string) =>
  (await api.database.owner.query('SELECT * FROM wellbeing_alerts WHERE user_id = $1 ORDER BY due_at', [userId])).rows;
const lows = (userId: string) => [3, 2, 1].map((hours) => scoreOf(userId, 30, hours));

describe('a batch of scores', () => {
  test('is counted by what is new, repeated, too old and of unknown users, and begins the alert that is due', async () => {
    const userId = await somebody();
    const [first, second, third] = lows(userId);
    if (!first || !second || !third) throw new Error('three scores');
    const old = scoreOf(userId, 10, 15 * 24);
    const nobodys = scoreOf(randomUUID(), 10, 1);
    const answer = await send(first, second, third, third, old, nobodys);
    expect(answer).toMatchObject({ status: 200, body: { taken: 3, repeated: 1, tooOld: 1, ofUnknownUsers: 1 } });
    const [alert] = await alertsOf(userId);
    expect(alert).toMatchObject({ trigger_reason: 'low-in-a-row', days: 1, state: 'due' });
    expect(alert.started_at).not.toBeNull();
    expect(api.wellbeing.started).toContainEqual({ alertId: alert.alert_id, userId });
    expect(JSON.stringify(api.logLines)).not.toContain('low-in-a-row');
  });

  test('sent again changes nothing', async () => {
    const userId = await somebody();
    const batch = lows(userId);
    await send(...batch);
    const again = await send(...batch);
    expect(again.body).toEqual({ taken: 0, repeated: 3, tooOld: 0, ofUnknownUsers: 0 });
    expect(await alertsOf(userId)).toHaveLength(1);
  });

  test('with one wrong event keeps none of it, and names its place', async () => {
    const userId = await somebody();
    const good = scoreOf(userId, 30, 1);
    const wrong: [object, string][] = [
      [{ ...sent(good), score: 101 }, '#/events/1/score'],
      [{ ...sent(good), risk: 'none' }, '#/events/1/risk'],
      [{ ...sent(good), userId: 'somebody' }, '#/events/1/userId'],
      [{ ...sent(good), measuredAt: new Date(Date.now() + DAY).toISOString() }, '#/events/1/measuredAt'],
      [{ ...sent(good), mood: 'bad' }, '#/events/1/mood'],
    ];
    for (const [event, pointer] of wrong) {
      const json = { events: [sent(good), event] };
      const answer = await api.ask('POST', '/api/wellbeing/scores', { who: service, json });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-body', errors: [{ pointer }] } });
    }
    const { rows } = await api.database.owner.query('SELECT 1 FROM wellbeing_scores WHERE user_id = $1', [userId]);
    expect(rows).toEqual([]);
  });

  test('holds up to five hundred, and no more', async () => {
    const userId = await somebody();
    const most = Array.from({ length: 500 }, (_, n) => scoreOf(userId, 80, n / 10));
    expect((await send(...most)).body).toMatchObject({ taken: 500 });
    expect((await send(...most, scoreOf(userId, 80, 1))).status).toBe(400);
  });

  test('is taken also when Temporal is down: a worker begins the alert', async () => {
    const userId = await somebody();
    api.wellbeing.down = new TemporalNotInTime();
    expect((await send(...lows(userId))).status).toBe(200);
    const [alert] = await alertsOf(userId);
    expect(alert.started_at).toBeNull();
    const due = async (olderThanMs: number) =>
      (await alertsToStart(api.deps.pool, olderThanMs, 1_000)).map(({ alertId }) => alertId);
    expect(await due(60_000)).not.toContain(alert.alert_id);
    expect(await due(0)).toContain(alert.alert_id);
    await noteAlertStarted(api.deps.pool, alert.alert_id);
    expect(await due(0)).not.toContain(alert.alert_id);
  });

  test.each(['user', 'mentor', 'staff', 'admin'] as const)('is not for a %s', async (role) => {
    const json = { events: [sent(scoreOf(await somebody(), 30, 1))] };
    expect((await api.ask('POST', '/api/wellbeing/scores', { who: { role }, json })).status).toBe(403);
  });
});

describe('a late score', () => {
  test('is judged in its place: it makes two low ones three in a row', async () => {
    const userId = await somebody();
    await send(scoreOf(userId, 30, 1), scoreOf(userId, 30, 30));
    expect(await alertsOf(userId)).toEqual([]);
    await send(scoreOf(userId, 35, 10));
    expect(await alertsOf(userId)).toMatchObject([{ trigger_reason: 'low-in-a-row', days: 2 }]);
  });

  test('that was good takes the reason away before it is one', async () => {
    const userId = await somebody();
    await send(scoreOf(userId, 30, 20), scoreOf(userId, 30, 30));
    await send(scoreOf(userId, 50, 10));
    await send(scoreOf(userId, 40, 1));
    expect(await alertsOf(userId)).toEqual([]);
  });

  test('of some days ago can be the best one that the newest has dropped from', async () => {
    const userId = await somebody();
    await send(scoreOf(userId, 60, 1));
    await send(scoreOf(userId, 81, 100));
    expect(await alertsOf(userId)).toMatchObject([{ trigger_reason: 'drop', days: 5 }]);
  });
});

describe('many batches at once', () => {
  test('begin one alert of a user in 72 hours, however many are due', async () => {
    const userId = await somebody();
    const other = await somebody();
    const batches = Array.from({ length: 20 }, (_, n) => {
      const events = [...lows(userId), ...lows(other)];
      return n % 2 === 0 ? events : events.toReversed();
    });
    const pool = api.database.anotherPool(20);
    const taken = await Promise.all(batches.map((events) => takeScores(pool, events, RULES)));
    expect(taken.flatMap(({ alerts }) => alerts)).toHaveLength(2);
    for (const id of [userId, other]) expect(await alertsOf(id)).toHaveLength(1);
  });

  test('the next one begins when the 72 hours are over, and not before', async () => {
    const userId = await somebody();
    await takeScores(api.deps.pool, lows(userId), RULES);
    expect((await takeScores(api.deps.pool, lows(userId), RULES)).alerts).toEqual([]);
    const shift = (hours: number) =>
      api.database.owner.query(
        `UPDATE wellbeing_alerts SET cooldown = tstzrange(lower(cooldown) - $2 * interval '1 hour', upper(cooldown) - $2 * interval '1 hour')
          WHERE user_id = $1`,
        [userId, hours],
      );
    await shift(71);
    expect((await takeScores(api.deps.pool, lows(userId), RULES)).alerts).toEqual([]);
    await shift(1);
    expect((await takeScores(api.deps.pool, lows(userId), RULES)).alerts).toHaveLength(1);
  });
});
