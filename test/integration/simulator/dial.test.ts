import { eventually, MENTOR, OURS, type Rig, startRig, twiml, USER } from './rig';

const OTHER = '+14155550144';

describe('Dial and Number', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    await rig.phones.script(USER, { answerAfterMs: 0 });
    rig.service.on('/over', twiml('<Say>over</Say>'));
    rig.service.on('/status', { status: 204 });
  });
  afterAll(() => rig.stop());

  const placeDial = async (attributes: string, nouns: string, after = '') => {
    rig.service.on('/voice', twiml(`<Dial ${attributes}>${nouns}</Dial>${after}`));
    return rig.place();
  };
  const number = (to: string, attributes = '') =>
    `<Number ${attributes} statusCallback="/status" statusCallbackEvent="initiated ringing answered completed">${to}</Number>`;
  const action = async () => (await eventually(() => rig.service.at('/over')[0])).params;
  const child = async (to = MENTOR) => eventually(async () => (await rig.phones.ledger()).find((leg) => leg.to === to));
  const rings = (to: string) => eventually(async () => (await rig.phones.handset(to)).state === 'ringing');
  const bridged = (sid: string) =>
    eventually(async () => (await rig.phones.ledger()).find((leg) => leg.sid === sid)?.bridgedAt);

  it.each([
    ['busy', 'busy', '486'],
    ['decline', 'busy', '603'],
    ['no-answer', 'no-answer', '487'],
    ['failed', 'failed', '404'],
  ] as const)('reports a callee who is %s as %s and goes on', async (outcome, status, sip) => {
    await rig.phones.script(MENTOR, { outcome });
    const leg = await rig.over(await placeDial('action="/over" timeout="5"', number(MENTOR)));
    expect(await action()).toMatchObject({ DialCallStatus: status, DialBridged: 'false' });
    expect(await action()).not.toHaveProperty('DialCallDuration');
    expect(leg.heard).toEqual(['over']);
    const last = await eventually(() => rig.service.at('/status').find((each) => each.params.CallStatus === status));
    expect(last.params).toMatchObject({ SipResponseCode: sip, CallDuration: '0' });
    expect((await rig.phones.dials())[0]).toMatchObject({ rung: outcome === 'failed' ? 0 : 1, bridged: false, status });
  });

  it('goes on in the document when there is no action', async () => {
    await rig.phones.script(MENTOR, { outcome: 'busy' });
    const leg = await rig.over(await placeDial('', number(MENTOR), '<Say>rest</Say>'));
    expect(leg.heard).toEqual(['rest']);
  });

  it('shows the caller id it was given when it is ours', async () => {
    await rig.phones.script(MENTOR, { outcome: 'busy' });
    await rig.over(await placeDial('callerId="+447700900100"', number(MENTOR)));
    expect(await child()).toMatchObject({ from: '+447700900100', ringingAt: expect.any(String) });
  });

  it("lets the leg fail, unrung, when the caller id is neither ours nor the call's", async () => {
    await rig.over(await placeDial('action="/over" callerId="+14155550199"', number(MENTOR)));
    expect(await child()).toMatchObject({ status: 'failed', ringingAt: null });
    expect((await action()).DialCallStatus).toBe('failed');
    expect(await rig.phones.notifications()).toMatchObject([{ code: 13214 }]);
  });

  it('bridges when the rest of the whisper is empty: a Gather that expires lets a voicemail through', async () => {
    rig.service.on(
      '/whisper',
      twiml('<Gather numDigits="1" timeout="3" action="/accepted"><Say>Press 1.</Say></Gather>'),
    );
    await rig.phones.script(MENTOR, { outcome: 'voicemail', answerAfterMs: 0 });
    const sid = await placeDial('action="/over" timeLimit="10"', number(MENTOR, 'url="/whisper"'));
    await rig.over(sid);
    expect(await action()).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    expect((await child()).bridgedWith).toEqual([sid]);
  });

  it('does not bridge when the whisper hangs up, though DialCallStatus says completed', async () => {
    rig.service.on('/whisper', twiml('<Gather numDigits="1" timeout="2"><Say>Press 1.</Say></Gather><Hangup/>'));
    await rig.phones.script(MENTOR, { outcome: 'voicemail', answerAfterMs: 0 });
    const leg = await rig.over(await placeDial('action="/over"', number(MENTOR, 'url="/whisper"')));
    expect(await action()).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'false' });
    expect(leg.bridgedWith).toEqual([]);
    expect(rig.service.at('/whisper')[0]?.params).toMatchObject({ ParentCallSid: leg.sid, Direction: 'outbound-dial' });
  });

  it('refuses a Dial inside a whisper and hangs up that leg', async () => {
    rig.service.on('/whisper', twiml(`<Dial>${OTHER}</Dial>`));
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    await rig.over(await placeDial('action="/over"', number(MENTOR, 'url="/whisper"')));
    expect((await action()).DialBridged).toBe('false');
    expect(await rig.phones.notifications()).toMatchObject([{ code: 13201, sid: (await child()).sid }]);
    expect((await rig.phones.ledger()).some((leg) => leg.to === OTHER)).toBe(false);
  });

  it('rings several numbers at once; the first who accepts wins and the others stop ringing', async () => {
    rig.service.on('/whisper', twiml('<Gather numDigits="1"><Say>Press 1.</Say></Gather><Hangup/>'));
    rig.service.on('/yes', twiml(''));
    await rig.phones.script(OTHER, {
      answerAfterMs: 500,
      keys: [{ when: 'whisper', press: '1' }],
      hangUp: { after: 'bridged', ms: 500 },
    });
    rig.service.on('/whisper', twiml('<Gather numDigits="1" action="/yes"/><Hangup/>'));
    await rig.over(
      await placeDial(
        'action="/over" timeout="600"',
        number(MENTOR, 'url="/whisper"') + number(OTHER, 'url="/whisper"'),
      ),
    );
    expect((await child(MENTOR)).status).toBe('canceled');
    expect((await child(OTHER)).bridgedWith).toHaveLength(1);
    expect(await action()).toMatchObject({ DialCallSid: (await child(OTHER)).sid, DialCallStatus: 'completed' });
    expect(await rig.phones.dials()).toMatchObject([{ numbers: 2, rung: 2 }]);
  });

  it('ends the bridge at timeLimit, and the caller is still there', async () => {
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    const leg = await rig.over(await placeDial('action="/over" timeLimit="15"', number(MENTOR)));
    expect(Number((await action()).DialCallDuration)).toBeGreaterThanOrEqual(14);
    expect(leg.heard).toEqual(['over']);
  });

  it('lets the caller leave the bridge with * where hangupOnStar allows it', async () => {
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    const sid = await placeDial('action="/over" hangupOnStar="true"', number(MENTOR));
    await bridged(sid);
    await rig.phones.press(USER, '*');
    expect((await rig.over(sid)).heard).toEqual(['over']);
    expect((await child()).status).toBe('completed');
  });

  it('keeps the bridge at * otherwise', async () => {
    await rig.phones.script(MENTOR, { answerAfterMs: 0, hangUp: { after: 'bridged', ms: 50_000 } });
    const sid = await placeDial('action="/over"', number(MENTOR));
    await bridged(sid);
    await rig.phones.press(USER, '*');
    await rig.over(sid);
    expect(Number((await action()).DialCallDuration)).toBeGreaterThanOrEqual(50);
  });

  it('cancels the ringing callee when the caller hangs up, and asks the action all the same', async () => {
    rig.service.on('/over', twiml(`<Dial>${OTHER}</Dial>`));
    const sid = await placeDial('action="/over" timeout="600"', number(MENTOR));
    await rings(MENTOR);
    await rig.phones.hangUp(USER);
    expect((await rig.over((await child()).sid)).status).toBe('canceled');
    expect(await action()).toMatchObject({ DialCallStatus: 'canceled', CallStatus: 'completed', CallSid: sid });
    const dials = await eventually(async () => {
      const all = await rig.phones.dials();
      return all.length === 2 && all;
    });
    expect(dials[1]).toMatchObject({ parentSid: sid, moot: true, numbers: 1, rung: 0 });
    expect((await rig.phones.ledger()).some((leg) => leg.to === OTHER)).toBe(false);
  });

  it('ends the bridge when either hangs up', async () => {
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    const sid = await placeDial('action="/over"', number(MENTOR));
    await bridged(sid);
    await rig.phones.hangUp(USER);
    expect((await rig.over((await child()).sid)).status).toBe('completed');
    expect((await action()).DialCallStatus).toBe('completed');
  });

  it('drops the callee when the caller is given other TwiML by REST', async () => {
    rig.service.on('/elsewhere', twiml('<Say>elsewhere</Say>'));
    const sid = await placeDial('action="/over" timeout="600"', number(MENTOR));
    await rings(MENTOR);
    await rig.twilio.calls(sid).update({ url: `${rig.service.url}/elsewhere` });
    expect((await rig.over(sid)).heard).toEqual(['elsewhere']);
    expect((await child()).status).toBe('canceled');
    expect(rig.service.at('/over')).toEqual([]);
  });

  it('lets a callee who is given other TwiML leave the bridge, and the caller goes on', async () => {
    rig.service.on('/elsewhere', twiml('<Say>elsewhere</Say>'));
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    const sid = await placeDial('action="/over"', number(MENTOR));
    await bridged(sid);
    const mentor = await child();
    await rig.twilio.calls(mentor.sid).update({ url: `${rig.service.url}/elsewhere` });
    expect((await rig.over(mentor.sid)).heard).toEqual(['elsewhere']);
    expect((await rig.over(sid)).heard).toEqual(['over']);
  });

  it('keeps an inbound caller unanswered until the bridge when answerOnBridge asks for it', async () => {
    rig.service.on('/inbound', twiml(`<Dial answerOnBridge="true" timeout="600" callerId="${OURS}">${MENTOR}</Dial>`));
    const sid = await rig.phones.call(USER, OURS);
    await rings(MENTOR);
    expect((await rig.phones.ledger()).find((leg) => leg.sid === sid)?.answeredAt).toBeNull();
    await rig.phones.answer(MENTOR);
    await bridged(sid);
    await rig.phones.hangUp(MENTOR);
    expect((await rig.over(sid)).answeredAt).not.toBeNull();
  });

  it('dials a short code, whose phone answers by itself after a second', async () => {
    await rig.phones.script(USER, { answerAfterMs: 0, hangUp: { after: 'bridged', ms: 1_000 } });
    const leg = await rig.over(await placeDial(`callerId="${OURS}"`, '<Number>988</Number>'));
    expect(leg.bridgedWith).toEqual([(await child('988')).sid]);
    expect((await rig.phones.handset('988')).kind).toBe('helpline');
  });
});
