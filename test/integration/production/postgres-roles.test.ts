/** `deploy/postgres-init.sql` and then the migrations, as Compose runs them: who gets in where. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../../db/migrate';
import { createTestDatabase, roles, type TestDatabase } from '../../postgres';
import { ROOT } from './compose-file';

const suffix = randomBytes(5).toString('hex');
const PASSWORD = `a'quote-${suffix}`;
const TEMPORAL = `temporal_${suffix}`;
const NAMES = {
  kindline: `kindline_production_${suffix}`,
  temporal: TEMPORAL,
  temporal_visibility: `temporal_visibility_${suffix}`,
};

/** The statements of the file; this server may be shared, so their databases and Temporal's role get other names. */
function statements(): string[] {
  const sql = readFileSync(join(ROOT, 'deploy', 'postgres-init.sql'), 'utf8').replaceAll(/^(--|\\set).*$/gm, '');
  return sql
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '' && !statement.startsWith('CREATE ROLE kindline_owner'))
    .map((statement) =>
      statement
        .replaceAll(/\b(kindline|temporal|temporal_visibility)\b(?!_)/g, (name) => Reflect.get(NAMES, name))
        .replaceAll(/:'\w+_password'/g, `'${PASSWORD.replaceAll("'", "''")}'`),
    );
}

let server: TestDatabase;
let admin: Client;
const urlOf = (base: string, database: string, role?: string) => {
  const url = new URL(base);
  url.pathname = `/${database}`;
  if (role !== undefined) [url.username, url.password] = [role, PASSWORD];
  return url.href;
};
const getsIn = async (url: string): Promise<boolean> => {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch (error) {
    // Not allowed; anything else is a mistake of this test.
    expect(error).toMatchObject({ code: '42501' });
    return false;
  } finally {
    await client.end();
  }
};

beforeAll(async () => {
  server = await createTestDatabase();
  admin = new Client({ connectionString: server.adminUrl });
  await admin.connect();
  for (const statement of statements()) await admin.query(statement);
});
afterAll(async () => {
  for (const name of Object.values(NAMES)) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.query(`DROP ROLE IF EXISTS ${TEMPORAL}`);
  await admin.end();
  await server.drop();
});

it('lets in each role where its data is, and nowhere else', async () => {
  const owner = urlOf(server.ownerUrl, NAMES.kindline);
  await migrate(owner, { direction: 'up', ...roles(server.adminUrl) });
  const ours = [owner, urlOf(server.appUrl, NAMES.kindline), urlOf(server.workerUrl, NAMES.kindline)];
  for (const url of ours) expect(await getsIn(url)).toBe(true);
  for (const database of [NAMES.temporal, NAMES.temporal_visibility]) {
    expect(await getsIn(urlOf(server.adminUrl, database, TEMPORAL))).toBe(true);
    for (const url of ours) expect(await getsIn(urlOf(url, database))).toBe(false);
  }
  expect(await getsIn(urlOf(server.adminUrl, NAMES.kindline, TEMPORAL))).toBe(false);
});
