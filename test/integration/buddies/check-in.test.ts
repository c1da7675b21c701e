/** A check-in through everything: HTTP, workflow, text, page, answer, and the user who hears of it (scenario row 12). */
import { randomUUID } from 'node:crypto';
import { subjectOfAccounts } from '../../../api/accounts';
import { loadConfig } from '../../../config/config';
import { ensureServiceKeys } from '../../../db/service-keys';
import { createVault } from '../../../db/vault-records';
import { CHECK_IN, type CheckInInput, checkInWorkflowId } from '../../../domain/buddies';
import { openKeyRing } from '../../../providers/open-key-ring';
import { connectTemporal, type KindlineClient } from '../../../temporal/connection';
import { createSubjectKeyCache } from '../../../vault/subject-key-cache';
import { createTokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { addBuddy, type BuddyParts, giveProfile } from './people';

let stack: TestStack;
let parts: BuddyParts;
let issuer: string;
let temporal: KindlineClient;
let close: () => Promise<void>;
beforeAll(async () => {
  stack = await startStack({ env: { BUDDY_CHECK_IN_REMINDER: '1h' } });
  const config = loadConfig(stack.env);
  const keyRing = await openKeyRing(config.keys, config);
  const keys = await ensureServiceKeys(stack.pool, keyRing);
  const logger = { warn: () => undefined };
  const vault = createVault({ pool: stack.pool, keyRing, cache: createSubjectKeyCache(), logger });
  parts = { pool: stack.pool, vault, tokenizer: createTokenizer(keys.all('token')) };
  issuer = config.oidc.issuer;
  const connected = await connectTemporal(config.temporal, keys);
  temporal = connected.client;
  close = async () => {
    await vault.close();
    await connected.close();
  };
});
afterAll(async () => {
  await close();
  await stack.stop();
});

async function userWithBuddy(phone: string, tellMeBy: 'app' | 'sms' = 'app') {
  const who = { role: 'user', subject: randomUUID() } as const;
  const userId = await subjectOfAccounts(parts.pool, parts.tokenizer)(issuer, who.subject);
  await giveProfile(parts, userId, { tellMeBy });
  return { who, userId, buddy: await addBuddy(parts, { userId, phone }) };
}

async function asking(phone: string, tellMeBy: 'app' | 'sms' = 'app') {
  const { who, userId, buddy } = await userWithBuddy(phone, tellMeBy);
  const json = { buddyContactId: buddy.buddyId, userId };
  const sent = await stack.api('/api/buddy/send-checkin', { json }, who);
  expect(sent).toMatchObject({ status: 202, body: { state: 'pending' } });
  const requestId: string = sent.body.requestId;
  const look = async () => (await stack.api(`/api/buddy/check-ins/${requestId}`, {}, who)).body;
  const untilIs = (expected: object) => eventually(async () => expect(await look()).toMatchObject(expected));
  return { who, requestId, look, untilIs };
}

const received = async (phone: string) =>
  (await stack.sim.texts(phone)).filter(({ direction }) => direction === 'incoming').map(({ body }) => body);

/** The path of the link in the newest text of a phone. */
async function linkIn(phone: string): Promise<string> {
  return await eventually(async () => {
    const [, path] =
      /https?:\/\/[^/\s]+(\/buddy\/(?:checkin|alert)\/[\w-]{64})/.exec((await received(phone)).at(-1) ?? '') ?? [];
    if (path === undefined) throw new Error('no link yet');
    return path;
  });
}

function press(path: string, fields: Record<string, string>) {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return stack.api(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() });
}

async function toldOf(requestId: string): Promise<string[]> {
  const { rows } = await stack.pool.query('SELECT type FROM app_events WHERE object_id = $1 ORDER BY txid, position', [
    requestId,
  ]);
  return rows.map(({ type }) => type);
}

it('one that could not be begun in time is begun when the app asks again, by the same key', async () => {
  const { who, userId, buddy } = await userWithBuddy('+14155550178');
  const init = { json: { buddyContactId: buddy.buddyId, userId }, headers: { 'Idempotency-Key': randomUUID() } };
  const ask = () => stack.api('/api/buddy/send-checkin', init, who);
  stack.kill('worker', 'SIGSTOP');
  // Each waits longer than half of the time in which it must be begun.
  expect([(await ask()).status, (await ask()).status]).toEqual([503, 503]);
  stack.kill('worker', 'SIGCONT');
  const begun = await eventually(async () => {
    const answer = await ask();
    expect(answer.status).toBe(202);
    return answer;
  });
  await eventually(async () => expect(await received('+14155550178')).toHaveLength(1));
  expect((await ask()).body.requestId).toBe(begun.body.requestId);
});

it('a buddy is asked, opens the link, answers, and the user is told', async () => {
  const phone = '+14155550171';
  const ownPhone = '+14155550172';
  const { who, requestId, look, untilIs } = await asking(phone, 'sms');
  const saved = await stack.api('/contact-points', { json: { phoneNumber: ownPhone } }, who);
  const verified = 'UPDATE contact_points SET verified_at = clock_timestamp() WHERE contact_point_id = $1';
  await stack.pool.query(verified, [saved.body.contactPointId]);

  const link = await linkIn(phone);
  const [text] = await received(phone);
  expect(text).toMatch(/^Hi Ottoline, Thessaly asks you to get in touch\..*Reply STOP to opt out\.$/s);
  await untilIs({ state: 'delivered', deliveredAt: expect.any(String) });
  expect((await stack.api(link)).text).toContain('Open');
  expect(await look()).toMatchObject({ state: 'delivered', linkOpenedAt: null });

  expect((await press(link, { step: 'open' })).status).toBe(200);
  await untilIs({ state: 'opened', linkOpenedAt: expect.any(String) });
  const answered = await press(link, { step: 'answer', response: 'called', note: MARKED.messageWords });
  expect(answered).toMatchObject({ status: 200, text: expect.stringContaining('Thank you') });
  expect(await look()).toMatchObject({ state: 'answered', response: 'called', note: MARKED.messageWords });
  await eventually(async () =>
    expect(await received(ownPhone)).toEqual([expect.stringMatching(/^Ottoline says: I have called\./)]),
  );

  const corrected = await press(link, { step: 'answer', response: 'messaged' });
  expect(corrected.status).toBe(200);
  expect(await look()).toMatchObject({ state: 'answered', response: 'messaged', note: null });
  expect(await toldOf(requestId)).toEqual([
    'check-in.pending',
    'check-in.sent',
    'check-in.delivered',
    'check-in.opened',
    'check-in.answered',
    'check-in.corrected',
  ]);
  expect(await received(phone)).toHaveLength(1);
});

it('a buddy answers by text', async () => {
  const phone = '+14155550173';
  const { look, untilIs } = await asking(phone);
  await linkIn(phone);
  const [text] = (await stack.sim.messages()).filter(({ to }) => to === phone);
  await stack.sim.sendText({ from: phone, to: text?.sender ?? '', body: '3' });
  await untilIs({ state: 'answered', response: 'cannot-reach' });
  // It was by text: nobody has opened the page.
  expect(await look()).toMatchObject({ linkOpenedAt: null });
});

it('a text that does not arrive ends it, and the buddy may be asked another way', async () => {
  const phone = '+14155550174';
  await stack.sim.script(phone, { texts: { outcome: 'refused', errorCode: 21610 } });
  const { requestId, untilIs } = await asking(phone);
  await untilIs({ state: 'undeliverable', closedAt: expect.any(String) });
  const { rows } = await stack.pool.query('SELECT counts FROM buddy_check_in_requests WHERE request_id = $1', [
    requestId,
  ]);
  expect(rows).toEqual([{ counts: false }]);
});

it('a buddy who goes ends it at once, and the link opens nothing more', async () => {
  const phone = '+14155550175';
  const { requestId, untilIs } = await asking(phone);
  const link = await linkIn(phone);
  await stack.temporal.workflow.getHandle(checkInWorkflowId(requestId)).signal(CHECK_IN.ended);
  await untilIs({ state: 'ended' });
  expect((await press(link, { step: 'answer', response: 'called' })).status).toBe(410);
});

it('an alert’s text leads to what helps, and its check-in goes on where the alert hears no more', async () => {
  const phone = '+14155550176';
  const { who, userId, buddy } = await userWithBuddy(phone);
  const requestId = randomUUID();
  const input: CheckInInput = {
    requestId,
    buddyId: buddy.buddyId,
    userId,
    alert: { alertId: randomUUID(), days: 3 },
    reminderAfterMs: null,
    closesAfterMs: 3_600_000,
    reportsTo: `wellbeing-alert:${randomUUID()}`,
  };
  const workflowId = checkInWorkflowId(requestId);
  await temporal.workflow.start(CHECK_IN.workflow, { workflowId, taskQueue: temporal.workflowQueue, args: [input] });
  const link = await linkIn(phone);
  expect(link).toContain('/buddy/alert/');
  expect((await press(link, { step: 'open' })).text).toContain('tel:988');
  expect((await press(link, { step: 'answer', response: 'called' })).status).toBe(200);
  expect((await stack.api(`/api/buddy/check-ins/${requestId}`, {}, who)).body).toMatchObject({
    kind: 'system',
    state: 'answered',
    response: 'called',
  });
});
