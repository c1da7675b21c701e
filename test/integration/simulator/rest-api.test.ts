import { API_KEY, API_SECRET, ACCOUNT_SID, eventually, OURS, type Rig, startRig, twilioAt, twiml, USER } from './rig';

describe('the REST API, asked by the twilio package', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    rig.service.on('/voice', twiml('<Pause length="600"/>'));
  });
  afterAll(() => rig.stop());

  const url = 'http://127.0.0.1:9/voice';

  it.each([
    ['no To', { to: '', from: OURS, url }, 21201],
    ['no From', { to: USER, from: '', url }, 21213],
    ['a To that is no number', { to: '0155', from: OURS, url }, 21211],
    ['a short code as To', { to: '988', from: OURS, url }, 21211],
    ['a From that is no number', { to: USER, from: 'Kindline', url }, 21212],
    ['a From that is not ours', { to: USER, from: '+14155550177', url }, 21210],
    ['neither Url nor Twiml', { to: USER, from: OURS }, 21205],
    ['a Url that is not http', { to: USER, from: OURS, url: 'ftp://example.com/x' }, 21205],
    ['a Method that is no method', { to: USER, from: OURS, url, method: 'PUT' }, 21209],
    ['a Timeout that is no number', { to: USER, from: OURS, url, timeout: -5 }, 21208],
    ['a StatusCallback that is no URL', { to: USER, from: OURS, url, statusCallback: 'status' }, 21609],
    [
      'an event that does not exist',
      { to: USER, from: OURS, url, statusCallback: url, statusCallbackEvent: ['done'] },
      21626,
    ],
    ['too much Twiml', { to: USER, from: OURS, twiml: twiml(`<Say>${'a'.repeat(4_000)}</Say>`) }, 21624],
  ])('refuses a call with %s', async (_what, params, code) => {
    await expect(rig.twilio.calls.create(params)).rejects.toMatchObject({
      status: 400,
      code,
      moreInfo: `https://www.twilio.com/docs/errors/${code}`,
    });
    expect(await rig.phones.ledger()).toEqual([]);
  });

  it('takes the account with its token or an API key, and nobody else', async () => {
    await expect(twilioAt(rig.simulator.url, API_KEY, API_SECRET).calls.list()).resolves.toEqual([]);
    for (const [user, password] of [
      [ACCOUNT_SID, 'wrong'],
      [API_KEY, 'wrong'],
      [`AC${'9'.repeat(32)}`, 'wrong'],
    ] as const) {
      await expect(twilioAt(rig.simulator.url, user, password).calls.list()).rejects.toMatchObject({
        status: 401,
        code: 20003,
      });
    }
  });

  it('does not know other accounts, other calls or other resources', async () => {
    const missing = { status: 404, code: 20404 };
    await expect(rig.twilio.api.v2010.accounts(`AC${'9'.repeat(32)}`).calls.list()).rejects.toMatchObject(missing);
    await expect(rig.twilio.calls(`CA${'9'.repeat(32)}`).fetch()).rejects.toMatchObject(missing);
    await expect(rig.twilio.queues.list()).rejects.toMatchObject(missing);
  });

  it('shows the account, which a breaker may probe', async () => {
    const account = await rig.twilio.api.v2010.accounts(ACCOUNT_SID).fetch();
    expect(account).toMatchObject({ sid: ACCOUNT_SID, status: 'active' });
  });

  it('answers queued, with no start time until the call is dialled, and a duration when it is over', async () => {
    await rig.phones.settings({ callsPerSecond: 0.1 });
    await rig.phones.script(USER, { answerAfterMs: 100 });
    await rig.place();
    const call = await rig.twilio.calls.create({ to: USER, from: OURS, url: `${rig.service.url}/voice` });
    expect(call).toMatchObject({ status: 'queued', startTime: null, direction: 'outbound-api', parentCallSid: null });
    expect(call.sid).toMatch(/^CA[0-9a-f]{32}$/);
    expect(Number(call.queueTime)).toBeGreaterThan(0);

    const up = await eventually(async () => {
      const now = await rig.twilio.calls(call.sid).fetch();
      return now.status === 'in-progress' && now;
    });
    expect(up.startTime).toBeInstanceOf(Date);
    expect(up.duration).toBeNull();
    await rig.twilio.calls(call.sid).update({ status: 'completed' });
    const over = await rig.twilio.calls(call.sid).fetch();
    expect(over.status).toBe('completed');
    expect(over.duration).toMatch(/^\d+$/);
    expect(over.endTime).toBeInstanceOf(Date);
    const priced = await eventually(async () => {
      const now = await rig.twilio.calls(call.sid).fetch();
      return now.price !== null && now;
    });
    expect(priced).toMatchObject({ price: '-0.01400', priceUnit: 'USD' });
  });

  it('lists newest first, by filters that leave out calls not yet dialled when they ask for a start time', async () => {
    await rig.phones.settings({ callsPerSecond: 0.01 });
    const first = await rig.place();
    const second = await rig.place({ to: '+14155550144' });
    const queued = await rig.place();
    const sids = async (filter: Parameters<Rig['twilio']['calls']['list']>[0]) =>
      (await rig.twilio.calls.list(filter)).map((call) => call.sid);
    await eventually(async () => (await rig.twilio.calls(first).fetch()).status === 'ringing');

    expect(await sids({})).toEqual([queued, second, first]);
    expect(await sids({ to: USER })).toEqual([queued, first]);
    expect(await sids({ from: '+447700900100' })).toEqual([]);
    expect(await sids({ status: 'ringing' })).toEqual([first]);
    expect(await sids({ parentCallSid: first })).toEqual([]);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    expect(await sids({ startTimeAfter: anHourAgo })).toEqual([first]);
    expect(await sids({ startTimeBefore: anHourAgo })).toEqual([]);
    expect(await sids({ endTimeAfter: anHourAgo })).toEqual([]);
  });

  it('pages through lists, and a call made meanwhile shifts nothing', async () => {
    const placed = [await rig.place(), await rig.place(), await rig.place(), await rig.place(), await rig.place()];
    const page = await rig.twilio.calls.page({ pageSize: 2 });
    expect(page.instances.map((call) => call.sid)).toEqual([placed[4], placed[3]]);
    await rig.place();
    const next = await page.nextPage();
    expect(next?.instances.map((call) => call.sid)).toEqual([placed[2], placed[1]]);
    const all = await rig.twilio.calls.list({ pageSize: 2 });
    expect(all).toHaveLength(6);
    await expect(rig.twilio.calls.page({ pageSize: 0 })).rejects.toMatchObject({ status: 400 });
  });

  it('lets lists lag behind by a seeded time, while a read by SID finds the call at once', async () => {
    await rig.phones.settings({ listLagMs: 60_000 });
    const unlisted = await rig.place();
    expect((await rig.twilio.calls(unlisted).fetch()).sid).toBe(unlisted);
    expect(await rig.twilio.calls.list({ to: USER })).toEqual([]);
    await rig.phones.settings({ listLagMs: { seed: 7, min: 1_500, max: 3_000 } });
    const placedAt = Date.now();
    const sid = await rig.place();
    await eventually(async () => (await rig.twilio.calls.list({ to: USER })).some((call) => call.sid === sid));
    expect(Date.now() - placedAt).toBeGreaterThanOrEqual(1_500);
  });

  it('cancels what nobody has answered, and leaves an answered call alone when asked to cancel', async () => {
    const ringing = await rig.place();
    await eventually(async () => (await rig.twilio.calls(ringing).fetch()).status === 'ringing');
    expect((await rig.twilio.calls(ringing).update({ status: 'canceled' })).status).toBe('canceled');
    expect((await rig.twilio.calls(ringing).update({ status: 'completed' })).status).toBe('canceled');

    await rig.phones.script(USER, { answerAfterMs: 0 });
    const answered = await rig.place();
    await eventually(async () => (await rig.twilio.calls(answered).fetch()).status === 'in-progress');
    expect((await rig.twilio.calls(answered).update({ status: 'canceled' })).status).toBe('in-progress');
    await expect(rig.twilio.calls(answered).remove()).rejects.toMatchObject({ status: 409 });
    await rig.twilio.calls(answered).update({ status: 'completed' });
    await expect(rig.twilio.calls(answered).remove()).resolves.toBe(true);
    await expect(rig.twilio.calls(answered).fetch()).rejects.toMatchObject({ status: 404 });
  });

  it('ends a queued call before any phone has rung', async () => {
    await rig.phones.settings({ callsPerSecond: 0.01 });
    await rig.place({ to: '+14155550144' });
    const sid = await rig.place();
    await rig.twilio.calls(sid).update({ status: 'completed' });
    expect(await rig.over(sid)).toMatchObject({ status: 'canceled', ringingAt: null });
  });

  it('gives a call in progress new TwiML, and refuses that to any other', async () => {
    rig.service.on('/other', twiml('<Say>Something else.</Say>'));
    const sid = await rig.place();
    const redirect = { url: `${rig.service.url}/other` };
    await expect(rig.twilio.calls(sid).update(redirect)).rejects.toMatchObject({ status: 400, code: 21220 });
    await eventually(async () => (await rig.phones.handset(USER)).state === 'ringing');
    await rig.phones.answer(USER);
    await eventually(() => rig.service.at('/voice').length > 0);
    await rig.twilio.calls(sid).update(redirect);
    expect((await rig.over(sid)).heard).toEqual(['Something else.']);
  });

  it('runs TwiML given inline', async () => {
    await rig.phones.script(USER, { answerAfterMs: 0 });
    const call = await rig.twilio.calls.create({ to: USER, from: OURS, twiml: twiml('<Say>Inline.</Say>') });
    expect((await rig.over(call.sid)).heard).toEqual(['Inline.']);
  });

  it('dials only so many calls a second and keeps the rest in a queue', async () => {
    await rig.phones.settings({ callsPerSecond: 20 });
    const sids = await Promise.all([1, 2, 3, 4, 5].map(() => rig.place()));
    await eventually(async () => (await rig.phones.ledger()).every((entry) => entry.ringingAt !== null));
    const rang = (await rig.phones.ledger()).map((entry) => Date.parse(entry.ringingAt ?? ''));
    expect(sids).toHaveLength(5);
    expect(Math.max(...rang) - Math.min(...rang)).toBeGreaterThanOrEqual(150);
  });
});
