import { ACCOUNT_SID, AUTH_TOKEN, eventually, MENTOR, OURS, type Rig, startRig, twiml, USER } from './rig';

/** What is asked of Twilio and answered here is held against its OpenAPI document when the suite ends. */
describe('recordings', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    rig.service.on('/voice', twiml('<Pause length="600"/>'));
    await rig.phones.script(USER, { answerAfterMs: 0 });
  });
  afterAll(() => rig.stop());

  const inCall = async () => {
    const sid = await rig.place();
    await eventually(async () => (await rig.phones.ledger()).find((leg) => leg.sid === sid)?.answeredAt);
    return sid;
  };
  const EVENTS = ['in-progress', 'completed', 'absent'];
  const start = (callSid: string) =>
    rig.twilio.calls(callSid).recordings.create({
      recordingStatusCallback: `${rig.service.url}/recording#rc=3&rp=5xx,ct,rt`,
      recordingStatusCallbackEvent: EVENTS,
    });
  const told = () => rig.service.at('/recording');
  const statuses = () => told().map(({ params }) => params['RecordingStatus']);
  const isNow = (sid: string, status: string) =>
    eventually(async () => (await rig.phones.recordings()).find((each) => each.sid === sid && each.status === status));
  const media = (sid: string, ending: string, authorization: string | null) =>
    fetch(
      `${rig.simulator.url}/2010-04-01/Accounts/${ACCOUNT_SID}/Recordings/${sid}${ending}`,
      authorization === null ? {} : { headers: { authorization } },
    );
  const basic = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}`;

  it('end with their leg, and say so to their callback, signed, with SIDs and a length', async () => {
    const callSid = await inCall();
    const { sid, status } = await start(callSid);
    expect(status).toBe('in-progress');
    await eventually(() => statuses().includes('in-progress'));
    await eventually(async () => (await rig.phones.handset(USER)).calls[0]?.recorded);
    await rig.phones.hangUp(USER);
    const done = await isNow(sid, 'completed');
    await eventually(() => statuses().includes('completed'));
    expect(statuses()).toEqual(['in-progress', 'completed']);
    for (const { params, signatureIsGood } of told()) {
      expect(signatureIsGood).toBe(true);
      expect(params).toMatchObject({ RecordingSid: sid, CallSid: callSid, AccountSid: ACCOUNT_SID });
      expect(JSON.stringify(params)).not.toContain(USER.slice(1));
    }
    expect(told().at(-1)?.params['RecordingDuration']).toBe(String(done.seconds));
    expect((await rig.phones.handset(USER)).calls[0]?.recorded).toBe(false);
  });

  it('are shown on both phones while the conversation is recorded', async () => {
    rig.service.on('/voice', twiml(`<Dial callerId="${OURS}"><Number>${MENTOR}</Number></Dial>`));
    await rig.phones.script(MENTOR, { answerAfterMs: 0 });
    const callSid = await inCall();
    await start(callSid);
    for (const phone of [USER, MENTOR]) {
      await eventually(async () => (await rig.phones.handset(phone)).calls[0]?.recorded);
    }
    await rig.phones.hangUp(USER);
    await rig.over(callSid);
    expect((await rig.phones.handset(MENTOR)).calls[0]?.recorded).toBe(false);
  });

  it('can be paused, stopped, listed, read and deleted; one that goes on cannot be deleted', async () => {
    const callSid = await inCall();
    const { sid } = await start(callSid);
    const recording = rig.twilio.calls(callSid).recordings(sid);
    expect((await recording.update({ status: 'paused', pauseBehavior: 'skip' })).status).toBe('paused');
    expect((await recording.update({ status: 'in-progress' })).status).toBe('in-progress');
    await expect(rig.twilio.recordings(sid).remove()).rejects.toMatchObject({ status: 409 });
    expect((await recording.update({ status: 'stopped' })).status).toBe('stopped');
    await isNow(sid, 'completed');
    await expect(recording.update({ status: 'paused' })).rejects.toMatchObject({ status: 400, code: 21220 });
    expect((await rig.twilio.calls(callSid).recordings.list()).map((each) => each.sid)).toEqual([sid]);
    expect((await rig.twilio.recordings.list({ callSid })).map((each) => each.sid)).toEqual([sid]);
    expect(await recording.fetch()).toMatchObject({ sid, source: 'StartCallRecordingAPI' });
    await eventually(async () => (await rig.twilio.recordings(sid).fetch()).price !== null);
    await rig.twilio.recordings(sid).remove();
    await expect(rig.twilio.recordings(sid).fetch()).rejects.toMatchObject({ status: 404 });
    expect((await media(sid, '.mp3', basic)).status).toBe(404);
    // The leg itself goes on.
    expect((await rig.phones.ledger()).find((leg) => leg.sid === callSid)?.endedAt).toBeNull();
  });

  it('cannot be begun for a call that is not in progress, nor with what Twilio does not know', async () => {
    const callSid = await inCall();
    await expect(
      rig.twilio.calls(callSid).recordings.create({ recordingStatusCallback: 'nowhere' }),
    ).rejects.toMatchObject({ status: 400, code: 21609 });
    await rig.phones.hangUp(USER);
    await rig.over(callSid);
    await expect(start(callSid)).rejects.toMatchObject({ status: 400, code: 21220 });
    await expect(start(`CA${'0'.repeat(32)}`)).rejects.toMatchObject({ status: 404 });
  });

  it('give their sound to the account alone, unless it was set otherwise', async () => {
    const callSid = await inCall();
    const { sid } = await start(callSid);
    expect((await media(sid, '.mp3', basic)).status).toBe(404);
    await rig.phones.hangUp(USER);
    await isNow(sid, 'completed');
    expect((await media(sid, '.mp3', null)).status).toBe(401);
    expect((await media(sid, '', `Basic ${Buffer.from(`${ACCOUNT_SID}:wrong`).toString('base64')}`)).status).toBe(401);
    const mp3 = await media(sid, '.mp3', basic);
    expect(mp3.headers.get('content-type')).toBe('audio/mpeg');
    const frames = Buffer.from(await mp3.arrayBuffer());
    expect(frames.length % 104).toBe(0);
    expect(frames.subarray(0, 2).toString('hex')).toBe('fffb');
    const wav = Buffer.from(await (await media(sid, '', basic)).arrayBuffer());
    expect(wav.subarray(0, 4).toString()).toBe('RIFF');
    expect(wav.readUInt32LE(4)).toBe(wav.length - 8);
    await rig.phones.settings({ mediaNeedsAuth: false });
    expect((await media(sid, '.mp3', null)).status).toBe(200);
  });

  it('go wrong as they are asked to: no answer, no sound, half of it, a list that lags', async () => {
    const callSid = await inCall();
    await rig.phones.settings({ listLagMs: 60_000 });
    await rig.phones.faults([
      { on: 'create-recording', kind: 'error-500-after', to: USER },
      { on: 'create-recording', kind: 'error-500-before', nth: 2 },
      { on: 'recording', kind: 'absent', to: USER },
      { on: 'recording-callback', kind: 'duplicate', event: 'absent' },
    ]);
    await expect(start(callSid)).rejects.toMatchObject({ status: 500 });
    await expect(start(callSid)).rejects.toMatchObject({ status: 500 });
    const [only, ...more] = await rig.phones.recordings();
    expect(more).toEqual([]);
    expect(await rig.twilio.calls(callSid).recordings.list()).toEqual([]);
    await rig.phones.hangUp(USER);
    await isNow(String(only?.sid), 'absent');
    await eventually(() => statuses().filter((status) => status === 'absent').length === 2);

    const second = await start(await inCall());
    await rig.phones.hangUp(USER);
    await isNow(second.sid, 'completed');
    await rig.phones.faults([
      { on: 'media', kind: 'error-500-before' },
      { on: 'media', kind: 'drop-response', nth: 2 },
    ]);
    expect((await media(second.sid, '.mp3', basic)).status).toBe(500);
    const half = await media(second.sid, '.mp3', basic);
    await expect(half.arrayBuffer()).rejects.toThrow();
  });
});
