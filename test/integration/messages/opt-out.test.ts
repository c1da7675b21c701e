/** Scenario row 9: what people text back, and what is sent to them then. All of it over HTTP, against the simulator. */
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { eventually, startStack, type TestStack } from '../../stack';

const [OURS, , OURS_ABROAD] = ORGANISATION_NUMBERS;
const admin = { role: 'admin' } as const;

let stack: TestStack;
let nth = 130;
beforeAll(async () => {
  stack = await startStack({ env: { RECIPIENT_LIMITS: '1000/1m', RATE_LIMIT_ENDPOINT: '10000/1m' } });
  await stack.sim.settings({ sentAfterMs: 5, deliveredAfterMs: 5 });
});
afterAll(async () => {
  await stack.stop();
});

/** A phone that nobody has texted yet. */
function newPhone(): string {
  nth += 1;
  return `+1415555${String(nth).padStart(4, '0')}`;
}

async function send(phoneNumber: string, more: object = {}): Promise<string> {
  const json = { recipient: { phoneNumber }, text: 'The clinic is closed today.', kind: 'alert', ...more };
  const answer = await stack.api('/messages', { method: 'POST', json }, admin);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body.messageId;
}

/** Waits for its end. */
async function ended(messageId: string): Promise<{ state: string; reason: string | null; errorCode: string | null }> {
  let found: Awaited<ReturnType<typeof stack.api>> | undefined;
  await eventually(async () => {
    found = await stack.api(`/messages/${messageId}`, {}, admin);
    expect(['accepted', 'waiting', 'sending', 'sent']).not.toContain(found.body.state);
  });
  return found?.body;
}

const endOf = async (phone: string, more: object = {}) => ended(await send(phone, more));
const ARRIVED = { state: 'delivered' };

/** Waits until a text to us has been routed. @returns as what */
async function texted(from: string, body: string, to: string = OURS): Promise<string> {
  const sid = await stack.sim.sendText({ from, to, body });
  let routedAs = '';
  await eventually(async () => {
    const { rows } = await stack.pool.query('SELECT routed_as FROM inbound_texts WHERE message_sid = $1', [sid]);
    expect(rows[0]?.routed_as).toEqual(expect.any(String));
    routedAs = rows[0].routed_as;
  });
  return routedAs;
}

/** How often Twilio was asked to text this phone. */
async function creates(phone: string): Promise<number> {
  return (await stack.sim.messages()).filter(({ to, direction }) => to === phone && direction === 'outbound-api')
    .length;
}

/** What our own service has sent; Twilio's own answers have no SID. */
async function textsOfOurs(phone: string): Promise<string[]> {
  const texts = await stack.sim.texts(phone);
  return texts.filter(({ direction, sid }) => direction === 'incoming' && sid !== null).map(({ body }) => body);
}

it('after STOP, in any case, nothing is handed to Twilio for that phone, nor a second reply sent, until START', async () => {
  const words = ['STOP', 'stop', ' Unsubscribe\n'];
  const course = async (word: string) => {
    const phone = newPhone();
    expect(await endOf(phone)).toMatchObject(ARRIVED);
    expect(await texted(phone, word)).toBe('opt-out');
    expect(await endOf(phone)).toMatchObject({ state: 'suppressed' });
    expect(await creates(phone)).toBe(1);
    expect(await texted(phone, 'START')).toBe('opt-in');
    expect(await endOf(phone)).toMatchObject(ARRIVED);
    expect(await textsOfOurs(phone)).toHaveLength(2);
  };
  await Promise.all(words.map(course));
});

it('"please stop" stops nothing, and is answered with what helps', async () => {
  const phone = newPhone();
  expect(await texted(phone, 'please stop', OURS_ABROAD)).toBe('unknown');
  await eventually(async () => expect(await textsOfOurs(phone)).toEqual([expect.stringContaining('STOP')]));
  const [answer] = (await stack.sim.messages()).filter(({ to }) => to === phone);
  expect(answer?.sender).toBe(OURS_ABROAD);
  expect(await endOf(phone)).toMatchObject(ARRIVED);
});

it('HELP is answered once: by Twilio', async () => {
  const phone = newPhone();
  expect(await texted(phone, 'help')).toBe('help');
  const texts = (await stack.sim.texts(phone)).filter(({ direction }) => direction === 'incoming');
  expect(texts.map(({ sid }) => sid)).toEqual([null]);
});

it('STOP at one number holds for the others, where Twilio would let it through', async () => {
  const phone = newPhone();
  await texted(phone, 'STOP', OURS_ABROAD);
  expect((await stack.sim.optOuts()).filter(({ number }) => number === phone)).toEqual([
    expect.objectContaining({ scope: OURS_ABROAD }),
  ]);
  expect(await endOf(phone)).toMatchObject({ state: 'suppressed' });
  expect(await creates(phone)).toBe(0);
});

it('START to another number is heard, and the pair that Twilio blocks is left alone', async () => {
  const phone = newPhone();
  await texted(phone, 'STOP', OURS_ABROAD);
  await texted(phone, 'START', OURS);
  expect(await endOf(phone)).toMatchObject(ARRIVED);
});

it('an opt-out that comes between asking and sending is in time', async () => {
  const phone = newPhone();
  const messageId = await send(phone, { notBefore: new Date(Date.now() + 10_000).toISOString() });
  await texted(phone, 'STOP');
  expect(await ended(messageId)).toMatchObject({ state: 'suppressed' });
  expect(await creates(phone)).toBe(0);
});

it('21610 at create is remembered: nobody asks Twilio a second time, and no other number is tried', async () => {
  const phone = newPhone();
  await stack.sim.script(phone, { texts: { outcome: 'refused', errorCode: 21610 } });
  const first = await endOf(phone);
  expect(first.state).toMatch(/suppressed|failed/);
  const asked = async () =>
    (await stack.sim.exchanges()).filter(({ method, path }) => method === 'POST' && path.endsWith('/Messages.json'))
      .length;
  const before = await asked();
  expect(await endOf(phone)).toMatchObject({ state: 'suppressed' });
  expect(await asked()).toBe(before);
});

it('21610 in a receipt is remembered too', async () => {
  const phone = newPhone();
  await stack.sim.script(phone, { texts: { outcome: 'failed', errorCode: 21610, times: 1 } });
  expect((await endOf(phone)).state).toMatch(/suppressed|failed|undelivered/);
  expect(await endOf(phone)).toMatchObject({ state: 'suppressed' });
  expect(await creates(phone)).toBe(1);
});

it('a long text whose parts end differently ends as the part that was lost', async () => {
  const phone = newPhone();
  const receipts = [{ status: 'undelivered', errorCode: 30006 }, { status: 'delivered' }] as const;
  await stack.sim.script(phone, { texts: { receipts, times: 1 } });
  expect(await endOf(phone, { text: 'a'.repeat(400) })).toMatchObject({ state: 'undelivered', errorCode: '30006' });
});

it('a phone that was off, and is on again before the next try, has got its text: no second one is sent', async () => {
  const phone = newPhone();
  const receipts = [
    { status: 'undelivered', errorCode: 30003 },
    { status: 'delivered', afterMs: 100 },
  ] as const;
  await stack.sim.script(phone, { texts: { receipts, times: 1 } });
  expect(await endOf(phone)).toMatchObject({ state: 'delivered', errorCode: null, attempts: 1 });
  expect(await creates(phone)).toBe(1);
});

it('an emergency never goes past what Twilio blocks, whatever the policy', async () => {
  const phone = newPhone();
  const urgent = { messageClass: 'safety', priority: 'emergency' };
  const policy = (isOn: boolean) =>
    stack.api('/policies/emergency-ignores-opt-out', { method: 'PUT', json: { isOn } }, admin);
  await texted(phone, 'STOP', OURS_ABROAD);
  await policy(true);
  // The pair of that number is blocked, and nobody has asked for texts from another one since.
  expect(await endOf(phone, urgent)).toMatchObject({ state: 'suppressed' });
  await policy(false);
});

it('no phone, no text and no word of anybody is in the rows', async () => {
  const { rows } = await stack.pool.query(
    `SELECT jsonb_agg(to_jsonb(i))::text || (SELECT jsonb_agg(to_jsonb(e))::text FROM webhook_events e) AS all_rows
       FROM inbound_texts i`,
  );
  expect(rows[0].all_rows).not.toMatch(/1415555013\d|please|Unsubscribe/i);
});
