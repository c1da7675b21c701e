import { ProviderError } from '../../../providers/provider-error';
import { createTwilioNumbers, type NumberProvider } from '../../../providers/twilio-numbers';
import { openTwilioContract } from '../../twilio-contract';
import { ACCOUNT_SID, AUTH_TOKEN, eventually, OURS, type Rig, startRig, twiml, USER } from './rig';

describe("the account's own numbers", () => {
  let rig: Rig;
  let numbers: NumberProvider;
  beforeAll(async () => {
    rig = await startRig();
    numbers = providerWith(AUTH_TOKEN);
  });
  beforeEach(() => rig.fresh());
  afterAll(async () => {
    numbers.close();
    await rig.stop();
  });

  const providerWith = (authToken: string) =>
    createTwilioNumbers(
      { accountSid: ACCOUNT_SID, authToken, apiKey: null, apiSecret: null, apiBaseUrl: rig.simulator.url },
      { httpTimeoutMs: 2_000 },
    );
  const post = (url: string) => ({ url, method: 'POST' }) as const;
  const owned = async (number: string) => {
    const own = await numbers.find(number);
    if (own === null) throw new Error(`${number} is not in the account`);
    return own;
  };

  it('are found by their whole number only', async () => {
    expect(await numbers.find(OURS)).toMatchObject({
      sid: expect.stringMatching(/^PN[0-9a-f]{32}$/),
      number: OURS,
      urls: { voice: post(`${rig.service.url}/inbound`), fallback: { url: null, method: 'POST' } },
      handledBy: null,
      hasVoice: true,
    });
    expect(await numbers.find('+1415555')).toBeNull();
    expect(await numbers.find('+14155550177')).toBeNull();
  });

  it('are called where they were last set to, by the method that was set', async () => {
    rig.service.on('/moved', twiml('<Say>This is the new place.</Say>'));
    rig.service.on('/inbound', twiml('<Say>This is the old place.</Say>'));
    const { sid, urls: before } = await owned(OURS);
    const updated = await numbers.setUrls(sid, {
      voice: { url: `${rig.service.url}/moved`, method: 'GET' },
      fallback: { url: `${rig.service.url}/static.xml`, method: 'GET' },
    });
    expect(updated.urls).toEqual({
      ...before,
      voice: { url: `${rig.service.url}/moved`, method: 'GET' },
      fallback: { url: `${rig.service.url}/static.xml`, method: 'GET' },
    });
    expect(await owned(OURS)).toEqual(updated);
    const leg = await rig.over(await rig.phones.call(USER, OURS));
    expect(leg.heard).toEqual(['This is the new place.']);
    await numbers.setUrls(sid, before);
  });

  it('without a voice URL fail whoever calls them, and say why', async () => {
    const { sid, urls: before } = await owned(OURS);
    // Set by hand: the package's form for "none", which Twilio's document does not describe.
    rig.simulator.engine.numbers.update(sid, { VoiceUrl: '' });
    const leg = await rig.over(await rig.phones.call(USER, OURS));
    expect(leg).toMatchObject({ status: 'failed', heard: [] });
    const notification = await eventually(async () => (await rig.phones.notifications()).at(-1));
    expect(notification).toMatchObject({ code: 11100 });
    await numbers.setUrls(sid, before);
  });

  it('can call or text as far as they are able to', async () => {
    const other = '+447700900100';
    await rig.phones.capabilities(OURS, { voice: true, sms: false });
    await rig.phones.capabilities(other, { voice: false, sms: true });
    await expect(rig.text()).rejects.toMatchObject({ code: 21606 });
    await expect(rig.phones.sendText({ from: USER, to: OURS, body: 'Hello' })).rejects.toMatchObject({ status: 400 });
    await expect(rig.place({ from: other })).rejects.toMatchObject({ code: 21210 });
    await rig.textIs(await rig.text({ from: other }), 'delivered');
    const [listed] = await rig.twilio.incomingPhoneNumbers.list({ phoneNumber: other });
    expect(listed?.capabilities).toMatchObject({ voice: false, sms: true });
    for (const number of [OURS, other]) await rig.phones.capabilities(number, { voice: true, sms: true });
    await expect(rig.phones.capabilities(USER, { voice: true, sms: true })).rejects.toMatchObject({ status: 400 });
  });

  it('refuse a URL that is none, another account’s number, and a wrong token, without quoting anything', async () => {
    const { sid } = await owned(OURS);
    const wrong = [
      [numbers.setUrls(sid, { voice: post('ftp://example.com') }), { status: 400, code: 21502, outcome: 'refused' }],
      [numbers.setUrls(`PN${'9'.repeat(32)}`, { voice: post('https://example.com') }), { status: 404, code: 20404 }],
      [providerWith('wrong').find(OURS), { status: 401, code: 20003, operation: 'list-numbers' }],
    ] as const;
    for (const [act, expected] of wrong) {
      const error: unknown = await act.then(
        () => null,
        (caught: unknown) => caught,
      );
      expect(error).toBeInstanceOf(ProviderError);
      expect(error).toMatchObject(expected);
      expect(String(error)).not.toMatch(/example|\+1415/);
    }
  });

  it('are listed and read in the form of Twilio’s own document', async () => {
    const { sid } = await owned(OURS);
    await rig.twilio.incomingPhoneNumbers(sid).fetch();
    await rig.twilio.incomingPhoneNumbers.list({ friendlyName: '(415) 555-0100' });
    await rig.twilio.incomingPhoneNumbers(sid).update({ smsUrl: 'https://example.org/text', smsMethod: 'POST' });
    const exchanges = (await rig.phones.exchanges()).filter(({ path }) => path.includes('IncomingPhoneNumbers'));
    expect(exchanges.map(({ method, status }) => `${method} ${status}`)).toEqual([
      'GET 200',
      'GET 200',
      'GET 200',
      'POST 200',
    ]);
    const contract = openTwilioContract();
    for (const exchange of exchanges) expect(contract?.violations(exchange) ?? []).toEqual([]);
  });
});
