import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import { createLocalJWKSet, exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type Authenticate, createAuthentication } from '../../../api/authentication';
import { Problem } from '../../../api/problems';

const COGNITO = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example01';
const CLIENT = '4h57fictionalclientid';
const subjectOf = async (_issuer: string, account: string) => `subject of ${account}`;

let authenticate: Authenticate;
let elsewhere: Authenticate;
let publicPem: string;
type Claims = { readonly [Name in keyof JWTPayload]?: JWTPayload[Name] | undefined };
let sign: (claims: Claims, header?: { alg?: string; kid?: string }) => Promise<string>;
let signByAnother: (claims: Claims) => Promise<string>;

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const another = await generateKeyPair('RS256');
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'current', alg: 'RS256' }] });
  publicPem = await exportSPKI(publicKey);
  const parts = { audience: CLIENT, keys, subjectOf };
  authenticate = createAuthentication({ ...parts, issuer: COGNITO, rolesClaim: 'cognito:groups' });
  elsewhere = createAuthentication({ ...parts, issuer: 'https://issuer.example.org', rolesClaim: 'roles' });
  sign = (claims, header = {}) =>
    new SignJWT({ ...claims } as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: 'current', ...header })
      .sign(privateKey);
  signByAnother = (claims) =>
    new SignJWT({ ...claims } as JWTPayload)
      .setProtectedHeader({ alg: 'RS256', kid: 'current' })
      .sign(another.privateKey);
});

const now = Math.floor(Date.now() / 1000);
/** What Cognito puts into an access token. */
const access: Claims = {
  iss: COGNITO,
  sub: '5f1d8c9e-account',
  client_id: CLIENT,
  token_use: 'access',
  scope: 'aws.cognito.signin.user.admin',
  'cognito:groups': ['user', 'beta-testers'],
  auth_time: now,
  iat: now,
  exp: now + 600,
  jti: 'a-token',
};

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stand-in with the one part that is read
const carrying = (token: string) => ({ headers: { authorization: `Bearer ${token}` } }) as unknown as Request;
const codeOf = (token: string, by: Authenticate = authenticate): Promise<string> =>
  by(carrying(token)).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Problem ? error.code : 'another error'),
  );

test('an access token of Cognito is accepted, and its groups that are roles of ours are its roles', async () => {
  await expect(authenticate(carrying(await sign(access)))).resolves.toEqual({
    subjectId: 'subject of 5f1d8c9e-account',
    roles: ['user'],
    tokenExpiresAt: new Date((now + 600) * 1_000),
  });
});

test('one with a resource as audience besides is accepted when the audience is ours', async () => {
  expect(await codeOf(await sign({ ...access, aud: CLIENT }))).toBe('accepted');
  expect(await codeOf(await sign({ ...access, aud: 'https://another-api.example.org' }))).toBe('token-invalid');
});

test.each<[string, Claims]>([
  ['of another client', { ...access, client_id: 'another-client' }],
  ['without a client', { ...access, client_id: undefined }],
  ['that is an id token', { ...access, client_id: undefined, aud: CLIENT, token_use: 'id' }],
  ['that is an id token which claims a client', { ...access, token_use: 'id' }],
  ['that does not say what it is for', { ...access, token_use: undefined }],
  ['that does not say what it is for, with our audience', { ...access, token_use: undefined, aud: CLIENT }],
  ['that has expired', { ...access, exp: now - 60 }],
  ['that never ends', { ...access, exp: undefined }],
  ['of another user pool', { ...access, iss: COGNITO.replace('Example01', 'Example02') }],
  ['of nobody in particular', { ...access, sub: undefined }],
])('a token of Cognito %s is refused', async (_which, claims) => {
  expect(await codeOf(await sign(claims))).toBe('token-invalid');
});

describe('a token that chooses how it is checked', () => {
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

  test('by no signature at all is refused', async () => {
    const [, , signature = ''] = (await sign(access)).split('.');
    for (const alg of ['none', 'None', 'NONE']) {
      expect(await codeOf(`${encoded({ alg, kid: 'current' })}.${encoded(access)}.${signature}`)).toBe('token-invalid');
    }
  });

  test('by a MAC whose key is our public key is refused', async () => {
    const signed = `${encoded({ alg: 'HS256', kid: 'current' })}.${encoded(access)}`;
    const mac = createHmac('sha256', publicPem).update(signed).digest('base64url');
    expect(await codeOf(`${signed}.${mac}`)).toBe('token-invalid');
  });

  test('by another algorithm of the same key is refused', async () => {
    const [, payload = '', signature = ''] = (await sign(access)).split('.');
    for (const alg of ['PS256', 'RS512', 'ES256']) {
      expect(await codeOf(`${encoded({ alg, kid: 'current' })}.${payload}.${signature}`)).toBe('token-invalid');
    }
  });

  test('by a key nobody knows is refused, and so is one signed by another under the name of ours', async () => {
    expect(await codeOf(await sign(access, { kid: 'unknown' }))).toBe('token-invalid');
    expect(await codeOf(await signByAnother(access))).toBe('token-invalid');
  });
});

describe('roles', () => {
  const rolesOf = async (claim: unknown) =>
    (await authenticate(carrying(await sign({ ...access, 'cognito:groups': claim })))).roles;

  test.each<[string, unknown, string[]]>([
    ['of an array', ['staff', 'admin'], ['staff', 'admin']],
    ['of a text of words', 'staff admin', ['staff', 'admin']],
    ['nobody here knows are none', ['root', 'ADMIN', 'user '], []],
    ['of something else are none', { admin: true }, []],
    ['of nothing are none', undefined, []],
  ])('%s', async (_how, claim, roles) => {
    expect(await rolesOf(claim)).toEqual(roles);
  });

  test('in a claim that was not configured count for nothing', async () => {
    const caller = await authenticate(carrying(await sign({ ...access, roles: ['admin'], 'cognito:groups': [] })));
    expect(caller.roles).toEqual([]);
  });
});

test('at an issuer that is not Cognito an audience is enough, and an id token is refused all the same', async () => {
  const claims = { ...access, iss: 'https://issuer.example.org', aud: CLIENT, client_id: undefined };
  expect(await codeOf(await sign({ ...claims, token_use: undefined }), elsewhere)).toBe('accepted');
  expect(await codeOf(await sign({ ...claims, token_use: 'id' }), elsewhere)).toBe('token-invalid');
});

test('a token of one issuer is nobody’s at another', async () => {
  expect(await codeOf(await sign(access), elsewhere)).toBe('token-invalid');
});
