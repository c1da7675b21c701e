import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { CodecUnderTest, SIGNED_IN, UI, valuesIn } from './codec-under-test';

const SECRET = { callId: 'the-call-of-this-test' };

describe('on a developer’s machine', () => {
  let codec: CodecUnderTest;
  beforeAll(async () => {
    codec = await CodecUnderTest.start();
  });
  afterAll(() => codec.stop());

  it('decodes what this service has written, in order', async () => {
    const answer = await codec.decode([await codec.stored(SECRET), await codec.stored('second')]);
    expect(answer.status).toBe(200);
    expect(valuesIn(answer)).toEqual([SECRET, 'second']);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('leaves one entry for a request, by the local operator, that names the request', async () => {
    const before = await codec.entries();
    const answer = await codec.decode([await codec.stored(SECRET), await codec.stored(SECRET)]);
    const requestId = answer.headers.get('x-request-id');
    expect((await codec.entries()).slice(before.length)).toEqual([
      { actor: 'local-operator', object_id: requestId, purpose: 'web-ui', outcome: 'done' },
    ]);
    const lines = codec.logLines.filter((line) => line.includes(String(requestId)));
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['payloads decoded', 'request']);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ count: 2, namespace: 'default', outcome: 'done' });
    expect(codec.logLines.join('')).not.toContain(SECRET.callId);
  });

  it('shows nothing when the entry cannot be written', async () => {
    const payload = await codec.stored(SECRET);
    await codec.database.owner.query('REVOKE INSERT ON audit_entries FROM kindline_application');
    const refused = await codec.decode([payload]);
    await codec.database.owner.query('GRANT INSERT ON audit_entries TO kindline_application');
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(refused.text).not.toContain(Buffer.from(JSON.stringify(SECRET)).toString('base64').slice(0, 20));
    expect((await codec.decode([payload])).status).toBe(200);
  });

  it.each([
    ['on another name of this machine', 'http://localhost:8233'],
    ['elsewhere', 'https://page.example.org'],
    ['without an origin of its own', 'null'],
    ['whose name begins like the Web UI’s', `${UI}.example.org`],
    ['that is none: a request without Origin', null],
  ])('answers no page %s', async (_which, origin) => {
    const answer = await codec.decode([await codec.stored(SECRET)], { headers: { Origin: origin } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const headers = { ...(origin === null ? {} : { Origin: origin }), 'Access-Control-Request-Method': 'POST' };
    const asked = await codec.ask('/decode', { method: 'OPTIONS', headers });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('lets the Web UI send exactly the headers it needs', async () => {
    const { status, headers } = await codec.ask('/decode', {
      method: 'OPTIONS',
      headers: { Origin: UI, 'Access-Control-Request-Method': 'POST' },
    });
    expect([status, headers.get('access-control-allow-origin'), headers.get('access-control-allow-methods')]).toEqual([
      204,
      UI,
      'POST',
    ]);
    expect(headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type, X-Namespace');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  it.each(['another', 'DEFAULT', '', null])('decodes for no namespace but ours: %s', async (namespace) => {
    const answer = await codec.decode([await codec.stored(SECRET)], { headers: { 'X-Namespace': namespace } });
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'namespace-not-allowed']);
  });

  it.each(['/encode', '/', '/decode/', '/decode/x', '/openapi.json'])('has nothing at %s', async (path) => {
    const init = { method: 'POST', headers: { Origin: UI, 'Content-Type': 'application/json' }, body: '{}' };
    const answer = await codec.ask(path, init);
    expect([answer.status, answer.text.includes('payloads')]).toEqual([path === '/decode/' ? 403 : 404, false]);
  });

  it('shows none of a batch in which one payload was changed, and says so in the entry', async () => {
    const good = await codec.stored(SECRET);
    const bytes = Buffer.from(good.data, 'base64');
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    const answer = await codec.decode([good, { ...good, data: bytes.toString('base64') }]);
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([422, 'payload-not-readable']);
    expect((await codec.entries()).at(-1)).toMatchObject({ outcome: 'refused' });
  });

  it('gives back what was never encrypted as it came, and writes no entry about it', async () => {
    const before = (await codec.entries()).length;
    const plain = { metadata: { encoding: base64('json/plain') }, data: base64('{"activity_type":"openCall"}') };
    expect(JSON.parse((await codec.decode([plain])).text)).toEqual({ payloads: [plain] });
    expect((await codec.entries()).length).toBe(before);
    const mixed = await codec.decode([plain, await codec.stored(SECRET), plain]);
    expect(valuesIn(mixed)).toEqual([{ activity_type: 'openCall' }, SECRET, { activity_type: 'openCall' }]);
    expect((await codec.entries()).length).toBe(before + 1);
  });

  it('does not tell a missing key from a changed payload', async () => {
    const good = await codec.stored(SECRET);
    const other = { ...good, metadata: { ...good.metadata, 'encryption-key-id': base64('v9') } };
    const changed = { ...good, data: Buffer.alloc(64).toString('base64') };
    const [a, b] = await Promise.all([codec.decode([other]), codec.decode([changed])]);
    const said = [a, b].map(({ text }) => ({ ...JSON.parse(text), instance: '' }));
    expect(said[0]).toEqual(said[1]);
  });

  it.each([
    ['a body that is too large', 413, { body: `{"payloads":[{"data":"${'A'.repeat(1_100_000)}"}]}` }],
    ['no JSON', 400, { body: '{"payloads":' }],
    ['a list instead of an object', 400, { body: '[]' }],
    ['no payloads', 400, { body: '{"payloads":[]}' }],
    [
      'more payloads than fit on a page',
      400,
      { body: JSON.stringify({ payloads: Array.from({ length: 201 }, () => ({})) }) },
    ],
    ['data that is no base64', 400, { body: '{"payloads":[{"data":"*"}]}' }],
    ['another kind of body', 415, { headers: { 'Content-Type': 'text/plain' } }],
    ['a compressed body', 415, { headers: { 'Content-Encoding': 'gzip' } }],
  ])('refuses %s', async (_what, status, change) => {
    const answer = await codec.decode([await codec.stored(SECRET)], change);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(UI);
  });

  it('answers whatever is sent with a 4xx, or gives it back when nothing of it is encrypted', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('base64'));
    const key = fc.constantFrom('encoding', 'encryption-key-id', '__proto__', 'constructor', 'x');
    const value = fc.oneof(bytes, fc.constant(base64('binary/encrypted')), fc.constant(base64('v1')));
    const payload = fc.record({ metadata: fc.dictionary(key, value), data: bytes }, { requiredKeys: [] });
    const body = fc.oneof(
      fc.array(payload, { maxLength: 5 }).map((payloads) => JSON.stringify({ payloads })),
      fc.json(),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const { status, text } = await codec.decode([], { body: sent });
        expect([200, 400, 413, 415, 422]).toContain(status);
        if (status === 200) expect(dataIn(text)).toEqual(dataIn(sent));
      }),
      { numRuns: 300 },
    );
  });

  it('tells how it is, and nothing else', async () => {
    const { status, text } = await codec.ask('/health');
    expect([status, JSON.parse(text)]).toEqual([200, { status: 'ok', parts: { postgres: 'up' } }]);
  });
});

describe('where others can reach it', () => {
  let codec: CodecUnderTest;
  beforeAll(async () => {
    codec = await CodecUnderTest.start(SIGNED_IN);
  });
  afterAll(() => codec.stop());

  it('decodes for an admin, whose subject the entry names', async () => {
    const answer = await codec.decode([await codec.stored(SECRET)], { token: await codec.token('admin') });
    expect(valuesIn(answer)).toEqual([SECRET]);
    expect((await codec.entries()).at(-1)).toMatchObject({
      actor: expect.stringMatching(/^[0-9a-f-]{36}$/),
      outcome: 'done',
    });
  });

  it.each([
    ['no token', 401, async () => undefined],
    ['no JWT', 401, async () => randomBytes(40).toString('base64url')],
    ['an expired token', 401, () => codec.token('admin', { exp: 1_700_000_000 })],
    ['a token of another issuer', 401, () => codec.token('admin', { iss: 'https://issuer.example.org' })],
    ['a token for the API', 401, () => codec.token('admin', { aud: 'kindline' })],
    ['a changed token', 401, async () => `${(await codec.token('admin')).slice(0, -8)}AAAAAAAA`],
    ['a user', 403, () => codec.token('user')],
    ['staff', 403, () => codec.token('staff')],
  ])('refuses %s, and leaves no entry', async (_who, status, token) => {
    const before = (await codec.entries()).length;
    const bearer = await token();
    const answer = await codec.decode([await codec.stored(SECRET)], bearer === undefined ? {} : { token: bearer });
    expect(answer.status).toBe(status);
    expect((await codec.entries()).length).toBe(before);
  });

  it('refuses before it reads the body', async () => {
    expect((await codec.decode([], { body: 'A'.repeat(2_000_000) })).status).toBe(401);
  });
});

describe('roles and rates that are configured', () => {
  let codec: CodecUnderTest;
  beforeAll(async () => {
    codec = await CodecUnderTest.start({ ...SIGNED_IN, CODEC_ROLES: 'staff', CODEC_REQUESTS_PER_MINUTE: '5' });
  });
  afterAll(() => codec.stop());

  it('lets in the roles that are named, and no admin then', async () => {
    const payload = await codec.stored(SECRET);
    const staff = await codec.token('staff', { sub: 'one-of-the-staff' });
    expect((await codec.decode([payload], { token: staff })).status).toBe(200);
    expect((await codec.decode([payload], { token: await codec.token('admin') })).status).toBe(403);
  });

  it('stops one operator who asks too often, says for how long, and lets others go on', async () => {
    const payload = await codec.stored(SECRET);
    const eager = await codec.token('staff', { sub: 'an-eager-one' });
    const answers = [];
    for (let i = 0; i < 6; i += 1) answers.push(await codec.decode([payload], { token: eager }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
    const wait = answers.at(-1)?.headers.get('retry-after') ?? '';
    expect(wait).toMatch(/^\d+$/);
    expect(Number(wait)).toBeGreaterThan(0);
    expect(Number(wait)).toBeLessThanOrEqual(60);
    const calm = await codec.token('staff', { sub: 'a-calm-one' });
    expect((await codec.decode([payload], { token: calm })).status).toBe(200);
  });

  it('stops an address before it looks at tokens', async () => {
    const statuses = [];
    for (let i = 0; i < 60; i += 1) statuses.push((await codec.decode([], { token: 'a.b.c' })).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
  });
});

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function dataIn(text: string): string[] {
  const { payloads } = JSON.parse(text) as { payloads: { data?: string }[] };
  return payloads.map(({ data }) => data ?? '');
}
