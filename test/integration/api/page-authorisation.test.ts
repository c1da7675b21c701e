import { randomUUID } from 'node:crypto';
import { ROLES } from '../../../api/authentication';
import { type Rule, RULES } from '../../../api/authorisation';
import { type PageVisitor, PagesUnderTest } from './pages-under-test';

/** What is counted is judged here, and not how long Postgres may take to count. */
jest.mock('../../../api/limits', () => ({ ...jest.requireActual('../../../api/limits'), RATES_WITHIN: 20_000 }));

let pages: PagesUnderTest;
const visitors = new Map<string, PageVisitor>();
let visitor: PageVisitor;
beforeAll(async () => {
  pages = await PagesUnderTest.start();
  for (const role of ROLES) visitors.set(role, await pages.signedIn(role));
  visitor = await pages.signedIn('staff');
  await visitor.open('/staff');
});
afterAll(() => pages.stop());

/** Everything below is made from the table that the application is built from. */
const ROUTES = (Object.entries(RULES) as [string, Rule][]).flatMap(([name, rule]) => {
  const [method = '', pattern = ''] = name.split(' ');
  const path = pattern.replace(/:\w+/g, () => randomUUID());
  return rule.access === 'page' ? [{ name, method, path, roles: rule.roles }] : [];
});
const forms = ROUTES.filter(({ method }) => method === 'POST');
const roleOf = (name: string): PageVisitor => {
  const found = visitors.get(name);
  if (found === undefined) throw new Error(`nobody is signed in as ${name}`);
  return found;
};
/** The token of somebody's session, wherever they may look. */
async function tokenOf(role: string): Promise<string> {
  const page = await roleOf(role).open(role === 'mentor' ? '/mentor/join' : '/staff');
  return /name="formToken" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
}

test('there are pages, and forms on them', () => {
  expect(ROUTES.length).toBeGreaterThan(8);
  expect(forms.length).toBeGreaterThan(4);
});

test.each(ROUTES)('$name without a session shows nothing and changes nothing', async ({ method, path }) => {
  const before = await pages.api.footprint();
  const stranger = pages.stranger();
  const answer = method === 'GET' ? await stranger.open(path) : await stranger.post(path, {}, { Origin: pages.url });
  expect(answer.status).toBe(method === 'GET' ? 303 : 401);
  expect(await pages.api.footprint()).toEqual(before);
});

test.each(ROUTES)('$name is for no access token', async ({ method, path }) => {
  const headers = { Authorization: `Bearer ${await pages.api.token({ role: 'admin' })}` };
  const answer = await pages.api.fetch(path, { method, headers });
  expect(answer.status).toBe(method === 'GET' ? 303 : 401);
});

const wrong = ROUTES.flatMap((route) =>
  ROLES.filter((role) => !route.roles.includes(role)).map((role) => ({ ...route, role })),
);
test.each(wrong)('$name is a 403 for $role', async ({ method, path, role }) => {
  const before = await pages.api.footprint();
  const answer = method === 'GET' ? await roleOf(role).open(path) : await roleOf(role).post(path, {});
  expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('Your role may not do this') });
  expect(await pages.api.footprint()).toEqual(before);
});

describe('a form that is not ours changes nothing', () => {
  const senders: [string, Record<string, string>][] = [
    ['of another site', { Origin: 'https://attacker.example' }],
    ['of nowhere', { Origin: 'null' }],
    ['that a browser says is cross-site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['of a sibling host', { 'Sec-Fetch-Site': 'same-site' }],
    ['that was typed in', { 'Sec-Fetch-Site': 'none' }],
  ];
  const cases = forms.flatMap((form) => senders.map(([what, headers]) => ({ ...form, what, headers })));

  test.each(cases)('$name, $what', async ({ path, roles, headers }) => {
    const role = roles.includes('staff') ? 'staff' : (roles[0] ?? '');
    const formToken = await tokenOf(role);
    const before = await pages.api.footprint();
    const answer = await roleOf(role).post(path, { formToken }, headers);
    expect(answer).toMatchObject({ status: 403, text: expect.stringContaining('not sent by a page of ours') });
    expect(await pages.api.footprint()).toEqual(before);
  });

  test.each(forms)('$name, without the token of this session', async ({ path, roles }) => {
    const role = roles.includes('staff') ? 'staff' : (roles[0] ?? '');
    const someoneElses = visitor.formToken;
    const before = await pages.api.footprint();
    for (const fields of [{}, { formToken: '' }, { formToken: someoneElses }, { formToken: 'x'.repeat(43) }]) {
      const answer = await roleOf(role).post(path, fields, { Origin: pages.url });
      expect(answer.status).toBe(403);
    }
    expect(await pages.api.footprint()).toEqual(before);
  });

  test('nor does one as JSON, or larger than any of ours', async () => {
    const admin = roleOf('admin');
    const formToken = await tokenOf('admin');
    const path = `/staff/ring-notes/${randomUUID()}/seen`;
    const Cookie = [...admin.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { Cookie, 'Content-Type': 'application/json' };
    const asJson = await pages.api.fetch(path, { method: 'POST', headers, body: JSON.stringify({ formToken }) });
    expect(asJson.status).toBe(403);
    expect((await admin.post(path, { formToken, more: 'x'.repeat(9_000) })).status).toBe(413);
  });
});

test('a page is for no cache, for no frame, and tells no other site where one came from', async () => {
  for (const answer of [await roleOf('staff').open('/staff'), await roleOf('user').open('/staff')]) {
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('same-origin');
    expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(answer.text).not.toContain('<script');
  }
});

test('who asks too often for a page is told so on a page', async () => {
  const few = await PagesUnderTest.start({ RATE_LIMIT_ENDPOINT: '1/1m' });
  const mentor = await few.signedIn('mentor');
  expect((await mentor.open('/mentor/join')).status).toBe(200);
  const answer = await mentor.open('/mentor/join');
  expect(answer).toMatchObject({ status: 429, text: expect.stringContaining('<h1>') });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  await few.stop();
});
