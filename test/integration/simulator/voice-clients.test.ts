import { SignJWT } from 'jose';
import AccessToken from 'twilio/lib/jwt/AccessToken';
import { SimulatorRefused } from '../../../simulator/client';
import {
  ACCOUNT_SID,
  API_KEY,
  API_SECRET,
  AUTH_TOKEN,
  eventually,
  MENTOR,
  OURS,
  type Rig,
  startRig,
  twiml,
} from './rig';
import { createVoiceTokens } from '../../../providers/voice-tokens';

const APP = `AP${'0f1e2d3c'.repeat(4)}`;
const ALICE = 'a1'.repeat(32);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ apps: [{ sid: APP }] });
  const { url } = rig.service;
  await rig.twilio.applications(APP).update({ voiceUrl: `${url}/app`, statusCallback: `${url}/app-status` });
});
afterAll(() => rig.stop());
beforeEach(() => rig.fresh());

/** As the service makes them. */
function issued(identity = ALICE): string {
  const account = { accountSid: ACCOUNT_SID, apiKey: API_KEY, apiSecret: API_SECRET, twimlAppSid: APP };
  return createVoiceTokens({ ...account, voiceTokenTtlMs: 600_000 })?.issue(identity).token ?? '';
}

/** As somebody else might make them: every part can be wrong. */
function made(
  claims: Record<string, unknown> = {},
  { secret = API_SECRET, cty = 'twilio-fpa;v=1', age = 0, ttl = 600 } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000) - age;
  const grants = { identity: ALICE, voice: { incoming: { allow: true }, outgoing: { application_sid: APP } } };
  return new SignJWT({ iss: API_KEY, sub: ACCOUNT_SID, iat: now, exp: now + ttl, grants, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', cty })
    .sign(new TextEncoder().encode(secret));
}

const asked = () => rig.service.at('/app');

describe('an app that calls', () => {
  it('is asked for at its TwiML app’s URL, from client:<identity>, with what it sends along', async () => {
    rig.service.on('/app', twiml('<Say>Hello app.</Say><Pause length="600"/>'));
    const params = { To: 'mentor-queue', textVersion: 'app-2026-11', From: 'client:somebody-else' };
    const { sid, number } = await rig.phones.callFromApp(issued(), params);
    expect(number).toBe(`client:${ALICE}`);
    await eventually(async () => (await rig.phones.handset(number)).calls[0]?.heard.includes('Hello app.'));
    const [request] = asked();
    expect(request?.params).toMatchObject({
      CallSid: sid,
      From: `client:${ALICE}`,
      To: 'mentor-queue',
      Direction: 'inbound',
      CallStatus: 'ringing',
      ApplicationSid: APP,
      textVersion: 'app-2026-11',
    });
    expect(request?.signatureIsGood).toBe(true);
    await rig.phones.hangUp(number);
    const over = await rig.over(sid);
    expect(over).toMatchObject({ status: 'completed', direction: 'inbound', from: number });
    await eventually(() => rig.service.at('/app-status')[0]);
  });

  it('presses keys and is connected, and who is rung sees only our number', async () => {
    rig.service.on('/app', twiml(`<Gather numDigits="1" timeout="600" action="/pressed"><Say>Press 1.</Say></Gather>`));
    rig.service.on('/pressed', twiml(`<Dial timeout="600" callerId="${OURS}"><Number>${MENTOR}</Number></Dial>`));
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    const { number } = await rig.phones.callFromApp(issued());
    await eventually(async () => (await rig.phones.handset(number)).calls[0]?.expectsKeys);
    await rig.phones.press(number, '1');
    await eventually(async () => (await rig.phones.handset(number)).calls[0]?.state === 'bridged');
    expect((await rig.phones.handset(MENTOR)).calls[0]?.callerId).toBe(OURS);
    await rig.phones.hangUp(number);
  });

  it('whose call is rejected has heard nothing', async () => {
    rig.service.on('/app', twiml('<Reject/>'));
    const { sid, number } = await rig.phones.callFromApp(issued());
    expect(await rig.over(sid)).toMatchObject({ status: 'no-answer', spoke: false });
    expect((await rig.phones.handset(number)).calls[0]?.heard).toEqual([]);
  });
});

describe('a token that Twilio would not take', () => {
  const expectRefused = async (token: string, code: number) => {
    const failure = await rig.phones.callFromApp(token).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SimulatorRefused);
    expect(String(failure)).toContain(`${code}: `);
    expect(asked()).toEqual([]);
    expect(await rig.phones.ledger()).toEqual([]);
  };

  it('because it has expired', async () => expectRefused(await made({}, { age: 700 }), 20104));
  it('because it lives for longer than a day', async () => expectRefused(await made({}, { ttl: 90_000 }), 20104));
  it('because another key signed it', async () => expectRefused(await made({}, { secret: AUTH_TOKEN }), 20107));
  it('because its key is none of the account', async () =>
    expectRefused(await made({ iss: `SK${'0'.repeat(32)}` }), 20103));
  it('because it is for another account', async () => expectRefused(await made({ sub: `AC${'0'.repeat(32)}` }), 20103));
  it('because it is not yet valid', async () => {
    await expectRefused(await made({ nbf: Math.floor(Date.now() / 1000) + 600 }), 20105);
  });
  it('because it is no access token of Twilio’s', async () => expectRefused(await made({}, { cty: 'JWT' }), 20102));
  it('because it is no token', async () => expectRefused('what is this', 20101));
  it('because it grants no voice', async () => expectRefused(await made({ grants: { identity: ALICE } }), 20106));
  it('because it names another TwiML app', async () => {
    const voice = { outgoing: { application_sid: `AP${'0'.repeat(32)}` } };
    await expectRefused(await made({ grants: { identity: ALICE, voice } }), 20106);
  });
  it('because a letter of it was changed', async () => {
    const [head = '', , signature = ''] = issued().split('.');
    const [, other = ''] = issued('b2'.repeat(32)).split('.');
    await expectRefused([head, other, signature].join('.'), 20107);
  });
});

describe('being called', () => {
  it('is allowed by the tokens of the service', async () => {
    expect(await rig.phones.registerApp(issued())).toEqual({ number: `client:${ALICE}` });
  });

  it('is refused where the token has incoming calls disabled, while calling is not', async () => {
    const token = new AccessToken(ACCOUNT_SID, API_KEY, API_SECRET, { identity: ALICE, ttl: 60 });
    token.addGrant(new AccessToken.VoiceGrant({ outgoingApplicationSid: APP }));
    await expect(rig.phones.registerApp(token.toJwt())).rejects.toThrow('20106');
    rig.service.on('/app', twiml('<Reject/>'));
    await expect(rig.phones.callFromApp(token.toJwt())).resolves.toMatchObject({ number: `client:${ALICE}` });
  });
});

describe('a phone', () => {
  it('cannot call as an app does: without a token it is nobody’s client', async () => {
    await expect(rig.phones.call(`client:${ALICE}`, OURS)).rejects.toThrow('neither E.164');
    await expect(rig.phones.sendText({ from: `client:${ALICE}`, to: OURS, body: 'Hi' })).rejects.toThrow('E.164');
  });
});

describe('the Applications resource', () => {
  it('is read and changed as at Twilio', async () => {
    const app = await rig.twilio.applications(APP).fetch();
    expect(app).toMatchObject({ sid: APP, voiceUrl: `${rig.service.url}/app`, voiceMethod: 'POST' });
    const changed = await rig.twilio.applications(APP).update({ voiceMethod: 'GET' });
    expect(changed.voiceMethod).toBe('GET');
    await rig.twilio.applications(APP).update({ voiceMethod: 'POST' });
    await expect(rig.twilio.applications(`AP${'0'.repeat(32)}`).fetch()).rejects.toMatchObject({ status: 404 });
  });
});
