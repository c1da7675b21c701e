import { Client } from 'pg';
import { appendAudit } from '../../../db/audit';
import { createTestDatabase, type TestDatabase } from '../../postgres';

describe('the schema', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const columns = `
    SELECT c.relname || '.' || a.attname AS name, col_description(c.oid, a.attnum) AS comment
      FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE s.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped`;

  test('every column says which data class it holds', async () => {
    const { rows } = await database.owner.query<{ name: string; comment: string | null }>(columns);
    expect(rows.length).toBeGreaterThan(100);
    const silent = rows.filter(
      ({ comment }) => !/^class: (sealed|secret|sensitive|pseudonymous|operational)(;|$)/.test(comment ?? ''),
    );
    expect(silent).toEqual([]);
  });

  test('sealed data has one column, and it holds ciphertext', async () => {
    const { rows } = await database.owner.query<{ name: string; comment: string | null }>(columns);
    const sealed = rows.filter(({ comment }) => comment?.startsWith('class: sealed'));
    expect(sealed.map(({ name }) => name)).toEqual(['vault_records.ciphertext']);
  });

  test('the application can do to a table no more than it needs', async () => {
    const { rows } = await database.owner.query<{ table: string; can: string }>(
      `SELECT table_name AS table, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS can
         FROM information_schema.role_table_grants
        WHERE grantee IN ('kindline_application', 'PUBLIC') AND table_schema = 'public' GROUP BY table_name`,
    );
    expect(Object.fromEntries(rows.map(({ table, can }) => [table, can]))).toEqual({
      app_events: 'DELETE INSERT SELECT UPDATE',
      audit_entries: 'SELECT',
      buddy_check_in_requests: 'DELETE INSERT SELECT UPDATE',
      buddy_contacts: 'DELETE INSERT SELECT UPDATE',
      buddy_invitations: 'DELETE INSERT SELECT UPDATE',
      buddy_refusals: 'DELETE INSERT SELECT UPDATE',
      buddy_verification_audit: 'DELETE INSERT SELECT UPDATE',
      call_facts: 'INSERT SELECT',
      call_feedback: 'INSERT SELECT UPDATE',
      call_logs: 'DELETE INSERT SELECT UPDATE',
      call_outcomes: 'SELECT',
      call_quality: 'DELETE INSERT SELECT UPDATE',
      call_recordings: 'DELETE INSERT SELECT UPDATE',
      calls_left_at_twilio: 'DELETE INSERT SELECT',
      contact_point_codes: 'DELETE INSERT SELECT UPDATE',
      contact_points: 'INSERT SELECT UPDATE',
      cost_budget: 'SELECT UPDATE',
      cost_marks: 'SELECT UPDATE',
      costs: 'INSERT SELECT UPDATE',
      deletions_at_twilio: 'DELETE INSERT SELECT',
      dispatches: 'DELETE INSERT SELECT UPDATE',
      ended_calls: 'SELECT',
      ended_page_sessions: 'DELETE INSERT SELECT',
      erasures: 'INSERT SELECT',
      escalation_policies: 'INSERT SELECT',
      idempotent_creations: 'DELETE INSERT SELECT',
      inbound_texts: 'DELETE INSERT SELECT UPDATE',
      incident_notices: 'DELETE INSERT SELECT UPDATE',
      incidents: 'DELETE INSERT SELECT UPDATE',
      legal_holds: 'INSERT SELECT UPDATE',
      mail_blocks: 'DELETE INSERT SELECT UPDATE',
      match_misses: 'DELETE INSERT SELECT UPDATE',
      match_models: 'INSERT SELECT',
      mentor_call_access: 'DELETE INSERT SELECT',
      mentor_current_calls: 'SELECT',
      mentor_exceptions: 'DELETE INSERT SELECT UPDATE',
      mentor_invitations: 'DELETE INSERT SELECT UPDATE',
      mentor_offers: 'DELETE INSERT SELECT UPDATE',
      mentor_queue: 'DELETE INSERT SELECT UPDATE',
      mentor_ring_notes: 'DELETE INSERT SELECT UPDATE',
      mentor_shifts: 'DELETE INSERT SELECT',
      mentor_slots: 'DELETE INSERT SELECT UPDATE',
      mentor_windows: 'DELETE INSERT SELECT',
      mentors: 'INSERT SELECT UPDATE',
      message_batch_rows: 'DELETE INSERT SELECT UPDATE',
      message_batches: 'DELETE INSERT SELECT UPDATE',
      messages: 'DELETE INSERT SELECT UPDATE',
      open_questions: 'DELETE INSERT SELECT UPDATE',
      opt_outs: 'DELETE INSERT SELECT UPDATE',
      policies: 'SELECT UPDATE',
      preference_versions: 'INSERT SELECT UPDATE',
      preferences: 'INSERT SELECT UPDATE',
      provider_blocks: 'DELETE INSERT SELECT UPDATE',
      provider_lines: 'INSERT SELECT UPDATE',
      recipients: 'DELETE INSERT SELECT',
      recording_links: 'DELETE INSERT SELECT UPDATE',
      refused_requests: 'DELETE INSERT SELECT',
      registered_contacts: 'DELETE INSERT SELECT UPDATE',
      request_rates: 'DELETE INSERT SELECT UPDATE',
      retention_progress: 'DELETE INSERT SELECT UPDATE',
      retention_runs: 'DELETE INSERT SELECT UPDATE',
      service_keys: 'INSERT SELECT UPDATE',
      subject_keys: 'INSERT SELECT UPDATE',
      subjects: 'INSERT SELECT UPDATE',
      sweeps: 'SELECT UPDATE',
      switches: 'INSERT SELECT UPDATE',
      template_versions: 'INSERT SELECT',
      templates: 'INSERT SELECT UPDATE',
      unsubscribe_links: 'DELETE INSERT SELECT UPDATE',
      user_profiles: 'DELETE INSERT SELECT UPDATE',
      vault_records: 'INSERT SELECT UPDATE',
      voice_alert_recipients: 'DELETE INSERT SELECT UPDATE',
      voice_alerts: 'DELETE INSERT SELECT UPDATE',
      voice_identities: 'DELETE INSERT SELECT UPDATE',
      webhook_events: 'DELETE INSERT SELECT UPDATE',
      wellbeing_alert_steps: 'DELETE INSERT SELECT UPDATE',
      wellbeing_alerts: 'DELETE INSERT SELECT UPDATE',
      wellbeing_scores: 'DELETE INSERT SELECT UPDATE',
    });
  });

  test('the worker can do the same, and add to the audit chain; what an entry says is all that may be written of one', async () => {
    const { rows: tables } = await database.owner.query<{ table: string; can: string }>(
      `SELECT table_name AS table, string_agg(privilege_type, ' ' ORDER BY privilege_type) AS can
         FROM information_schema.role_table_grants WHERE grantee = 'kindline_worker' GROUP BY table_name`,
    );
    expect(tables).toEqual([{ table: 'audit_chain', can: 'INSERT SELECT' }]);
    const { rows: columns } = await database.owner.query<{ column: string }>(
      `SELECT column_name AS column FROM information_schema.role_column_grants
        WHERE grantee = 'kindline_application' AND table_name = 'audit_entries' AND privilege_type = 'INSERT'`,
    );
    expect(columns.map(({ column }) => column)).not.toContain('txid');
    expect(columns).toHaveLength(8);
  });

  test('the application can neither make tables nor read what was migrated', async () => {
    for (const statement of ['CREATE TABLE mine (id int)', 'SELECT * FROM schema_migrations', 'CREATE ROLE mine']) {
      await expect(database.app.query(statement)).rejects.toMatchObject({ code: '42501' });
    }
  });
});

describe('audit entries', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await appendAudit(database.app, {
      actor: 'system',
      action: 'mentor-call.requested',
      objectId: 'x',
      outcome: 'done',
    });
  });
  afterAll(() => database.drop());

  const changes = [
    `UPDATE audit_entries SET actor = 'somebody else'`,
    'DELETE FROM audit_entries',
    'TRUNCATE audit_entries',
    `INSERT INTO audit_entries SELECT * FROM audit_entries ON CONFLICT (entry_id) DO UPDATE SET actor = 'x'`,
  ];

  test.each([...changes, 'SELECT * FROM audit_entries FOR UPDATE', 'ALTER TABLE audit_entries DISABLE TRIGGER ALL'])(
    'the application cannot: %s',
    async (statement) => {
      await expect(database.app.query(statement)).rejects.toMatchObject({ code: '42501' });
    },
  );

  test.each(changes)('the owner cannot either: %s', async (statement) => {
    await expect(database.owner.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  test.each(['UPDATE erasures SET actor = $$x$$', 'DELETE FROM erasures', 'TRUNCATE erasures'])(
    'the log of erasures is guarded alike: %s',
    async (statement) => {
      await database.owner.query(`INSERT INTO erasures (subject_id, actor) VALUES (gen_random_uuid(), 'system')`);
      await expect(database.owner.query(statement)).rejects.toMatchObject({ code: '42501' });
    },
  );

  test('a session that calls itself a replica is refused too', async () => {
    const superuser = new Client({ connectionString: database.adminUrl });
    await superuser.connect();
    await superuser.query('SET session_replication_role = replica');
    await expect(superuser.query('DELETE FROM audit_entries')).rejects.toMatchObject({ code: '42501' });
    await superuser.end();
  });
});
