import { randomUUID } from 'node:crypto';
import { openAlert } from '../../../db/alerts';
import { openCall, updateCall } from '../../../db/calls';
import { noteFindings } from '../../../db/incidents';
import { inTransaction } from '../../../db/pool';
import { stopLine } from '../../../db/provider-lines';
import { createSubject } from '../../../db/subjects';
import { setSwitch } from '../../../db/switches';
import { incidentUrl } from '../../../domain/incident-words';
import { SealedValue } from '../../../domain/sealed';
import type { Finding } from '../../../domain/watchdog-rules';
import { MARKED } from '../../marked-people';
import { alertRecipient, voiceAlertInput } from '../../voice-alert-input';
import { callInput } from './api-under-test';
import { type PageVisitor, PagesUnderTest } from './pages-under-test';
import { ALWAYS } from '../db/people';

const UI = 'http://127.0.0.1:8233';

let pages: PagesUnderTest;
let staff: PageVisitor;
beforeEach(async () => {
  pages = await PagesUnderTest.start({ TEMPORAL_UI_URL: UI });
  staff = await pages.signedIn('staff');
});
afterEach(() => pages.stop());

async function openOneCall(): Promise<{ readonly callId: string; readonly userId: string }> {
  const { pool, vault } = pages.api.deps;
  const userId = await createSubject(pool, 'system');
  const value = SealedValue.of('phone', MARKED.userPhone);
  const recordId = await vault.seal({ subjectId: userId, kind: 'phone', value });
  const input = callInput(userId, recordId);
  await openCall(pool, input, { perUser: 1_000, perTarget: 1_000 });
  return { callId: input.callId, userId };
}

const auditedBy = async (action: string): Promise<number> => {
  const text = 'SELECT count(*)::int AS n FROM audit_entries WHERE action = $1';
  return (await pages.api.database.owner.query(text, [action])).rows[0].n;
};
const tile = (text: string, name: string): string =>
  new RegExp(`<dt>${name}</dt><dd>(\\d+)</dd>`).exec(text)?.[1] ?? 'none';

describe('the overview of staff', () => {
  test('says at first that there is nothing yet, and that nobody is on shift', async () => {
    const { text } = await staff.open('/staff');
    for (const words of ['No call is under way.', 'No call yet.', 'No alert yet.', 'No mentor is on shift']) {
      expect(text).toContain(words);
    }
    expect([...text.matchAll(/<option[^>]*>/g)]).toHaveLength(1);
  });

  test('counts who is on shift and free, and says nothing when all is well', async () => {
    const busy = await pages.addMentor({ windows: ALWAYS });
    await pages.addMentor({ windows: ALWAYS });
    await pages.addMentor({ windows: ALWAYS, available: false });
    await pages.addMentor({ windows: [] });
    const { callId } = await openOneCall();
    await pages.api.database.owner.query(
      'UPDATE mentor_slots SET call_id = $2, step = 1, lease_until = clock_timestamp() WHERE mentor_id = $1',
      [busy.mentorId, callId],
    );
    const { text } = await staff.open('/staff');
    expect([tile(text, 'mentors on shift'), tile(text, 'of them free'), tile(text, 'calls under way')]).toEqual([
      '2',
      '1',
      '1',
    ]);
    expect(text).toContain('Nothing: every line is open');
    expect(text).toContain('Somebody is on shift all the time.');
  });

  test('counts every call under way, and lists the last ones that are over, however many there are', async () => {
    const over = await openOneCall();
    await pages.api.database.owner.query(
      `UPDATE call_logs SET live = false, status = 'completed', outcome = 'completed', ended_at = now() WHERE call_id = $1`,
      [over.callId],
    );
    for (let n = 0; n < 52; n += 1) await openOneCall();
    const { text } = await staff.open('/staff');
    expect(tile(text, 'calls under way')).toBe('52');
    expect(text).not.toContain('No call yet.');
  });

  test('tells when nobody is on shift, in the zone that was chosen', async () => {
    // From 10:00 to 09:00 of the next day, every day: an hour is missing.
    const windows = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, starts: '10:00', ends: '09:00' }));
    await pages.addMentor({ windows, zone: 'Asia/Kolkata' });
    const { text } = await staff.open('/staff?zone=Asia%2FKolkata');
    expect(text).toContain(', 09:00 to 10:00');
    expect(text).toContain('<option selected>Asia/Kolkata</option>');
    expect((await staff.open('/staff')).text).toContain(', 03:30 to 04:30');
    for (const wrong of ['Nowhere/Land', '%3Cscript%3E', 'x'.repeat(500)]) {
      expect((await staff.open(`/staff?zone=${wrong}`)).text).toContain('<option selected>UTC</option>');
    }
  });

  test('names what is stopped, switched off, or has run out of mentors', async () => {
    const { pool } = pages.api.deps;
    await inTransaction(pool, (tx) => stopLine(tx, 'twilio', '20003'));
    await inTransaction(pool, (tx) => setSwitch(tx, 'sms', false, 'system'));
    const { text } = await staff.open('/staff');
    expect(text).toContain('Twilio takes no calls and texts from us (20003)');
    expect(text).toContain('Texts are switched off');
    expect(text).toContain('No mentor is on shift');
  });

  test('tells what the watchdog has found and is not over, once', async () => {
    const { pool } = pages.api.deps;
    const look = (findings: readonly Finding[]) =>
      noteFindings(pool, findings, { calmMs: 0, channels: { emails: 0, webhook: false } });
    const failures: Finding = { kind: 'failure-rate', key: 'all', holdMs: 0, counts: { calls: 20, failed: 3 } };
    await look([failures, { kind: 'line-stopped', key: 'twilio', holdMs: 0, counts: {} }]);
    const words = 'Too many calls have ended without a mentor. (calls: 20, failed: 3)';
    const { text } = await staff.open('/staff');
    // Once to be seen; its link says it again to screen readers.
    expect(text.split(`>${words}<`)).toHaveLength(2);
    expect(text).not.toContain('A provider takes nothing from us');
    await look([]);
    await look([]);
    expect((await staff.open('/staff')).text).not.toContain(words);
  });

  test('links each incident with a page, where it is acknowledged, and says whom it is about to admins alone', async () => {
    const { pool } = pages.api.deps;
    const key = randomUUID();
    const finding: Finding = { kind: 'user-calls', key, holdMs: 0, counts: { calls: 7 } };
    await noteFindings(pool, [finding], { calmMs: 0, channels: { emails: 0, webhook: false } });
    const path = /href="(\/staff\/incidents\/[^"]+)"/.exec((await staff.open('/staff')).text)?.[1] ?? '';
    // What an alert links is this page.
    expect(incidentUrl('', path.split('/').at(-1) ?? '')).toBe(path);
    const page = await staff.open(path);
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('(calls: 7)') });
    expect(page.text).not.toContain(key);
    expect((await (await pages.signedIn('admin')).open(path)).text).toContain(key);
    const done = await staff.send(`${path}/acknowledge`);
    expect([done.status, done.headers.get('location')]).toEqual([303, path]);
    expect((await staff.open(path)).text).toContain('Somebody looks after it.');
    expect(await auditedBy('incident.acknowledged')).toBe(1);
    expect((await staff.open(`/staff/incidents/${randomUUID()}`)).status).toBe(404);
    expect((await staff.send(`/staff/incidents/${randomUUID()}/acknowledge`)).status).toBe(404);
  });

  test('links each call with its workflow, and shows nobody’s number or name', async () => {
    const { callId, userId } = await openOneCall();
    await updateCall(pages.api.deps.pool, callId, { status: 'connected' });
    const { text } = await staff.open('/staff');
    expect(text).toContain(`href="${UI}/namespaces/default/workflows/mentor-call%3A${callId}"`);
    expect(text).toContain('connected');
    // Once, as one that is under way.
    expect([...text.matchAll(/>Workflow</g)]).toHaveLength(1);
    expect(text).toContain('No call yet.');
    expect(text).not.toContain(userId);
    expect(text).not.toMatch(/\+\d{7,}/);
    expect(await auditedBy('mentor-call.read')).toBe(1);
  });

  test('shows the last alerts by state alone', async () => {
    const { pool, vault } = pages.api.deps;
    const subjectId = await createSubject(pool, 'test');
    const recordId = await vault.seal({ subjectId, kind: 'phone', value: SealedValue.of('phone', MARKED.userPhone) });
    const content = { templateId: null, templateVersion: null, recordId };
    const recipients = [alertRecipient({ subjectId, recordId, content })];
    const input = voiceAlertInput({ requestedBy: subjectId, recipients });
    await openAlert(pool, input);
    const { text } = await staff.open('/staff');
    expect(text).toContain(`workflows/voice-alert%3A${input.alertId}`);
    expect(text).not.toContain(subjectId);
    expect(await auditedBy('voice-alert.read')).toBe(1);
  });

  test('shows who was rung while busy until somebody has seen it', async () => {
    const mentor = await pages.addMentor();
    const { rows } = await pages.api.database.owner.query(
      'INSERT INTO mentor_ring_notes (mentor_id, rung_at) VALUES ($1, clock_timestamp()) RETURNING note_id',
      [mentor.mentorId],
    );
    const noteId: string = rows[0].note_id;
    const page = await staff.open('/staff');
    expect(page.text).toContain(MARKED.mentorName);
    expect(await auditedBy('record.revealed')).toBe(1);
    const seen = await staff.send(`/staff/ring-notes/${noteId}/seen`);
    expect([seen.status, seen.headers.get('location')]).toEqual([303, '/staff']);
    // Two look at once: the second is no error.
    expect((await staff.send(`/staff/ring-notes/${noteId}/seen`)).status).toBe(303);
    expect((await staff.open('/staff')).text).not.toContain(MARKED.mentorName);
    expect((await staff.send(`/staff/ring-notes/${randomUUID()}/seen`)).status).toBe(404);
    expect((await staff.send('/staff/ring-notes/nonsense/seen')).status).toBe(404);
  });

  test('has no links where there is no Web UI', async () => {
    const without = await PagesUnderTest.start();
    const visitor = await without.signedIn('staff');
    expect((await visitor.open('/staff')).text).not.toContain('workflows/');
    await without.stop();
  });
});

test('all calls are read a page at a time, by a cursor that is good for its reader alone', async () => {
  for (let n = 0; n < 51; n += 1) await openOneCall();
  const first = await staff.open('/staff/calls');
  const next = /href="(\/staff\/calls\?cursor=[^"]+)"/.exec(first.text)?.[1]?.replaceAll('&#38;', '&') ?? '';
  expect([...first.text.matchAll(/>Workflow</g)]).toHaveLength(50);
  const last = await staff.open(next);
  expect([...last.text.matchAll(/>Workflow</g)]).toHaveLength(1);
  expect(last.text).not.toContain('cursor=');
  const other = await pages.signedIn('admin');
  expect((await other.open(next)).status).toBe(400);
  expect((await staff.open('/staff/calls?cursor=a&cursor=b')).status).toBe(400);
});

describe('the page of mentors', () => {
  test('shows names, each with an audit entry, how they stand and whether they have joined', async () => {
    await pages.joined({ windows: ALWAYS });
    await pages.addMentor({ available: false }, MARKED.otherMentorName);
    const before = await auditedBy('record.revealed');
    const { text } = await staff.open('/staff/mentors');
    expect(text).toContain(MARKED.mentorName);
    expect(text).toContain(MARKED.otherMentorName);
    for (const words of ['on shift', 'switched off', 'has joined', 'not invited', '0 of 1 calls']) {
      expect(text).toContain(words);
    }
    expect(text).not.toMatch(/\+\d{7,}/);
    expect((await auditedBy('record.revealed')) - before).toBe(2);
  });

  test('goes on behind the twenty-fifth', async () => {
    for (let n = 0; n < 26; n += 1) await pages.addMentor({}, `Mentor number ${n}`);
    const first = await staff.open('/staff/mentors');
    expect(first.text).toContain('Mentor number 24');
    expect(first.text).not.toContain('Mentor number 25');
    const next = /href="(\/staff\/mentors\?cursor=[^"]+)"/.exec(first.text)?.[1] ?? '';
    expect((await staff.open(next)).text).toContain('Mentor number 25');
  });

  test('lets an admin invite, and shows the code this once', async () => {
    const { mentorId } = await pages.addMentor();
    const admin = await pages.signedIn('admin');
    await admin.open('/staff/mentors');
    const invited = await admin.send(`/staff/mentors/${mentorId}/invitation`);
    const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(invited.text)?.[0] ?? '';
    expect(invited.status).toBe(200);
    expect((await admin.open('/staff/mentors')).text).toContain('invited');
    const visitor = await pages.signedIn('mentor', randomUUID());
    expect((await visitor.send('/mentor/join', { code })).status).toBe(303);
    expect((await admin.send(`/staff/mentors/${randomUUID()}/invitation`)).status).toBe(404);
    // To everybody else the button is not there.
    expect((await staff.open('/staff/mentors')).text).not.toContain('/invitation"');
  });
});
