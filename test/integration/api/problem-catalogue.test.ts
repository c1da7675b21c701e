import { type ProblemCode, PROBLEMS } from '../../../api/problems';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const CODES = Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS);

test.each(CODES)('the type of %s leads to what it means and what helps', async (code) => {
  const [status, title, hint] = PROBLEMS[code];
  const entry = (await api.fetch('/problems', {})).body.problems.find((one: { code: string }) => one.code === code);
  const answer = await api.fetch(new URL(entry.type).pathname, {});
  expect(answer).toMatchObject({ status: 200, body: { code, status, title, hint, type: entry.type } });
  // A sentence that says what to do, and not the title again.
  expect(hint).toMatch(/^[A-Z].{15,}\.$|: |…$/);
  expect(hint).not.toContain(title);
});

test('the catalogue has every code once', async () => {
  const { problems } = (await api.fetch('/problems', {})).body;
  expect(problems.map(({ code }: { code: string }) => code)).toEqual(CODES);
});

test.each(['/problems', '/problems/not-found'])('whoever opens %s in a browser reads a page', async (path) => {
  const page = await api.fetch(path, { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
  expect(page).toMatchObject({ status: 200, text: expect.stringContaining('somebody else is not found either') });
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('vary')).toMatch(/accept/i);
});

test('instance is a URI that names the request, and so does the header', async () => {
  const answer = await api.fetch('/nowhere', {});
  expect(answer.body.instance).toBe(`urn:uuid:${answer.headers.get('x-request-id')}`);
});
