/**
 * An end of a buddy reaches everything that runs for them: the invitation, every check-in, and by these the alert, which
 * goes on to whoever comes next. With real workflows, and by each way in which buddies end it.
 */
import { randomUUID } from 'node:crypto';
import { subjectOfAccounts } from '../../../api/accounts';
import { loadConfig } from '../../../config/config';
import { ensureServiceKeys } from '../../../db/service-keys';
import { createVault } from '../../../db/vault-records';
import { buddyVerificationWorkflowId, checkInWorkflowId } from '../../../domain/buddies';
import { wellbeingAlertWorkflowId } from '../../../domain/wellbeing-alert';
import { openKeyRing } from '../../../providers/open-key-ring';
import { createSubjectKeyCache } from '../../../vault/subject-key-cache';
import { createTokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { addBuddy, type BuddyParts, giveProfile } from './people';

let stack: TestStack;
let parts: BuddyParts;
let issuer: string;
let close: () => Promise<void>;
beforeAll(async () => {
  stack = await startStack();
  const config = loadConfig(stack.env);
  const keyRing = await openKeyRing(config.keys, config);
  const keys = await ensureServiceKeys(stack.pool, keyRing);
  const logger = { warn: () => undefined };
  const vault = createVault({ pool: stack.pool, keyRing, cache: createSubjectKeyCache(), logger });
  parts = { pool: stack.pool, vault, tokenizer: createTokenizer(keys.all('token')) };
  issuer = config.oidc.issuer;
  close = () => vault.close();
});
afterAll(async () => {
  await close();
  await stack.stop();
});

async function user() {
  const who = { role: 'user', subject: randomUUID() } as const;
  const userId = await subjectOfAccounts(parts.pool, parts.tokenizer)(issuer, who.subject);
  await giveProfile(parts, userId);
  return { who, userId };
}

const received = async (phone: string) =>
  (await stack.sim.texts(phone)).filter(({ direction }) => direction === 'incoming').map(({ body }) => body);

/** The path of the link in the newest text of a phone that has one. */
const linkIn = (phone: string, pattern: RegExp): Promise<string> =>
  eventually(async () => {
    const path = (await received(phone)).map((body) => pattern.exec(body)?.[1]).findLast((one) => one !== undefined);
    if (path === undefined) throw new Error('no link yet');
    return path;
  });
const ALERT = /https?:\/\/[^/\s]+(\/buddy\/alert\/[\w-]{64})/;
const CHECK_IN = /https?:\/\/[^/\s]+(\/buddy\/checkin\/[\w-]{64})/;

function press(path: string, fields: Record<string, string>) {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return stack.api(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() });
}

async function stop(phone: string): Promise<void> {
  const [text] = (await stack.sim.messages()).filter(({ to }) => to === phone);
  await stack.sim.sendText({ from: phone, to: text?.sender ?? '', body: 'STOP' });
}

const isRunning = async (workflowId: string) =>
  (await stack.temporal.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';

async function asked(phone: string) {
  const { who, userId } = await user();
  const buddy = await addBuddy(parts, { userId, phone });
  const json = { buddyContactId: buddy.buddyId, userId };
  const { body } = await stack.api('/api/buddy/send-checkin', { json }, who);
  const requestId: string = body.requestId;
  const look = async () => (await stack.api(`/api/buddy/check-ins/${requestId}`, {}, who)).body;
  return { who, userId, buddy, requestId, look, link: await linkIn(phone, CHECK_IN) };
}

it('STOP by text ends a check-in that is open, and its link opens nothing more', async () => {
  const phone = '+14155550181';
  const { requestId, look, link } = await asked(phone);
  await stop(phone);
  await eventually(async () => expect(await look()).toMatchObject({ state: 'ended' }));
  await eventually(async () => expect(await isRunning(checkInWorkflowId(requestId))).toBe(false));
  expect((await press(link, { step: 'answer', response: 'called' })).status).toBe(410);
});

it('taking a buddy off the list ends a check-in that is open', async () => {
  const { who, buddy, requestId, look } = await asked('+14155550182');
  expect((await stack.api(`/api/buddy/${buddy.buddyId}`, { method: 'DELETE' }, who)).status).toBe(204);
  await eventually(async () => expect(await look()).toMatchObject({ state: 'ended' }));
  await eventually(async () => expect(await isRunning(checkInWorkflowId(requestId))).toBe(false));
});

it('erasing the user ends what their buddies are asked', async () => {
  const { userId, requestId } = await asked('+14155550183');
  await parts.vault.eraseSubject(userId, userId);
  await eventually(async () => expect(await isRunning(checkInWorkflowId(requestId))).toBe(false));
  const { rows } = await stack.pool.query('SELECT state FROM buddy_check_in_requests WHERE request_id = $1', [
    requestId,
  ]);
  expect(rows).toEqual([{ state: 'ended' }]);
});

describe('an invitation that waits for its answer', () => {
  /** A buddy who was asked by mail; the path of the page behind their link. */
  async function invited(phoneNumber: string) {
    const { who, userId } = await user();
    const email = `${randomUUID()}@example.org`;
    const added = await stack.api('/api/buddy', { json: { name: MARKED.variable, phoneNumber, email } }, who);
    const buddyId: string = added.body.buddyId;
    const sent = await stack.api('/api/buddy/send-verification', { json: { buddyContactId: buddyId, userId } }, who);
    expect(sent.status).toBe(202);
    const token = await eventually(async () => {
      const [mail] = await stack.sim.mailbox(email);
      const [, found] = /token=([\w-]{64})/.exec(mail?.text ?? '') ?? [];
      if (found === undefined) throw new Error('no mail yet');
      return found;
    });
    const workflowId = buddyVerificationWorkflowId(buddyId);
    expect(await isRunning(workflowId)).toBe(true);
    const result = () =>
      eventually(async () => {
        expect(await isRunning(workflowId)).toBe(false);
        const { rows } = await stack.pool.query('SELECT is_end_untold FROM buddy_contacts WHERE buddy_id = $1', [
          buddyId,
        ]);
        expect(rows).toEqual([{ is_end_untold: false }]);
      });
    return { who, buddyId, token, result };
  }

  it('is over at once when they withdraw by their page', async () => {
    const { who, buddyId, token, result } = await invited('+14155550184');
    expect((await press(`/api/buddy/rights/${token}`, { step: 'withdraw' })).status).toBe(200);
    await result();
    expect((await stack.api(`/api/buddy/${buddyId}`, {}, who)).body).toMatchObject({ status: 'opted-out' });
    expect((await press('/api/buddy/verify', { token, action: 'accept' })).status).toBe(410);
  });

  it('is over at once when they decline, or the user takes them off', async () => {
    const declined = await invited('+14155550185');
    expect((await press('/api/buddy/verify', { token: declined.token, action: 'decline' })).status).toBe(200);
    await declined.result();
    const removed = await invited('+14155550186');
    await stack.api(`/api/buddy/${removed.buddyId}`, { method: 'DELETE' }, removed.who);
    await removed.result();
    expect((await press('/api/buddy/verify', { token: removed.token, action: 'accept' })).status).toBe(404);
  });
});

it('an alert whose buddies both opt out goes on to the contact, and when that opts out too comes to its end', async () => {
  const [first, second, contact] = ['+14155550187', '+14155550188', '+14155550189'];
  const { who, userId } = await user();
  await addBuddy(parts, { userId, phone: first });
  await addBuddy(parts, { userId, phone: second, rank: 2 });
  const named = { name: MARKED.mentorName, phoneNumber: contact, language: 'en' };
  await stack.api('/api/users/me/registered-contact', { method: 'PUT', json: named }, who);
  await eventually(async () => expect(await received(contact)).toHaveLength(1));

  const event = { eventId: randomUUID(), userId, score: 20, risk: 'high', measuredAt: new Date().toISOString() };
  const taken = await stack.api('/api/wellbeing/scores', { json: { events: [event] } }, { role: 'service' });
  expect(taken).toMatchObject({ status: 200, body: { taken: 1 } });
  const { body } = await stack.api('/api/wellbeing/alerts', {}, who);
  const alertId: string = body.alerts[0].alertId;
  const look = async () => (await stack.api(`/api/wellbeing/alerts/${alertId}`, {}, who)).body;

  await linkIn(first, ALERT);
  await stop(first);
  const [, token] = /\/buddy\/alert\/([\w-]{64})/.exec(await linkIn(second, ALERT)) ?? [];
  expect((await press(`/api/buddy/rights/${token}`, { step: 'withdraw' })).status).toBe(200);

  // Nobody waits for the hours that the policy gives to buddies.
  await eventually(async () => expect(await received(contact)).toHaveLength(2));
  const steps = (await look()).steps;
  expect(steps[0]).toMatchObject({ state: 'unanswered', buddies: [{ state: 'ended' }, { state: 'ended' }] });
  expect(steps[1]).toMatchObject({ state: 'skipped', skippedBecause: 'all-asked' });
  expect(steps[3]).toMatchObject({ who: 'registered-contact', state: 'under-way' });

  await stop(contact);
  await eventually(async () => expect(await look()).toMatchObject({ state: 'closed', endReason: 'nobody-answered' }));
  await eventually(async () => expect(await isRunning(wellbeingAlertWorkflowId(alertId))).toBe(false));
  expect((await stack.api('/api/users/me/registered-contact', {}, who)).body).toMatchObject({ state: 'opted-out' });
});
