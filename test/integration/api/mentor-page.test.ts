import { randomUUID } from 'node:crypto';
import { closeCall, openCall } from '../../../db/calls';
import { getMentor, type Mentor } from '../../../db/mentors';
import { type OfferResult, releaseSlot } from '../../../db/mentor-slots';
import { createSubject } from '../../../db/subjects';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { callInput } from './api-under-test';
import { type PageVisitor, PagesUnderTest } from './pages-under-test';

let pages: PagesUnderTest;
beforeAll(async () => {
  pages = await PagesUnderTest.start();
});
afterAll(() => pages.stop());

/** A call of somebody that rang this mentor. @returns its id */
async function ring(
  mentor: Mentor,
  { hoursAgo = 0, result = 'no-answer' }: { readonly hoursAgo?: number; readonly result?: OfferResult } = {},
): Promise<string> {
  const { pool, vault } = pages.api.deps;
  const userId = await createSubject(pool, 'system');
  const value = SealedValue.of('phone', MARKED.userPhone);
  const recordId = await vault.seal({ subjectId: userId, kind: 'phone', value });
  const input = callInput(userId, recordId);
  await openCall(pool, input, { perUser: 10, perTarget: 1_000 });
  // Whatever the hour: the page shows rings of shifts that are over, too.
  await pages.api.database.owner.query('INSERT INTO mentor_offers (call_id, step, mentor_id) VALUES ($1, 1, $2)', [
    input.callId,
    mentor.mentorId,
  ]);
  await releaseSlot(pool, { callId: input.callId, step: 1, result });
  await pages.api.database.owner.query(
    `UPDATE mentor_offers SET offered_at = offered_at - $2 * interval '1 hour' WHERE call_id = $1`,
    [input.callId, hoursAgo],
  );
  return input.callId;
}

/** Presses the button of the page that is open, or would be. */
async function noteBusy(visitor: PageVisitor, text?: string) {
  const page = text ?? (await visitor.open('/mentor')).text;
  const rungAt = /name="rungAt" value="([^"]+)"/.exec(page)?.[1] ?? new Date().toISOString();
  return visitor.send('/mentor/rung-while-busy', { rungAt });
}

const notesOf = async ({ mentorId }: Mentor) =>
  (await pages.api.database.owner.query('SELECT * FROM mentor_ring_notes WHERE mentor_id = $1', [mentorId])).rows;

describe('a mentor’s page', () => {
  test('switches off and on, for the next match, with an audit entry by the mentor', async () => {
    const { mentor, visitor } = await pages.joined();
    expect((await visitor.open('/mentor')).text).toContain('You are switched on');
    const off = await visitor.send('/mentor/availability', { available: 'off' });
    expect([off.status, off.headers.get('location')]).toEqual([303, '/mentor?done=off']);
    const page = await visitor.open('/mentor?done=off');
    expect(page.text).toContain('You are switched off');
    expect(page.text).toContain('role="status"');
    expect(await getMentor(pages.api.deps.pool, mentor.mentorId)).toMatchObject({ available: false });
    await visitor.send('/mentor/availability', { available: 'on' });
    expect(await getMentor(pages.api.deps.pool, mentor.mentorId)).toMatchObject({ available: true });
    const { rows } = await pages.api.database.owner.query(
      `SELECT DISTINCT actor FROM audit_entries WHERE object_id = $1 AND action = 'mentor.availability-changed'`,
      [mentor.mentorId],
    );
    const account = 'SELECT account_subject_id AS actor FROM mentors WHERE mentor_id = $1';
    expect(rows).toEqual((await pages.api.database.owner.query(account, [mentor.mentorId])).rows);
  });

  test('takes no third word for on and off', async () => {
    const { mentor, visitor } = await pages.joined();
    for (const available of ['', 'maybe', 'true']) {
      expect((await visitor.send('/mentor/availability', { available })).status).toBe(400);
    }
    expect(await getMentor(pages.api.deps.pool, mentor.mentorId)).toMatchObject({
      available: true,
      version: mentor.version,
    });
  });

  test('shows the shifts of the next seven days on the mentor’s own clock', async () => {
    const windows = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, starts: '22:30', ends: '23:30' }));
    const { visitor } = await pages.joined({ zone: 'Asia/Kolkata', windows });
    const { text } = await visitor.open('/mentor');
    expect([...text.matchAll(/22:30 to 23:30/g)].length).toBeGreaterThanOrEqual(7);
    expect(text).toContain('Asia/Kolkata');
  });

  test('shows of calls their times, and nothing of the other person', async () => {
    const { mentor, visitor } = await pages.joined();
    const callId = await ring(mentor, { result: 'completed', hoursAgo: 2 });
    const end = {
      outcome: 'completed',
      endReason: 'bridge-over',
      endedAt: new Date(),
      durationSeconds: 1_400,
    } as const;
    await closeCall(pages.api.deps.pool, { callId, ...end });
    await pages.api.database.owner.query(
      `UPDATE call_logs SET mentor_id = $2, country = 'ZZ', language = 'qq' WHERE call_id = $1`,
      [callId, mentor.mentorId],
    );
    await ring(mentor);
    const page = await visitor.open('/mentor');
    // What is drawn by lot for each page could hold any two letters.
    const text = page.text.replaceAll(/(nonce|value)="[^"]*"/g, '');
    expect(text).toContain('you talked for 23 min');
    expect(text).toContain('not connected');
    const { rows } = await pages.api.database.owner.query(
      'SELECT user_id, record_id FROM call_logs WHERE call_id = $1',
      [callId],
    );
    for (const secret of [callId, rows[0].user_id, rows[0].record_id, 'ZZ', 'qq', mentor.mentorId, MARKED.mentorName]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/\+\d{7,}/);
  });

  test('notes for staff that the last ring came at a bad time, once', async () => {
    const { mentor, visitor } = await pages.joined();
    await ring(mentor, { hoursAgo: 3 });
    await ring(mentor, { hoursAgo: 1 });
    expect((await visitor.open('/mentor')).text).toContain('If it came at a bad time');
    const seen = (await visitor.open('/mentor')).text;
    // Rung once more between the page and the press: that ring is not what they mean.
    await ring(mentor);
    const answer = await noteBusy(visitor, seen);
    expect(answer.headers.get('location')).toBe('/mentor?done=noted');
    await noteBusy(visitor, seen);
    const notes = await notesOf(mentor);
    expect(notes).toHaveLength(1);
    expect(Date.now() - notes[0].rung_at.getTime()).toBeGreaterThan(0.9 * 3_600_000);
    expect(Date.now() - notes[0].rung_at.getTime()).toBeLessThan(2 * 3_600_000);
    const { text } = await visitor.open('/mentor');
    expect(text).toContain('noted as busy');
    // The next ring is another matter.
    expect((await visitor.open('/mentor')).text).toContain('If it came at a bad time');
  });

  test('shows no place that is kept for a user whose own phone rings, and how long each conversation was', async () => {
    const { mentor, visitor } = await pages.joined();
    const callId = await ring(mentor);
    await pages.api.database.owner.query('UPDATE mentor_offers SET result = NULL WHERE call_id = $1', [callId]);
    await pages.api.database.owner.query(`UPDATE call_logs SET status = 'ringing-user' WHERE call_id = $1`, [callId]);
    expect((await visitor.open('/mentor')).text).toContain('No call yet.');
    await releaseSlot(pages.api.deps.pool, { callId, step: 1, result: 'completed', talkedSeconds: 125 });
    expect((await visitor.open('/mentor')).text).toContain('you talked for 2 min');
  });

  test('shows no place that was kept for a user who did not pick up: the mentor’s phone never rang', async () => {
    const { mentor, visitor } = await pages.joined();
    await ring(mentor, { result: 'not-rung' });
    const { text } = await visitor.open('/mentor');
    expect(text).not.toContain('not connected');
    expect(text).not.toContain('If it came at a bad time');
    const answer = await noteBusy(visitor);
    expect(answer.headers.get('location')).toBe('/mentor?done=not-rung');
    expect(await notesOf(mentor)).toEqual([]);
  });

  test.each([
    ['were never rung', null],
    ['were rung two days ago', 48],
  ])('notes nothing for those who %s, and says so', async (_what, hoursAgo) => {
    const { mentor, visitor } = await pages.joined();
    if (hoursAgo !== null) await ring(mentor, { hoursAgo });
    const answer = await noteBusy(visitor);
    expect(answer.headers.get('location')).toBe('/mentor?done=not-rung');
    expect(await notesOf(mentor)).toEqual([]);
    expect((await visitor.open('/mentor?done=not-rung')).text).toContain('You were not rung in the last 24 hours');
  });

  test('is nobody else’s: what one mentor does changes no other', async () => {
    const [one, other] = [await pages.joined(), await pages.joined()];
    await ring(other.mentor);
    await one.visitor.send('/mentor/availability', { available: 'off' });
    await noteBusy(one.visitor);
    expect(await getMentor(pages.api.deps.pool, other.mentor.mentorId)).toMatchObject({ available: true });
    expect(await notesOf(other.mentor)).toEqual([]);
  });

  test('says nothing that an address makes up', async () => {
    const { visitor } = await pages.joined();
    const { text } = await visitor.open('/mentor?done=%3Cscript%3E');
    expect(text).not.toContain('role="status"');
    expect(text).not.toContain('&#60;script');
    expect((await visitor.open('/mentor?done=constructor')).text).not.toContain('role="status"');
  });

  test('of a mentor without an invitation says what to do, whatever the form', async () => {
    const visitor = await pages.signedIn('mentor', randomUUID());
    for (const path of ['/mentor/availability', '/mentor/rung-while-busy']) {
      const answer = await visitor.send(path, { available: 'off' });
      expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('href="/mentor/join"') });
    }
  });

  test('with Postgres away is a page that says so', async () => {
    const alone = await PagesUnderTest.start();
    const visitor = await alone.signedIn('staff');
    await alone.api.deps.pool.end();
    const answer = await visitor.open('/staff');
    expect([500, 503]).toContain(answer.status);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.text).toContain('Request ');
    await alone.stop().catch(() => undefined);
  });
});
