import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { built } from '../../../scripts/project';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { AppUser } from '../calls/people';

const UI = 'http://127.0.0.1:8233';

describe('npm run find', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack({ env: { TEMPORAL_UI_URL: UI } });
  });
  afterAll(() => stack.stop(), 60_000);

  const env = () => ({ ...stack.env, TEMPORAL_UI_URL: UI });
  const find = (...args: string[]) =>
    execFileSync(process.execPath, [built('scripts/find.js'), ...args], { env: env(), encoding: 'utf8' });

  async function subjectOf(user: AppUser): Promise<string> {
    return eventually(async () => {
      const { rows } = await stack.pool.query('SELECT user_id FROM call_logs WHERE call_id = $1', [user.callId]);
      expect(rows).toHaveLength(1);
      return rows[0].user_id as string;
    });
  }

  it('lists the calls of one person and of nobody else, with state, times and a link', async () => {
    const [user, other] = [new AppUser(stack, MARKED.userPhone), new AppUser(stack, MARKED.otherUserPhone)];
    await user.start();
    await other.start();
    await user.cancel();
    const subjectId = await subjectOf(user);
    const workflowId = `mentor-call:${user.callId}`;
    const [found] = await eventually(() => {
      const { workflows } = JSON.parse(find(subjectId.toUpperCase(), '--json'));
      expect(workflows).toMatchObject([{ workflowId, type: 'mentorCall', status: 'COMPLETED', state: 'ended' }]);
      return workflows;
    });
    expect(found.link).toBe(
      `${UI}/namespaces/${stack.temporalAddress.namespace}/workflows/mentor-call%3A${user.callId}/${found.runId}/history`,
    );
    expect(Date.parse(found.since)).toBeGreaterThanOrEqual(Date.parse(found.started));
    const text = find(subjectId);
    expect(text).toContain(`${workflowId}\n  mentorCall, completed; ended since ${found.since}\n`);
    expect(text).not.toContain(other.callId);
    await other.cancel();
  });

  it('lists what a user has begun about a buddy, for the user and for the buddy', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const profile = await stack.api(
      '/api/users/me/profile',
      { method: 'PUT', json: { firstName: MARKED.mentorName } },
      who,
    );
    const userId: string = profile.body.userId;
    const named = { name: MARKED.variable, phoneNumber: '+14155550191', email: `${randomUUID()}@example.org` };
    const { body } = await stack.api('/api/buddy', { json: named }, who);
    const json = { buddyContactId: body.buddyId, userId };
    expect((await stack.api('/api/buddy/send-verification', { json }, who)).status).toBe(202);
    const { rows } = await stack.pool.query('SELECT subject_id FROM buddy_contacts WHERE buddy_id = $1', [
      body.buddyId,
    ]);
    const workflowId = `buddy-verification:${body.buddyId}`;
    for (const subjectId of [userId, rows[0].subject_id as string]) {
      await eventually(() => {
        const { workflows } = JSON.parse(find(subjectId, '--json'));
        expect(workflows).toContainEqual(
          expect.objectContaining({ workflowId, type: 'buddyVerification', state: 'running' }),
        );
      });
    }
  });

  it('says that nothing is about somebody of whom Temporal knows nothing', () => {
    expect(find(randomUUID())).toMatch(/^No workflow is about this subject/);
  });

  it('asks nobody when it is not given the id of a subject', () => {
    const ended = spawnSync(process.execPath, [built('scripts/find.js'), MARKED.userPhone], {
      env: env(),
      encoding: 'utf8',
    });
    expect([ended.status, ended.stderr]).toEqual([1, 'usage: npm run find -- <subject id, a UUID> [--json]\n']);
  });
});
