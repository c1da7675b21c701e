/** What the link in a text leads to: what previews and scanners do by it, what people do, and what nobody can. */
import { randomUUID } from 'node:crypto';
import { QuestionRefused, TemporalNotInTime } from '../../../temporal/errors';
import { newLinkToken } from '../../../vault/link-tokens';
import { MARKED } from '../../marked-people';
import { addAlert } from '../wellbeing/alert-rows';
import { eventually, isSomebodyBlocked } from '../db/people';
import { CheckInsUnderTest } from './check-in-world';

const PRIVACY = 'https://api.example.org/privacy';
const NAME = 'Thessaly';

let world: CheckInsUnderTest;
beforeAll(async () => {
  world = await CheckInsUnderTest.start({ PRIVACY_POLICY_URL: PRIVACY });
});
afterAll(() => world.stop());
afterEach(() => {
  world.api.checkIns.down = null;
});

/** A check-in whose text has been sent, and its link. */
async function asked(language = 'en') {
  const asking = await world.asking({ language });
  const requestId = await world.sent(asking);
  return { asking, requestId, link: world.linkOf(requestId) };
}
const buttons = (html: string) => html.match(/<button[^>]*>([^<]*)/g)?.map((tag) => tag.replace(/.*>/, '')) ?? [];

describe('opening the link', () => {
  test('shows one button and who it is about by the first name, and counts as nobody’s opening', async () => {
    const { link, requestId } = await asked();
    const before = await world.row(requestId);
    for (const userAgent of ['Slackbot-LinkExpanding 1.0', 'WhatsApp/2.0', 'curl/8']) {
      const seen = await world.api.fetch(link, { headers: { 'User-Agent': userAgent } });
      expect(seen.status).toBe(200);
      expect(buttons(seen.text)).toEqual(['Open']);
      expect(seen.text).toContain(NAME);
      expect(seen.text).not.toMatch(/hard time|called|wrote/i);
      expect(seen.headers.get('referrer-policy')).toBe('no-referrer');
      expect(seen.headers.get('cache-control')).toBe('no-store');
    }
    const { link_fetched_at: fetchedAt, ...after } = await world.row(requestId);
    expect(fetchedAt).toBeInstanceOf(Date);
    expect({ ...after, link_fetched_at: null }).toEqual(before);
    expect(world.api.checkIns.visits.filter((visit) => visit.requestId === requestId)).toEqual([]);
  });

  test('keeps when that was first', async () => {
    const { link, requestId } = await asked();
    await world.see(link);
    const { link_fetched_at: first } = await world.row(requestId);
    await world.see(link);
    expect((await world.row(requestId))['link_fetched_at']).toEqual(first);
  });

  test('by its button is a person: when, and sealed from where, once', async () => {
    const { link, requestId } = await asked();
    const opened = await world.press(link, { step: 'open' });
    expect(opened.status).toBe(200);
    expect(buttons(opened.text)).toEqual(['Send my answer']);
    expect(opened.text.match(/type="radio"/g)).toHaveLength(4);
    const row = await world.row(requestId);
    expect(row).toMatchObject({ state: 'opened', link_opened_at: expect.any(Date) });
    const { vault } = world.api.deps;
    const reveal = async (recordId: unknown) =>
      (await vault.reveal({ recordId: String(recordId), purpose: 'staff-view', actor: 'system' })).expose();
    expect(await reveal(row['user_agent_record_id'])).toBe('A Phone of Marshgrave');
    expect(await reveal(row['ip_record_id'])).toMatch(/127\.0\.0\.1$/);
    await world.press(link, { step: 'open' });
    expect(world.api.checkIns.visits.filter((visit) => visit.requestId === requestId)).toHaveLength(1);
    expect(await world.row(requestId)).toEqual(row);
    expect((await world.auditOf(requestId)).filter((action) => action === 'check-in.opened')).toHaveLength(1);
    // Who comes again goes on where they were.
    expect(buttons((await world.see(link)).text)).toEqual(['Send my answer']);
  });

  test('shows the answers also while Temporal is down: it is the person who matters', async () => {
    const { link } = await asked();
    world.api.checkIns.down = new TemporalNotInTime();
    const opened = await world.press(link, { step: 'open' });
    expect([opened.status, ...buttons(opened.text)]).toEqual([200, 'Send my answer']);
  });

  test('is the same at the address of the API', async () => {
    const { link } = await asked();
    expect(buttons((await world.see(`/api${link}`)).text)).toEqual(['Open']);
    expect(buttons((await world.press(`/api${link}`, { step: 'open' })).text)).toEqual(['Send my answer']);
  });

  test('is in Spanish for a buddy of that language', async () => {
    const { link } = await asked('es');
    const seen = await world.see(link);
    expect(seen.text).toContain('<html lang="es">');
    expect(buttons(seen.text)).toEqual(['Abrir']);
    expect(buttons((await world.press(link, { step: 'open' })).text)).toEqual(['Enviar mi respuesta']);
  });

  test('links the privacy policy and the buddy’s own data, and says how to get no more texts', async () => {
    const { link } = await asked();
    const token = link.split('/').at(-1);
    for (const { text } of [await world.see(link), await world.press(link, { step: 'open' })]) {
      expect(text).toContain(PRIVACY.replaceAll(/[&<>"']/g, ''));
      expect(text).toContain(`href="/api/buddy/rights/${token}"`);
      expect(text).toContain('STOP');
    }
  });

  test('writes a name as it is, whatever is in it', async () => {
    const asking = await world.asking({}, { name: '<script>$&' });
    const requestId = await world.sent(asking);
    const { text } = await world.see(world.linkOf(requestId));
    expect(text).toContain('&#60;script&#62;$&#38;');
  });
});

describe('an answer', () => {
  test.each(['called', 'messaged', 'cannot-reach', 'unavailable'])('of %s is taken and shown', async (response) => {
    const { link, requestId } = await asked();
    await world.press(link, { step: 'open' });
    const answered = await world.press(link, { step: 'answer', response });
    expect([answered.status, ...buttons(answered.text)]).toEqual([200, 'Change my answer']);
    expect(answered.text).toContain('Thank you');
    expect(await world.row(requestId)).toMatchObject({ state: 'answered', response });
    expect(await world.eventsOf(requestId)).toEqual(['check-in.pending', 'check-in.opened', 'check-in.answered']);
  });

  test('without the button before it is an opening as well', async () => {
    const { link, requestId } = await asked();
    await world.press(link, { step: 'answer', response: 'called' });
    expect(await world.row(requestId)).toMatchObject({ state: 'answered', link_opened_at: expect.any(Date) });
  });

  test('carries a note, sealed under the buddy’s key, that a correction replaces', async () => {
    const { link, requestId, asking } = await asked();
    const { owner } = world.api.database;
    await world.press(link, { step: 'answer', response: 'cannot-reach', note: MARKED.messageWords });
    const { note_record_id: first } = await world.row(requestId);
    const records = `SELECT subject_id, kind, destroyed_at IS NOT NULL AS is_gone FROM vault_records WHERE record_id = $1`;
    const subject_id = asking.buddy.subjectId;
    expect((await owner.query(records, [first])).rows).toEqual([{ subject_id, kind: 'text', is_gone: false }]);
    await world.press(link, { step: 'answer', response: 'called' });
    expect(await world.row(requestId)).toMatchObject({ response: 'called', note_record_id: null });
    expect((await owner.query(records, [first])).rows).toEqual([{ subject_id, kind: 'text', is_gone: true }]);
    await world.press(link, { step: 'answer', response: 'messaged' });
    expect((await world.auditOf(requestId)).filter((action) => action.startsWith('check-in.'))).toEqual([
      'check-in.requested',
      'check-in.opened',
      'check-in.answered',
      'check-in.corrected',
      'check-in.corrected',
    ]);
    // Each of them is told: the app would show the one before otherwise.
    expect((await world.eventsOf(requestId)).slice(-2)).toEqual(['check-in.corrected', 'check-in.corrected']);
  });

  test('pressed twice is one answer under one id; the same after another one is a new one', async () => {
    const { link, requestId } = await asked();
    await world.press(link, { step: 'open' });
    const press = (response: string) => world.press(link, { step: 'answer', response });
    await Promise.all([press('called'), press('called')]);
    await press('unavailable');
    await press('called');
    const ids = world.api.checkIns.answers
      .filter((each) => each.requestId === requestId)
      .map(({ updateId }) => updateId);
    expect(new Set(ids).size).toBe(3);
    expect(await world.row(requestId)).toMatchObject({ response: 'called' });
  });

  test.each([
    ['nothing chosen', { step: 'answer' }, 'choose one'],
    ['an answer there is not', { step: 'answer', response: 'accept' }, 'choose one'],
    ['a note that is too long', { step: 'answer', response: 'called', note: 'é'.repeat(501) }, 'longer than 500'],
    ['a step there is not', { step: 'delete', response: 'called' }, 'did not understand'],
    ['nothing at all', {}, 'did not understand'],
  ])('with %s changes nothing and says what is wrong', async (_what, fields, words) => {
    const { link, requestId } = await asked();
    const wrong = await world.press(link, { ...fields });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain(words);
    expect(await world.row(requestId)).toMatchObject({ response: null });
  });

  test('with a note of 500 letters of any script is taken', async () => {
    const { link, requestId } = await asked();
    expect((await world.press(link, { step: 'answer', response: 'called', note: '🕯'.repeat(500) })).status).toBe(200);
    expect(await world.row(requestId)).toMatchObject({ response: 'called', note_record_id: expect.any(String) });
  });

  test('that cannot be corrected any more says so, and shows the one that counts', async () => {
    const { link, requestId } = await asked();
    await world.press(link, { step: 'answer', response: 'called' });
    world.api.checkIns.down = new QuestionRefused();
    const refused = await world.press(link, { step: 'answer', response: 'messaged' });
    expect([refused.status, refused.text.includes('was not taken')]).toEqual([422, true]);
    expect(await world.row(requestId)).toMatchObject({ response: 'called' });
  });

  test.each([new TemporalNotInTime(), new QuestionRefused()])('that nobody could take is a 503: %s', async (error) => {
    const { link, requestId } = await asked();
    await world.press(link, { step: 'open' });
    world.api.checkIns.down = error;
    expect((await world.press(link, { step: 'answer', response: 'called' })).status).toBe(503);
    expect(await world.row(requestId)).toMatchObject({ response: null });
  });
});

describe('a link that opens nothing', () => {
  const ENDS = [
    ['was not answered in time', 'unanswered', 'closed'],
    ['did not arrive', 'undeliverable', 'closed'],
    ['nobody waits for', 'ended', 'not asked about this any more'],
  ] as const;

  test.each(ENDS)('of one that %s says so, to the button too', async (_what, state, words) => {
    const { link, requestId } = await asked();
    await world.activities.closeCheckIn({ requestId, state, counts: true, at: new Date().toISOString() });
    for (const answer of [await world.see(link), await world.press(link, { step: 'answer', response: 'called' })]) {
      expect(answer.status).toBe(410);
      expect(answer.text).toContain(words);
      // Nobody is named where there is nothing to do.
      expect(answer.text).not.toContain(NAME);
    }
    expect(await world.row(requestId)).toMatchObject({ state, response: null });
  });

  test('of one that was answered and is closed keeps the answer', async () => {
    const { link, requestId } = await asked();
    await world.press(link, { step: 'answer', response: 'called' });
    await world.activities.closeCheckIn({ requestId, state: 'answered', counts: true, at: new Date().toISOString() });
    const late = await world.press(link, { step: 'answer', response: 'messaged' });
    expect([late.status, late.text.includes('we have your answer')]).toEqual([410, true]);
    expect(await world.row(requestId)).toMatchObject({ response: 'called' });
  });

  test('whose workflow ended a moment ago is answered from the row', async () => {
    const { link, requestId } = await asked();
    world.api.checkIns.over.add(requestId);
    await world.activities.closeCheckIn({ requestId, state: 'unanswered', counts: true, at: new Date().toISOString() });
    expect((await world.press(link, { step: 'answer', response: 'called' })).status).toBe(410);
  });

  test.each([
    'removed_at = clock_timestamp(), phone_token = NULL, email_token = NULL',
    `opted_out_at = clock_timestamp(), opted_out_by = 'page', is_active = false`,
  ])('of a buddy who has gone (%s) opens nothing before the workflow has heard of it', async (set) => {
    const { link, asking, requestId } = await asked();
    const change = `UPDATE buddy_contacts SET ${set} WHERE buddy_id = $1`;
    await world.api.database.owner.query(change, [asking.buddy.buddyId]);
    expect((await world.see(link)).status).toBe(410);
    expect((await world.press(link, { step: 'answer', response: 'called' })).status).toBe(410);
    expect(await world.row(requestId)).toMatchObject({ response: null, link_opened_at: null });
  });

  test('of a buddy or a user who was erased tells nothing of either', async () => {
    const { deps } = world.api;
    const first = await asked();
    await deps.vault.eraseSubject(first.asking.userId, 'system');
    const second = await asked();
    await deps.vault.eraseSubject(second.asking.buddy.subjectId, 'system');
    for (const { link } of [first, second]) {
      expect((await world.press(link, { step: 'open' })).text).not.toContain(NAME);
    }
    expect((await world.see(first.link)).status).toBe(410);
    expect((await world.press(second.link, { step: 'open' })).status).toBe(410);
  });

  test.each([newLinkToken(), 'a', 'x'.repeat(64), '%27%20OR%201', randomUUID()])(
    'guessed as %s is a 404',
    async (token) => {
      const before = await world.api.footprint();
      for (const path of [`/buddy/checkin/${token}`, `/api/buddy/alert/${token}`]) {
        expect((await world.see(path)).status).toBe(404);
        expect((await world.press(path, { step: 'answer', response: 'called' })).status).toBe(404);
      }
      expect(await world.api.footprint()).toEqual(before);
    },
  );

  test('with one letter changed, or of another version, is a 404', async () => {
    const { link } = await asked();
    const last = link.at(-1) === 'A' ? 'B' : 'A';
    expect((await world.see(`${link.slice(0, -1)}${last}`)).status).toBe(404);
  });
});

describe('the page of an alert', () => {
  async function alerted(language = 'en') {
    const asking = await world.asking({ language });
    const { requestId } = await world.alerted(asking, 4);
    const { owner } = world.api.database;
    const alertId = await addAlert(owner, asking.userId, {});
    const belongs = 'UPDATE buddy_check_in_requests SET alert_id = $2 WHERE request_id = $1';
    await owner.query(belongs, [requestId, alertId]);
    const decide = (by: string | null, db: Pick<typeof owner, 'query'> = owner) =>
      db.query(
        `UPDATE wellbeing_alerts SET state = 'answered', decided_by = $2, ended_at = now(),
                end_reason = CASE WHEN $2::uuid IS NULL THEN 'nobody-answered' ELSE 'answered' END
          WHERE alert_id = $1`,
        [alertId, by],
      );
    return { requestId, decide, link: world.linkOf(requestId, 'wellbeing-alert') };
  }

  test('shows what helps and whom to call only behind its button, and no reason', async () => {
    const { link } = await alerted();
    const letter = await world.see(link);
    expect(buttons(letter.text)).toEqual(['Open']);
    expect(letter.text).not.toMatch(/988|911|hard/);
    const { text, status } = await world.press(link, { step: 'open' });
    expect(status).toBe(200);
    expect(text).toMatch(/hard time/);
    expect(text).toContain('href="tel:988"');
    expect(text).toContain('911');
    expect(text).toContain('Days: 4.');
    expect(text).not.toMatch(/score|risk|trigger/i);
  });

  test('is answered as a check-in is', async () => {
    const { link, requestId } = await alerted('es');
    const answered = await world.press(link, { step: 'answer', response: 'called' });
    expect([answered.status, ...buttons(answered.text)]).toEqual([200, 'Cambiar mi respuesta']);
    expect(await world.row(requestId)).toMatchObject({ kind: 'system', response: 'called' });
  });

  test.each([
    ['en', 'has been decided', 'changes nothing any more'],
    ['es', 'ya está decidido', 'ya no cambia nada'],
  ])(
    'takes no correction once the alert was decided, and says so with whom to call: %s',
    async (language, ...words) => {
      const { link, requestId, decide } = await alerted(language);
      await world.press(link, { step: 'answer', response: 'cannot-reach' });
      await decide(randomUUID());
      await world.see(link);
      const before = await world.row(requestId);
      for (const late of [await world.press(link, { step: 'answer', response: 'called' }), await world.see(link)]) {
        expect(late.status).toBe(410);
        for (const each of [...words, 'href="tel:988"', '911']) expect(late.text).toContain(each);
        expect(late.text).not.toContain(NAME);
        expect(buttons(late.text)).toEqual([]);
      }
      expect(await world.row(requestId)).toEqual(before);
    },
  );

  test.each([
    ['en', 'please get in touch with them all the same'],
    ['es', 'póngase en contacto de todos modos'],
  ])('asks whoever comes when nobody has answered to get in touch all the same: %s', async (language, words) => {
    const { link, decide } = await alerted(language);
    await decide(null);
    const late = await world.see(link);
    expect(late.status).toBe(410);
    for (const each of [words, 'href="tel:988"']) expect(late.text).toContain(each);
    expect(late.text).not.toMatch(/has been decided|ya está decidido/);
  });

  test('says to the one whose answer decided it that it counted', async () => {
    const { link, requestId, decide } = await alerted();
    const respond = world.api.checkIns.onRespond;
    // The alert is over before the page looks again.
    world.api.checkIns.onRespond = async (...given) => {
      const taken = await respond(...given);
      await decide(requestId);
      return taken;
    };
    const answered = await world.press(link, { step: 'answer', response: 'called' });
    world.api.checkIns.onRespond = respond;
    expect([answered.status, answered.text.includes('Your answer has counted')]).toEqual([200, true]);
    for (const response of ['called', 'unavailable']) {
      const again = await world.press(link, { step: 'answer', response });
      expect([again.status, again.text.includes('has counted')]).toEqual([200, true]);
    }
    expect(await world.row(requestId)).toMatchObject({ response: 'called' });
  });

  test('takes an answer before the end of the alert or not at all, when both come at once', async () => {
    const { link, requestId, decide } = await alerted();
    await world.press(link, { step: 'answer', response: 'cannot-reach' });
    const answer = { requestId, response: 'called', noteRecordId: null, at: new Date().toISOString() } as const;
    const ending = await world.api.database.owner.connect();
    await ending.query('BEGIN');
    await decide(null, ending);
    const taken = world.activities.takeCheckInAnswer(answer);
    await eventually(() => isSomebodyBlocked(world.api.database.owner));
    await ending.query('COMMIT');
    ending.release();
    expect(await taken).toBe(false);
    expect(await world.row(requestId)).toMatchObject({ response: 'cannot-reach' });
    expect(await world.auditOf(requestId)).not.toContain('check-in.corrected');
  });

  test('is not opened by the link of a check-in, nor the other way round', async () => {
    const { link } = await asked();
    const alert = await alerted();
    expect((await world.see(link.replace('/checkin/', '/alert/'))).status).toBe(404);
    expect((await world.see(alert.link.replace('/alert/', '/checkin/'))).status).toBe(404);
  });
});

test('neither tokens nor names nor notes are in any log line', async () => {
  const { link } = await asked();
  await world.see(link);
  await world.press(link, { step: 'answer', response: 'called', note: MARKED.replyWords });
  const logged = world.api.logLines.join('\n');
  expect(logged).toContain('/buddy/checkin/:token');
  expect(logged).not.toContain(link.split('/').at(-1));
  expect(logged).not.toContain(NAME);
  expect(logged).not.toContain(MARKED.replyWords);
});
