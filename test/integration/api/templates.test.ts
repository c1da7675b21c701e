import { randomUUID } from 'node:crypto';
import { renderContent } from '../../../activities/render';
import { pinnedTemplate } from '../../../db/templates';
import { sealableWords } from '../../../domain/message-words';
import { countSegments } from '../../../domain/segments';
import { templateFaults } from '../../../domain/templates';
import { createSubject } from '../../../db/subjects';
import { ApiUnderTest } from './api-under-test';

const PRIVACY = 'https://api.example.org/privacy?a=1&b=2';
let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ PRIVACY_POLICY_URL: PRIVACY });
});
afterAll(() => api.stop());

const who = { role: 'admin' } as const;
const words = (text: string) => ({
  variables: { name: { type: 'text' } },
  languages: { en: { text, subject: 'For you' } },
});
const newName = () => `t-${randomUUID().slice(0, 8)}`;
const create = (name = newName(), text = 'Hello {{name}}') =>
  api.ask('POST', '/templates', { who, json: { name, ...words(text) } });
const ifMatch = (tag: string | null) => ({ raw: { headers: { 'If-Match': tag ?? '*' } } });
const change = (templateId: string, text: string, tag: string | null = '*') =>
  api.ask('PUT', `/templates/${templateId}`, { who, json: words(text), ...ifMatch(tag) });

/** What somebody gets whose message was begun with this version. */
async function rendered(templateId: string, templateVersion: number, variables = { name: 'Ana <3' }) {
  const { vault, pool } = api.deps;
  const subjectId = await createSubject(pool, 'system');
  const recordId = await vault.seal({ subjectId, kind: 'text', value: sealableWords({ variables }) });
  return (form: 'text' | 'html' | 'speech' | 'mail-text') =>
    renderContent(
      { pool, vault, privacyPolicyUrl: PRIVACY, ownLinks: null },
      { templateId, templateVersion, recordId },
      'en',
      form,
    );
}

test('a change is a new version; what was begun with the old one keeps its words, also after a deletion', async () => {
  const { body: made, headers } = await create();
  expect(made).toMatchObject({ version: 1, isBuiltIn: false });
  const old = await rendered(made.templateId, 1);
  const changed = await change(made.templateId, 'Goodbye {{name}}', headers.get('etag'));
  expect(changed).toMatchObject({ status: 200, body: { version: 2 } });
  const now = await rendered(made.templateId, 2);
  expect((await now('text')).value.expose()).toBe('Goodbye Ana <3');
  expect(await api.ask('GET', `/templates/${made.templateId}?version=1`, { who })).toMatchObject({
    body: { version: 1, languages: { en: { text: 'Hello {{name}}' } } },
  });
  const gone = await api.ask('DELETE', `/templates/${made.templateId}`, {
    who,
    ...ifMatch(changed.headers.get('etag')),
  });
  expect(gone.status).toBe(204);
  expect((await api.ask('GET', `/templates/${made.templateId}`, { who })).status).toBe(404);
  expect((await old('text')).value.expose()).toBe('Hello Ana <3');
});

test('the application cannot change a version, whatever asks for it', async () => {
  const { body: made } = await create();
  await expect(
    api.deps.pool.query(`UPDATE template_versions SET languages = '{}' WHERE template_id = $1`, [made.templateId]),
  ).rejects.toMatchObject({ code: '42501' });
});

test('two who change one template: the second is told', async () => {
  const { body: made, headers } = await create();
  const tag = headers.get('etag');
  expect((await change(made.templateId, 'One {{name}}', tag)).status).toBe(200);
  expect(await change(made.templateId, 'Two {{name}}', tag)).toMatchObject({ status: 412 });
  expect(await api.ask('PUT', `/templates/${made.templateId}`, { who, json: words('x') })).toMatchObject({
    status: 428,
  });
});

test('a name is free again once its template is gone, and not before', async () => {
  const name = newName();
  const { body: made } = await create(name);
  expect(await create(name)).toMatchObject({ status: 409, body: { code: 'template-name-taken' } });
  await api.ask('DELETE', `/templates/${made.templateId}`, { who, ...ifMatch('*') });
  expect((await create(name)).status).toBe(201);
});

test('every e-mail leads to the privacy policy, and what a value holds stays text', async () => {
  const { body: made } = await create();
  const as = await rendered(made.templateId, 1, { name: '<script>alert(1)</script>' });
  const mail = await as('html');
  expect(mail.subject?.expose()).toBe('For you');
  expect(mail.value.expose()).toContain('href="https://api.example.org/privacy?a=1&amp;b=2"');
  expect(mail.value.expose()).not.toContain('<script');
  expect((await as('mail-text')).value.expose()).toContain(PRIVACY);
  const text = await as('text');
  expect(text).toMatchObject({ segments: 1, language: 'en' });
  expect(`${String(text.value)} ${JSON.stringify(text)}`).not.toContain('alert');
});

test.each([
  ['a variable that is not declared', 'Hello {{nobody}}', '#/languages/en/text'],
  ['a word that opts out as a reply', 'Reply CANCEL to cancel, {{name}}', '#/languages/en/text'],
])('a template with %s is refused', async (_what, text, pointer) => {
  const answer = await create(newName(), text);
  expect(answer).toMatchObject({ status: 422, body: { code: 'template-invalid', errors: [{ pointer }] } });
});

test('a template that declares a link of the service as its own is refused, also as a draft', async () => {
  const draft = { variables: { staffLink: { type: 'url' } }, languages: { en: { text: 'Look: {{staffLink}}' } } };
  const problem = (pointer: string) => ({ status: 422, body: { code: 'template-invalid', errors: [{ pointer }] } });
  const made = await api.ask('POST', '/templates', { who, json: { name: newName(), ...draft } });
  expect(made).toMatchObject(problem('#/variables/staffLink'));
  const shown = await api.ask('POST', '/templates/preview', { who, json: { draft } });
  expect(shown).toMatchObject(problem('#/draft/variables/staffLink'));
});

describe('a preview', () => {
  const preview = (json: unknown, asWho: { role: 'staff' | 'user' } = { role: 'staff' }) =>
    api.ask('POST', '/templates/preview', { who: asWho, json });

  test('shows all forms of a draft, with its segments, and stores nothing', async () => {
    const before = await api.footprint();
    const answer = await preview({ draft: words('Hello {{name}} ✓'), variables: { name: 'Ana & Bo' } });
    expect(answer).toMatchObject({
      status: 200,
      body: { text: 'Hello Ana & Bo ✓', encoding: 'ucs-2', segments: 1, characters: 16, speech: 'Hello Ana & Bo ✓' },
    });
    expect(answer.body.html).toContain('<p>Hello Ana &amp; Bo ✓</p>');
    expect(await api.footprint()).toEqual(before);
  });

  test('names what does not fit, and never the value', async () => {
    const answer = await preview({ name: 'reminder', variables: { what: 'x'.repeat(200), at: 'at +14155550123' } });
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '#/variables/at',
      '#/variables/what',
    ]);
    expect(answer.text).not.toContain('+14155550123');
    expect(await preview({ name: 'no-such-template' })).toMatchObject({
      status: 404,
      body: { errors: [{ pointer: '#/name' }] },
    });
  });

  test('is for those who send', async () => {
    expect((await preview({ name: 'alert' }, { role: 'user' })).status).toBe(403);
    expect(await preview({})).toMatchObject({ status: 400 });
    expect((await preview({ name: 'nothing-like-it' })).status).toBe(404);
  });
});

describe('the templates of the service itself', () => {
  const OWN_LINK = `https://calls.example.org/buddy/checkin/${'a'.repeat(64)}`;
  const VALUES: Readonly<Record<string, string | number>> = {
    message: 'the clinic is closed',
    what: 'your shift',
    at: '2026-05-11T07:30:00-05:00',
    first: 'the survey',
    second: 'how it went',
    code: '471100',
    minutes: 10,
    lines: '116123 or +448005858585',
    emergency: '999',
    buddy: 'Maximilian-Alexander',
    user: 'Anastasia-Margherita',
    contact: 'Maximilian-Alexander',
    reference: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
    days: 7,
    askedEvery: '24 hours',
    alertedEvery: '3 days',
    remindedAfter: '2 hours',
    keptFor: '30 days',
    news: 'Maximilian-Alexander says: I could not reach you.',
    link: OWN_LINK,
    acceptLink: OWN_LINK,
    declineLink: OWN_LINK,
    rightsLink: OWN_LINK,
    circleLink: 'https://buddies.organisation.example.org/circle',
    staffLink: 'https://buddies.organisation.example.org/staff/alerts',
  };
  /** What a mentor call may end with: calls are held in more languages. */
  const AFTER_CALLS = ['helplines', 'how-was-it'];

  test('are there in English and Spanish, cost what they must and say no word that opts out', async () => {
    const { body } = await api.ask('GET', '/templates?limit=100', { who });
    const builtIn = body.templates.filter(({ isBuiltIn }: { isBuiltIn: boolean }) => isBuiltIn);
    expect(builtIn.map(({ name }: { name: string }) => name).sort()).toEqual([
      'alert',
      'buddy.alert',
      'buddy.check-in',
      'buddy.contact-alert',
      'buddy.contact-named',
      'buddy.contact-over',
      'buddy.invitation',
      'buddy.news',
      'buddy.reminder',
      'help',
      'helplines',
      'how-was-it',
      'incident',
      'incident-over',
      'opt-out-confirmed',
      'opted-in',
      'reminder',
      'update',
      'verification',
      'wellbeing.emergency',
      'wellbeing.on-call',
      'wellbeing.service',
      'wellbeing.service-over',
      'which-question',
    ]);
    // Mails to whoever looks after the service.
    const toPeople = builtIn.filter(({ name }: { name: string }) => !name.startsWith('incident'));
    for (const { templateId, name, languages, version } of toPeople) {
      const isAfterCalls = AFTER_CALLS.includes(name);
      expect(Object.keys(languages)).toEqual(isAfterCalls ? ['en', 'es', 'fr', 'hi'] : ['en', 'es']);
      expect(templateFaults(await pinnedTemplate(api.deps.pool, templateId, version))).toEqual([]);
      for (const language of isAfterCalls ? ['en', 'es', 'fr'] : ['en', 'es']) {
        const { variables: declared } = await pinnedTemplate(api.deps.pool, templateId, version);
        const variables = Object.fromEntries(Object.keys(declared).map((variable) => [variable, VALUES[variable]]));
        const answer = await api.ask('POST', '/templates/preview', { who, json: { name, language, variables } });
        // A link takes most of a second one.
        const mostSegments = /^(buddy|wellbeing)\./.test(name) ? 2 : 1;
        expect([name, language, answer.body.encoding]).toEqual([name, language, 'gsm-7']);
        expect(answer.body.segments).toBeLessThanOrEqual(mostSegments);
        expect(countSegments(answer.body.text).segments).toBe(answer.body.segments);
      }
    }
  });

  test('can be said otherwise; their variables stay, and so do they', async () => {
    const { body } = await api.ask('GET', '/templates?limit=100', { who });
    const help = body.templates.find(({ name }: { name: string }) => name === 'help');
    const path = `/templates/${help.templateId}`;
    const json = { languages: { en: { text: 'Call us instead.' } } };
    expect(await api.ask('PUT', path, { who, json, ...ifMatch('*') })).toMatchObject({
      status: 200,
      body: { version: 2 },
    });
    const more = { ...json, variables: { name: { type: 'text' } } };
    const problem = { status: 409, body: { code: 'template-built-in' } };
    expect(await api.ask('PUT', path, { who, json: more, ...ifMatch('*') })).toMatchObject(problem);
    expect(await api.ask('DELETE', path, { who, ...ifMatch('*') })).toMatchObject(problem);
  });
});

test('admins make and change templates, senders read them, nobody else does either', async () => {
  const json = { name: newName(), ...words('x') };
  for (const role of ['user', 'mentor', 'staff', 'service'] as const) {
    expect((await api.ask('POST', '/templates', { who: { role }, json })).status).toBe(403);
  }
  expect((await api.ask('GET', '/templates', { who: { role: 'staff' } })).status).toBe(200);
  expect((await api.ask('GET', '/templates', { who: { role: 'user' } })).status).toBe(403);
});
