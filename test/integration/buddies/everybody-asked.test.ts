/**
 * Everything that a buddy and a registered contact are part of, through the whole service: what is sealed of them and told
 * of them is left behind for the search at the end of the run.
 */
import { randomUUID } from 'node:crypto';
import { pressed, tokenInMail, tokensInTexts, type TextedPage } from '../../buddy-links';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  // Where buttons are pressed from is sealed; nobody's address is told apart on one machine without a proxy.
  stack = await startStack({ env: { TRUST_PROXY_HOPS: '1', PRIVACY_POLICY_URL: 'https://example.org/privacy' } });
});
afterAll(() => stack.stop());

const who = { role: 'user', subject: randomUUID() } as const;
let userId: string;
let buddyId: string;
let rights: string;
let rightsByText: string;

async function ask(path: string, json: object, method = 'POST', by: Parameters<TestStack['api']>[2] = who) {
  const { status, body, text } = await stack.api(path, { json, method }, by);
  if (status >= 300) throw new Error(`${path} was refused: ${status} ${text}`);
  return body;
}

/** The newest link of this kind in the texts of a phone. */
function linkIn(phone: string, page: TextedPage, count = 1): Promise<string> {
  return eventually(async () => {
    const tokens = await tokensInTexts(stack, phone, page);
    expect(tokens).toHaveLength(count);
    return `/${page}/${tokens.at(-1)}`;
  });
}

async function press(path: string, fields: Record<string, string>): Promise<string> {
  const { status, text } = await stack.api(path, pressed(fields));
  expect({ status, text }).toMatchObject({ status: 200 });
  return text;
}

test('somebody is asked by e-mail to be a buddy, and agrees by the link', async () => {
  userId = (await ask('/api/users/me/profile', { firstName: MARKED.mentorName }, 'PUT')).userId;
  const { otherMentorName: name, buddyPhone: phoneNumber, email, relationship } = MARKED;
  buddyId = (await ask('/api/buddy', { name, phoneNumber, email, relationship })).buddyId;
  await ask('/api/buddy/send-verification', { buddyContactId: buddyId, userId });
  const token = await eventually(async () => {
    const found = await tokenInMail(stack, email);
    if (found === null) throw new Error('no mail yet');
    return found;
  });
  rights = `/api/buddy/rights/${token}`;
  await press('/api/buddy/verify', { token, action: 'accept' });
  expect((await stack.api(`/api/buddy/${buddyId}`, {}, who)).body).toMatchObject({ status: 'verified' });
});

test('they are asked by text to get in touch, and answer with a note', async () => {
  const { requestId } = await ask('/api/buddy/send-checkin', { buddyContactId: buddyId, userId });
  const page = await linkIn(MARKED.buddyPhone, 'buddy/checkin');
  rightsByText = page.replace('/buddy/checkin/', '/api/buddy/rights/');
  await press(page, { step: 'open' });
  await press(page, { step: 'answer', response: 'messaged', note: MARKED.note });
  expect((await stack.api(`/api/buddy/check-ins/${requestId}`, {}, who)).body).toMatchObject({
    state: 'answered',
    note: MARKED.note,
  });
});

test('an alert asks the buddy, who cannot reach them, and then the contact, who can', async () => {
  const contact = { name: MARKED.contactName, phoneNumber: MARKED.contactPhone };
  await ask('/api/users/me/registered-contact', contact, 'PUT');
  await press(await linkIn(MARKED.contactPhone, 'contact'), { do: 'agree' });
  const events = [3, 2, 1].map((ago) => ({
    eventId: randomUUID(),
    userId,
    score: MARKED.score,
    risk: 'low',
    measuredAt: new Date(Date.now() - ago * 1_000).toISOString(),
  }));
  await ask('/api/wellbeing/scores', { events }, 'POST', { role: 'service', subject: 'the-analysis' });
  const alert = await linkIn(MARKED.buddyPhone, 'buddy/alert');
  await press(alert, { step: 'open' });
  await press(alert, { step: 'answer', response: 'cannot-reach', note: MARKED.note });
  await press(await linkIn(MARKED.contactPhone, 'contact', 2), { do: 'answer', response: 'called' });
  await eventually(async () => {
    const { body } = await stack.api('/api/wellbeing/alerts', {}, who);
    expect(body.alerts).toMatchObject([{ state: 'answered', endReason: 'answered', reason: 'low-in-a-row' }]);
  });
});

test('the buddy sees all that is held of them by both links, takes it along, and goes', async () => {
  const { otherMentorName, relationship, note } = MARKED;
  const byMail = await press(rights, { step: 'see' });
  for (const held of [otherMentorName, relationship, MARKED.email]) expect(byMail).toContain(held);
  expect(byMail).not.toContain(note);
  const byText = await press(rightsByText, { step: 'see' });
  for (const held of [otherMentorName, relationship, note]) expect(byText).toContain(held);
  expect(byText).not.toContain(MARKED.email);
  const files = [await press(rights, { step: 'export' }), await press(rightsByText, { step: 'export' })];
  const channels = files.map((file) =>
    JSON.parse(file).parts.messages.map(({ channel }: { channel: string }) => channel),
  );
  expect(channels.map((each) => [...new Set(each)])).toEqual([['email'], ['sms']]);
  expect([files[0]?.includes(MARKED.buddyPhone), files[1]?.includes(MARKED.email)]).toEqual([false, false]);
  await press(rights, { step: 'withdraw' });
  const { body } = await stack.api(`/api/buddy/${buddyId}`, {}, who);
  expect(body).toMatchObject({ canBeAsked: false });
});

test('each button that was pressed is kept with where from, and that is sealed', async () => {
  const { rows } = await stack.pool.query(
    `SELECT DISTINCT kind FROM vault_records WHERE kind IN ('ip', 'user-agent', 'text') ORDER BY kind`,
  );
  expect(rows).toEqual([{ kind: 'ip' }, { kind: 'text' }, { kind: 'user-agent' }]);
});
