import { randomUUID } from 'node:crypto';
import { addresseesOf } from '../../../db/wellbeing-addressees';
import {
  beginWellbeingStep,
  closeUnopenedAlert,
  closeWellbeingAlert,
  noteEmergencyConfirmed,
  noteWellbeingStep,
  openWellbeingAlert,
} from '../../../db/wellbeing-course';
import { takeScores } from '../../../db/wellbeing-scores';
import { alertsToStart } from '../../../db/wellbeing-sweeps';
import { BUILT_IN_POLICY } from '../../../domain/escalation-policy';
import { TemporalNotInTime } from '../../../temporal/errors';
import { ApiUnderTest, type Who } from '../api/api-under-test';
import { addAlert } from './alert-rows';
import { buddyOf, scoreOf } from './circle';

const DAY = 24 * 3_600_000;
const RULES = { triggers: { low: 40, lowInARow: 3, drop: 20 }, alertSpacingMs: 3 * DAY, countForMs: 14 * DAY };
const NOBODY = { serviceEmail: null, servicePhone: null, onCallNumbers: [] };
const admin = { role: 'admin' } as const;
const staff = { role: 'staff' } as const;

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ ESCALATION_ON_CALL_NUMBERS: '+14155550161,+14155550162' });
});
afterAll(() => api.stop());

/** Somebody who is signed in, as a subject. */
async function user(): Promise<{ who: Who; userId: string }> {
  const who: Who = { role: 'user', subject: randomUUID() };
  await api.ask('GET', '/mentor-calls', { who });
  const { rows } = await api.database.owner.query(
    'SELECT subject_id FROM subjects WHERE account_token IS NOT NULL ORDER BY created_at DESC LIMIT 1',
  );
  return { who, userId: rows[0].subject_id };
}

async function alertOf(userId: string): Promise<string> {
  const { alerts } = await takeScores(api.deps.pool, [scoreOf(userId, 50, 1, { risk: 'high' })], RULES);
  const [alert] = alerts;
  if (alert === undefined) throw new Error('no alert began');
  return alert.alertId;
}

const [first] = BUILT_IN_POLICY.steps;
const begin = (alertId: string, userId: string, position: number, askedBuddyIds: string[] = []) =>
  beginWellbeingStep(
    api.deps.pool,
    {
      alertId,
      userId,
      position,
      step: BUILT_IN_POLICY.steps[position - 1] ?? first!,
      askedBuddyIds,
      askIds: [randomUUID(), randomUUID()],
    },
    api.deps.config.wellbeing.escalation,
  );

describe('an alert of somebody with friends', () => {
  test('is shown to them with its steps in order and in plain words, and to nobody else', async () => {
    const { who, userId } = await user();
    const buddies = [await buddyOf(api.deps, userId, 1), await buddyOf(api.deps, userId, 2)];
    const alertId = await alertOf(userId);
    await openWellbeingAlert(api.deps.pool, alertId);
    const begun = await begin(alertId, userId, 1);
    expect(begun).toMatchObject({ asks: buddies.map((buddyId) => ({ by: 'check-in', buddyId })) });
    const { status, body } = await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'running', reason: 'risk-high', policyVersion: 0 });
    expect(body.steps).toHaveLength(6);
    expect(body.steps[0]).toMatchObject({
      state: 'under-way',
      text: 'Your buddies: asked, and no answer yet.',
      buddies: buddies.map((buddyId) => ({ buddyId, state: null })),
    });
    const stranger = await user();
    expect((await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who: stranger.who })).status).toBe(404);
    expect((await api.ask('POST', `/api/wellbeing/alerts/${alertId}/close`, { who: stranger.who })).status).toBe(404);
    const own = await api.ask('GET', '/api/wellbeing/alerts?limit=1', { who });
    expect(own.body).toMatchObject({ alerts: [{ alertId }], nextCursor: null });
    expect((await api.ask('GET', '/api/wellbeing/alerts', { who: stranger.who })).body.alerts).toEqual([]);
  });

  test('gives a repeated step the same choice, and the reason to the row of the text', async () => {
    const { userId } = await user();
    const buddyId = await buddyOf(api.deps, userId, 1);
    const alertId = await alertOf(userId);
    await openWellbeingAlert(api.deps.pool, alertId);
    const once = await begin(alertId, userId, 1);
    expect(await begin(alertId, userId, 1)).toEqual(once);
    await api.deps.pool.query(
      `INSERT INTO buddy_check_in_requests (request_id, buddy_id, user_id, kind, alert_id, state, link_hash, message_id,
                                            closes_at, cooldown)
       VALUES ($1, $2, $3, 'system', $4, 'pending', sha256(random()::text::bytea), $1, now(), 'empty')`,
      [randomUUID(), buddyId, userId, alertId],
    );
    const { rows } = await api.database.owner.query(
      'SELECT trigger_reason FROM buddy_check_in_requests WHERE alert_id = $1',
      [alertId],
    );
    expect(rows).toEqual([{ trigger_reason: 'risk-high' }]);
  });

  test('keeps the version of the policy that it began with', async () => {
    const { userId } = await user();
    const alertId = await alertOf(userId);
    expect(await openWellbeingAlert(api.deps.pool, alertId)).toMatchObject({ policy: BUILT_IN_POLICY });
    const { headers } = await api.ask('GET', '/api/escalation-policy', { who: admin });
    const json = { steps: [{ who: 'buddies', channel: 'sms', afterMinutes: 5 }], closesAfterMinutes: 30 };
    const raw = { headers: { 'If-Match': headers.get('etag') ?? '' } };
    expect((await api.ask('PUT', '/api/escalation-policy', { who: admin, json, raw })).status).toBe(200);
    expect(await openWellbeingAlert(api.deps.pool, alertId)).toMatchObject({ policy: BUILT_IN_POLICY });
    const later = await alertOf((await user()).userId);
    expect(await openWellbeingAlert(api.deps.pool, later)).toMatchObject({ policy: { closesAfterMinutes: 30 } });
    const back = await api.ask('PUT', '/api/escalation-policy', { who: admin, json: BUILT_IN_POLICY, raw });
    expect(back).toMatchObject({ status: 412, body: { code: 'stale-version' } });
    const any = { headers: { 'If-Match': '*' } };
    await api.ask('PUT', '/api/escalation-policy', { who: admin, json: BUILT_IN_POLICY, raw: any });
  });
});

describe('who can be asked', () => {
  const asked = (userId: string, already: string[] = []) =>
    addresseesOf(api.deps.pool, userId, { who: 'buddies', count: 2, channel: 'sms' }, already, NOBODY);

  test('are the next by rank who have agreed and have not opted out', async () => {
    const { userId } = await user();
    const third = await buddyOf(api.deps, userId, 3);
    await buddyOf(api.deps, userId, 1, `opted_out_at = now(), opted_out_by = 'text'`);
    const second = await buddyOf(api.deps, userId, 2);
    const fourth = await buddyOf(api.deps, userId, 4);
    expect(await asked(userId)).toEqual({ buddies: [second, third] });
    expect(await asked(userId, [second, third])).toEqual({ buddies: [fourth] });
    expect(await asked(userId, [second, third, fourth])).toEqual({ nobody: 'all-asked' });
  });

  test('is said of nobody, with the reason', async () => {
    const { userId } = await user();
    expect(await asked(userId)).toEqual({ nobody: 'no-buddies' });
    await buddyOf(api.deps, userId, 1, 'verified = false, verified_at = NULL');
    expect(await asked(userId)).toEqual({ nobody: 'nobody-verified' });
    await buddyOf(api.deps, userId, 2, `opted_out_at = now(), opted_out_by = 'page', is_active = false`);
    expect(await asked(userId)).toEqual({ nobody: 'all-opted-out' });
  });

  test('is tried without asking anybody, in counts', async () => {
    const { userId } = await user();
    await buddyOf(api.deps, userId, 1);
    const answer = await api.ask('POST', '/api/escalation-policy/dry-run', { who: admin, json: { userId } });
    expect(answer.status).toBe(200);
    expect(
      answer.body.timeline.map((one: Record<string, unknown>) => [
        one['atMinutes'],
        one['addressees'],
        one['skippedBecause'],
      ]),
    ).toEqual([
      [0, 1, null],
      [null, 0, 'all-asked'],
      [null, 0, 'not-configured'],
      [null, 0, 'no-contact'],
      [120, 2, null],
      [180, 2, null],
    ]);
    const unknown = { who: admin, json: { userId: randomUUID() } };
    expect((await api.ask('POST', '/api/escalation-policy/dry-run', unknown)).status).toBe(404);
  });

  test('must be a policy that can be followed', async () => {
    const json = {
      steps: [
        { who: 'emergency', channel: 'voice', afterMinutes: 0 },
        { who: 'buddies', channel: 'email', afterMinutes: 0 },
      ],
      closesAfterMinutes: 60,
    };
    const raw = { headers: { 'If-Match': '*' } };
    const answer = await api.ask('PUT', '/api/escalation-policy', { who: admin, json, raw });
    const errors = [{ pointer: '#/steps/0/who' }, { pointer: '#/steps/1/channel' }];
    expect(answer).toMatchObject({ status: 422, body: { code: 'policy-invalid', errors } });
    expect((await api.ask('PUT', '/api/escalation-policy', { who: admin, json })).status).toBe(428);
  });
});

describe('the end of an alert', () => {
  const end = (alertId: string, more: object = {}) =>
    closeWellbeingAlert(api.deps.pool, {
      alertId,
      state: 'closed',
      endReason: 'nobody-to-ask',
      decision: null,
      endedAt: new Date().toISOString(),
      ...more,
    });

  test('where nobody could be asked, lets another one begin after hours, and not after three days', async () => {
    const { who, userId } = await user();
    const alertId = await alertOf(userId);
    await openWellbeingAlert(api.deps.pool, alertId);
    expect(await begin(alertId, userId, 1)).toEqual({ skipped: 'no-buddies' });
    const ended = { state: 'closed', endReason: 'nobody-to-ask' };
    expect(await end(alertId)).toEqual({ ...ended, isNew: true });
    expect(await end(alertId, { endReason: 'nobody-answered' })).toEqual({ ...ended, isNew: false });
    const { rows } = await api.database.owner.query(
      `SELECT counts, upper(cooldown) BETWEEN now() + interval '5 hours' AND now() + interval '6 hours' AS is_short
         FROM wellbeing_alerts WHERE alert_id = $1`,
      [alertId],
    );
    expect(rows).toEqual([{ counts: true, is_short: true }]);
    const { body } = await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who });
    expect(body.stateText).toContain('nobody who could be asked');
    expect(body.steps[0]).toMatchObject({ state: 'skipped', text: 'Your buddies: skipped: you have named none.' });
    expect(body.steps[1]).toMatchObject({ state: 'not-begun' });
  });

  test('is by the answer that was taken just before, and whose news was still on its way', async () => {
    const endOf = async (response: 'called' | 'cannot-reach', otherwise: 'nobody-answered' | 'handed-over') => {
      const { userId } = await user();
      const buddyId = await buddyOf(api.deps, userId, 1);
      const steps = [
        { who: 'buddies', state: 'under-way', asked: [{ buddyId, state: 'answered', response }] },
      ] as const;
      const alertId = await addAlert(api.database.owner, userId, { steps });
      const closed = await end(alertId, {
        endReason: otherwise,
        state: otherwise === 'handed-over' ? 'escalated' : 'closed',
      });
      const text = 'SELECT decided_by IS NOT NULL AS is_decided FROM wellbeing_alerts WHERE alert_id = $1';
      return { ...closed, ...(await api.database.owner.query(text, [alertId])).rows[0] };
    };
    const answered = { state: 'answered', endReason: 'answered', isNew: true, is_decided: true };
    for (const otherwise of ['nobody-answered', 'handed-over'] as const) {
      expect(await endOf('called', otherwise)).toEqual(answered);
      expect(await endOf('cannot-reach', otherwise)).toMatchObject({ endReason: otherwise, is_decided: false });
    }
  });

  test('leaves an emergency step that nobody set off as one that was never asked', async () => {
    const { who, userId } = await user();
    const steps = [{ who: 'emergency', state: 'awaiting-human' }] as const;
    const alertId = await addAlert(api.database.owner, userId, { steps });
    await end(alertId, { endReason: 'nobody-answered' });
    const { body } = await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who });
    expect(body.steps[0]).toMatchObject({ state: 'not-begun', text: expect.stringContaining('not asked') });
  });

  test('of a workflow that was lost before it asked anybody does not count at all', async () => {
    const { userId } = await user();
    await end(await alertOf(userId), { endReason: 'workflow-failed' });
    await expect(alertOf(userId)).resolves.toEqual(expect.any(String));
  });

  test('shows the step whose answer decided it as answered, whatever had been said in it before', async () => {
    const { who, userId } = await user();
    for (const rank of [1, 2]) await buddyOf(api.deps, userId, rank);
    const alertId = await alertOf(userId);
    const { pool } = api.deps;
    await openWellbeingAlert(pool, alertId);
    await begin(alertId, userId, 1);
    await noteWellbeingStep(pool, { alertId, position: 1, state: 'unanswered', response: null });
    const askId = randomUUID();
    const decision = {
      askId,
      party: 'buddies',
      response: 'called',
      position: 1,
      at: new Date().toISOString(),
    } as const;
    const end = { state: 'answered', endReason: 'answered', decision, endedAt: new Date().toISOString() } as const;
    await closeWellbeingAlert(pool, { alertId, ...end });
    const { body } = await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who });
    expect(body.steps[0]).toMatchObject({ state: 'answered' });
    const { rows } = await api.database.owner.query('SELECT decided_by FROM wellbeing_alerts WHERE alert_id = $1', [
      alertId,
    ]);
    expect(rows).toEqual([{ decided_by: askId }]);
  });

  test('is asked for by its user, or by staff, whose look and wish are kept', async () => {
    const { who, userId } = await user();
    const alertId = await alertOf(userId);
    await openWellbeingAlert(api.deps.pool, alertId);
    const goesOn = await api.ask('POST', `/api/wellbeing/alerts/${alertId}/close`, { who });
    // Temporal knows of nothing that runs, and the row goes on.
    expect(goesOn).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
    expect(goesOn.headers.get('retry-after')).not.toBeNull();
    await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who: staff });
    await api.ask('POST', `/api/wellbeing/alerts/${alertId}/close`, { who: staff });
    expect(api.wellbeing.closed.slice(-2)).toEqual([
      { alertId, by: 'user' },
      { alertId, by: 'staff' },
    ]);
    const { rows } = await api.database.owner.query(
      'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY at',
      [alertId],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      'wellbeing-alert.opened',
      'wellbeing-alert.close-asked',
      'wellbeing-alert.read',
      'wellbeing-alert.close-asked',
    ]);
    await end(alertId, { endReason: 'closed-by-user' });
    const before = api.wellbeing.closed.length;
    const over = await api.ask('POST', `/api/wellbeing/alerts/${alertId}/close`, { who });
    expect(over.body).toMatchObject({ state: 'closed', endReason: 'closed-by-user' });
    expect(api.wellbeing.closed).toHaveLength(before);
  });

  test('can come before its beginning, also when Temporal is down: then nobody is ever asked', async () => {
    const { who, userId } = await user();
    await buddyOf(api.deps, userId, 1);
    const alertId = await alertOf(userId);
    const { pool } = api.deps;
    api.wellbeing.down = new TemporalNotInTime();
    const closed = await api.ask('POST', `/api/wellbeing/alerts/${alertId}/close`, { who });
    api.wellbeing.down = null;
    expect(closed).toMatchObject({ status: 200, body: { state: 'closed', endReason: 'closed-by-user' } });
    expect((await alertsToStart(pool, 0, 1_000)).map((due) => due.alertId)).not.toContain(alertId);
    // A worker may have been about to begin it.
    expect(await openWellbeingAlert(pool, alertId)).toBeNull();
    const events = 'SELECT type FROM app_events WHERE object_id = $1';
    expect((await api.database.owner.query(events, [alertId])).rows).toEqual([{ type: 'wellbeing-alert.closed' }]);
  });

  test('comes before its beginning or after it, when both come at once', async () => {
    const { pool } = api.deps;
    for (let n = 0; n < 10; n += 1) {
      const { userId } = await user();
      const alertId = await alertOf(userId);
      const [opened, closed] = await Promise.all([
        openWellbeingAlert(pool, alertId),
        closeUnopenedAlert(pool, alertId, 'user'),
      ]);
      expect(opened === null).toBe(closed);
    }
  });
});

describe('alerts that need somebody of the organisation', () => {
  test('are listed by how they stand, to staff everybody’s and to users their own', async () => {
    const { who, userId } = await user();
    const other = await user();
    const waiting = await addAlert(api.database.owner, userId, {
      steps: [{ who: 'emergency', state: 'awaiting-human' }],
    });
    const running = await addAlert(api.database.owner, other.userId, {});
    const lost = await addAlert(api.database.owner, userId, { daysAgo: 4, end: ['closed', 'nobody-answered'] });
    const longAgo = await addAlert(api.database.owner, userId, { daysAgo: 8, end: ['closed', 'nobody-answered'] });
    const listed = async (standing: string, by: Who) => {
      const { body } = await api.ask('GET', `/api/wellbeing/alerts?limit=100&standing=${standing}`, { who: by });
      const known = [waiting, running, lost, longAgo];
      return body.alerts
        .map(({ alertId }: { alertId: string }) => alertId)
        .filter((alertId: string) => known.includes(alertId));
    };
    expect(await listed('awaiting-human', staff)).toEqual([waiting]);
    expect(await listed('under-way', staff)).toEqual([running]);
    expect(await listed('reached-nobody', admin)).toEqual([lost]);
    expect(await listed('under-way', who)).toEqual([]);
    expect(await listed('awaiting-human', other.who)).toEqual([]);
    const wrong = await api.ask('GET', '/api/wellbeing/alerts?standing=waiting', { who: staff });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
  });

  test('are read a page at a time, by a cursor of that list alone', async () => {
    for (let n = 0; n < 3; n += 1) await addAlert(api.database.owner, (await user()).userId, {});
    const path = '/api/wellbeing/alerts?standing=under-way&limit=1';
    const { body } = await api.ask('GET', path, { who: staff });
    const next = await api.ask('GET', `${path}&cursor=${body.nextCursor}`, { who: staff });
    expect(next).toMatchObject({ status: 200 });
    expect(next.body.alerts[0].alertId).not.toBe(body.alerts[0].alertId);
    const another = await api.ask('GET', `/api/wellbeing/alerts?cursor=${body.nextCursor}`, { who: staff });
    expect(another.status).toBe(400);
  });
});

describe('the emergency step', () => {
  test('is set off by staff and admins only, while it waits', async () => {
    const { who, userId } = await user();
    const alertId = await alertOf(userId);
    const path = `/api/wellbeing/alerts/${alertId}/confirm-emergency`;
    for (const role of ['user', 'mentor', 'service'] as const) {
      expect((await api.ask('POST', path, { who: { role } })).status).toBe(403);
    }
    expect((await api.ask('POST', path, { who })).status).toBe(403);
    const refused = await api.ask('POST', path, { who: staff });
    expect(refused).toMatchObject({ status: 409, body: { code: 'emergency-not-waiting' } });
    api.wellbeing.onConfirm = async () => 'confirmed';
    expect((await api.ask('POST', path, { who: staff })).status).toBe(200);
    expect(
      (await api.ask('POST', `/api/wellbeing/alerts/${randomUUID()}/confirm-emergency`, { who: staff })).status,
    ).toBe(404);
  });

  test('asks nobody when its turn comes, and keeps the human who confirmed it', async () => {
    const { who, userId } = await user();
    const alertId = await alertOf(userId);
    await openWellbeingAlert(api.deps.pool, alertId);
    expect(await begin(alertId, userId, 6)).toEqual({ asks: [] });
    const confirmation = { alertId, position: 6, actor: userId, askId: randomUUID() };
    await noteEmergencyConfirmed(api.deps.pool, confirmation);
    await noteEmergencyConfirmed(api.deps.pool, { ...confirmation, askId: randomUUID() });
    const { body } = await api.ask('GET', `/api/wellbeing/alerts/${alertId}`, { who });
    expect(body.steps[5]).toMatchObject({ state: 'under-way', confirmedAt: expect.any(String) });
    const { rows } = await api.database.owner.query(
      `SELECT actor FROM audit_entries WHERE object_id = $1 AND action = 'wellbeing-alert.emergency-confirmed'`,
      [alertId],
    );
    expect(rows).toEqual([{ actor: userId }]);
  });
});

test('whoever is erased loses their scores, and nobody is asked for them', async () => {
  const { userId } = await user();
  await buddyOf(api.deps, userId, 1);
  const alertId = await alertOf(userId);
  await openWellbeingAlert(api.deps.pool, alertId);
  await api.deps.vault.eraseSubject(userId, userId);
  expect(await begin(alertId, userId, 1)).toEqual({ gone: true });
  const { rows } = await api.database.owner.query('SELECT 1 FROM wellbeing_scores WHERE user_id = $1', [userId]);
  expect(rows).toEqual([]);
});
