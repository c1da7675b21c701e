import { randomUUID } from 'node:crypto';
import { auditOverride, guardValues, type SendingGuard, sendingGuard, whyNotSql } from '../../../db/may-send';
import { recordOptOut } from '../../../db/opt-outs';
import { SealedValue } from '../../../domain/sealed';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const NUMBER = '+14155550142';
const someone = (role: 'user' | 'staff' | 'admin' = 'user') => ({ role, subject: randomUUID() });
type Someone = ReturnType<typeof someone>;
const put = (who: Someone, preferences: unknown, tag = '*') =>
  api.ask('PUT', '/preferences', { who, json: { preferences }, raw: { headers: { 'If-Match': tag } } });
const NO_REMINDERS = [{ channel: 'sms', kind: 'reminder', allowed: false }];

async function subjectOf(who: Someone): Promise<string> {
  const saved = await api.ask('POST', '/contact-points', { who, json: { phoneNumber: NUMBER } });
  const { rows } = await api.database.owner.query('SELECT subject_id FROM contact_points WHERE contact_point_id = $1', [
    saved.body.contactPointId,
  ]);
  return rows[0].subject_id;
}

/** A dispatch as the claim sees it. */
async function whyNot(guard: SendingGuard, recipientToken = Buffer.alloc(32)): Promise<string | null> {
  const { rows } = await api.deps.pool.query(
    `SELECT ${whyNotSql(1)} AS reason FROM (SELECT $5::bytea AS recipient_token, '+14155550100' AS sender,
                                                   null::uuid AS message_id) d`,
    [...guardValues(guard), recipientToken],
  );
  return rows[0].reason;
}

test('whoever has chosen nothing gets everything; what they refuse is not sent, by that channel and of that kind', async () => {
  const who = someone();
  const subjectId = await subjectOf(who);
  const first = await api.ask('GET', '/preferences', { who });
  expect(first.body.preferences).toHaveLength(21);
  expect(first.body.preferences.every(({ allowed }: { allowed: boolean }) => allowed)).toBe(true);
  const changed = await put(who, NO_REMINDERS, first.headers.get('etag') ?? '');
  expect(changed.status).toBe(200);
  expect(changed.body.preferences).toContainEqual(NO_REMINDERS[0]);
  const guard = { subjectId, kind: 'reminder', channel: 'sms', ignoresOptOut: false } as const;
  expect(await whyNot(guard)).toBe('preference');
  expect(await whyNot({ ...guard, channel: 'email' })).toBeNull();
  expect(await whyNot({ ...guard, channel: 'voice' })).toBeNull();
  expect(await whyNot({ ...guard, kind: 'alert' })).toBeNull();
  expect(await whyNot({ ...guard, subjectId: randomUUID() })).toBeNull();
  // The list is the whole list: what is left out is allowed again.
  await put(who, []);
  expect(await whyNot(guard)).toBeNull();
});

test('two who change at once: the second is told', async () => {
  const who = someone();
  const tag = (await api.ask('GET', '/preferences', { who })).headers.get('etag') ?? '';
  expect((await put(who, NO_REMINDERS, tag)).status).toBe(200);
  expect(await put(who, [], tag)).toMatchObject({ status: 412 });
  expect((await api.ask('PUT', '/preferences', { who, json: { preferences: [] } })).status).toBe(428);
});

test.each([
  [[{ channel: 'fax', kind: 'alert', allowed: true }]],
  [[{ channel: 'sms', kind: 'automatic', allowed: false }]],
  [[...NO_REMINDERS, ...NO_REMINDERS]],
])('a list that cannot be meant is refused: %j', async (list) => {
  expect(await put(someone(), list)).toMatchObject({ status: 400, body: { code: 'invalid-body' } });
});

test('a verified number from which STOP was texted is shown as stopped; of a saved one nothing is told', async () => {
  const [who, stranger] = [someone(), someone()];
  const subjectId = await subjectOf(who);
  await subjectOf(stranger);
  await api.database.owner.query('UPDATE contact_points SET verified_at = now() WHERE subject_id = $1', [subjectId]);
  const phone = SealedValue.of('phone', NUMBER);
  const { tokenizer, pool } = api.deps;
  const recipient = {
    token: tokenizer.token(phone),
    tokenVersion: tokenizer.version,
    candidates: tokenizer.candidates(phone),
  };
  await recordOptOut(pool, { recipient, scope: 'organisation', senders: [], actor: subjectId });
  const { body } = await api.ask('GET', '/preferences', { who });
  expect(body.stoppedNumbers).toEqual([{ contactPointId: expect.any(String), since: expect.any(String) }]);
  // Anybody can save any number: whether its owner has said STOP is not theirs to learn.
  expect((await api.ask('GET', '/preferences', { who: stranger })).body.stoppedNumbers).toEqual([]);
});

describe('the policy of an emergency', () => {
  const who = someone('admin');
  const set = (isOn: boolean) => api.ask('PUT', '/policies/emergency-ignores-opt-out', { who, json: { isOn } });
  afterEach(() => set(false));

  test('is off until an admin turns it on, with an entry in the audit trail', async () => {
    const { body } = await api.ask('GET', '/policies', { who });
    expect(body.policies).toEqual([{ name: 'emergency-ignores-opt-out', isOn: false, changedAt: expect.any(String) }]);
    await set(true);
    await set(true);
    const { rows } = await api.database.owner.query(
      `SELECT purpose FROM audit_entries WHERE action = 'policy.changed'`,
    );
    expect(rows).toEqual([{ purpose: 'on' }]);
    expect((await api.ask('PUT', '/policies/nothing', { who, json: { isOn: true } })).status).toBe(404);
    expect((await api.ask('GET', '/policies', { who: someone('staff') })).status).toBe(403);
  });

  test('covers the class safety and no other, and each use leaves an entry', async () => {
    const subjectId = await subjectOf(someone());
    const message = { subjectId, kind: 'alert', channel: 'sms' } as const;
    await api.database.owner.query(
      `INSERT INTO preferences (subject_id, channel, kind, allowed) VALUES ($1, 'sms', 'alert', false)`,
      [subjectId],
    );
    const urgent = sendingGuard({ ...message, messageClass: 'safety' });
    const ordinary = sendingGuard({ ...message, messageClass: 'ordinary' });
    expect([await whyNot(urgent), await whyNot(ordinary)]).toEqual(['preference', 'preference']);
    await set(true);
    expect([await whyNot(urgent), await whyNot(ordinary)]).toEqual([null, 'preference']);
    const dispatchId = randomUUID();
    await api.database.owner.query(
      `INSERT INTO dispatches (dispatch_id, business_key, workflow_id, recipient_token, channel, sender, country)
       VALUES ($1::uuid, $1::uuid::text, 'w', $2, 'sms', '+14155550100', 'US')`,
      [dispatchId, Buffer.alloc(32, 7)],
    );
    expect(await auditOverride(api.deps.pool, dispatchId, urgent, [Buffer.alloc(32, 7)])).toBe(true);
    expect(await auditOverride(api.deps.pool, dispatchId, ordinary, [Buffer.alloc(32, 7)])).toBe(false);
  });
});
