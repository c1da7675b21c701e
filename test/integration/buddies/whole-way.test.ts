/** From the app to the buddy's mailbox, their browser, and back to the app: every part of it real. */
import { randomUUID } from 'node:crypto';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  const promised = {
    BUDDY_CHECK_IN_SPACING: '36h',
    WELLBEING_ALERT_SPACING: '5d',
    BUDDY_CHECK_IN_REMINDER: '90m',
    RETENTION_UNVERIFIED_BUDDY: '60d',
  };
  stack = await startStack({ env: { BUDDY_INVITATION_SPACING: '1s', BUDDY_LINK_LIFETIME: '1h', ...promised } });
});
afterAll(() => stack.stop());

const user = { role: 'user', subject: 'a-user-with-buddies' } as const;

async function named(email: string, more: object = {}): Promise<{ buddyId: string; userId: string }> {
  const profile = { firstName: 'Ottoline', tellMeBy: 'app' };
  const { body: me } = await stack.api('/api/users/me/profile', { method: 'PUT', json: profile }, user);
  const json = { name: MARKED.mentorName, phoneNumber: MARKED.userPhone, email, ...more };
  const { status, body } = await stack.api('/api/buddy', { json }, user);
  expect(status).toBe(201);
  return { buddyId: body.buddyId, userId: me.userId };
}

const invite = ({ buddyId, userId }: { buddyId: string; userId: string }) =>
  stack.api('/api/buddy/send-verification', { json: { buddyContactId: buddyId, userId } }, user);

/** The link of the nth mail to this address, as its reader would press it. */
async function linkIn(email: string, action: 'accept' | 'decline', nth = 1): Promise<URL> {
  return eventually(async () => {
    const mail = (await stack.sim.mailbox(email))[nth - 1];
    const link = new RegExp(`https?://\\S+/api/buddy/verify\\?token=[\\w-]{64}&action=${action}`).exec(
      mail?.text ?? '',
    );
    if (link === null) throw new Error('no such mail yet');
    return new URL(link[0]);
  });
}

async function pressed(link: URL): Promise<{ status: number; text: string }> {
  const answer = await stack.api(link.pathname, { method: 'POST', body: new URLSearchParams(link.searchParams) });
  return { status: answer.status, text: answer.text };
}

const stateOf = async (buddyId: string) => (await stack.api(`/api/buddy/${buddyId}`, {}, user)).body;

it('somebody is asked by e-mail, opens the link, agrees, and the user’s app hears of it', async () => {
  const who = await named(MARKED.email);
  expect((await invite(who)).status).toBe(202);
  const link = await linkIn(MARKED.email, 'accept');
  const [mail] = await stack.sim.mailbox(MARKED.email);
  expect(mail).toMatchObject({ subject: 'Ottoline would like to ask you something' });
  expect(mail?.html).toContain('action=decline');
  const page = await stack.api(`${link.pathname}${link.search}`);
  expect(page).toMatchObject({
    status: 200,
    text: expect.stringContaining('Ottoline would like you to be their buddy'),
  });
  expect(await stateOf(who.buddyId)).toMatchObject({ status: 'pending' });
  expect(await pressed(link)).toMatchObject({ status: 200, text: expect.stringContaining('You are a buddy now') });
  expect(await stateOf(who.buddyId)).toMatchObject({ status: 'verified', canBeAsked: true });
  await eventually(async () => {
    const { rows } = await stack.pool.query('SELECT type FROM app_events WHERE object_id = $1 ORDER BY position', [
      who.buddyId,
    ]);
    expect(rows.map(({ type }) => type)).toEqual(['buddy.pending', 'buddy.verified']);
  });
  // Over: the second press is answered by the row.
  await eventually(async () => {
    const { status } = await stack.temporal.workflow.getHandle(`buddy-verification:${who.buddyId}`).describe();
    expect(status.name).toBe('COMPLETED');
  });
  expect((await pressed(link)).text).toContain('You are a buddy now');
  const history = await stack.api(`/api/buddy/${who.buddyId}/history`, {}, user);
  expect(history.body.events.map(({ event }: { event: string }) => event)).toEqual(['accepted', 'sent']);
});

it('an invitation and its page promise the times that are configured', async () => {
  const email = `${randomUUID()}@example.org`;
  const who = await named(email, { phoneNumber: '+14155550163' });
  await invite(who);
  const link = await linkIn(email, 'accept');
  const [mail] = await stack.sim.mailbox(email);
  const page = await stack.api(`${link.pathname}${link.search}`);
  for (const told of [mail?.text, mail?.html, page.text]) {
    expect(told).toContain('once in 36 hours at most');
    expect(told).toContain('once in 5 days at most');
    expect(told).toContain('one reminder at most, after 90 minutes');
    expect(told).toContain('we delete them 60 days after the last link');
  }
  // On this machine both lead to a sample of a policy, which says that it is one.
  const [policy] = /http:\/\/127\.0\.0\.1:\d+\/privacy/.exec(mail?.text ?? '') ?? [];
  expect(page.text).toContain(`href="${policy}"`);
  expect(await (await fetch(policy ?? '')).text()).toContain('A sample of a privacy policy');
  await stack.api(`/api/buddy/${who.buddyId}`, { method: 'DELETE' }, user);
});

it('a link that is sent again replaces the one before it, and a no is for good', async () => {
  const email = `${randomUUID()}@example.org`;
  const who = await named(email, { phoneNumber: MARKED.otherUserPhone });
  await invite(who);
  const first = await linkIn(email, 'accept');
  await eventually(async () => expect((await invite(who)).status).toBe(202));
  const second = await linkIn(email, 'decline', 2);
  expect((await pressed(first)).status).toBe(410);
  expect(await pressed(second)).toMatchObject({ status: 200, text: expect.stringContaining('You have declined') });
  expect(await stateOf(who.buddyId)).toMatchObject({ status: 'declined' });
  expect((await invite(who)).body.code).toBe('buddy-has-refused');
});

it('who is taken off the list before they answer has a link that opens nothing, and the workflow ends', async () => {
  const email = `${randomUUID()}@example.org`;
  const who = await named(email, { phoneNumber: '+14155550161' });
  await invite(who);
  const link = await linkIn(email, 'accept');
  expect((await stack.api(`/api/buddy/${who.buddyId}`, { method: 'DELETE' }, user)).status).toBe(204);
  const ended = stack.temporal.workflow.getHandle(`buddy-verification:${who.buddyId}`);
  await eventually(async () => expect((await ended.describe()).status.name).toBe('COMPLETED'));
  expect((await pressed(link)).status).toBe(404);
});

it('an address that takes no mail counts for nothing, and the user may ask again', async () => {
  const email = `${randomUUID()}@example.org`;
  const who = await named(email, { phoneNumber: '+14155550162' });
  await invite(who);
  const { messageId } = await eventually(async () => {
    const { rows } = await stack.pool.query('SELECT message_id FROM buddy_invitations WHERE buddy_id = $1', [
      who.buddyId,
    ]);
    await linkIn(email, 'accept');
    return { messageId: rows[0].message_id as string };
  });
  await eventually(async () => {
    const { rows } = await stack.pool.query('SELECT event FROM buddy_verification_audit WHERE buddy_id = $1', [
      who.buddyId,
    ]);
    expect(rows).toEqual([{ event: 'sent' }]);
  });
  // The reader unsubscribes; the next e-mail is not sent.
  const [mail] = await stack.sim.mailbox(email);
  const stop = /https?:\/\/\S+(\/unsubscribe\/[\w-]+)/.exec(mail?.text ?? '')?.[1] ?? '';
  await stack.api(stop, { method: 'POST' });
  await eventually(async () => expect((await invite(who)).status).toBe(202));
  await eventually(async () => expect((await stateOf(who.buddyId)).invitations).toMatchObject({ sent: 1, left: 2 }));
  expect(await stack.sim.mailbox(email)).toHaveLength(1);
  expect((await pressed(await linkIn(email, 'accept'))).status).toBe(200);
  expect(messageId).toMatch(/^[\da-f-]{36}$/);
});
