import { randomUUID } from 'node:crypto';
import { tellUntoldContacts } from '../../../db/contact-endings';
import { noteBlocked } from '../../../db/may-send';
import { contactToAsk, noteContactLink } from '../../../db/registered-contacts';
import { openWellbeingAlert } from '../../../db/wellbeing-course';
import { takeScores } from '../../../db/wellbeing-scores';
import { SealedValue } from '../../../domain/sealed';
import { TemporalNotInTime } from '../../../temporal/errors';
import { linkHash, newLinkToken } from '../../../vault/link-tokens';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { ApiUnderTest, type Who } from '../api/api-under-test';
import { textIn } from '../api/inbound-text';
import { scoreOf } from './circle';

const PRIVACY = 'https://example.org/privacy';
const OURS = '+14155550100';
const PATH = '/api/users/me/registered-contact';
const DAY = 24 * 3_600_000;
const RULES = { triggers: { low: 40, lowInARow: 3, drop: 20 }, alertSpacingMs: 3 * DAY, countForMs: 14 * DAY };

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ BUDDY_TARGET_LIMITS: '2/7d', PRIVACY_POLICY_URL: PRIVACY });
});
afterAll(() => api.stop());

const person = (): Who => ({ role: 'user', subject: randomUUID() });
let phones = 200;
const newPhone = () => `+1415555${String((phones += 1)).padStart(4, '0')}`;
const name = (who: Who, more: object = {}) =>
  api.ask('PUT', PATH, { who, json: { name: MARKED.otherMentorName, phoneNumber: newPhone(), ...more } });

/** As a worker does when it tells them; the link as it stands in their text. */
async function linkOf(contactId: string): Promise<string> {
  const token = newLinkToken();
  await noteContactLink(api.deps.pool, contactId, linkHash(token) ?? Buffer.alloc(0));
  return `/contact/${token}`;
}

async function named(): Promise<{ who: Who; link: string; contactId: string; userId: string; phone: string }> {
  const who = person();
  const phone = newPhone();
  const { status, body } = await name(who, { phoneNumber: phone });
  expect(status).toBe(200);
  const { rows } = await api.database.owner.query('SELECT user_id FROM registered_contacts WHERE contact_id = $1', [
    body.contactId,
  ]);
  return { who, phone, contactId: body.contactId, userId: rows[0].user_id, link: await linkOf(body.contactId) };
}

const press = (link: string, fields: Record<string, string>) =>
  api.fetch(link, { method: 'POST', body: new URLSearchParams(fields) });
/** An alert that is asking the user's contact. */
async function askingAlert(userId: string): Promise<string> {
  const { alerts } = await takeScores(api.deps.pool, [scoreOf(userId, 50, 1, { risk: 'high' })], RULES);
  const alertId = alerts[0]?.alertId ?? '';
  await openWellbeingAlert(api.deps.pool, alertId);
  await ofContactStep(alertId, `state = 'under-way', begun_at = now(), ask_ids = ARRAY[gen_random_uuid()]`);
  return alertId;
}
const ofContactStep = (alertId: string, set: string) =>
  api.database.owner.query(
    `UPDATE wellbeing_alert_steps SET ${set} WHERE alert_id = $1 AND position = 4 RETURNING ask_ids[1] AS text`,
    [alertId],
  );
/** Of the text that asks. */
const textOf = async (alertId: string) => (await ofContactStep(alertId, 'who = who')).rows[0].text;
const stateFor = async (who: Who) => (await api.ask('GET', PATH, { who })).body?.state;

describe('a contact who was named', () => {
  test('is sealed, shown to the user by name, and told once however often the same number is given', async () => {
    const { who, phone, contactId } = await named();
    const again = await name(who, { phoneNumber: phone, name: MARKED.mentorName, language: 'es' });
    expect(again.body).toMatchObject({ contactId, name: MARKED.mentorName, language: 'es', state: 'named' });
    const { rows } = await api.database.owner.query(
      'SELECT count(*)::int AS n FROM registered_contacts c WHERE c.contact_id = $1',
      [contactId],
    );
    expect(rows).toEqual([{ n: 1 }]);
    const dump = await api.database.owner.query('SELECT c::text AS row FROM registered_contacts c');
    expect(JSON.stringify(dump.rows)).not.toContain(phone);
  });

  test('gives way to another one, whose number is a new person', async () => {
    const { who, contactId, link } = await named();
    const { body } = await name(who);
    expect(body.contactId).not.toBe(contactId);
    expect((await api.fetch(link, {})).status).toBe(404);
  });

  test('is taken back, with all that is held of them', async () => {
    const { who, contactId, link } = await named();
    expect((await api.ask('DELETE', PATH, { who })).status).toBe(204);
    expect((await api.ask('GET', PATH, { who })).status).toBe(404);
    expect((await api.fetch(link, {})).status).toBe(404);
    const { rows } = await api.database.owner.query(
      `SELECT bool_and(r.ciphertext IS NULL) AS gone, bool_and(c.link_hash IS NULL) AS unlinked
         FROM registered_contacts c JOIN vault_records r ON r.record_id IN (c.name_record_id, c.phone_record_id)
        WHERE c.contact_id = $1`,
      [contactId],
    );
    expect(rows).toEqual([{ gone: true, unlinked: true }]);
  });

  test('is not told ever again by being taken back and named anew', async () => {
    const who = person();
    const phoneNumber = newPhone();
    for (let time = 0; time < 2; time += 1) {
      expect((await name(who, { phoneNumber })).status).toBe(200);
      expect((await api.ask('DELETE', PATH, { who })).status).toBe(204);
    }
    expect((await name(who, { phoneNumber })).status).toBe(429);
  });

  test('stays with what is held while a legal hold stands, and is asked no more', async () => {
    const { who, contactId, link } = await named();
    const { rows } = await api.database.owner.query(
      'SELECT subject_id FROM registered_contacts WHERE contact_id = $1',
      [contactId],
    );
    const json = { subjectId: rows[0].subject_id, reason: 'dispute' };
    expect((await api.ask('POST', '/legal-holds', { who: { role: 'admin' }, json })).status).toBe(201);
    expect((await api.ask('DELETE', PATH, { who })).status).toBe(204);
    expect((await api.fetch(link, {})).status).toBe(404);
    const left = await api.database.owner.query(
      'SELECT count(*)::int AS n FROM vault_records WHERE subject_id = $1 AND destroyed_at IS NULL',
      [json.subjectId],
    );
    expect(left.rows).toEqual([{ n: 2 }]);
  });

  test('is not pestered through many accounts', async () => {
    const phoneNumber = newPhone();
    expect((await name(person(), { phoneNumber })).status).toBe(200);
    expect((await name(person(), { phoneNumber })).status).toBe(200);
    const third = await name(person(), { phoneNumber });
    expect(third).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(third.headers.get('retry-after')).not.toBeNull();
  });

  test('is not pestered through ten accounts at once either', async () => {
    const phoneNumber = newPhone();
    const answers = await Promise.all(Array.from({ length: 10 }, () => name(person(), { phoneNumber })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, ...Array(8).fill(429)]);
  });

  test('is one of five whom a user names in thirty days, also at once and by taking them back', async () => {
    const who = person();
    const first = await name(who);
    expect(first.status).toBe(200);
    expect((await api.ask('DELETE', PATH, { who })).status).toBe(204);
    const answers = await Promise.all(Array.from({ length: 6 }, () => name(who)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(4).fill(200), 429, 429]);
    expect(answers.find(({ status }) => status === 429)?.body.code).toBe('too-many-requests');
    await api.database.owner.query(
      `UPDATE registered_contacts SET named_at = named_at - interval '31 days' WHERE contact_id = $1`,
      [first.body.contactId],
    );
    expect((await name(who)).status).toBe(200);
  });

  test.each([
    ['no number', { phoneNumber: 'call her' }, 422],
    ['no name', { name: ' ' }, 400],
    ['a language without pages', { language: 'fr' }, 400],
  ])('needs more than %s', async (_what, more, status) => {
    expect((await name(person(), more)).status).toBe(status);
  });
});

describe('a text from the phone of a contact', () => {
  const text = (from: string, body: string) => textIn(api, from, body);
  const tokenOf = (phone: string) => api.deps.tokenizer.token(SealedValue.of('phone', phone));
  const statesTold = async (contactId: string) => {
    const told = 'SELECT state FROM app_events WHERE object_id = $1 ORDER BY txid, position';
    return (await api.database.owner.query(told, [contactId])).rows.map(({ state }) => state);
  };

  test('STOP ends their being asked, an alert that waits for them goes on, and START takes it back', async () => {
    const { who, phone, contactId, userId, link } = await named();
    await press(link, { do: 'agree' });
    const alertId = await askingAlert(userId);
    api.wellbeing.answers.length = 0;
    await text(phone, 'STOP');
    expect(await stateFor(who)).toBe('opted-out');
    expect(await contactToAsk(api.deps.pool, userId)).toEqual({ nobody: 'contact-opted-out' });
    await eventually(() => expect(api.wellbeing.answers).toEqual([{ alertId, response: 'unavailable' }]));
    // Said twice it is the same.
    await text(phone, 'STOP');
    expect(api.wellbeing.answers).toHaveLength(1);
    await text(phone, 'START');
    expect(await stateFor(who)).toBe('agreed');
    expect(await statesTold(contactId)).toEqual(['agreed', 'opted-out', 'opted-in']);
  });

  test('START brings nobody back who has refused', async () => {
    const { who, phone, link } = await named();
    await text(phone, 'STOP');
    await press(link, { do: 'refuse' });
    await text(phone, 'START');
    expect(await stateFor(who)).toBe('refused');
  });

  test('what the alert could not be told while Temporal was away, the relay tells', async () => {
    const { phone, userId } = await named();
    const alertId = await askingAlert(userId);
    api.wellbeing.down = new TemporalNotInTime();
    await text(phone, 'STOP');
    api.wellbeing.down = null;
    const told: string[] = [];
    const tell = async ({ alertId: id }: { alertId: string }) => void told.push(id);
    const never = (error: unknown) => {
      throw error;
    };
    expect(await tellUntoldContacts(api.deps.pool, tell, never, 10)).toBe(1);
    expect(await tellUntoldContacts(api.deps.pool, tell, never, 10)).toBe(0);
    expect(told).toEqual([alertId]);
  });

  test('START right after STOP leaves nothing to tell the alert; of a refusal it does', async () => {
    const [{ phone, userId }, other] = [await named(), await named()];
    await askingAlert(userId);
    const otherAlert = await askingAlert(other.userId);
    api.wellbeing.down = new TemporalNotInTime();
    for (const [from, words] of [
      [phone, 'STOP'],
      [other.phone, 'STOP'],
    ] as const)
      await text(from, words);
    await press(other.link, { do: 'refuse' });
    for (const from of [phone, other.phone]) await text(from, 'START');
    api.wellbeing.down = null;
    const told: string[] = [];
    const tell = async ({ alertId: id }: { alertId: string }) => void told.push(id);
    const never = (error: unknown) => {
      throw error;
    };
    expect(await tellUntoldContacts(api.deps.pool, tell, never, 10)).toBe(1);
    expect(told).toEqual([otherAlert]);
  });

  test('a phone that Twilio blocks for us (21610) is not asked, until it is unblocked', async () => {
    const { who, phone, userId } = await named();
    await noteBlocked(api.deps.pool, { recipientToken: tokenOf(phone), sender: OURS, code: '21610' });
    expect(await contactToAsk(api.deps.pool, userId)).toEqual({ nobody: 'contact-opted-out' });
    await text(phone, 'START');
    expect(await stateFor(who)).toBe('named');
  });
});

describe('the page of a contact', () => {
  test('says whom to call in a crisis, in their language, and links the policy', async () => {
    for (const [language, words] of [
      ['en', 'If somebody is in danger'],
      ['es', 'Si alguien está en peligro'],
    ] as const) {
      const { body } = await name(person(), { language });
      const { text } = await api.fetch(await linkOf(body.contactId), {});
      expect(text).toContain(words);
      expect(text).toContain('href="tel:988"');
      expect(text).toContain('911');
      expect(text).toContain(`href="${PRIVACY}"`);
    }
  });

  test('says it above the answers while an alert asks them', async () => {
    const { link, userId } = await named();
    await askingAlert(userId);
    const { text } = await api.fetch(link, {});
    const [guidance, answers] = [text.indexOf('href="tel:988"'), text.indexOf('name="response"')];
    expect(guidance).toBeGreaterThan(0);
    expect(answers).toBeGreaterThan(guidance);
  });

  test('changes nothing when it is only opened', async () => {
    const { who, link } = await named();
    const before = await api.footprint();
    const page = await api.fetch(link, { headers: { 'Accept-Language': 'en' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.text).not.toContain(MARKED.otherMentorName);
    expect(await api.footprint()).toEqual(before);
    expect(await stateFor(who)).toBe('named');
  });

  test('lets them agree, and refuse later: the user sees it and cannot name them again', async () => {
    const { who, link, phone } = await named();
    expect((await press(link, { do: 'agree' })).text).toContain('You have agreed');
    expect(await stateFor(who)).toBe('agreed');
    expect((await press(link, { do: 'refuse' })).text).toContain('You have refused');
    expect(await stateFor(who)).toBe('refused');
    // A refusal is not taken back by an old page.
    await press(link, { do: 'agree' });
    expect(await stateFor(who)).toBe('refused');
    const again = await name(who, { phoneNumber: phone });
    expect(again).toMatchObject({ status: 409, body: { code: 'contact-has-refused' } });
    await api.ask('DELETE', PATH, { who });
    expect((await name(who, { phoneNumber: phone })).status).toBe(409);
  });

  test('shows what is held of them when they ask, and erases it when they have asked twice', async () => {
    const { who, link, phone } = await named();
    const held = await press(link, { do: 'see' });
    expect(held.text).toContain(phone);
    expect(held.text).toContain(MARKED.otherMentorName);
    expect((await press(link, { do: 'erase' })).text).toContain('cannot be brought back');
    expect(await stateFor(who)).toBe('named');
    expect((await press(link, { do: 'erase', sure: 'yes' })).text).toContain('is erased');
    expect((await api.fetch(link, {})).status).toBe(404);
    expect((await press(link, { do: 'see' })).status).toBe(404);
    expect((await api.ask('GET', PATH, { who })).status).toBe(404);
    expect((await name(who, { phoneNumber: phone })).status).toBe(409);
  });

  test('takes their answer while an alert asks them, and goes on without them when they refuse', async () => {
    const { link, userId } = await named();
    expect((await press(link, { do: 'answer', response: 'called' })).text).toContain('do not wait for an answer');
    const alertId = await askingAlert(userId);
    api.wellbeing.answers.length = 0;
    expect((await api.fetch(link, {})).text).toContain('How did it go?');
    expect((await press(link, { do: 'answer', response: 'called' })).text).toContain('Thank you');
    await press(link, { do: 'answer', response: 'something else' });
    await press(link, { do: 'refuse' });
    expect(api.wellbeing.answers).toEqual([
      { alertId, response: 'called' },
      { alertId, response: 'unavailable' },
    ]);
  });

  test('shows nothing of an alert to whoever was named after its step had begun', async () => {
    const { who, userId, link } = await named();
    const alertId = await askingAlert(userId);
    const { body } = await name(who);
    const laterLink = await linkOf(body.contactId);
    api.wellbeing.answers.length = 0;
    const page = await api.fetch(laterLink, {});
    expect([page.status, page.text.includes('hard time'), page.text.includes('How did it go?')]).toEqual([
      200,
      false,
      false,
    ]);
    expect((await press(laterLink, { do: 'answer', response: 'called' })).text).toContain('do not wait for an answer');
    await press(laterLink, { do: 'refuse' });
    expect(api.wellbeing.answers).toEqual([]);
    expect((await api.fetch(link, {})).status).toBe(404);
    expect(await textOf(alertId)).not.toBeNull();
  });

  test('takes a correction while the alert goes on, and none of somebody who has refused', async () => {
    const { link, userId } = await named();
    const alertId = await askingAlert(userId);
    api.wellbeing.answers.length = 0;
    expect((await press(link, { do: 'answer', response: 'cannot-reach' })).text).toContain('please do');
    await ofContactStep(alertId, `state = 'unanswered', response = 'cannot-reach', ended_at = now()`);
    expect((await api.fetch(link, {})).text).toContain('How did it go?');
    await press(link, { do: 'answer', response: 'called' });
    expect(api.wellbeing.answers.map(({ response }) => response)).toEqual(['cannot-reach', 'called']);
    expect((await press(link, { do: 'refuse' })).text).not.toContain('How did it go?');
  });

  test.each([
    ['over', 'do not wait for an answer'],
    ['kept', 'cannot be changed'],
  ] as const)('says it when their answer is %s', async (said, words) => {
    const { link, userId } = await named();
    await askingAlert(userId);
    api.wellbeing.onAnswer = async () => said;
    const { text } = await press(link, { do: 'answer', response: 'unavailable' });
    api.wellbeing.onAnswer = async () => 'noted';
    expect(text).toContain(words);
  });

  test('withdraws the text that still waits when they refuse, also after an answer', async () => {
    for (const state of ['under-way', 'unanswered']) {
      const { link, userId } = await named();
      const alertId = await askingAlert(userId);
      await ofContactStep(alertId, `state = '${state}'`);
      api.wellbeing.withdrawn.length = 0;
      await press(link, { do: 'refuse' });
      await eventually(async () => expect(api.wellbeing.withdrawn).toEqual([await textOf(alertId)]));
    }
  });

  test.each(['x'.repeat(64), 'short', '%27'])('is not there for a link that was made up: %s', async (token) => {
    expect((await api.fetch(`/contact/${token}`, {})).status).toBe(404);
    expect((await press(`/contact/${token}`, { do: 'erase', sure: 'yes' })).status).toBe(404);
  });
});
