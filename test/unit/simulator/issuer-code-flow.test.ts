import { createHash, randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import express from 'express';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { createIssuer, DEMO_SUBJECTS } from '../../../simulator/issuer';

const BACK = 'http://127.0.0.1:1/sign-in/callback';
const verifier = randomBytes(32).toString('base64url');
const REQUEST = {
  response_type: 'code',
  client_id: 'pages',
  redirect_uri: BACK,
  scope: 'openid',
  state: 'the state',
  nonce: 'the nonce',
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
};
const EXCHANGE = { grant_type: 'authorization_code', redirect_uri: BACK, code_verifier: verifier, client_id: 'pages' };

let url = '';
let server: Server;
beforeAll(async () => {
  const issuer = await createIssuer({ publicUrl: () => url, audience: 'kindline' });
  server = await new Promise<Server>((resolve) => {
    const started: Server = express()
      .use(issuer.router)
      .listen(0, '127.0.0.1', () => resolve(started));
  });
  url = `http://127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(`${url}/oidc/${path}`, { method: 'POST', body, headers, redirect: 'manual' });
}

async function codeFor(role: string, more: Record<string, string> = {}): Promise<string> {
  const answer = await post('authorize', { ...REQUEST, role, ...more });
  return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
}

describe('signing in by a browser at the local issuer', () => {
  it('shows a button for each role, and hands on what the client asked with', async () => {
    const answer = await fetch(`${url}/oidc/authorize?${new URLSearchParams(REQUEST).toString()}`);
    const html = await answer.text();
    for (const role of Object.keys(DEMO_SUBJECTS)) expect(html).toContain(`name="role" value="${role}"`);
    expect(html).toContain(`name="state" value="the state"`);
    expect(answer.headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:1");
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('leads back with a code, the state and the issuer', async () => {
    const answer = await post('authorize', { ...REQUEST, role: 'mentor' });
    expect(answer.status).toBe(303);
    const back = new URL(answer.headers.get('location') ?? '');
    expect(`${back.origin}${back.pathname}`).toBe(BACK);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      code: expect.stringMatching(/^[\w-]{32}$/),
      state: 'the state',
      iss: `${url}/oidc`,
    });
  });

  it('gives an id token for the client and an access token for the API, both of the chosen person', async () => {
    const answer = await post('token', { ...EXCHANGE, code: await codeFor('mentor', { subject: 'somebody' }) });
    const tokens = z.object({ id_token: z.string(), access_token: z.string() }).parse(await answer.json());
    expect(decodeJwt(tokens.id_token)).toMatchObject({
      aud: 'pages',
      nonce: 'the nonce',
      sub: 'somebody',
      roles: ['mentor'],
    });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ aud: 'kindline', sub: 'somebody', roles: ['mentor'] });
  });

  it('takes a client that names itself in a header', async () => {
    const { client_id: _none, ...rest } = EXCHANGE;
    const authorization = `Basic ${Buffer.from('pages:a secret').toString('base64')}`;
    expect((await post('token', { ...rest, code: await codeFor('staff') }, { authorization })).status).toBe(200);
  });

  it('is the demo person of the role unless another one is named', async () => {
    const answer = await post('token', { ...EXCHANGE, code: await codeFor('staff') });
    const { id_token } = z.object({ id_token: z.string() }).parse(await answer.json());
    expect(decodeJwt(id_token).sub).toBe(DEMO_SUBJECTS.staff);
  });

  it('exchanges a code once', async () => {
    const code = await codeFor('user');
    expect((await post('token', { ...EXCHANGE, code })).status).toBe(200);
    const again = await post('token', { ...EXCHANGE, code });
    expect([again.status, await again.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })]);
  });

  it.each([
    ['another verifier', { code_verifier: randomBytes(32).toString('base64url') }],
    ['another address', { redirect_uri: 'http://127.0.0.1:2/' }],
    ['another client', { client_id: 'somebody else' }],
  ])('exchanges nothing for %s', async (_what, wrong) => {
    const answer = await post('token', { ...EXCHANGE, code: await codeFor('user'), ...wrong });
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_grant' })]);
  });

  it.each([
    ['an address elsewhere', { redirect_uri: 'https://attacker.example/' }, '"redirect_uri"'],
    ['a scheme that runs code', { redirect_uri: 'javascript:alert(1)' }, '"redirect_uri"'],
    ['no challenge', { code_challenge: '' }, '"code_challenge"'],
    ['a challenge in the clear', { code_challenge_method: 'plain' }, '"code_challenge_method"'],
    ['tokens at once', { response_type: 'token' }, '"response_type"'],
    ['a role that is none', { role: 'root' }, '"role"'],
  ])('refuses %s, and sends nobody anywhere', async (_what, wrong, hint) => {
    const answer = await post('authorize', { ...REQUEST, role: 'user', ...wrong });
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
    expect(await answer.text()).toContain(JSON.stringify(hint).slice(1, -1));
  });

  it('leads back from a sign-out to this machine alone', async () => {
    const to = (address: string) =>
      fetch(`${url}/oidc/sign-out?post_logout_redirect_uri=${encodeURIComponent(address)}`, { redirect: 'manual' });
    expect((await to('http://127.0.0.1:1/signed-out')).headers.get('location')).toBe('http://127.0.0.1:1/signed-out');
    expect((await to('https://attacker.example/')).headers.get('location')).toBeNull();
  });
});
