import { eventually, startStack, type TestStack } from '../../stack';
import { CONSENT } from '../api/api-under-test';

const USER = '+14155550142';
let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
}, 120_000);
afterAll(() => stack.stop(), 60_000);

test('a real call leaves lines of exactly five fields, which one token joins and which name nobody', async () => {
  await stack.sim.script(USER, { answerAfterMs: 100, outcome: 'decline' });
  const asked = await stack.api(
    '/connect-mentor',
    { method: 'POST', json: { userPhoneNumber: USER, consent: CONSENT } },
    { role: 'user' },
  );
  expect(asked.status).toBe(202);
  const { callId } = asked.body;
  const lines = await eventually(() => {
    const { api = '', worker = '' } = stack.logs();
    const found = [...api.split('\n'), ...worker.split('\n')]
      .filter((line) => line.includes('"msg":"call"') && line.includes(callId))
      .map((line): Record<string, unknown> => JSON.parse(line));
    const seen = found.map(({ status }) => status);
    expect(seen).toEqual(expect.arrayContaining(['dispatch-accepted', 'initiated', 'ringing', 'busy']));
    expect(found.some(({ name, status }) => name === 'worker' && status !== 'dispatch-accepted')).toBe(true);
    return found;
  }, 30_000);
  const fields = ['call_id', 'country', 'level', 'msg', 'name', 'recipient_token', 'retry_count', 'status', 'time'];
  for (const line of lines) expect(Object.keys(line).toSorted()).toEqual(fields);
  expect(new Set(lines.map((line) => line.recipient_token)).size).toBe(1);
  const { rows } = await stack.pool.query('SELECT recipient_token FROM call_logs WHERE call_id = $1', [callId]);
  expect(JSON.stringify(lines)).not.toContain(rows[0].recipient_token.toString('hex'));
}, 90_000);
