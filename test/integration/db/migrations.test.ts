import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../../../db/migrate';
import { createTestDatabase, roles, type TestDatabase } from '../../postgres';
import { liveCall, mentorWith, reserveSlot } from './people';

async function answers(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.end();
}

const files = readdirSync(join(__dirname, '../../../db/migrations')).length;
const tablesOf = `SELECT count(*)::int AS tables FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
                   WHERE s.nspname = 'public' AND c.relkind IN ('r', 'v') AND c.relname <> 'schema_migrations'`;

describe('migrations', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
  });
  afterAll(() => database.drop());

  const up = () => migrate(database.ownerUrl, { direction: 'up', ...roles(database.adminUrl) });

  test('run up, down over data, and up again', async () => {
    await expect(up()).resolves.toHaveLength(files);
    const { callId } = await liveCall(database.app);
    const { mentorId } = await mentorWith(database.app, { windows: [{ weekday: 1, starts: '09:00', ends: '17:00' }] });
    await reserveSlot(database.app, { mentorId, callId, step: 1, leaseMs: 1_000 });
    await expect(migrate(database.ownerUrl, { direction: 'down' })).resolves.toHaveLength(files);
    expect((await database.owner.query(tablesOf)).rows).toEqual([{ tables: 0 }]);
    await expect(up()).resolves.toHaveLength(files);
    expect((await database.owner.query('SELECT count(*)::int AS subjects FROM subjects')).rows).toEqual([
      { subjects: 0 },
    ]);
  });

  test('hours that were there before shifts were are shifts at once', async () => {
    await up();
    const { mentorId } = await mentorWith(database.app, {
      zone: 'Asia/Tokyo',
      windows: [{ weekday: 1, starts: '22:00', ends: '06:00' }],
    });
    const isThere = async () =>
      (await database.owner.query(`SELECT to_regclass('mentor_shifts') IS NOT NULL AS yes`)).rows[0].yes;
    while (await isThere()) await migrate(database.ownerUrl, { direction: 'down', count: 1 });
    await up();
    const { rows } = await database.owner.query(
      `SELECT count(*)::int AS n, bool_and((lower(during) AT TIME ZONE 'UTC')::time = '13:00'
                                             AND (upper(during) AT TIME ZONE 'UTC')::time = '21:00') AS tokyo
         FROM mentor_shifts WHERE mentor_id = $1 AND during && tstzrange(now(), now() + interval '14 days')`,
      [mentorId],
    );
    expect(rows).toEqual([{ n: expect.any(Number), tokyo: true }]);
    expect([2, 3]).toContain(rows[0].n);
  });

  test('leave names of templates as narrow as they were, once those with a dot have gone', async () => {
    await up();
    const name = (wanted: string) => database.owner.query('INSERT INTO templates (name) VALUES ($1)', [wanted]);
    const isThere = async () =>
      (await database.owner.query(`SELECT FROM templates WHERE name = 'buddy.news'`)).rowCount !== 0;
    while (await isThere()) await migrate(database.ownerUrl, { direction: 'down', count: 1 });
    await expect(name('with.dot')).rejects.toMatchObject({ code: '23514' });
    await up();
    await expect(name('with.dot')).resolves.toMatchObject({ rowCount: 1 });
    // One that is kept keeps nobody from going down.
    while (await isThere()) await migrate(database.ownerUrl, { direction: 'down', count: 1 });
    await expect(name('another.dot')).rejects.toMatchObject({ code: '23514' });
    await database.owner.query(`DELETE FROM templates WHERE name = 'with.dot'`);
    await up();
  });

  test('come back up over texts that stayed because something was sent with them', async () => {
    await up();
    const { owner } = database;
    const [subject] = (await owner.query('INSERT INTO subjects DEFAULT VALUES RETURNING subject_id')).rows;
    const admin = new Client({ connectionString: database.adminUrl });
    await admin.connect();
    // A message without the records that it names: nothing but its template is looked at.
    await admin.query('SET session_replication_role = replica');
    await admin.query(
      `INSERT INTO messages (message_id, requested_by, subject_id, record_id, owns_record, content_record_id, language,
                             channel, kind, message_class, urgency, country, state, request_hash, requested_at, live, template_id, template_version)
       SELECT gen_random_uuid(), $1, $1, $1, false, $1, 'en', 'sms', 'update', 'ordinary', 'normal', 'US', 'sent', 'x', now(),
              true, template_id::text, 1 FROM templates WHERE name IN ('buddy.check-in', 'buddy.contact-alert')`,
      [subject.subject_id],
    );
    await admin.end();
    const isThere = async (name: string) =>
      (await owner.query('SELECT FROM templates WHERE name = $1', [name])).rowCount !== 0;
    while (await isThere('buddy.news')) await migrate(database.ownerUrl, { direction: 'down', count: 1 });
    expect([await isThere('buddy.check-in'), await isThere('buddy.contact-alert')]).toEqual([true, true]);
    await up();
    expect(await isThere('buddy.news')).toBe(true);
    await owner.query('DELETE FROM messages');
  });

  test('give an invitation the times it may name, and leave the words that the organisation has made its own', async () => {
    await up();
    const newest = async () => {
      const { rows } = await database.owner.query(
        `SELECT t.template_id, v.version, v.variables ? 'askedEvery' AS has_times, v.languages FROM templates t
           JOIN template_versions v USING (template_id, version) WHERE t.name = 'buddy.invitation'`,
      );
      return rows[0];
    };
    const down = async () => {
      while ((await newest()).has_times) await migrate(database.ownerUrl, { direction: 'down', count: 1 });
    };
    const ours = await newest();
    expect(ours).toMatchObject({
      has_times: true,
      languages: { en: { mail: expect.stringContaining('{{keptFor}}') } },
    });
    await down();
    const own = { en: { text: 'Our own words: {{acceptLink}}' } };
    await database.owner.query(
      `INSERT INTO template_versions (template_id, version, variables, languages)
       SELECT template_id, version + 1, variables, $2::jsonb FROM template_versions WHERE (template_id, version) = ($1, 1)`,
      [ours.template_id, JSON.stringify(own)],
    );
    await database.owner.query('UPDATE templates SET version = 2 WHERE template_id = $1', [ours.template_id]);
    await up();
    expect(await newest()).toMatchObject({ version: 3, has_times: true, languages: own });
    await down();
    expect(await newest()).toMatchObject({ version: 2, has_times: false, languages: own });
    await database.owner.query('UPDATE templates SET version = 1 WHERE template_id = $1', [ours.template_id]);
    await database.owner.query('DELETE FROM template_versions WHERE (template_id, version) = ($1, 2)', [
      ours.template_id,
    ]);
    await up();
    expect(await newest()).toMatchObject({ has_times: true, languages: ours.languages });
  });

  test('leave the database to the owner, the API and the worker: no other role of the server gets in', async () => {
    await up();
    const stranger = `stranger_${randomBytes(6).toString('hex')}`;
    const admin = new Client({ connectionString: database.adminUrl });
    await admin.connect();
    try {
      await admin.query(`CREATE ROLE ${stranger} LOGIN PASSWORD 'strange'`);
      const url = new URL(database.adminUrl);
      [url.username, url.password] = [stranger, 'strange'];
      await expect(answers(url.href)).rejects.toMatchObject({ code: '42501' });
      for (const ours of [database.ownerUrl, database.appUrl, database.workerUrl]) {
        await expect(answers(ours)).resolves.toBeUndefined();
      }
    } finally {
      await admin.query(`DROP ROLE IF EXISTS ${stranger}`);
      await admin.end();
    }
  });

  test('do nothing when they are there already, also from several processes at once', async () => {
    await up();
    await expect(Promise.all([up(), up(), up()])).resolves.toEqual([[], [], []]);
  });

  test('each step goes down alone, and keeps the data of the earlier ones', async () => {
    await up();
    await database.owner.query(`INSERT INTO subjects DEFAULT VALUES`);
    for (let left = files - 1; left > 0; left -= 1) {
      await expect(migrate(database.ownerUrl, { direction: 'down', count: 1 })).resolves.toHaveLength(1);
    }
    const { rows } = await database.owner.query('SELECT count(*)::int AS subjects FROM subjects');
    expect(rows[0].subjects).toBeGreaterThan(0);
    await expect(database.owner.query('SELECT 1 FROM dispatches')).rejects.toMatchObject({ code: '42P01' });
    await expect(up()).resolves.toHaveLength(files - 1);
  });
});
