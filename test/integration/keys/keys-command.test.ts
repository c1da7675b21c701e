import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { ensureServiceKeys } from '../../../db/service-keys';
import { createSubject } from '../../../db/subjects';
import { built, PROJECT_ROOT } from '../../../scripts/project';
import { SERVICE_KEY_PURPOSES } from '../../../vault/service-keys';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing, phone, vaultOver } from '../db/people';

describe('npm run keys', () => {
  let database: TestDatabase;
  let rootKeyId = '';
  beforeAll(async () => {
    database = await createTestDatabase();
    const ring = await localRing();
    ({ rootKeyId } = await ring.describe());
    await ensureServiceKeys(database.owner, ring, SERVICE_KEY_PURPOSES);
    await database.owner.query(`UPDATE service_keys SET state = 'previous' WHERE purpose = 'token'`);
    const second = randomBytes(60);
    await database.owner.query(
      `INSERT INTO service_keys (purpose, version, ring, root_key_id, wrapped, state)
       VALUES ('token', 2, 'kms', 'arn:aws:kms:eu-west-1:111122223333:key/1', $1, 'current')`,
      [second],
    );
    const vault = vaultOver(database.app, ring);
    const people = [await createSubject(database.app, 'system'), await createSubject(database.app, 'system')];
    for (const subjectId of people) await vault.seal({ subjectId, kind: 'phone', value: phone() });
    await vault.eraseSubject(people[0] ?? '', 'system');
    await vault.close();
  });
  afterAll(() => database.drop());

  const run = (args: readonly string[], urls: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [built('scripts/keys.js'), ...args], {
      cwd: PROJECT_ROOT,
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
        OIDC_ISSUER: 'http://127.0.0.1:1',
        ...urls,
      },
    });

  it('lists every key of the organisation, and how many people’s keys each root key wraps', () => {
    const { stdout, stderr, status } = run(['status', '--json'], {
      DATABASE_URL: database.appUrl,
      DATABASE_MIGRATION_URL: database.ownerUrl,
    });
    expect([status, stderr]).toEqual([0, '']);
    const { serviceKeys, subjectKeys } = JSON.parse(stdout);
    expect(serviceKeys).toHaveLength(SERVICE_KEY_PURPOSES.length + 1);
    const shown = { purpose: 'token', rootKeyId, ring: 'local', madeAt: expect.stringMatching(/^\d{4}-.*Z$/) };
    expect(serviceKeys).toContainEqual({ ...shown, version: 1, state: 'previous' });
    expect(serviceKeys).toContainEqual({
      ...shown,
      version: 2,
      state: 'current',
      ring: 'kms',
      rootKeyId: 'arn:aws:kms:eu-west-1:111122223333:key/1',
    });
    expect(subjectKeys).toEqual([{ ring: 'local', rootKeyId, active: 1, destroyed: 1 }]);
  });

  it('shows the same as a table, and no byte of a key', async () => {
    const { stdout } = run(['status'], { DATABASE_URL: database.appUrl, DATABASE_MIGRATION_URL: database.ownerUrl });
    expect(stdout).toMatch(/purpose +version +state +ring +root key +made at/);
    expect(stdout).toMatch(new RegExp(`audit-chain +1 +current +local +${rootKeyId}`));
    const { rows } = await database.owner.query<{ wrapped: Buffer }>('SELECT wrapped FROM service_keys');
    for (const { wrapped } of rows) {
      expect(stdout).not.toContain(wrapped.toString('base64'));
      expect(stdout).not.toContain(wrapped.toString('hex'));
    }
  });

  it('does not see the keys of the audit chain with the rights of the API', () => {
    const { stdout } = run(['status', '--json'], { DATABASE_URL: database.appUrl });
    const purposes: string[] = JSON.parse(stdout).serviceKeys.map(({ purpose }: { purpose: string }) => purpose);
    expect(purposes).toEqual(['link', 'payload-codec', 'token', 'token']);
  });

  it('says in one sentence what is wrong, without the address', () => {
    const elsewhere = run(['status'], { DATABASE_URL: 'postgres://app:hidden@127.0.0.1:1/kindline' });
    expect(elsewhere.status).toBe(1);
    expect(elsewhere.stderr).toBe('The database does not answer, or refuses the role of its URL.\n');
    expect(run(['rotate'], { DATABASE_URL: database.appUrl }).stderr).toMatch(/^usage: npm run keys/);
  });
});
