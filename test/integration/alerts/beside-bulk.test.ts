/** What a bulk that waits for the account's pace costs an alert: over HTTP, with real workflows, queues and priorities. */
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { legOf } from '../calls/people';

const { userPhone, mentorPhone, messageWords } = MARKED;
const STAFF = { role: 'staff', subject: 'sends-to-many' } as const;
/** Three quarters of a minute of texts. */
const BULK = 95;
const PER_SECOND = 2;
/** So many have to wait on the same queue before an alert can overtake them. */
const WAITING = 50;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ env: { TWILIO_MESSAGES_PER_SECOND: String(PER_SECOND) } });
});
afterAll(() => stack.stop());

const phones = Array.from({ length: BULK }, (_, n) => `+1646555${String(100 + n).padStart(4, '0')}`);
const post = async (path: string, json: object): Promise<Record<string, string>> => {
  const { status, body, text } = await stack.api(path, { json }, STAFF);
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`);
  return body;
};
const texted = async (phone: string) => (await stack.sim.messages()).filter(({ to }) => to === phone).length;

it('an alert rings, and an urgent text leaves, while most of the bulk still waits', async () => {
  await stack.sim.settings({ wordMs: 2 });
  await stack.sim.script(userPhone, { answerAfterMs: 50, keys: [{ when: 'gather', press: '1', afterMs: 20 }] });
  const { batchId } = await post('/messages/bulk', {
    recipients: phones.map((phone) => ({ phone })),
    text: messageWords,
  });
  await post(`/messages/bulk/${batchId}/start`, {});
  await eventually(async () => {
    const { rows } = await stack.pool.query('SELECT count(*)::int AS n FROM messages WHERE batch_id = $1', [batchId]);
    expect(rows[0].n).toBeGreaterThanOrEqual(WAITING);
  });
  const asked = Date.now();
  const alert = await post('/alerts/voice', { recipients: [{ phoneNumber: userPhone }], text: messageWords });
  const urgent = { recipient: { phoneNumber: mentorPhone }, text: messageWords, priority: 'emergency' };
  const { messageId } = await post('/messages', urgent);
  const [rang, left] = await Promise.all([
    legOf(stack, userPhone, (leg) => leg.ringingAt !== null).then(() => Date.now() - asked),
    eventually(async () => expect(await texted(mentorPhone)).toBe(1)).then(() => Date.now() - asked),
  ]);
  // Of the bulk: how many still waited when the urgent one joined them, and how many of those went out before it.
  const { rows } = await stack.pool.query(
    `SELECT count(*)::int AS waiting, count(*) FILTER (WHERE d.attempt_began_at < u.left_at)::int AS before
       FROM messages m LEFT JOIN dispatches d USING (message_id),
            (SELECT x.opened_at, e.attempt_began_at AS left_at FROM messages x JOIN dispatches e USING (message_id)
              WHERE x.message_id = $2) AS u
      WHERE m.batch_id = $1 AND (d.attempt_began_at IS NULL OR d.attempt_began_at > u.opened_at)`,
    [batchId, messageId],
  );
  const { waiting, before } = rows[0];
  console.log(
    `the phone rang after ${rang} ms; the urgent text left after ${left} ms, before it ${before} of ${waiting}`,
  );
  expect(waiting).toBeGreaterThan(WAITING / 4);
  expect(before).toBeLessThan(waiting / 2);
  await eventually(async () => {
    const { body } = await stack.api(`/alerts/voice/${alert['alertId']}`, {}, STAFF);
    expect(body.state).toBe('acknowledged');
  });
  await post(`/messages/bulk/${batchId}/cancel`, {});
});
