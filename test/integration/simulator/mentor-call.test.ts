import { eventually, MENTOR, OURS, type Rig, startRig, twiml, USER } from './rig';

/** The main job of Kindline as Twilio sees it: ring, greet, key 1, dial with a whisper, bridge, action. */
describe('a masked call through the simulator', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  it('rings the user, dials the mentor with our number, whispers, bridges and reports every step', async () => {
    const { service, phones } = rig;
    service.on('/voice', twiml('<Gather numDigits="1" action="/confirmed"><Say>To go on, press 1.</Say></Gather>'));
    service.on(
      '/confirmed',
      twiml(
        `<Say>One moment.</Say><Dial callerId="${OURS}" timeout="20" action="/dial-over"><Number url="/whisper" ` +
          `statusCallback="/mentor-status" statusCallbackEvent="initiated ringing answered completed">${MENTOR}</Number></Dial>`,
      ),
    );
    service.on(
      '/whisper',
      twiml('<Gather numDigits="1" action="/accepted"><Say>Press 1 to accept.</Say></Gather><Hangup/>'),
    );
    service.on('/accepted', twiml(''));
    service.on('/dial-over', twiml('<Say>Goodbye.</Say><Hangup/>'));
    await phones.script(USER, { answerAfterMs: 500, keys: [{ when: 'greeting', press: '1' }] });
    await phones.script(MENTOR, {
      answerAfterMs: 500,
      keys: [{ when: 'whisper', press: '1' }],
      hangUp: { after: 'bridged', ms: 10_000 },
    });

    const sid = await rig.place({
      statusCallback: `${service.url}/user-status#rc=3&rp=5xx,ct,rt`,
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    });
    const user = await rig.over(sid);
    const mentor = (await phones.ledger()).find((entry) => entry.parentSid === sid);

    expect(user).toMatchObject({ status: 'completed', from: OURS, to: USER, pressed: ['1'] });
    expect(user.heard).toEqual(['To go on, press 1.', 'One moment.', 'Goodbye.']);
    expect(mentor).toMatchObject({ from: OURS, to: MENTOR, heard: ['Press 1 to accept.'], bridgedWith: [sid] });
    expect(user.bridgedWith).toEqual([mentor?.sid]);
    expect(service.at('/dial-over')[0]?.params).toMatchObject({
      DialCallStatus: 'completed',
      DialCallSid: mentor?.sid,
      DialBridged: 'true',
    });
    expect(Number(service.at('/dial-over')[0]?.params.DialCallDuration)).toBeGreaterThanOrEqual(10);

    for (const path of ['/user-status', '/mentor-status']) {
      const events = await eventually(() => service.at(path).length === 4 && service.at(path));
      expect(events.map((event) => event.params.CallStatus)).toEqual([
        'initiated',
        'ringing',
        'in-progress',
        'completed',
      ]);
      expect(events.map((event) => event.params.SequenceNumber)).toEqual(['0', '1', '2', '3']);
    }
    expect(service.at('/mentor-status')[0]?.params).toMatchObject({ ParentCallSid: sid, CallSid: mentor?.sid });
    expect(service.received.every((request) => request.signatureIsGood)).toBe(true);
    expect(await phones.dials()).toMatchObject([{ parentSid: sid, numbers: 1, rung: 1, bridged: true, moot: false }]);
  });
});
