import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { built } from '../../../scripts/project';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { AppUser } from '../calls/people';

const run = promisify(execFile);
const admin = { role: 'admin' } as const;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop(), 60_000);

const retention = (...args: string[]) =>
  run(process.execPath, [built('scripts/retention.js'), ...args], { env: stack.env });
const parts = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { stdout } = await retention('--json', ...args);
  return Object.fromEntries(JSON.parse(stdout).parts.map((part: { kind: string }) => [part.kind, part]));
};

test('a call of long ago leaves by npm run retention as its dry run said, and the months look as before', async () => {
  const user = new AppUser(stack, MARKED.userPhone);
  await user.start();
  await user.cancel();
  const callId = user.callId;
  await eventually(async () => {
    const aged = `UPDATE call_logs SET ended_at = ended_at - interval '91 days' WHERE call_id = $1 AND NOT live`;
    expect((await stack.pool.query(aged, [callId])).rowCount).toBe(1);
  });
  const statistics = async () => (await stack.api('/call-statistics', {}, admin)).body;
  const listed = async () => (await stack.api('/mentor-calls', {}, admin)).body.mentorCalls;
  const before = await statistics();
  expect(before.months).toMatchObject([{ calls: 1, cancelled: 1 }]);

  const one = { found: 1, taken: 1, held: 0, isOver: true };
  expect(await parts('--dry-run')).toMatchObject({ 'mentor-calls': one, messages: { found: 0 } });
  expect(await listed()).toMatchObject([{ callId }]);
  expect((await retention('--dry-run')).stdout).toMatch(/\nmentor-calls +90 d +1 +1 +0\n/);

  expect((await stack.api('/health')).body.sweeps.retention).toEqual({ lastSuccessAt: null, staleSince: null });
  expect(await parts()).toMatchObject({ 'mentor-calls': one });
  expect(await listed()).toEqual([]);
  expect(await statistics()).toEqual(before);
  await eventually(async () => {
    const { lastSuccessAt } = (await stack.api('/health')).body.sweeps.retention;
    expect(Date.now() - Date.parse(lastSuccessAt)).toBeLessThan(60_000);
  });
});

test('what the command does not know is refused with a sentence', async () => {
  await expect(retention('--dry')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('--dry') });
});
