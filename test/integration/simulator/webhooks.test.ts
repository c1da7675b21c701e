import { freePort } from '../../../scripts/ports';
import { eventually, type Rig, startRig, twiml, USER } from './rig';
import { ServiceDouble } from './service-double';

describe('webhooks', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    await rig.phones.script(USER, { answerAfterMs: 0 });
    rig.service.on('/voice', twiml('<Say>hello</Say>'));
    rig.service.on('/fallback', twiml('<Say>fallback</Say>'));
  });
  afterAll(() => rig.stop());

  const failTimes = (path: string, times: number, then: string) => {
    let left = times;
    rig.service.on(path, () => {
      left -= 1;
      return left >= 0 ? { status: 503 } : then;
    });
  };
  const voiceUrl = (fragment: string) => ({
    url: `${rig.service.url}/voice${fragment}`,
    fallbackUrl: `${rig.service.url}/fallback`,
  });

  it('are signed, name their call, and carry a token of their own', async () => {
    await rig.over(await rig.place({ statusCallback: `${rig.service.url}/status` }));
    await eventually(() => rig.service.at('/status')[0]);
    expect(rig.service.received.map((request) => request.signatureIsGood)).toEqual([true, true]);
    expect(rig.service.at('/voice')[0]?.params).toMatchObject({
      From: '+14155550100',
      To: USER,
      Direction: 'outbound-api',
      CallStatus: 'in-progress',
      ToCountry: 'US',
    });
    expect(new Set(rig.service.received.map((request) => request.token)).size).toBe(2);
  });

  it('are sent by GET when asked to, the query signed with them', async () => {
    await rig.over(await rig.place({ url: `${rig.service.url}/voice?call=1`, method: 'GET' }));
    const request = rig.service.at('/voice')[0];
    expect(request?.params).toMatchObject({ call: '1', To: USER });
    expect(request?.signatureIsGood).toBe(true);
  });

  it('are signed with or without their port, as the back end likes', async () => {
    for (const signedPort of ['without', 'with'] as const) {
      await rig.phones.settings({ signedPort });
      await rig.over(await rig.place());
    }
    expect(rig.service.at('/voice').map((request) => request.signatureIsGood)).toEqual([true, true]);
  });

  it('do not repeat a 503 by default, but go to the fallback with the error and its URL', async () => {
    failTimes('/voice', 1, twiml('<Say>hello</Say>'));
    const leg = await rig.over(await rig.place(voiceUrl('')));
    expect(leg).toMatchObject({ wentToFallback: true, heard: ['fallback'] });
    expect(rig.service.at('/voice')).toHaveLength(1);
    expect(rig.service.at('/fallback')[0]?.params).toMatchObject({
      ErrorCode: '11200',
      ErrorUrl: `${rig.service.url}/voice`,
    });
  });

  it('repeat it with #rc and #rp, always with the same token', async () => {
    failTimes('/voice', 3, twiml('<Say>hello</Say>'));
    const leg = await rig.over(await rig.place(voiceUrl('#rc=3&rp=5xx,ct,rt')));
    expect(leg).toMatchObject({ wentToFallback: false, heard: ['hello'] });
    expect(rig.service.at('/voice')).toHaveLength(4);
    expect(new Set(rig.service.at('/voice').map((request) => request.token)).size).toBe(1);
  });

  it('give up when the retries are used up', async () => {
    failTimes('/voice', 9, twiml(''));
    expect((await rig.over(await rig.place(voiceUrl('#rc=2&rp=all')))).wentToFallback).toBe(true);
    expect(rig.service.at('/voice')).toHaveLength(3);
  });

  it('do not wait longer than #rt for an answer', async () => {
    rig.service.on('/voice', () => new Promise(() => {}));
    const leg = await rig.over(await rig.place(voiceUrl('#rt=100&rc=1&rp=rt')));
    expect(leg.wentToFallback).toBe(true);
    expect(rig.service.at('/voice')).toHaveLength(2);
  });

  it('do not go on longer than #tt in all', async () => {
    rig.service.on('/voice', () => new Promise(() => {}));
    expect((await rig.over(await rig.place(voiceUrl('#tt=200&rc=5&rp=rt')))).wentToFallback).toBe(true);
    expect(rig.service.at('/voice')).toHaveLength(1);
  });

  it('end the call, with an excuse, when the fallback fails too', async () => {
    rig.service.on('/voice', { status: 500 });
    rig.service.on('/fallback', { status: 500 });
    const leg = await rig.over(await rig.place(voiceUrl('')));
    expect(leg).toMatchObject({ status: 'completed', wentToFallback: true });
    expect(leg.heard).toHaveLength(1);
    expect(rig.service.at('/fallback')).toHaveLength(1);
  });

  it('survive a service that is away and comes back between the retries', async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await rig.phones.settings({ webhookRetryMs: [5_000] });
    const placed = rig.place({ url: `${url}/voice#rc=5&rp=5xx,ct,rt`, fallbackUrl: `${rig.service.url}/fallback` });
    const sid = await placed;
    await eventually(async () => (await rig.phones.ledger())[0]?.answeredAt);
    const revived = new ServiceDouble('unused');
    revived.on('/voice', twiml('<Say>back again</Say>'));
    await revived.start(port);
    expect(await rig.over(sid)).toMatchObject({ heard: ['back again'], wentToFallback: false });
    await revived.stop();
  });

  it('report only the events that were subscribed to, and only the end when none was named', async () => {
    const statusCallback = `${rig.service.url}/status`;
    await rig.over(await rig.place({ statusCallback }));
    await eventually(() => rig.service.at('/status').length === 1);
    expect(rig.service.at('/status')[0]?.params).toMatchObject({ CallStatus: 'completed', SequenceNumber: '0' });
    await rig.over(await rig.place({ statusCallback, statusCallbackEvent: ['answered', 'completed'] }));
    const later = await eventually(() => rig.service.at('/status').length === 3 && rig.service.at('/status').slice(1));
    expect(later.map((request) => request.params.SequenceNumber)).toEqual(['0', '1']);
    expect(later[0]?.params).toMatchObject({ CallStatus: 'in-progress', CallbackSource: 'call-progress-events' });
    expect(later[0]?.params.Timestamp).toMatch(/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} \+0000$/);
  });

  it('tell talking time in seconds and, as Twilio does, in begun minutes', async () => {
    rig.service.on('/voice', twiml('<Pause length="61"/>'));
    await rig.over(await rig.place({ statusCallback: `${rig.service.url}/status` }));
    const { params } = await eventually(() => rig.service.at('/status')[0]);
    expect(Number(params.CallDuration)).toBeGreaterThanOrEqual(61);
    expect(params.Duration).toBe(String(Math.ceil(Number(params.CallDuration) / 60)));
  });

  it('hold nothing up: a slow receiver of callbacks does not delay the call', async () => {
    rig.service.on('/status', () => new Promise(() => {}));
    const leg = await rig.over(
      await rig.place({ statusCallback: `${rig.service.url}/status`, statusCallbackEvent: ['initiated', 'answered'] }),
    );
    expect(leg.heard).toEqual(['hello']);
  });

  it('keep a record of every URL a call was given, fragment included', async () => {
    const statusCallback = `${rig.service.url}/status#rc=3`;
    const leg = await rig.over(await rig.place({ ...voiceUrl('#rc=3'), statusCallback }));
    const base = rig.service.url;
    expect(leg.urls).toEqual([`${base}/status#rc=3`, `${base}/fallback`, `${base}/voice#rc=3`]);
    expect(await rig.phones.webhooks()).toContainEqual(
      expect.objectContaining({ kind: 'twiml', sid: leg.sid, url: `${base}/voice`, attempts: 1, status: 200 }),
    );
  });
});
