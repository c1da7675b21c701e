import { ApiUnderTest } from './api-under-test';

const PRIVACY = 'https://api.example.org/privacy';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ PRIVACY_POLICY_URL: PRIVACY });
});
afterAll(() => api.stop());
afterEach(() => {
  api.process.down = null;
  api.twilioState = 'up';
});

test('the texts to agree to can be read by anybody, in every language there is', async () => {
  const answer = await api.fetch('/consent-texts/mentor-call', {});
  expect(answer.status).toBe(200);
  const languages = answer.body.texts.map((text: { language: string }) => text.language);
  expect(languages).toEqual(expect.arrayContaining(['en', 'es', 'fr', 'hi']));
  expect(answer.body.texts[0]).toEqual({
    textVersion: expect.any(String),
    language: expect.any(String),
    text: expect.stringContaining('24'),
  });
});

describe('what people are told before a call', () => {
  const told = async (query = '') => await api.fetch(`/disclosures${query}`, {});

  test('can be read by anybody in every language, with where to have data deleted', async () => {
    const answer = await told();
    expect(answer).toMatchObject({ status: 200, body: { privacyPolicyUrl: PRIVACY } });
    const { languages } = answer.body;
    expect(languages.map(({ language }: { language: string }) => language)).toEqual(['en', 'es', 'fr', 'hi']);
    for (const { disclosures } of languages) {
      expect(disclosures.map(({ kind }: { kind: string }) => kind)).toEqual([
        'monitoring',
        'recording',
        'duration',
        'retention',
        'deletion',
        'not-therapists',
        'emergency',
      ]);
    }
  });

  test('names the emergency number of the country, and the limit that is configured', async () => {
    const { languages } = (await told('?language=fr&country=FR')).body;
    expect(languages).toHaveLength(1);
    const texts = languages[0].disclosures.map(({ text }: { text: string }) => text);
    expect(texts).toEqual(expect.arrayContaining([expect.stringContaining('60 minutes')]));
    expect(texts.at(-1)).toBe("En cas d'urgence, appelez le 112.");
  });

  test.each(['?language=de', '?country=us', '?lang=en', '?language=en&language=fr'])('%s is refused', async (query) => {
    expect(await told(query)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
  });

  test('says for how long things are kept here, not by default', async () => {
    const shorter = await ApiUnderTest.start({ RETENTION_NUMBER_FOR_ONE_CALL: '6h', RETENTION_CALL_LOG: '30d' });
    const { languages } = (await shorter.fetch('/disclosures?language=en', {})).body;
    const texts = languages[0].disclosures.map(({ text }: { text: string }) => text);
    expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(/within 6 hours.*for 30 days/)]));
    await shorter.stop();
  });

  test('says which of it is also said in a call', async () => {
    const saying = await ApiUnderTest.start({ SPOKEN_DISCLOSURES: 'emergency,not-therapists' });
    const { languages } = (await saying.fetch('/disclosures?language=en', {})).body;
    const spoken = languages[0].disclosures.filter(({ isSpoken }: { isSpoken: boolean }) => isSpoken);
    expect(spoken.map(({ kind }: { kind: string }) => kind)).toEqual(['duration', 'not-therapists', 'emergency']);
    await saying.stop();
  });
});

test('with Postgres away, a request is a 503 with helplines and a time to come again', async () => {
  const alone = await ApiUnderTest.start({}, { postgres: false });
  const answer = await alone.ask('GET', '/mentor-calls', { who: { role: 'user' } });
  expect(answer).toMatchObject({
    status: 503,
    body: { code: 'temporarily-unavailable', helplines: { crisis: { number: '988' } } },
  });
  await alone.stop();
});

test('the type of a problem leads to what it means', async () => {
  const problem = await api.fetch('/nowhere', {});
  const { pathname } = new URL(problem.body.type);
  const page = await api.fetch(pathname, {});
  expect(page).toMatchObject({ status: 200, body: { code: 'not-found', title: problem.body.title } });
});

test('the start page comes with a policy of its own and, without the local issuer, signs nobody in', async () => {
  const page = await api.fetch('/', {});
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'nonce-/);
  expect(page.text).not.toContain('data-role');
});

test('the start page has a button for each demo role beside the simulator’s own issuer', async () => {
  const local = { TWILIO_API_BASE_URL: 'http://127.0.0.1:8055', OIDC_ISSUER: 'http://127.0.0.1:8055/oidc' };
  const beside = await ApiUnderTest.start(local);
  expect((await beside.fetch('/', {})).text).toContain('data-role="user"');
  await beside.stop();
});

test.each(['/', '/docs', '/problems', '/problems/not-found', '/unsubscribe/unknown'])(
  'the page %s leads to the privacy policy',
  async (path) => {
    const page = await api.fetch(path, { headers: { Accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain(`<a href="${PRIVACY}">`);
  },
);
