import { freePort } from '../../../scripts/ports';
import { runSmoke, type SmokeOptions } from '../../../scripts/smoke/smoke-test';
import { ACCOUNT_SID, AUTH_TOKEN, eventually, OURS, type Rig, SERVICE, startRig, USER } from './rig';

/** What `npm run smoke` does, with the simulator as the configured account. */
describe('the smoke test', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(() => rig.fresh());
  afterAll(() => rig.stop());

  const run = async (more: Partial<SmokeOptions> = {}) => {
    const said: string[] = [];
    const port = await freePort();
    const account = {
      accountSid: ACCOUNT_SID,
      authToken: AUTH_TOKEN,
      apiKey: null,
      apiSecret: null,
      apiBaseUrl: rig.simulator.url,
    };
    const result = await runSmoke({
      account,
      to: USER,
      from: OURS,
      messagingServiceSid: null,
      publicUrl: `http://127.0.0.1:${port}`,
      port,
      waitMs: 30_000,
      mayISpend: () => Promise.resolve(true),
      say: (line) => said.push(line),
      ...more,
    });
    return { result, said: said.join('\n') };
  };
  const nothingWasSent = async () => {
    expect(await rig.phones.ledger()).toEqual([]);
    expect(await rig.phones.messages()).toEqual([]);
  };

  it('places one call and one text, and tells every callback about both', async () => {
    await rig.phones.script(USER, { answerAfterMs: 100 });
    const { result, said } = await run();
    expect(result).toEqual({ call: 'completed', message: 'delivered', isWell: true });
    for (const state of ['initiated', 'ringing', 'in-progress', 'asks for TwiML', 'completed', 'sent', 'delivered']) {
      expect(said).toContain(state);
    }
    expect((await rig.phones.ledger()).map(({ heard }) => heard)).toEqual([
      ['This is a test call of Kindline. Nothing else happens. Goodbye.'],
    ]);
    expect(await rig.phones.texts(USER)).toMatchObject([{ body: 'This is a test text of Kindline.' }]);
  });

  it('is content with a phone that nobody answers, and uses the Messaging Service where there is one', async () => {
    await rig.phones.script(USER, { answerAfterMs: 10, outcome: 'busy' });
    const { result } = await run({ messagingServiceSid: SERVICE });
    expect(result).toEqual({ call: 'busy', message: 'delivered', isWell: true });
    expect(await rig.phones.messages()).toMatchObject([{ messagingServiceSid: SERVICE }]);
  });

  it('is not content when a text does not arrive, and says with which code', async () => {
    await rig.phones.script(USER, { answerAfterMs: 0, texts: { outcome: 'undelivered', errorCode: 30007 } });
    const { result, said } = await run();
    expect(result).toEqual({ call: 'completed', message: 'undelivered', isWell: false });
    expect(said).toContain('code 30007 (https://www.twilio.com/docs/errors/30007)');
  });

  it('sends nothing before it was allowed to', async () => {
    const { result } = await run({ mayISpend: () => Promise.resolve(false) });
    expect(result).toBeNull();
    await nothingWasSent();
  });

  it('sends nothing when the public address leads elsewhere, or the credentials are wrong', async () => {
    await expect(run({ publicUrl: rig.service.url })).rejects.toThrow('does not lead to port');
    const wrong = { accountSid: ACCOUNT_SID, authToken: 'wrong', apiKey: null, apiSecret: null };
    await expect(run({ account: { ...wrong, apiBaseUrl: rig.simulator.url } })).rejects.toThrow('HTTP 401, code 20003');
    await nothingWasSent();
  });

  it('says what Twilio refuses, by its code and without the number', async () => {
    await rig.phones.script(USER, { texts: { outcome: 'refused', errorCode: 21608 } });
    const error: unknown = await run().catch((caught: unknown) => caught);
    expect(String(error)).toContain('Twilio refuses the text: HTTP 400, code 21608');
    expect(String(error)).not.toContain('555');
    expect(await rig.phones.ledger()).toEqual([]);
  });

  it('leaves no phone ringing when it gives up', async () => {
    await rig.phones.settings({ timeScale: 1 });
    const { result } = await run({ waitMs: 50 });
    expect(result?.isWell).toBe(false);
    await eventually(async () => {
      const [leg, ...others] = await rig.phones.ledger();
      return leg?.status === 'canceled' && others.length === 0;
    });
  });

  it('says so when the service has the port', async () => {
    const port = Number(new URL(rig.service.url).port);
    await expect(run({ port })).rejects.toThrow(`Port ${port} is taken`);
  });
});
