/** How often somebody may ask: two applications, as two processes are, that have only Postgres in common. */
import { createServer, type Server } from 'node:http';
import { Pool } from 'pg';
import { createApi } from '../../../api/app';
import { ApiUnderTest } from './api-under-test';

/** What is counted is judged here, and not how long Postgres may take to count. */
jest.mock('../../../api/limits', () => ({ ...jest.requireActual('../../../api/limits'), RATES_WITHIN: 20_000 }));

const PATH = '/contact-points';
let api: ApiUnderTest;
let second: Server;

beforeAll(async () => {
  api = await ApiUnderTest.start({
    RATE_LIMIT_USER: '6/60s',
    RATE_LIMIT_ENDPOINT: '4/60s',
    RATE_LIMIT_ADDRESS: '1000/60s',
  });
  second = await serve(createApi(api.deps));
});
afterAll(async () => {
  await closed(second);
  await api.stop();
});

function serve(app: ReturnType<typeof createApi>): Promise<Server> {
  const server = createServer(app);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function askAt(server: Server, subject: string, path = PATH, headers: Record<string, string> = {}) {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const token = await api.token({ role: 'user', subject });
  return await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `Bearer ${token}`, ...headers } });
}

test('what two processes count is one count, and says when to come back in whole seconds', async () => {
  const who = { role: 'user', subject: 'often' } as const;
  for (let n = 0; n < 2; n += 1) {
    expect((await api.ask('GET', PATH, { who })).status).toBe(200);
    expect((await askAt(second, 'often')).status).toBe(200);
  }
  const refused = await api.ask('GET', PATH, { who });
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
  expect(refused.headers.get('Retry-After')).toMatch(/^[1-9]\d?$/);
  expect(refused.headers.get('RateLimit')).toMatch(/"endpoint";r=0;t=[1-9]\d?$/);
  expect(refused.headers.get('RateLimit-Policy')).toBe('"address";q=1000;w=60, "user";q=6;w=60, "endpoint";q=4;w=60');
  expect((await askAt(second, 'often')).status).toBe(429);
  // Another route, until all of them together are too many.
  expect((await askAt(second, 'often', '/mentor-calls')).status).toBe(429);
  // Nobody else pays for it.
  expect((await askAt(second, 'seldom')).status).toBe(200);
});

test('the table holds tokens: neither who asked, nor from where', async () => {
  const { rows } = await api.database.owner.query<{ key: string }>('SELECT key FROM request_rates');
  expect(rows.length).toBeGreaterThan(3);
  for (const { key } of rows) expect(key).toMatch(/^(user|address|endpoint):[\w-]{43}$/);
});

test('one address is counted over all who ask from it, with or without a token; other networks are not', async () => {
  const app = await ApiUnderTest.start({ RATE_LIMIT_ADDRESS: '3/60s', TRUST_PROXY_HOPS: '1' });
  try {
    const from = (address: string) =>
      app.ask('GET', PATH, { raw: { headers: { 'X-Forwarded-For': address } } }).then(({ status }) => status);
    expect([await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8:0:0:ffff::3')]).toEqual([
      401, 401, 401,
    ]);
    expect(await from('2001:db8::4')).toBe(429);
    expect(await from('2001:db8:0:1::4')).toBe(401);
    expect(await from('192.0.2.1')).toBe(401);
  } finally {
    await app.stop();
  }
});

test('what needs no sign-in counts for its address too, but for probes and what a provider has signed', async () => {
  const app = await ApiUnderTest.start({ RATE_LIMIT_ADDRESS: '3/60s', TRUST_PROXY_HOPS: '1' });
  try {
    const ask = (path: string, address: string, method = 'GET') =>
      app.fetch(path, { method, headers: { 'X-Forwarded-For': address } });
    const link = `/unsubscribe/${'a'.repeat(43)}`;
    const first = await ask('/problems', '192.0.2.7');
    expect(first.status).toBe(200);
    expect(first.headers.get('RateLimit')).toMatch(/^"address";r=2;t=[1-9]\d?$/);
    expect((await ask(link, '192.0.2.7')).status).toBe(404);
    expect((await ask(link, '192.0.2.7', 'POST')).status).toBe(404);
    for (const path of ['/', '/docs', '/openapi.json', '/consent-texts/mentor-call', link]) {
      const refused = await ask(path, '192.0.2.7');
      expect(refused.status).toBe(429);
      // Whoever follows a link reads a page.
      if (path !== link) expect(refused.body).toMatchObject({ code: 'too-many-requests' });
      expect(refused.headers.get('Retry-After')).toMatch(/^[1-9]\d?$/);
    }
    // One count with what needs a sign-in; another network has its own.
    expect((await ask(PATH, '192.0.2.7')).status).toBe(429);
    expect((await ask(link, '192.0.2.8')).status).toBe(404);
    for (let n = 0; n < 5; n += 1) {
      expect((await ask('/health', '192.0.2.7')).status).toBe(200);
      expect((await ask('/health/ready', '192.0.2.7')).status).toBe(200);
      expect((await ask('/call-status', '192.0.2.7', 'POST')).status).toBe(403);
      expect((await ask('/mail-events', '192.0.2.7', 'POST')).status).toBe(403);
    }
  } finally {
    await app.stop();
  }
});

test('with Postgres away each process counts for itself, and nothing becomes a 5xx by counting', async () => {
  const away = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', connectionTimeoutMillis: 300 });
  const limited = await serve(createApi({ ...api.deps, pool: away }));
  try {
    const statuses = [];
    // A route that asks nobody: whoever has no token is refused before, or limited.
    for (let n = 0; n < 3; n += 1) statuses.push((await fetchWithout(limited)).status);
    expect(statuses).toEqual([401, 401, 401]);
    const page = await fetchWithout(limited, '/problems');
    expect(page.status).toBe(200);
    expect(page.headers.get('RateLimit')).toMatch(/^"address";r=996;t=/);
  } finally {
    await closed(limited);
    await away.end();
  }
});

async function fetchWithout(server: Server, path = PATH): Promise<Response> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return await fetch(`http://127.0.0.1:${port}${path}`);
}
