import express from 'express';
import { Pool } from 'pg';
import { type Rule, RULES } from '../../../api/authorisation';
import { createPageSessions } from '../../../api/page-sessions';
import { createRoutes } from '../../../api/routes';
import { createCookieSeal } from '../../../vault/cookie-seal';
import { createLogger } from '../../../vault/logger';
import { createTokenizer } from '../../../vault/tokens';

const nobody = () => Promise.reject(new Error('nobody signs in here'));
const verifier = { baseUrl: 'https://calls.example.org', accountSid: 'AC', authTokens: [] };
const unlimited = { ofAddress: () => Promise.resolve(), ofCaller: () => Promise.resolve() };
const KEY = { version: 1, key: Buffer.alloc(32) };
const silent = createLogger({ name: 'test', level: 'silent' });
const sessions = createPageSessions({
  pool: new Pool(),
  tokenizer: createTokenizer([KEY]),
  cookies: createCookieSeal([KEY]),
  publicBaseUrl: 'https://calls.example.org',
  lifetimeMs: 1,
});
const routes = () => createRoutes(express(), nobody, verifier, unlimited, { read: nobody }, silent, sessions);

test('an application that leaves out a route of the table does not start', () => {
  const some = routes();
  some.open('GET /health', () => undefined);
  expect(() => some.complete()).toThrow(/rules without a route: .*POST \/connect-mentor/);
});

test('a route without a rule cannot be mounted', () => {
  const handler = () => undefined;
  // @ts-expect-error -- the compiler refuses it first
  expect(() => routes().open('GET /without-a-rule', handler)).toThrow('GET /without-a-rule');
});

test('a route is mounted once, so that no second handler hides behind the first', () => {
  const some = routes();
  some.open('GET /health', () => undefined);
  expect(() => some.open('GET /health', () => undefined)).toThrow('mounted twice');
});

test.each(Object.entries(RULES) as [string, Rule][])('%s is open to nobody by accident', (name, rule) => {
  const isOpen = rule.access === 'public';
  const isByCaller = rule.access === 'signed-in' || rule.access === 'page';
  const roles = isByCaller ? rule.roles : [];
  expect(isOpen && !name.startsWith('GET ')).toBe(false);
  expect(rule.access === 'link').toBe(
    /^(?:GET|POST) \/(?:unsubscribe|api\/buddy|buddy|contact)\//.test(name) && !isByCaller,
  );
  expect(rule.access === 'sns').toBe(name === 'POST /mail-events');
  expect(rule.access === 'twilio').toBe(
    /^POST \/(?:twiml\/|call-status$|message-status$|recording-status$)/.test(name),
  );
  expect(rule.access === 'signed-in' || rule.access === 'page').toBe(roles.length > 0);
});

test('every route that names an object of a person says whose it may be', () => {
  const naming = (Object.entries(RULES) as [string, Rule][]).filter(([name]) =>
    /:(callId|contactPointId|messageId)$/.test(name),
  );
  expect(naming.length).toBeGreaterThan(0);
  expect(naming.filter(([, rule]) => rule.access === 'signed-in' && rule.owner === undefined)).toEqual([]);
});
