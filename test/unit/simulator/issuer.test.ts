import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { createIssuer, DEMO_SUBJECTS, ROLES } from '../../../simulator/issuer';
import type { Issuer } from '../../../simulator/issuer';

interface Running {
  readonly issuer: Issuer;
  readonly url: string;
  close(): Promise<void>;
}

async function serve(stateFile: string | null = null): Promise<Running> {
  let url = '';
  const issuer = await createIssuer({ publicUrl: () => url, audience: 'kindline', stateFile });
  const server = await new Promise<Server>((resolve) => {
    const started: Server = express()
      .use(issuer.router)
      .listen(0, '127.0.0.1', () => {
        resolve(started);
      });
  });
  url = `http://127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}`;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      server.closeAllConnections();
    });
  return { issuer, url, close };
}

function askToken(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${url}/oidc/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
}

const Token = z.object({ access_token: z.string(), expires_in: z.number(), sub: z.string() });

async function read<T>(answer: Response, shape: z.ZodType<T>): Promise<T> {
  return shape.parse(await answer.json());
}

/** The way a resource server does it: everything it needs comes from the discovery document. */
async function verify(url: string, token: string) {
  const discovery = await read(
    await fetch(`${url}/oidc/.well-known/openid-configuration`),
    z.object({ issuer: z.string(), jwks_uri: z.string() }),
  );
  const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));
  return jwtVerify(token, keys, { issuer: discovery.issuer, audience: 'kindline', algorithms: ['RS256'] });
}

describe('the local OpenID issuer', () => {
  let running: Running;
  let folder: string;
  beforeAll(async () => {
    running = await serve();
  });
  afterAll(async () => {
    await running.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kindline-issuer-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(ROLES)('gives a token for the role %s that verifies against its published key', async (role) => {
    const answer = await askToken(running.url, { role, subject: 'somebody', ttl: 60 });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { access_token, expires_in } = await read(answer, Token);
    const { payload } = await verify(running.url, access_token);
    expect(payload).toMatchObject({ iss: `${running.url}/oidc`, aud: 'kindline', sub: 'somebody', roles: [role] });
    expect(expires_in).toBe(60);
    expect(Number(payload.exp) - Number(payload.iat)).toBe(60);
  });

  it('signs in the same demo person of a role each time when no subject is named', async () => {
    const tokens = await Promise.all(
      [1, 2].map(async () => read(await askToken(running.url, { role: 'user' }), Token)),
    );
    const subjects = tokens.map((token) => token.sub);
    expect(subjects).toEqual([DEMO_SUBJECTS.user, DEMO_SUBJECTS.user]);
  });

  it('gives scripts the same tokens without HTTP', async () => {
    const { payload } = await verify(running.url, await running.issuer.sign('admin', 'a-script', 5));
    expect(payload).toMatchObject({ sub: 'a-script', roles: ['admin'] });
  });

  it.each([
    ['an unknown role', { role: 'root' }, 'user, mentor, staff, admin, service'],
    ['no role', {}, '"role" is one of'],
    ['a role that is no text', { role: ['user'] }, '"role" is one of'],
    ['an empty subject', { role: 'user', subject: '' }, '"subject"'],
    ['a lifetime of no length', { role: 'user', ttl: 0 }, '"ttl"'],
    ['a lifetime over a day', { role: 'user', ttl: 86_401 }, '"ttl"'],
    ['broken JSON', '{"role":', 'Send JSON'],
    ['more than 4 kB', { role: 'user', subject: 'x'.repeat(5_000) }, '4 kB'],
  ])('refuses %s and says what to send', async (_what, body, hint) => {
    const answer = await askToken(running.url, body);
    expect(answer.status).toBe(400);
    const { error_description } = await read(answer, z.object({ error_description: z.string() }));
    expect(error_description).toContain(hint);
  });

  it('publishes no private part of its key', async () => {
    const published = z.object({ keys: z.array(z.record(z.string(), z.string())) });
    const { keys } = await read(await fetch(`${running.url}/oidc/jwks`), published);
    expect(Object.keys(keys[0]!).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  it('signs with a key of its own that another issuer does not accept', async () => {
    const other = await serve();
    try {
      const foreign = await other.issuer.sign('user');
      await expect(verify(running.url, foreign)).rejects.toThrow('no applicable key found');
    } finally {
      await other.close();
    }
  });

  it('still accepts after a restart what it signed before, from a key file only its owner can read', async () => {
    const file = join(folder, 'state', 'issuer.json');
    const first = await serve(file);
    const token = await first.issuer.sign('user');
    await first.close();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const second = await serve(file);
    try {
      const keys = createRemoteJWKSet(new URL(`${second.url}/oidc/jwks`));
      await expect(jwtVerify(token, keys, { audience: 'kindline' })).resolves.toBeDefined();
    } finally {
      await second.close();
    }
  });

  it('ends up with one key when two processes make the file at once', async () => {
    const file = join(folder, 'issuer.json');
    const [one, two] = await Promise.all([serve(file), serve(file)]);
    try {
      const keys = createRemoteJWKSet(new URL(`${one.url}/oidc/jwks`));
      await expect(jwtVerify(await two.issuer.sign('user'), keys)).resolves.toBeDefined();
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  it.each(['not json', '{}', 'null'])('refuses a key file that holds %s, by its name', async (content) => {
    const file = join(folder, 'issuer.json');
    await writeFile(file, content);
    await expect(serve(file)).rejects.toThrow(`${file} holds no RSA private key`);
  });

  it('lets pages of this machine read the answers and no others', async () => {
    const local = await askToken(running.url, { role: 'user' }, { origin: 'http://localhost:8054' });
    expect(local.headers.get('access-control-allow-origin')).toBe('http://localhost:8054');
    const stranger = await askToken(running.url, { role: 'user' }, { origin: 'https://attacker.example' });
    expect(stranger.status).toBe(403);
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('refuses a host name that was rebound to this machine', async () => {
    const status = await new Promise((resolve, reject) => {
      request(`${running.url}/oidc/jwks`, { headers: { host: 'attacker.example' } }, (res) => {
        res.resume();
        resolve(res.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});
