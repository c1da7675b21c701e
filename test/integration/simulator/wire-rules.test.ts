import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { planConnection } from '../../../simulator/connection-overrides';
import { readSimulatorEnvironment } from '../../../simulator/environment';
import { readHelplines } from '../../../simulator/fallback-documents';
import { lagSource } from '../../../simulator/settings';
import { signWebhook, urlToSign } from '../../../simulator/signature';
import { type Rig, startRig, twiml, USER } from './rig';

describe('our own signature', () => {
  it.each([
    ['a URL with port and query', 'https://example.com:8443/x?a=1&b=2', { CallSid: 'CA1', To: '+1' }],
    ['names in an order of their own', 'http://127.0.0.1/x', { b: '2', a: '1', B: '3', _: '4' }],
    ['characters of all kinds', 'http://127.0.0.1/x', { Words: 'ñ 電 +&=%', Empty: '' }],
  ])('is the one the twilio package expects, with %s', (_what, url, fields) => {
    expect(signWebhook('token', url, fields)).toBe(getExpectedTwilioSignature('token', url, fields));
    expect(signWebhook('token', url, null)).toBe(getExpectedTwilioSignature('token', url, {}));
  });

  it('is made over the URL with or without its port', () => {
    expect(urlToSign('https://example.com/x', 'with')).toBe('https://example.com:443/x');
    expect(urlToSign('http://example.com:8054/x?y', 'without')).toBe('http://example.com/x?y');
    expect(urlToSign('http://example.com:8054/x', 'with')).toBe('http://example.com:8054/x');
  });
});

describe('connection overrides', () => {
  it('have the defaults of Twilio', () => {
    const plan = planConnection('http://h/x?a=1');
    expect(plan).toMatchObject({
      url: 'http://h/x?a=1',
      connectMs: 5_000,
      readMs: 15_000,
      totalMs: 15_000,
      retries: 1,
    });
    expect([...plan.policy]).toEqual(['ct']);
  });

  it('are read from the fragment, within their bounds', () => {
    const plan = planConnection('http://h/x#rc=9&rp=5xx,ct,rt&ct=1&rt=99999&tt=20000&e=ashburn');
    expect(plan).toMatchObject({ url: 'http://h/x', connectMs: 100, readMs: 15_000, totalMs: 15_000, retries: 5 });
    expect([...plan.policy]).toEqual(['5xx', 'ct', 'rt']);
    expect(planConnection('http://h/x#rc=many').retries).toBe(1);
  });
});

describe('list lag', () => {
  it('is the same for the same seed, and within its bounds', () => {
    const lags = (seed: number) => Array.from({ length: 50 }, lagSource({ seed, min: 100, max: 800 }));
    expect(lags(1)).toEqual(lags(1));
    expect(lags(1)).not.toEqual(lags(2));
    expect(Math.min(...lags(3))).toBeGreaterThanOrEqual(100);
    expect(Math.max(...lags(3))).toBeLessThanOrEqual(800);
  });
});

describe('the environment', () => {
  const good = {
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'a-token-for-tests-only',
    TWILIO_PHONE_NUMBER: '+14155550100, +447700900100',
    TWILIO_WEBHOOK_BASE_URL: 'http://127.0.0.1:8054/',
    VOICE_FALLBACK_URL: 'http://127.0.0.1:8055/fallback/{country}.xml',
  };

  it('gives our numbers their inbound, status, text and fallback URLs', () => {
    expect(readSimulatorEnvironment(good).server.numbers[1]).toEqual({
      number: '+447700900100',
      voiceUrl: 'http://127.0.0.1:8054/twiml/inbound#rc=3&rp=5xx,ct,rt',
      statusCallback: 'http://127.0.0.1:8054/call-status#rc=3&rp=5xx,ct,rt',
      smsUrl: 'http://127.0.0.1:8054/twiml/inbound-text#rc=3&rp=5xx,ct,rt',
      voiceFallbackUrl: 'http://127.0.0.1:8055/fallback/default.xml#rc=3&rp=5xx,ct,rt',
      voiceFallbackMethod: 'GET',
    });
  });

  it.each([
    ['TWILIO_ACCOUNT_SID', 'nonsense-1'],
    ['TWILIO_AUTH_TOKEN', 'short-2'],
    ['TWILIO_PHONE_NUMBER', ' ,, '],
    ['SIMULATOR_PORT', 'nonsense-3'],
    ['SIMULATOR_WORD_MS', '-4'],
  ])('names a wrong %s and never its value', (name, value) => {
    const read = () => readSimulatorEnvironment({ ...good, [name]: value });
    expect(read).toThrow(name);
    expect(read).not.toThrow(value);
  });
});

describe('the static fallback documents', () => {
  let folder: string;
  let rig: Rig;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kindline-fallback-'));
    writeFileSync(join(folder, 'US.xml'), twiml('<Say>Please hold.</Say><Dial callerId="+14155550100">988</Dial>'));
    rig = await startRig({ fallbackDir: folder, helplines: [] });
  });
  afterAll(async () => {
    await rig.stop();
    rmSync(folder, { recursive: true });
  });

  it('are served from a folder, by GET and POST, and nothing outside it is', async () => {
    const at = (path: string, method = 'GET') => fetch(`${rig.simulator.url}/fallback/${path}`, { method });
    const answer = await at('US.xml', 'POST');
    expect(answer.headers.get('content-type')).toContain('text/xml');
    expect(await answer.text()).toContain('988');
    expect((await at('US.xml')).status).toBe(200);
    expect((await at('FR.xml')).status).toBe(404);
    expect((await at('..%2F..%2Fetc%2Fpasswd.xml')).status).toBe(404);
  });

  it('name the helplines, and connect a caller whose service is gone', async () => {
    expect(readHelplines(folder)).toEqual(['988']);
    expect(readHelplines(join(folder, 'missing'))).toEqual([]);
    await rig.phones.script(USER, { answerAfterMs: 0, hangUp: { after: 'bridged', ms: 100 } });
    const sid = await rig.place({
      url: 'http://127.0.0.1:9/gone',
      fallbackUrl: `${rig.simulator.url}/fallback/US.xml`,
    });
    const leg = await rig.over(sid);
    expect(leg).toMatchObject({ wentToFallback: true, heard: ['Please hold.'] });
    expect(leg.bridgedWith).toHaveLength(1);
  });
});
