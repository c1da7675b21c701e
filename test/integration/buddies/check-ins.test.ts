/** Asking a buddy, over the API: who may, how often, and what is kept and shown of it. */
import { randomUUID } from 'node:crypto';
import { endBuddy } from '../../../db/buddy-endings';
import { lockBuddy } from '../../../db/buddies';
import { recordOptOut } from '../../../db/opt-outs';
import { inTransaction } from '../../../db/pool';
import { setSwitch } from '../../../db/switches';
import { TemporalNotInTime } from '../../../temporal/errors';
import { MARKED } from '../../marked-people';
import { addBuddy } from './people';
import { type Asking, CheckInsUnderTest, LINK_KEY, newPhone } from './check-in-world';
import { messageLinkHash } from '../../../vault/link-tokens';

let world: CheckInsUnderTest;
beforeAll(async () => {
  world = await CheckInsUnderTest.start({ BUDDY_CHECK_IN_TARGET_LIMITS: '4/24h' });
});
afterAll(() => world.stop());
afterEach(() => {
  world.api.checkIns.down = null;
});

const HOUR = 3_600_000;
const REFUSED = { too: { status: 429, body: { code: 'too-many-requests' } }, cannot: { status: 409 } } as const;

describe('asking a buddy', () => {
  test('is taken, with a row, an entry of the trail and an event, and no token anywhere', async () => {
    const asking = await world.asking();
    const answer = await world.send(asking);
    expect(answer).toMatchObject({ status: 202, body: { state: 'pending' } });
    const { requestId } = answer.body;
    expect(answer.headers.get('location')).toBe(`/api/buddy/check-ins/${requestId}`);
    const row = await world.row(requestId);
    expect(row).toMatchObject({ kind: 'user', state: 'pending', counts: true, buddy_id: asking.buddy.buddyId });
    expect(row['link_hash']).toEqual(messageLinkHash(LINK_KEY, { use: 'buddy-check-in', id: requestId, version: 1 }));
    expect(await world.eventsOf(requestId)).toEqual(['check-in.pending']);
    expect(await world.auditOf(requestId)).toEqual(['check-in.requested']);
    expect(world.api.checkIns.begun.at(-1)).toEqual({
      requestId,
      buddyId: asking.buddy.buddyId,
      userId: asking.userId,
      alert: null,
      reminderAfterMs: 2 * 3_600_000,
      closesAfterMs: 24 * 3_600_000,
      reportsTo: null,
    });
  });

  test('is for the user alone, and finds no buddy of somebody else’s', async () => {
    const asking = await world.asking();
    const other = await world.asking();
    expect(await world.send({ ...asking, userId: other.userId })).toMatchObject({ status: 404 });
    expect(await world.send({ ...asking, buddy: other.buddy })).toMatchObject({ status: 404 });
    expect(await world.send({ ...asking, buddy: { ...asking.buddy, buddyId: randomUUID() } })).toMatchObject({
      status: 404,
    });
    const json = { buddyContactId: asking.buddy.buddyId, userId: asking.userId };
    const staff = { role: 'staff' } as const;
    expect(await world.api.ask('POST', '/api/buddy/send-checkin', { who: staff, json })).toMatchObject({ status: 403 });
  });

  test.each(['{}', '{"buddyContactId": "x", "userId": "y"}'])('with %s for a body is a 400', async (body) => {
    const { who } = await world.asking();
    const json: unknown = JSON.parse(body);
    expect(await world.api.ask('POST', '/api/buddy/send-checkin', { who, json })).toMatchObject({
      status: 400,
      body: { code: 'invalid-body' },
    });
  });

  const NOT_TO_BE_ASKED: readonly (readonly [string, (asking: Asking) => Promise<unknown>])[] = [
    [
      'has declined',
      (asking) =>
        change(asking, 'declined_at = clock_timestamp(), is_active = false, verified = false, verified_at = NULL'),
    ],
    ['has opted out by text', (asking) => change(asking, `opted_out_at = clock_timestamp(), opted_out_by = 'text'`)],
    [
      'has withdrawn',
      (asking) =>
        inTransaction(world.api.deps.pool, async (tx) => {
          const buddy = await lockBuddy(tx, asking.buddy.buddyId);
          if (buddy !== null) await endBuddy(tx, { buddy, how: 'withdrawn', actor: buddy.subjectId, version: null });
        }),
    ],
    [
      'has said STOP to us',
      ({ buddy }) =>
        inTransaction(world.api.deps.pool, async (tx) => {
          const token = buddy.phoneToken ?? Buffer.alloc(32);
          const recipient = { token, tokenVersion: 1, candidates: [token] };
          await recordOptOut(tx, { recipient, scope: 'organisation', senders: [], actor: buddy.subjectId });
        }),
    ],
  ];

  test.each(NOT_TO_BE_ASKED)('who %s is a 409, and nobody is texted', async (_why, make) => {
    const asking = await world.asking();
    await make(asking);
    const answer = await world.send(asking);
    expect(answer).toMatchObject({ status: 409, body: { code: 'buddy-cannot-be-asked', hint: expect.any(String) } });
    expect(await countOf(asking)).toBe(0);
  });

  test('who was erased is not there any more, and nobody is texted', async () => {
    const asking = await world.asking();
    await world.api.deps.vault.eraseSubject(asking.buddy.subjectId, 'system');
    expect(await world.send(asking)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await countOf(asking)).toBe(0);
  });

  test('who has not agreed yet is a 409', async () => {
    const asking = await world.asking({ isVerified: false });
    expect(await world.send(asking)).toMatchObject({ status: 409, body: { code: 'buddy-cannot-be-asked' } });
  });

  test('who was removed is a 404', async () => {
    const asking = await world.asking();
    await change(asking, 'removed_at = clock_timestamp(), is_active = false, phone_token = NULL, email_token = NULL');
    expect(await world.send(asking)).toMatchObject({ status: 404 });
  });

  test('without a first name of one’s own is a 409 that says how to give it', async () => {
    const asking = await world.asking();
    await world.api.database.owner.query('DELETE FROM user_profiles WHERE user_id = $1', [asking.userId]);
    expect(await world.send(asking)).toMatchObject({ status: 409, body: { code: 'profile-required' } });
  });

  test('is a 503 while texts are off, or Temporal is down', async () => {
    const asking = await world.asking();
    const { pool } = world.api.deps;
    await setSwitch(pool, 'sms', false, 'system');
    expect(await world.send(asking)).toMatchObject({ status: 503, body: { code: 'sms-disabled' } });
    await setSwitch(pool, 'sms', true, 'system');
    world.api.checkIns.down = new TemporalNotInTime();
    expect(await world.send(asking)).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
  });
});

describe('how often', () => {
  test('ten requests at once are one text', async () => {
    const asking = await world.asking();
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.send(asking)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(9);
    expect(await countOf(asking)).toBe(1);
  });

  test('the constraint alone keeps a second one out, without any lock', async () => {
    const asking = await world.asking();
    await world.sent(asking);
    const again = `INSERT INTO buddy_check_in_requests (request_id, buddy_id, user_id, kind, state, link_hash, message_id,
      closes_at, cooldown) SELECT gen_random_uuid(), buddy_id, user_id, kind, 'pending', sha256('another'), gen_random_uuid(),
      closes_at, cooldown FROM buddy_check_in_requests WHERE buddy_id = $1`;
    await expect(world.api.database.owner.query(again, [asking.buddy.buddyId])).rejects.toMatchObject({
      code: '23P01',
    });
  });

  test('once in 24 hours, and the answer says when it is time', async () => {
    const asking = await world.asking();
    const requestId = await world.sent(asking);
    const refused = await world.send(asking);
    expect(refused).toMatchObject(REFUSED.too);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(86_000);
    expect(seconds).toBeLessThanOrEqual(86_400);
    const limited = await world.api.database.owner.query('SELECT is_checkin_request_rate_limited($1) AS so', [
      asking.buddy.buddyId,
    ]);
    expect(limited.rows).toEqual([{ so: true }]);
    await later(requestId);
    expect(await world.send(asking)).toMatchObject({ status: 202 });
  });

  test('another buddy of the same user may be asked at once', async () => {
    const asking = await world.asking();
    await world.sent(asking);
    const buddy = await addBuddy(world.api.deps, { userId: asking.userId, phone: newPhone(), rank: 2 });
    expect(await world.send({ ...asking, buddy })).toMatchObject({ status: 202 });
  });

  test.each([
    ['of which nothing was sent does not count', false, 202],
    ['that was not delivered does', true, 429],
  ])('a request %s', async (_what, counts, status) => {
    const asking = await world.asking();
    const requestId = await world.sent(asking);
    const at = new Date().toISOString();
    await world.activities.closeCheckIn({ requestId, state: 'undeliverable', counts, at });
    expect(await world.send(asking)).toMatchObject({ status });
  });

  test('one person is not pestered through many accounts, also at once', async () => {
    const phone = newPhone();
    const askings = await Promise.all(Array.from({ length: 10 }, () => world.asking({ phone })));
    const answers = await Promise.all(askings.map((asking) => world.send(asking)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(4);
    for (const { status, headers } of answers) if (status !== 202) expect(headers.get('retry-after')).not.toBeNull();
  });

  test('an alert is kept from nobody by what users ask, nor users by it', async () => {
    const asking = await world.asking();
    await world.sent(asking);
    const { requestId } = await world.alerted(asking);
    expect(await world.row(requestId)).toMatchObject({ kind: 'system', state: 'pending', alert_days: 3 });
    const other = await world.asking();
    await world.alerted(other);
    expect(await world.send(other)).toMatchObject({ status: 202 });
  });
});

describe('a repeated request', () => {
  test('under one key gets the same answer, at once and later, also when the buddy has gone', async () => {
    const asking = await world.asking();
    const key = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all([world.send(asking, key), world.send(asking, key)]);
    const ids = new Set(answers.map(({ status, body }) => `${status} ${body.requestId}`));
    expect(ids.size).toBe(1);
    await change(asking, `opted_out_at = clock_timestamp(), opted_out_by = 'text'`);
    const [first] = answers;
    expect(await world.send(asking, key)).toMatchObject({ status: 202, body: first?.body });
    expect(await countOf(asking)).toBe(1);
  });

  test('for another buddy is refused', async () => {
    const asking = await world.asking();
    const buddy = await addBuddy(world.api.deps, { userId: asking.userId, phone: newPhone(), rank: 2 });
    const key = { 'Idempotency-Key': randomUUID() };
    await world.send(asking, key);
    expect(await world.send({ ...asking, buddy }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
  });

  test('that was refused may be tried again under its key', async () => {
    const asking = await world.asking({ isVerified: false });
    const key = { 'Idempotency-Key': randomUUID() };
    expect(await world.send(asking, key)).toMatchObject(REFUSED.cannot);
    await change(asking, 'verified = true, verified_at = clock_timestamp()');
    expect(await world.send(asking, key)).toMatchObject({ status: 202 });
  });

  test('of the workflow’s first step finds its own row, and another run leaves it alone', async () => {
    const asking = await world.asking();
    const requestId = randomUUID();
    const { userId, buddy } = asking;
    const times = { reminderAfterMs: null, closesAfterMs: 3_600_000, reportsTo: null };
    const input = { requestId, buddyId: buddy.buddyId, userId, alert: null, ...times };
    const messageId = randomUUID();
    const begun = { opening: { state: 'pending' }, isBegun: true };
    expect(await world.open(input, messageId)).toEqual(begun);
    expect(await world.open(input, messageId)).toEqual(begun);
    expect(await world.open(input)).toEqual({ ...begun, isBegun: false });
    expect(await world.eventsOf(requestId)).toEqual(['check-in.pending']);
  });

  test('that comes when nobody waits for it any more texts nobody', async () => {
    const { userId, buddy } = await world.asking();
    const times = { reminderAfterMs: null, closesAfterMs: 3_600_000, reportsTo: null };
    const input = { requestId: randomUUID(), buddyId: buddy.buddyId, userId, alert: null, ...times };
    const asked = { input, messageId: randomUUID(), closesAt: new Date().toISOString(), validUntil: Date.now() - 1 };
    expect(await world.activities.openCheckIn(asked)).toEqual({
      opening: { refused: 'too-late', retryAfterMs: null },
      isBegun: false,
    });
  });
});

describe('what a user sees', () => {
  test('is their own, newest first, a page at a time, and of one buddy when they ask so', async () => {
    const asking = await world.asking();
    const buddy = await addBuddy(world.api.deps, { userId: asking.userId, phone: newPhone(), rank: 2 });
    const first = await world.sent(asking);
    const second = await world.sent({ ...asking, buddy });
    await world.sent(await world.asking());
    const list = (query = '') => world.api.ask('GET', `/api/buddy/check-ins${query}`, { who: asking.who });
    const ids = ({ body }: Awaited<ReturnType<typeof list>>) =>
      body.checkIns.map(({ requestId }: { requestId: string }) => requestId);
    const page = await list('?limit=1');
    expect(ids(page)).toEqual([second]);
    const rest = await list(`?limit=1&cursor=${encodeURIComponent(page.body.nextCursor)}`);
    expect([ids(rest), rest.body.nextCursor]).toEqual([[first], null]);
    expect(ids(await list(`?buddyContactId=${asking.buddy.buddyId}`))).toEqual([first]);
    const stolen = `?limit=1&buddyContactId=${buddy.buddyId}&cursor=${encodeURIComponent(page.body.nextCursor)}`;
    expect(await list(stolen)).toMatchObject({ status: 400 });
  });

  test('with the buddy’s note, each look audited; to anybody else it is not there', async () => {
    const asking = await world.asking();
    const requestId = await world.sent(asking);
    await world.press(world.linkOf(requestId), { step: 'answer', response: 'called', note: MARKED.replyWords });
    const path = `/api/buddy/check-ins/${requestId}`;
    expect(await world.api.ask('GET', path, { who: asking.who })).toMatchObject({
      status: 200,
      body: { state: 'answered', response: 'called', note: MARKED.replyWords, respondedAt: expect.any(String) },
    });
    const { note_record_id: noteRecordId } = await world.row(requestId);
    const looks = await world.api.database.owner.query(
      `SELECT actor, purpose FROM audit_entries WHERE object_id = $1 AND action = 'record.revealed'`,
      [noteRecordId],
    );
    expect(looks.rows).toEqual([{ actor: asking.userId, purpose: 'own-view' }]);
    const other = { role: 'user', subject: randomUUID() } as const;
    expect(await world.api.ask('GET', path, { who: other })).toMatchObject({ status: 404 });
  });
});

describe('the text', () => {
  const textOf = async (asking: Asking, requestId: string, which: 'first' | 'reminder', alert = false) => {
    const input = {
      requestId,
      buddyId: asking.buddy.buddyId,
      userId: asking.userId,
      alert: alert ? { alertId: randomUUID(), days: 3 } : null,
      reminderAfterMs: null,
      closesAfterMs: 1,
      reportsTo: null,
    };
    const messageId = randomUUID();
    const isStarted = await world.activities.startCheckInText({ input, which, messageId });
    return { isStarted, text: world.texts.find((each) => each.messageId === messageId) };
  };

  test('goes to the buddy, under their own key, by the number that an answer comes back to', async () => {
    const asking = await world.asking();
    const requestId = await world.sent(asking);
    const { isStarted, text } = await textOf(asking, requestId, 'first');
    expect(isStarted).toBe(true);
    expect(text).toMatchObject({
      subjectId: asking.buddy.subjectId,
      recordId: asking.buddy.phoneRecordId,
      requestedBy: asking.userId,
      channel: 'sms',
      kind: 'check-in',
      messageClass: 'ordinary',
      sender: '+14155550100',
      reportsTo: `check-in:${requestId}`,
      content: { link: { use: 'buddy-check-in', id: requestId, version: 1 } },
    });
    const question = await world.api.database.owner.query(
      'SELECT sender, object_id, closed_at FROM open_questions WHERE question_id = $1',
      [requestId],
    );
    expect(question.rows).toEqual([{ sender: '+14155550100', object_id: requestId, closed_at: null }]);
  });

  test('of an alert is of class safety, and goes out by whatever number reaches them', async () => {
    const asking = await world.asking();
    const { requestId } = await world.alerted(asking);
    const { text } = await textOf(asking, requestId, 'first', true);
    expect(text).toMatchObject({ kind: 'alert', messageClass: 'safety', urgency: 'emergency', sender: null });
  });

  test('of an alert goes out within a day or not at all, however long that can be answered; another while it can be', async () => {
    const lasts = 7 * 24 * HOUR;
    const until = async (asking: Asking, requestId: string, isAlert: boolean): Promise<number> => {
      await world.api.database.owner.query(
        `UPDATE buddy_check_in_requests SET closes_at = now() + $2 * interval '1 millisecond' WHERE request_id = $1`,
        [requestId, lasts],
      );
      const { text } = await textOf(asking, requestId, 'first', isAlert);
      return Math.round((Date.parse(text?.notAfter ?? '') - Date.now()) / HOUR);
    };
    const [one, other] = [await world.asking(), await world.asking()];
    expect(await until(one, (await world.alerted(one)).requestId, true)).toBe(24);
    expect(await until(other, await world.sent(other), false)).toBe(lasts / HOUR);
  });

  test('is not sent to a buddy who has gone meanwhile, nor for a user who was erased', async () => {
    const asking = await world.asking();
    const requestId = await world.sent(asking);
    await change(asking, `opted_out_at = clock_timestamp(), opted_out_by = 'text'`);
    expect(await textOf(asking, requestId, 'reminder')).toEqual({ isStarted: false, text: undefined });
    const other = await world.asking();
    const otherId = await world.sent(other);
    await world.api.deps.vault.eraseSubject(other.userId, 'system');
    expect(await textOf(other, otherId, 'first')).toEqual({ isStarted: false, text: undefined });
  });
});

test('what happens on the way never goes back, and each state is told once', async () => {
  const asking = await world.asking();
  const requestId = await world.sent(asking);
  const at = new Date().toISOString();
  const note = (what: 'sent' | 'delivered') => world.activities.noteCheckIn({ requestId, what, at });
  await note('sent');
  await note('sent');
  await world.press(world.linkOf(requestId), { step: 'open' });
  await note('delivered');
  expect(await world.row(requestId)).toMatchObject({ state: 'opened', delivered_at: expect.any(Date) });
  expect(await world.eventsOf(requestId)).toEqual(['check-in.pending', 'check-in.sent', 'check-in.opened']);
});

test('a user who asked to be told by text is', async () => {
  const asking = await world.asking({}, { tellMeBy: 'sms' });
  const saved = await world.api.ask('POST', '/contact-points', { who: asking.who, json: { phoneNumber: newPhone() } });
  await world.api.database.owner.query(
    'UPDATE contact_points SET verified_at = clock_timestamp() WHERE contact_point_id = $1',
    [saved.body.contactPointId],
  );
  const messageId = randomUUID();
  await world.activities.tellOfCheckIn({ buddyId: asking.buddy.buddyId, news: 'called', messageId });
  expect(world.texts.find((text) => text.messageId === messageId)).toMatchObject({
    subjectId: asking.userId,
    kind: 'update',
  });
});

async function change({ buddy }: Asking, set: string): Promise<void> {
  await world.api.database.owner.query(`UPDATE buddy_contacts SET ${set} WHERE buddy_id = $1`, [buddy.buddyId]);
}

async function countOf({ buddy }: Asking): Promise<number> {
  const { rows } = await world.api.database.owner.query(
    'SELECT count(*)::int AS n FROM buddy_check_in_requests WHERE buddy_id = $1',
    [buddy.buddyId],
  );
  return rows[0].n;
}

/** As if a day had gone by since. */
async function later(requestId: string): Promise<void> {
  await world.api.database.owner.query(
    `UPDATE buddy_check_in_requests
        SET cooldown = tstzrange(lower(cooldown) - interval '25 hours', upper(cooldown) - interval '25 hours'),
            requested_at = requested_at - interval '25 hours' WHERE request_id = $1`,
    [requestId],
  );
}
