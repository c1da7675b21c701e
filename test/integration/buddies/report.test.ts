/** `npm run report -- buddy`, as an admin runs it beside the service. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { subjectOfAccounts } from '../../../api/accounts';
import { createSubject } from '../../../db/subjects';
import { built, PROJECT_ROOT } from '../../../scripts/project';
import { ACCOUNT_SID, ApiUnderTest } from '../api/api-under-test';
import { asked, press } from './buddies-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const report = (...args: string[]) =>
  spawnSync(process.execPath, [built('scripts/report.js'), ...args], {
    cwd: PROJECT_ROOT,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      DATABASE_URL: api.database.appUrl,
      TWILIO_ACCOUNT_SID: ACCOUNT_SID,
      TWILIO_AUTH_TOKEN: 'of-tests',
      TWILIO_PHONE_NUMBER: '+14155550100',
      TWILIO_WEBHOOK_BASE_URL: 'https://calls.example.org',
      PUBLIC_BASE_URL: 'https://api.example.org',
      OIDC_ISSUER: 'http://issuer.test/oidc',
      KEY_RING: 'local',
      LOCAL_KEY_FILE: api.deps.config.keys.localKeyFile,
    },
  });

const accountOf = (account: string): Promise<string> => {
  const { pool, tokenizer, config } = api.deps;
  return subjectOfAccounts(pool, tokenizer)(config.oidc.issuer, account);
};

const looks = async (): Promise<number> => {
  const { rows } = await api.database.owner.query(
    `SELECT count(*)::int AS n FROM audit_entries WHERE action = 'record.revealed' AND purpose = 'staff-view'`,
  );
  return rows[0].n;
};

it('shows from where a button was pressed only when asked to, audited', async () => {
  const { buddyId, token } = await asked(api);
  await press(api, token, 'accept', { 'User-Agent': 'A browser/1.0' });
  const plain = report('buddy', buddyId);
  expect([plain.status, plain.stderr]).toEqual([0, '']);
  expect(plain.stdout).toMatch(/status +verified/);
  expect(plain.stdout).toMatch(/accepted +link 1\n/);
  expect(plain.stdout).not.toContain('browser');
  expect(await looks()).toBe(0);
  const admin = await accountOf('an admin');
  const revealed = JSON.parse(report('buddy', buddyId, '--json', '--reveal-ip', '--actor', admin).stdout);
  const accepted = revealed.events.find(({ event }: { event: string }) => event === 'accepted');
  expect(accepted).toMatchObject({ ip: expect.stringMatching(/127\.0\.0\.1|::1/), userAgent: 'A browser/1.0' });
  expect(await looks()).toBe(2);
  const { rows } = await api.database.owner.query(
    `SELECT DISTINCT actor FROM audit_entries WHERE action = 'record.revealed' AND purpose = 'staff-view'`,
  );
  expect(rows).toEqual([{ actor: admin }]);
});

it.each([
  ['nobody', async () => []],
  ['no id', async () => ['--actor', 'me']],
  ['somebody without an account', async () => ['--actor', await createSubject(api.deps.pool, 'system')]],
])('reveals nothing to %s, and says what to do', async (_who, actorOf) => {
  const { buddyId, token } = await asked(api);
  await press(api, token, 'accept', { 'User-Agent': 'A browser/1.0' });
  const before = await looks();
  const refused = report('buddy', buddyId, '--reveal-ip', ...(await actorOf()));
  expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('your own subject id') });
  expect(await looks()).toBe(before);
});

it.each([[[]], [['buddy']], [['buddy', 'nonsense']], [['user', randomUUID()]]])('%j is no report', (args) => {
  expect(report(...args)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('usage') });
});

it('says so when there is no such buddy', () => {
  expect(report('buddy', randomUUID())).toMatchObject({ status: 1, stderr: 'There is no such buddy.\n' });
});
