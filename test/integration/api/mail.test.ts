/** What SES tells of our mail, and what readers ask for by its links: over real HTTP and a real Postgres. */
import { randomUUID } from 'node:crypto';
import { blockAddress, whyBlocked } from '../../../db/mail-blocks';
import { keepUnsubscribeLink } from '../../../db/mail-links';
import { ensureDispatch } from '../../../db/dispatches';
import { recipientSubject } from '../../../db/recipients';
import { SealedValue } from '../../../domain/sealed';
import { linkHash, linkToken } from '../../../vault/link-tokens';
import { SES_EVENTS, sesEvent } from '../../../simulator/sns/ses-events';
import { SnsDouble, TOPIC } from '../../sns-double';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
let sns: SnsDouble;
beforeAll(async () => {
  sns = await SnsDouble.start();
  api = await ApiUnderTest.start({ MAIL_EVENTS_TOPIC: TOPIC, MAIL_EVENTS_STAND_IN: sns.url });
});
afterAll(async () => {
  await api.stop();
  await sns.stop();
});
afterEach(() => {
  api.process.down = null;
  api.receipts.length = 0;
});

const KEY = { version: 1, key: Buffer.alloc(32, 3) };
const post = (body: string) =>
  api.fetch('/mail-events', { method: 'POST', headers: { 'Content-Type': 'text/plain; charset=UTF-8' }, body });

/** An e-mail that its carrier has taken. */
async function sentMail() {
  const token = api.deps.tokenizer.token(SealedValue.of('email', `${randomUUID()}@example.org`));
  const [messageId, dispatchId, sid] = [randomUUID(), randomUUID(), `0102${randomUUID()}-000000`];
  await ensureDispatch(api.deps.pool, {
    dispatchId,
    businessKey: `message:${messageId}:1`,
    callId: null,
    messageId,
    alertId: null,
    workflowId: `message:${messageId}`,
    recipientToken: token.toString('hex'),
    channel: 'email',
    messageClass: 'ordinary',
    sender: 'no-reply@kindline.example.org',
    country: 'ZZ',
  });
  await api.database.owner.query(`UPDATE dispatches SET state = 'accepted', sid = $2 WHERE dispatch_id = $1`, [
    dispatchId,
    sid,
  ]);
  return { token, messageId, dispatchId, sid };
}

test('a block has the version of the token that the mail was sent to, not of the newest', async () => {
  const { token, sid } = await sentMail();
  const older = api.deps.tokenizer.version + 7;
  await recipientSubject(api.deps.pool, { token, tokenVersion: older, candidates: [token] });
  await post(sns.notification(sesEvent(SES_EVENTS.bounce, sid)));
  const { rows } = await api.database.owner.query('SELECT token_version FROM mail_blocks WHERE recipient_token = $1', [
    token,
  ]);
  expect(rows).toEqual([{ token_version: older }]);
});

async function eventsOf(sid: string) {
  const { rows } = await api.database.owner.query('SELECT * FROM webhook_events WHERE sid = $1', [sid]);
  return rows;
}

describe('POST /mail-events', () => {
  test.each([
    [SES_EVENTS.delivery, 'delivered', null, null],
    [SES_EVENTS.bounce, 'undelivered', '5.1.1', 'bounced'],
    [SES_EVENTS['soft-bounce'], 'undelivered', '4.2.2', null],
    [{ eventType: 'Bounce', bounce: { bounceType: 'Undetermined' } }, 'undelivered', null, null],
    [SES_EVENTS.reject, 'failed', null, null],
    [SES_EVENTS['rendering-failure'], 'failed', null, null],
  ])('tells the message of a %j', async (told, status, errorCode, blocked) => {
    const { token, messageId, dispatchId, sid } = await sentMail();
    expect(await post(sns.notification(sesEvent(told, sid)))).toMatchObject({ status: 204, text: '' });
    const seenKey = `mail-event:${sid}:${told.eventType.toLowerCase().replace(' ', '-')}`;
    expect(api.receipts).toEqual([{ messageId, receipt: { seenKey, sid, status, errorCode } }]);
    const [event] = await eventsOf(sid);
    expect(event).toMatchObject({ type: 'mail-event', message_id: messageId, dispatch_id: dispatchId, status });
    expect(event.handled_at).not.toBeNull();
    expect(JSON.stringify(event)).not.toMatch(/example\.org|smtp;|A message for you/);
    expect(await whyBlocked(api.deps.pool, [token])).toBe(blocked);
  });

  test('a complaint blocks the address, and changes nothing of a mail that has arrived', async () => {
    const { token, sid } = await sentMail();
    await post(sns.notification(sesEvent(SES_EVENTS.complaint, sid)));
    expect(api.receipts).toEqual([]);
    expect((await eventsOf(sid))[0]).toMatchObject({ status: 'complaint', payload: { detail: 'abuse' } });
    expect(await whyBlocked(api.deps.pool, [token])).toBe('complained');
  });

  test('a mail whose answer was lost is found by the tag it carried', async () => {
    const { messageId, dispatchId } = await sentMail();
    const sid = `0102${randomUUID()}-000000`;
    await post(sns.notification(sesEvent(SES_EVENTS.delivery, sid, dispatchId)));
    expect(api.receipts).toMatchObject([{ messageId, receipt: { sid, status: 'delivered' } }]);
  });

  test('what comes twice is told once', async () => {
    const { sid } = await sentMail();
    const told = sns.notification(sesEvent(SES_EVENTS.delivery, sid));
    await Promise.all([post(told), post(told)]);
    await post(sns.notification(sesEvent(SES_EVENTS.delivery, sid)));
    expect(await eventsOf(sid)).toMatchObject([{ copies: 3 }]);
    expect(new Set(api.receipts.map(({ receipt }) => receipt.seenKey)).size).toBe(1);
  });

  test('what the workflow cannot be told now is stored, answered, and waits for the relay', async () => {
    const { sid } = await sentMail();
    api.process.down = new Error('Temporal is down');
    expect((await post(sns.notification(sesEvent(SES_EVENTS.bounce, sid)))).status).toBe(204);
    expect(await eventsOf(sid)).toMatchObject([{ handled_at: null }]);
  });

  test('an event can be handed over again by an admin', async () => {
    const { messageId, sid } = await sentMail();
    await post(sns.notification(sesEvent(SES_EVENTS.delivery, sid)));
    const [{ event_id: eventId }] = await eventsOf(sid);
    const answer = await api.ask('POST', `/webhook-events/${eventId}/replay`, { who: { role: 'admin' }, json: {} });
    expect(answer).toMatchObject({ status: 200, body: { result: 'signalled' } });
    expect(api.receipts).toMatchObject([{ messageId }, { messageId }]);
  });

  test('a mail of somebody else, and what is no event, are answered and forgotten', async () => {
    const before = await api.footprint();
    for (const message of [sesEvent(SES_EVENTS.bounce, 'of-another-service'), 'Successfully validated', '{}', '[1]']) {
      expect((await post(sns.notification(message))).status).toBe(204);
    }
    expect(await api.footprint()).toEqual(before);
  });

  test.each([
    ['forged', () => sns.notification(sesEvent(SES_EVENTS.bounce, 'x'), {}, { Message: '{}' })],
    ['of another topic', () => sns.notification('x', { TopicArn: `${TOPIC}-2` })],
    ['nonsense', () => 'nonsense'],
    ['empty', () => ''],
  ])('one that is %s is refused without a word', async (_what, body) => {
    const before = await api.footprint();
    expect(await post(body())).toMatchObject({ status: 403, text: '' });
    expect(await api.footprint()).toEqual(before);
  });

  test('one that cannot be checked now is asked for again', async () => {
    const elsewhere = sns.notification('x', {
      SigningCertURL: sns.certificateUrl.replace(/[\da-f]{32}\.pem/, `${'b2'.repeat(16)}.pem`),
    });
    sns.isDown = true;
    const { status } = await post(elsewhere).finally(() => {
      sns.isDown = false;
    });
    expect(status).toBe(503);
  });

  test('larger than anything SNS sends is refused', async () => {
    expect(await post('x'.repeat(400_000))).toMatchObject({ status: 413, text: '' });
  });

  test('a subscription to a topic of ours is confirmed', async () => {
    const fields = {
      Type: 'SubscriptionConfirmation',
      Message: 'x',
      Token: 'a-token',
      SubscribeURL: 'https://x.example',
    };
    expect((await post(sns.signed(fields))).status).toBe(204);
    expect(sns.confirmed.at(-1)?.get('Token')).toBe('a-token');
  });
});

describe('the link of an e-mail', () => {
  async function linkOf() {
    const { token: recipientToken, messageId } = await sentMail();
    const link = linkToken(KEY, 'unsubscribe', messageId);
    await keepUnsubscribeLink(api.deps.pool, linkHash(link) ?? Buffer.alloc(0), { messageId, recipientToken });
    return { recipientToken, messageId, path: `/unsubscribe/${link}` };
  }
  const why = (token: Buffer) => whyBlocked(api.deps.pool, [token]);

  test('asks first: a program that follows links unsubscribes nobody', async () => {
    const { recipientToken, path } = await linkOf();
    const page = await api.fetch(path, { method: 'GET', headers: { 'Accept-Language': 'es' } });
    expect(page.status).toBe(200);
    expect(page.text).toContain('<form method="post"');
    expect(page.text).toContain('lang="es"');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(await why(recipientToken)).toBeNull();
  });

  test('one click of a mail program is enough, may be repeated, and can be taken back', async () => {
    const { recipientToken, path } = await linkOf();
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    for (let n = 0; n < 2; n += 1) expect((await api.fetch(path, { method: 'POST', body })).status).toBe(200);
    expect(await why(recipientToken)).toBe('unsubscribed');
    expect((await api.fetch(path, { method: 'GET' })).text).toContain('?undo=1');
    await api.fetch(`${path}?undo=1`, { method: 'POST' });
    expect(await why(recipientToken)).toBeNull();
  });

  test('leaves an audit entry each way, once, that names the e-mail and whose it was, and nothing of the address', async () => {
    const { recipientToken, path, messageId } = await linkOf();
    const entries = async () => {
      const { rows } = await api.database.owner.query(
        `SELECT actor, action, purpose, outcome FROM audit_entries WHERE object_id = $1 ORDER BY at`,
        [messageId],
      );
      return rows;
    };
    const said = { actor: 'system', purpose: 'link', outcome: 'done' };
    for (let n = 0; n < 2; n += 1) await api.fetch(path, { method: 'POST' });
    expect(await entries()).toEqual([{ ...said, action: 'opt-out.recorded' }]);
    for (let n = 0; n < 2; n += 1) await api.fetch(`${path}?undo=1`, { method: 'POST' });
    expect(await entries()).toEqual([
      { ...said, action: 'opt-out.recorded' },
      { ...said, action: 'opt-out.lifted' },
    ]);
    await blockAddress(api.deps.pool, recipientToken, 1, 'complained');
    for (const again of [path, `${path}?undo=1`]) await api.fetch(again, { method: 'POST' });
    expect(await entries()).toHaveLength(2);
  });

  test('does not take back that the mailbox is not there, whatever came first', async () => {
    const { recipientToken, path } = await linkOf();
    await blockAddress(api.deps.pool, recipientToken, 1, 'unsubscribed');
    await blockAddress(api.deps.pool, recipientToken, 1, 'bounced');
    await blockAddress(api.deps.pool, recipientToken, 1, 'unsubscribed');
    await api.fetch(`${path}?undo=1`, { method: 'POST' });
    expect(await why(recipientToken)).toBe('bounced');
  });

  test('does not take back a complaint', async () => {
    const { recipientToken, path } = await linkOf();
    await blockAddress(api.deps.pool, recipientToken, 1, 'unsubscribed');
    await blockAddress(api.deps.pool, recipientToken, 1, 'complained');
    await blockAddress(api.deps.pool, recipientToken, 1, 'unsubscribed');
    await api.fetch(`${path}?undo=1`, { method: 'POST' });
    expect(await why(recipientToken)).toBe('complained');
  });

  test.each(['x', 'a'.repeat(64), '%00'])('one that is not ours opens nothing: %s', async (token) => {
    for (const method of ['GET', 'POST'])
      expect((await api.fetch(`/unsubscribe/${token}`, { method })).status).toBe(404);
  });

  test('is in no log line', async () => {
    const { path } = await linkOf();
    await api.fetch(path, { method: 'GET' });
    expect(api.logLines.join('')).not.toContain(path.slice(-20));
    expect(api.logLines.join('')).toContain('/unsubscribe/:token');
  });
});

describe('an address as a contact point', () => {
  test('is saved once in whatever spelling, and shown by no answer', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const save = (emailAddress: string) => api.ask('POST', '/contact-points', { who, json: { emailAddress } });
    const first = await save('Ada.Quillfeather@Example.org');
    expect(first).toMatchObject({ status: 201, body: { kind: 'email', country: null } });
    expect((await save('ada.quillfeather@EXAMPLE.ORG ')).body.contactPointId).toBe(first.body.contactPointId);
    const listed = await api.ask('GET', '/contact-points', { who });
    expect(listed.body.contactPoints).toHaveLength(1);
    expect(first.text + listed.text + api.logLines.join('')).not.toMatch(/quillfeather/i);
  });
});
