/** One message through everything: HTTP, workflow, dispatch, simulator, receipt, and back. */
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
}, 120_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);
beforeEach(async () => {
  await stack.sim.faults([]);
});

const { userPhone: phone, otherUserPhone, messageWords: words, email, variable } = MARKED;
const staff = { role: 'staff' } as const;

async function send(more: object = {}): Promise<string> {
  const json = { recipient: { phoneNumber: phone }, text: words, ...more };
  const { status, body } = await stack.api('/messages', { json }, staff);
  expect(status).toBe(202);
  return body.messageId;
}

type Message = Record<string, unknown>;

async function ended(messageId: string, state: string): Promise<Message> {
  let seen: Message = {};
  await eventually(async () => {
    seen = (await stack.api(`/messages/${messageId}`, {}, staff)).body;
    expect(seen).toMatchObject({ state });
  });
  return seen;
}

const received = async (number: string): Promise<string[]> =>
  (await stack.sim.texts(number)).filter((text) => text.direction === 'incoming').map(({ body }) => body);

it('is asked for, sent once, delivered, and told of with its history', async () => {
  const messageId = await send();
  const seen = await ended(messageId, 'delivered');
  expect(seen).toMatchObject({ attempts: 1, segments: 1, country: 'US', reason: null });
  expect(seen['tries']).toEqual([expect.objectContaining({ number: 1, state: 'accepted', sid: seen['sid'] })]);
  expect(seen['receipts']).toContainEqual(expect.objectContaining({ status: 'delivered' }));
  expect(await received(phone)).toEqual([words]);
  const { rows } = await stack.pool.query(
    `SELECT r.destroyed_at IS NOT NULL AS is_gone FROM messages m JOIN vault_records r USING (record_id)
      WHERE m.message_id = $1`,
    [messageId],
  );
  expect(rows).toEqual([{ is_gone: true }]);
  const told = await stack.pool.query('SELECT type FROM app_events WHERE object_id = $1 ORDER BY position', [
    messageId,
  ]);
  expect(told.rows.at(0)).toEqual({ type: 'message.sending' });
  expect(told.rows.at(-1)).toEqual({ type: 'message.delivered' });
});

it('an answer that is lost on the way still means one text', async () => {
  await stack.sim.faults([{ on: 'create-message', kind: 'drop-response', times: 1 }]);
  await ended(await send({ recipient: { phoneNumber: otherUserPhone } }), 'delivered');
  expect(await received(otherUserPhone)).toEqual([words]);
});

it('goes out as an e-mail from a template', async () => {
  const recipient = { emailAddress: email };
  const template = { name: 'update', variables: { message: variable } };
  await send({ channel: 'email', recipient, text: undefined, template });
  await eventually(async () => {
    expect(JSON.stringify(await stack.sim.mailbox(email))).toContain(variable);
  });
});

it('is not sent to somebody who said STOP', async () => {
  const ours = (await stack.sim.messages()).find(({ to }) => to === otherUserPhone)?.sender ?? '';
  await stack.sim.sendText({ from: otherUserPhone, to: ours, body: 'Stop' });
  await eventually(async () => {
    expect((await stack.pool.query('SELECT 1 FROM opt_outs WHERE lifted_at IS NULL')).rows).toHaveLength(1);
  });
  const before = await received(otherUserPhone);
  expect((await ended(await send({ recipient: { phoneNumber: otherUserPhone } }), 'suppressed'))['reason']).toMatch(
    /opted-out|blocked/,
  );
  expect(await received(otherUserPhone)).toEqual(before);
});
