import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Request } from 'express';
import { createAuthentication } from '../../../api/authentication';
import { Problem } from '../../../api/problems';
import { signingKeysOf } from '../../../api/signing-keys';

/** A little issuer whose every answer a test decides. */
async function startIssuer(): Promise<{
  url: string;
  answers: Record<string, unknown>;
  asked: string[];
  server: Server;
}> {
  const answers: Record<string, unknown> = {};
  const asked: string[] = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? '');
    const answer = answers[req.url ?? ''];
    res.statusCode = answer === undefined ? 503 : 200;
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/oidc`, answers, asked, server };
}

let issuer: Awaited<ReturnType<typeof startIssuer>>;
let token: string;
let jwks: unknown;
beforeEach(async () => {
  issuer = await startIssuer();
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] };
  token = await new SignJWT({ roles: ['user'] })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer.url)
    .setAudience('kindline')
    .setSubject('somebody')
    .setExpirationTime('5m')
    .sign(privateKey);
});
afterEach(() => new Promise((resolve) => issuer.server.close(resolve)));

function signIn() {
  const authenticate = createAuthentication({
    issuer: issuer.url,
    audience: 'kindline',
    rolesClaim: 'roles',
    keys: signingKeysOf(issuer.url),
    subjectOf: async () => 'the-subject',
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stand-in with the one part that is used
  const request = { headers: { authorization: `Bearer ${token}` } } as unknown as Request;
  return () => authenticate(request).catch((error: unknown) => (error instanceof Problem ? error.code : 'unexpected'));
}

function publish(document: object = {}): void {
  issuer.answers['/oidc/.well-known/openid-configuration'] = {
    issuer: issuer.url,
    jwks_uri: `${issuer.url}/jwks`,
    ...document,
  };
  issuer.answers['/oidc/jwks'] = jwks;
}

test('keys are found through the discovery document, once for many tokens', async () => {
  publish();
  const ask = signIn();
  const callers = await Promise.all([ask(), ask(), ask()]);
  for (const caller of callers) expect(caller).toMatchObject({ subjectId: 'the-subject', roles: ['user'] });
  await ask();
  expect(issuer.asked).toEqual(['/oidc/.well-known/openid-configuration', '/oidc/jwks']);
});

test('while the issuer cannot be asked nobody is told that their token is bad, and it works once it is back', async () => {
  const ask = signIn();
  expect(await ask()).toBe('sign-in-unavailable');
  publish();
  expect(await ask()).toMatchObject({ subjectId: 'the-subject', roles: ['user'] });
});

test('keys that cannot be read are an outage too', async () => {
  publish();
  issuer.answers['/oidc/jwks'] = undefined;
  expect(await signIn()()).toBe('sign-in-unavailable');
});

test('a document that speaks for another issuer is not believed', async () => {
  publish({ issuer: 'https://evil.example' });
  expect(await signIn()()).toBe('sign-in-unavailable');
});
