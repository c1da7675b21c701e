import { TWILIO_CASES, runCase } from '../../../scripts/twilio-cases';
import { classOfCode } from '../../../domain/twilio-errors';
import { ACCOUNT_SID, AUTH_TOKEN, type Rig, startRig, twilioFor } from './rig';

const TEST = { accountSid: `AC${'9876543210abcdef'.repeat(2)}`, authToken: 'a-test-token-of-the-test-0123456' };

/** The table that `npm run test:twilio` asks of the real Twilio. */
describe('test credentials', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig({ testCredentials: TEST });
  });
  afterAll(() => rig.stop());

  const client = () => twilioFor(rig.simulator.url, TEST.accountSid, TEST.authToken);

  it.each(TWILIO_CASES.map((one) => [one.title, one] as const))('%s', async (_title, one) => {
    await expect(runCase(client(), one)).resolves.toBeUndefined();
  });

  it('leave nothing behind', async () => {
    expect(await rig.phones.messages()).toEqual([]);
    expect(await rig.phones.ledger()).toEqual([]);
  });

  it('are of an account of their own: neither pair opens the other', async () => {
    const mixed = twilioFor(rig.simulator.url, TEST.accountSid, AUTH_TOKEN);
    await expect(mixed.messages.list()).rejects.toMatchObject({ status: 401 });
    const other = twilioFor(rig.simulator.url, ACCOUNT_SID, TEST.authToken);
    await expect(other.messages.list()).rejects.toMatchObject({ status: 401 });
  });

  it('know a refusal of every class that a text can meet', () => {
    const known = TWILIO_CASES.map(({ code }) => (code === null ? null : classOfCode(code)));
    for (const each of ['bad-destination', 'not-for-texts', 'not-allowed', 'opted-out', 'other-sender', 'delay']) {
      expect(known).toContain(each);
    }
  });

  it('say what is wrong when an answer is not the expected one', async () => {
    const [created] = TWILIO_CASES;
    const refused = TWILIO_CASES.find(({ code }) => code === 21610);
    if (!created || !refused) throw new Error('the table lacks a case');
    await expect(runCase(client(), { ...created, code: 21610 })).rejects.toThrow('expected the code 21610, got queued');
    await expect(runCase(client(), { ...refused, code: null })).rejects.toThrow('got the code 21610');
    await expect(runCase(client(), { ...refused, code: 21211 })).rejects.toThrow(
      'expected the code 21211, got the code 21610',
    );
  });
});
