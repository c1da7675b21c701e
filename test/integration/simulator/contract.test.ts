import { hasTwilioContract, openTwilioContract } from '../../twilio-contract';
import type { Exchange } from '../../../simulator/client';
import { ACCOUNT_SID, OURS, type Rig, SERVICE, startRig, twiml, USER } from './rig';

/** The other suites of this room are held against the same document when they end. */
const title = hasTwilioContract ? "Twilio's own OpenAPI document" : "Twilio's own OpenAPI document (skipped: absent)";

(hasTwilioContract ? describe : describe.skip)(title, () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig.stop());

  const contract = openTwilioContract();
  const violations = (exchange: Exchange) => contract?.violations(exchange) ?? ['no document'];
  const lastExchange = async () => {
    const exchange = (await rig.phones.exchanges()).at(-1);
    if (!exchange) throw new Error('nothing was exchanged');
    return exchange;
  };

  it('allows every request of the package and every answer of the simulator, in every state of a call', async () => {
    rig.service.on('/voice', twiml('<Pause length="600"/>'));
    await rig.phones.script(USER, { answerAfterMs: 0 });
    const sid = await rig.place({
      statusCallback: `${rig.service.url}/status#rc=3&rp=5xx,ct,rt`,
      statusCallbackEvent: ['initiated', 'completed'],
      timeout: 30,
      fallbackUrl: `${rig.service.url}/fallback`,
      machineDetection: 'Enable',
      timeLimit: 3600,
    });
    await rig.twilio.calls(sid).fetch();
    await rig.twilio.calls.list({ to: USER, from: OURS, status: 'in-progress', startTimeAfter: new Date(0), limit: 5 });
    await rig.twilio.calls(sid).update({ twiml: twiml('<Pause length="600"/>') });
    await rig.twilio.calls(sid).update({ status: 'completed' });
    await rig.twilio.calls(sid).fetch();
    await rig.twilio.calls(sid).remove();
    await rig.twilio.api.v2010.accounts(ACCOUNT_SID).fetch();
    await expect(rig.twilio.calls(sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });

    const exchanges = await rig.phones.exchanges();
    expect(exchanges).toHaveLength(9);
    for (const exchange of exchanges) expect(violations(exchange)).toEqual([]);
  });

  it('allows every request and answer about messages, in every state of one', async () => {
    await rig.fresh();
    rig.service.on('/text', twiml('<Message>Thank you.</Message>'));
    const sid = await rig.text({ messagingServiceSid: SERVICE, validityPeriod: 600 });
    await rig.twilio.messages(sid).fetch();
    await rig.textIs(sid, 'delivered');
    await rig.phones.script(USER, { texts: { outcome: 'undelivered', errorCode: 30003 } });
    const undelivered = await rig.text();
    await rig.textIs(undelivered, 'undelivered');
    await rig.twilio.messages(undelivered).fetch();
    await rig.twilio.messages(await rig.phones.sendText({ from: USER, to: OURS, body: 'Hello' })).fetch();
    await rig.twilio.messages.list({ to: USER, dateSentAfter: new Date(0), limit: 5 });
    await rig.twilio.messages(sid).update({ body: '' });
    await rig.twilio.messages(sid).remove();
    await expect(rig.twilio.messages(sid).fetch()).rejects.toMatchObject({ status: 404, code: 20404 });
    await expect(rig.text({ to: '0155' })).rejects.toMatchObject({ status: 400 });

    const exchanges = (await rig.phones.exchanges()).filter(({ path }) => path.includes('Messages'));
    expect(exchanges).toHaveLength(10);
    for (const exchange of exchanges) expect(violations(exchange)).toEqual([]);
    const [created] = exchanges;
    if (!created) throw new Error('nothing was exchanged');
    const answer = { ...Object(created.answer) };
    for (const wrong of [
      { ...answer, num_segments: 1 },
      { ...answer, status: 'done' },
      { ...answer, sid: 'SM1' },
    ]) {
      expect(violations({ ...created, answer: wrong })).not.toEqual([]);
    }
    expect(violations({ ...created, form: { ...created.form, Validity: '5' } })).not.toEqual([]);
  });

  it('finds an answer that lacks the right form, so that passing it means something', async () => {
    const sid = await rig.place();
    const good = await lastExchange();
    expect(violations(good)).toEqual([]);
    const answer = { ...Object(good.answer) };
    const wrongAnswers = [
      { ...answer, status: 'initiated' },
      { ...answer, date_created: new Date().toISOString() },
      { ...answer, sid: sid.slice(2) },
      { ...answer, surprise: true },
      { ...answer, to: 5 },
    ];
    for (const wrong of wrongAnswers) expect(violations({ ...good, answer: wrong })).not.toEqual([]);
    expect(violations({ ...good, status: 200 })).not.toEqual([]);
  });

  it('finds a request with a parameter that Twilio does not know or cannot read', async () => {
    await rig.place();
    const good = await lastExchange();
    const wrongForms = [
      { ...good.form, StatusCallbackEvents: 'completed' },
      { ...good.form, Timeout: 'thirty' },
      { ...good.form, Url: 'ftp://example.com' },
      { ...good.form, Method: 'PUT' },
    ];
    for (const form of wrongForms) expect(violations({ ...good, form })).not.toEqual([]);
    expect(violations({ ...good, path: '/2010-04-01/Calls.json', status: 201 })).not.toEqual([]);
  });

  it('never records the Authorization header of an exchange', async () => {
    await rig.place();
    const text = JSON.stringify(await rig.phones.exchanges());
    expect(text).not.toMatch(/authorization|basic /i);
  });
});
