import { spawnSync } from 'node:child_process';
import { built } from '../../../scripts/project';
import { createTestDatabase, type TestDatabase } from '../../postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const { PATH } = process.env;
  const options = { env: { PATH, ...env }, encoding: 'utf8', timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [built(`scripts/${script}.js`), ...args], options);
  return { status, stdout, stderr };
}

describe('npm run audit:continue', () => {
  const over = (url: string) => run('audit-continue', [], { DATABASE_MIGRATION_URL: url });

  it('leaves a database alone whose numbers are right', () => {
    const { status, stdout } = over(database.ownerUrl);
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^Nothing to do: /)]);
  });

  it('says in a sentence which role it needs', () => {
    for (const url of [database.appUrl, database.workerUrl]) {
      const { status, stderr } = over(url);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^Only the owner of the tables may do this: .*\n$/)]);
    }
  });
});

it('npm run audit:verify says what --of expects', () => {
  const { status, stderr } = run('audit-verify', ['--of', 'kindline'], {});
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^--of: expected the system identifier and the name.*\n$/),
  ]);
});
