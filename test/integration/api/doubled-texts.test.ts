import { randomUUID } from 'node:crypto';
import { claim, ensureDispatch, findDispatch, settleAccepted } from '../../../db/dispatches';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const newSid = () => `SM${randomUUID().replaceAll('-', '')}`;

/** A text under way, and what its receipts do. */
async function textUnderWay() {
  const [dispatchId, messageId] = [randomUUID(), randomUUID()];
  await ensureDispatch(api.deps.pool, {
    dispatchId,
    businessKey: `message:${messageId}:1`,
    callId: null,
    messageId,
    workflowId: `message:${messageId}`,
    recipientToken: randomUUID().replaceAll('-', '').repeat(2),
    channel: 'sms',
    sender: '+14155550100',
    country: 'US',
  });
  await claim(api.deps.pool, dispatchId, 15_000);
  const receipt = (MessageSid: string, MessageStatus: string) =>
    api.twilio(`/message-status?message=${messageId}&dispatch=${dispatchId}`, { MessageSid, MessageStatus });
  const row = async () => {
    const found = await findDispatch(api.deps.pool, dispatchId);
    return { state: found?.state, sid: found?.sid, doubledCount: found?.doubledCount };
  };
  return { dispatchId, receipt, row };
}

test('the last receipt of a text nobody intended counts it as a double, once, and leaves an entry', async () => {
  const { dispatchId, receipt, row } = await textUnderWay();
  const [ours, second] = [newSid(), newSid()];
  await settleAccepted(api.deps.pool, dispatchId, ours);
  expect((await receipt(ours, 'delivered')).status).toBe(204);
  expect(await row()).toEqual({ state: 'accepted', sid: ours, doubledCount: 0 });
  for (const status of ['sent', 'delivered', 'delivered']) expect((await receipt(second, status)).status).toBe(204);
  expect(await row()).toEqual({ state: 'accepted', sid: ours, doubledCount: 1 });
  const { rows } = await api.database.owner.query('SELECT action FROM audit_entries WHERE object_id = $1', [
    dispatchId,
  ]);
  expect(rows).toEqual([{ action: 'dispatch.doubled' }]);
  expect(api.logLines.filter((line) => line.includes('dispatch-doubled'))).toHaveLength(1);
});

test('a receipt that comes before the answer to its create makes the text the dispatch’s own', async () => {
  const { dispatchId, receipt, row } = await textUnderWay();
  const ours = newSid();
  await receipt(ours, 'delivered');
  expect(await row()).toEqual({ state: 'accepted', sid: ours, doubledCount: 0 });
  expect(await settleAccepted(api.deps.pool, dispatchId, ours)).toBe('accepted');
});
