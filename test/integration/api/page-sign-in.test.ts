import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { freePort } from '../../../scripts/ports';
import { ApiUnderTest } from './api-under-test';
import { type PageVisitor, PagesUnderTest } from './pages-under-test';

let pages: PagesUnderTest;
beforeAll(async () => {
  pages = await PagesUnderTest.start();
});
afterAll(() => pages.stop());

const SESSION = 'kindline-session';

describe('signing in to the pages', () => {
  test('leads to the issuer with PKCE, state and nonce, and nothing of it can be read in the browser', async () => {
    const visitor = pages.stranger();
    const answer = await visitor.open('/sign-in');
    expect(answer.status).toBe(302);
    const asked = new URL(answer.headers.get('location') ?? '');
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'kindline-pages',
      redirect_uri: `${pages.url}/sign-in/callback`,
      scope: 'openid',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const [cookie = ''] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^kindline-sign-in=[\w-]+; Max-Age=600; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    const kept = Buffer.from(visitor.cookies.get('kindline-sign-in') ?? '', 'base64url').toString('latin1');
    expect(kept).not.toContain(asked.searchParams.get('state'));
  });

  test('gives a session of an hour that no script can read, and goes where somebody wanted to go', async () => {
    const visitor = pages.stranger();
    const answer = await visitor.signIn('staff', '', '/staff/calls');
    expect(answer).toMatchObject({ status: 303 });
    expect(answer.headers.get('location')).toBe('/staff/calls');
    const session = answer.headers.getSetCookie().find((line) => line.startsWith(SESSION)) ?? '';
    expect(session).toMatch(/Max-Age=3600; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    expect((await visitor.open('/staff/calls')).status).toBe(200);
    // The cookie of the sign-in is gone with its use.
    expect([...visitor.cookies.keys()]).toEqual([SESSION]);
  });

  test.each([
    ['staff', '/staff'],
    ['admin', '/staff'],
    ['mentor', '/mentor'],
  ])('leads %s to %s when nothing else was wanted', async (role, page) => {
    expect((await pages.stranger().signIn(role)).headers.get('location')).toBe(page);
  });

  test('leads to the incident that an alert has named', async () => {
    const incident = `/staff/incidents/${randomUUID()}`;
    expect((await pages.stranger().signIn('staff', '', incident)).headers.get('location')).toBe(incident);
  });

  test.each([
    '/staff/incidents/x',
    'https://attacker.example/',
    '//attacker.example',
    '/mentor/../docs',
    '/staff/mentors?x',
    'javascript:x',
  ])('never leads to %s', async (to) => {
    expect((await pages.stranger().signIn('staff', '', to)).headers.get('location')).toBe('/staff');
  });

  test('leads whoever opens a page there and back', async () => {
    const answer = await pages.stranger().open('/staff/mentors');
    expect(answer).toMatchObject({ status: 303, text: expect.not.stringContaining('<main>') });
    expect(answer.headers.get('location')).toBe('/sign-in?to=%2Fstaff%2Fmentors');
  });

  test('is the same person to the pages as to the API', async () => {
    const { body } = await pages.api.ask('GET', '/preferences', {
      who: { role: 'mentor', subject: 'one-and-the-same' },
    });
    expect(body).toBeDefined();
    const count = async () =>
      (await pages.api.database.owner.query('SELECT count(*)::int AS n FROM subjects')).rows[0].n;
    const before = await count();
    await pages.signedIn('mentor', 'another-one');
    expect(await count()).toBe(before + 1);
    await pages.signedIn('mentor', 'another-one');
    expect(await count()).toBe(before + 1);
  });
});

describe('a sign-in is refused', () => {
  const cases: [string, (visitor: PageVisitor, back: string) => Promise<string>][] = [
    ['with another state', async (_visitor, back) => back.replace(/state=[^&]+/, 'state=made-up')],
    ['with another code', async (_visitor, back) => back.replace(/code=[^&]+/, 'code=made-up')],
    ['without a code', async () => '/sign-in/callback'],
    ['of another issuer', async (_visitor, back) => back.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example')],
    ['with a no of the issuer', async () => '/sign-in/callback?error=access_denied&state=x'],
    [
      'that began in another browser',
      async (visitor, back) => {
        visitor.cookies.clear();
        return back;
      },
    ],
    [
      'with the cookie of another sign-in',
      async (visitor, back) => {
        await visitor.open('/sign-in');
        return back;
      },
    ],
  ];
  test.each(cases)('%s', async (_what, spoil) => {
    const visitor = pages.stranger();
    const back = await spoil(visitor, await visitor.comeBack('admin'));
    const answer = await visitor.open(back);
    expect(answer).toMatchObject({ status: 400, text: expect.stringContaining('You were not signed in') });
    expect(visitor.cookies.has(SESSION)).toBe(false);
    expect((await visitor.open('/staff')).status).toBe(303);
  });

  test('when it comes back a second time', async () => {
    const visitor = pages.stranger();
    const back = await visitor.comeBack('staff');
    expect((await visitor.open(back)).status).toBe(303);
    expect((await visitor.open(back)).status).toBe(400);
  });

  test('for a cookie that nobody sealed', async () => {
    const visitor = pages.stranger();
    const forged = Buffer.from(JSON.stringify({ id: 'x', subjectId: 'y', roles: ['admin'], until: 9e15 }));
    visitor.cookies.set(SESSION, forged.toString('base64url'));
    expect((await visitor.open('/staff')).status).toBe(303);
  });
});

describe('signing out', () => {
  test('ends the session, also for a copy of its cookie', async () => {
    const visitor = await pages.signedIn('staff');
    const thief = pages.stranger();
    thief.cookies.set(SESSION, visitor.cookies.get(SESSION) ?? '');
    expect((await thief.open('/staff')).status).toBe(200);
    const answer = await visitor.send('/sign-out');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/signed-out']);
    expect(visitor.cookies.has(SESSION)).toBe(false);
    expect((await thief.open('/staff')).status).toBe(303);
  });

  test('ends nobody else’s session, and not the next one of the same person', async () => {
    const [one, other] = [await pages.signedIn('staff'), await pages.signedIn('staff')];
    await one.send('/sign-out');
    expect((await other.open('/staff')).status).toBe(200);
    await one.signIn('staff');
    expect((await one.open('/staff')).status).toBe(200);
  });

  test('says where one is signed in still', async () => {
    const page = await pages.stranger().open('/signed-out');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining(`${pages.issuerUrl}/oidc/sign-out?`) });
  });
});

test('a session ends by itself', async () => {
  const short = await PagesUnderTest.start({ PAGE_SESSION: '1ms' });
  const visitor = await short.signedIn('staff');
  expect((await visitor.open('/staff')).status).toBe(303);
  await short.stop();
});

test('over https cookies are bound to this host and to TLS', async () => {
  const secure = await ApiUnderTest.start({ OIDC_ISSUER: `${pages.issuerUrl}/oidc`, OIDC_CLIENT_ID: 'kindline-pages' });
  const answer = await secure.fetch('/sign-in', {});
  expect(answer.headers.getSetCookie()[0]).toMatch(
    /^__Host-kindline-sign-in=.*; Path=\/; .*HttpOnly; Secure; SameSite=Lax$/,
  );
  await secure.stop();
});

test('without a client id a page says that nobody can sign in, and what to do', async () => {
  const without = await ApiUnderTest.start();
  const answer = await without.fetch('/sign-in', {});
  expect(answer).toMatchObject({ status: 503, text: expect.stringContaining('OIDC_CLIENT_ID') });
  expect(answer.headers.get('content-type')).toContain('text/html');
  expect((await without.fetch('/signed-out', {})).status).toBe(200);
  await without.stop();
});

test('with the issuer away a page says so, and the next try asks again', async () => {
  const port = await freePort();
  const env = { OIDC_ISSUER: `http://127.0.0.1:${port}`, OIDC_CLIENT_ID: 'kindline-pages' };
  const beside = await ApiUnderTest.start(env);
  const answer = await beside.fetch('/sign-in', {});
  expect(answer).toMatchObject({ status: 503, text: expect.stringContaining('Sign-in cannot be checked') });
  expect(answer.headers.get('retry-after')).toBe('5');
  const issuer = createServer((_req, res) => {
    const authorization_endpoint = `${env.OIDC_ISSUER}/authorize`;
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ issuer: env.OIDC_ISSUER, authorization_endpoint }));
  });
  await new Promise<void>((resolve) => issuer.listen(port, '127.0.0.1', resolve));
  expect((await beside.fetch('/sign-in', {})).status).toBe(302);
  issuer.closeAllConnections();
  issuer.close();
  await beside.stop();
});

test('neither code nor state nor cookie is in a log line', async () => {
  const visitor = pages.stranger();
  const back = await visitor.comeBack('staff');
  await visitor.open(back);
  const lines = pages.api.logLines.join('\n');
  const { searchParams } = new URL(back, pages.url);
  for (const secret of [searchParams.get('code'), searchParams.get('state'), visitor.cookies.get(SESSION)]) {
    expect(lines).not.toContain(secret);
  }
  expect(lines).toContain('"/sign-in/callback"');
});
