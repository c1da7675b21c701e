import type { HandsetView } from '../../../simulator/client';
import { eventually, OURS, type Rig, startRig, twiml, USER } from './rig';

const HELPLINE = '+18005550150';

describe('the virtual phones', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ helplines: [HELPLINE] });
  });
  beforeEach(async () => {
    await rig.fresh();
    rig.service.on('/voice', twiml('<Gather numDigits="1" timeout="600" action="/keys"><Say>Press 1.</Say></Gather>'));
    rig.service.on('/keys', twiml('<Say>Thank you.</Say>'));
  });
  afterAll(() => rig.stop());

  const shows = (state: HandsetView['state']) =>
    eventually(async () => {
      const view = await rig.phones.handset(USER);
      return view.state === state && view;
    });

  it('ring until a person acts: answer, hear, press, hang up', async () => {
    await rig.place();
    expect((await shows('ringing')).calls[0]).toMatchObject({
      callerId: OURS,
      direction: 'incoming',
      state: 'ringing',
    });
    await rig.phones.answer(USER);
    const listening = await eventually(async () => {
      const [call] = (await rig.phones.handset(USER)).calls;
      return call?.expectsKeys && call;
    });
    expect(listening).toMatchObject({ state: 'answered', heard: ['Press 1.'] });
    await rig.phones.press(USER, '1');
    expect((await shows('idle')).calls[0]).toMatchObject({
      state: 'over',
      heard: ['Press 1.', 'Thank you.'],
      pressed: ['1'],
    });
  });

  it('stop ringing after the Timeout of the request', async () => {
    const sid = await rig.place({ timeout: 10 });
    expect(await rig.over(sid)).toMatchObject({ status: 'no-answer', answeredAt: null, spoke: false });
  });

  it('decline', async () => {
    const sid = await rig.place();
    await shows('ringing');
    await rig.phones.decline(USER);
    expect((await rig.over(sid)).status).toBe('busy');
  });

  it('refuse what they cannot do, and say so', async () => {
    await expect(rig.phones.answer(USER)).rejects.toMatchObject({ status: 409, message: 'this phone is not ringing' });
    await expect(rig.phones.press(USER, '1')).rejects.toMatchObject({ status: 409 });
    await expect(rig.phones.hangUp(USER)).rejects.toMatchObject({ status: 409 });
    await expect(rig.phones.call(USER, '+14155550199')).rejects.toMatchObject({ status: 400 });
    await expect(rig.phones.handset('not a number')).rejects.toMatchObject({ status: 400 });
  });

  it.each([
    ['busy', 'busy'],
    ['decline', 'busy'],
    ['no-answer', 'no-answer'],
    ['failed', 'failed'],
  ] as const)('follow the script %s: the call ends %s', async (outcome, status) => {
    await rig.phones.script(USER, { outcome });
    expect(await rig.over(await rig.place({ timeout: 5 }))).toMatchObject({ status, answeredAt: null });
  });

  it('answer as a voicemail, which machine detection tells apart from a person', async () => {
    await rig.phones.script(USER, { outcome: 'voicemail', answerAfterMs: 0 });
    await rig.place({ machineDetection: 'Enable' });
    expect((await eventually(() => rig.service.at('/voice')[0])).params.AnsweredBy).toBe('machine_start');
    await rig.phones.script(USER, { answerAfterMs: 0 });
    await rig.place({ machineDetection: 'Enable' });
    expect((await eventually(() => rig.service.at('/voice')[1])).params.AnsweredBy).toBe('human');
    await rig.place();
    expect((await eventually(() => rig.service.at('/voice')[2])).params).not.toHaveProperty('AnsweredBy');
  });

  it('post the result of asynchronous machine detection to its own URL', async () => {
    await rig.phones.script(USER, { outcome: 'voicemail', answerAfterMs: 0 });
    const asyncAmdStatusCallback = `${rig.service.url}/amd`;
    await rig.place({ machineDetection: 'DetectMessageEnd', asyncAmd: 'true', asyncAmdStatusCallback });
    expect((await eventually(() => rig.service.at('/amd')[0])).params.AnsweredBy).toBe('machine_end_beep');
  });

  it('press by rule: at the greeting, at most so often', async () => {
    rig.service.on('/keys', twiml('<Redirect>/again</Redirect>'));
    rig.service.on('/again', twiml('<Gather numDigits="1" timeout="2"/><Say>None.</Say>'));
    await rig.phones.script(USER, {
      answerAfterMs: 0,
      keys: [
        { when: 'greeting', press: '1' },
        { when: 'none', press: '9', times: 1 },
      ],
    });
    const leg = await rig.over(await rig.place());
    expect(leg.pressed).toEqual(['1', '9']);
  });

  it('hang up by script, so long after the answer', async () => {
    await rig.phones.script(USER, { answerAfterMs: 0, hangUp: { after: 'answered', ms: 5_000 } });
    const leg = await rig.over(await rig.place());
    const talked = Date.parse(leg.endedAt ?? '') - Date.parse(leg.answeredAt ?? '');
    expect(talked).toBeGreaterThanOrEqual(95);
    expect(leg.status).toBe('completed');
  });

  it('call one of our numbers, which asks for TwiML and then answers', async () => {
    rig.service.on('/inbound', twiml('<Say>You have reached us.</Say>'));
    const leg = await rig.over(await rig.phones.call(USER, OURS));
    expect(leg).toMatchObject({ direction: 'inbound', from: USER, to: OURS, heard: ['You have reached us.'] });
    expect(rig.service.at('/inbound')[0]?.params).toMatchObject({ CallStatus: 'ringing', Direction: 'inbound' });
    const [call] = (await rig.phones.handset(USER)).calls;
    expect(call).toMatchObject({ direction: 'outgoing', callerId: OURS });
    const end = await eventually(() => rig.service.at('/inbound-status')[0]);
    expect(end.params).toMatchObject({ CallStatus: 'completed', Direction: 'inbound' });
  });

  it('give up a call of their own before it is answered', async () => {
    rig.service.on('/inbound', () => new Promise(() => {}));
    const sid = await rig.phones.call(USER, OURS);
    await rig.phones.hangUp(USER);
    expect((await rig.over(sid)).status).toBe('canceled');
  });

  it('of helplines answer by themselves', async () => {
    const sid = await rig.place({ to: HELPLINE });
    await eventually(async () => (await rig.phones.ledger()).find((leg) => leg.sid === sid)?.answeredAt);
    expect((await rig.phones.handset(HELPLINE)).kind).toBe('helpline');
  });

  it('know nothing but what a real phone would: no URL, no other number', async () => {
    rig.service.on(
      '/voice',
      twiml(`<Dial timeout="600" callerId="${OURS}"><Number url="/whisper">+14155550143</Number></Dial>`),
    );
    await rig.phones.script(USER, { answerAfterMs: 0 });
    await rig.place({ statusCallback: `${rig.service.url}/status` });
    await eventually(async () => (await rig.phones.handset('+14155550143')).state === 'ringing');
    const views = await rig.phones.handsets();
    const [user, mentor] = [JSON.stringify(views.find((each) => each.number === USER)), JSON.stringify(views[1])];
    expect(user).not.toContain('+14155550143');
    expect(mentor).not.toContain(USER);
    expect(user + mentor).not.toContain('http');
  });

  it('appear on the page before they are dialled, with a label', async () => {
    await rig.phones.addHandset(USER, 'Amara');
    expect(await rig.phones.handsets()).toMatchObject([{ number: USER, label: 'Amara', state: 'idle', calls: [] }]);
  });

  it('are streamed: all of them first, then each change', async () => {
    const stop = new AbortController();
    const stream = await fetch(`${rig.simulator.url}/simulator/events`, { signal: stop.signal });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (part: string) => {
      while (!text.includes(part)) text += (await reader?.read())?.value ?? '';
    };
    await until('event: handsets');
    await rig.place();
    await until('"state":"ringing"');
    expect(text).toContain('event: handset\n');
    expect(text).toContain(`"callerId":"${OURS}"`);
    stop.abort();
  });

  it('are driven from this machine only', async () => {
    const answer = await fetch(`${rig.simulator.url}/simulator/health`);
    expect(answer.status).toBe(200);
    const rebound = await rawGet(rig.simulator.port, '/simulator/ledger', 'evil.example.com');
    expect(rebound).toContain(' 403 ');
  });
});

/** A GET with a Host of our choice, which fetch would not send. */
async function rawGet(port: number, path: string, host: string): Promise<string> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { Host: host } }, (response) => {
      response.resume();
      resolve(`HTTP ${response.statusCode} `);
    });
    asked.on('error', reject);
    asked.end();
  });
}
