import { keywordIn } from '../../../simulator/texts/opt-outs';
import { eventually, OURS, POOL_UK, POOL_US, type Rig, SERVICE, startRig, twiml, USER } from './rig';

describe('texts to our numbers', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    rig.service.on('/text', twiml(''));
  });
  afterAll(() => rig.stop());

  const send = (body: string, to = OURS) => rig.phones.sendText({ from: USER, to, body });
  const told = () => eventually(() => rig.service.at('/text').at(-1));
  const screen = async () => (await rig.phones.texts(USER)).map(({ direction, body }) => `${direction}: ${body}`);

  it('are told to the number’s SmsUrl, signed, and kept as received', async () => {
    const sid = await send('Hello there');
    expect(await told()).toMatchObject({
      signatureIsGood: true,
      params: { MessageSid: sid, SmsStatus: 'received', From: USER, To: OURS, Body: 'Hello there', FromCountry: 'US' },
    });
    expect(await rig.twilio.messages(sid).fetch()).toMatchObject({ direction: 'inbound', status: 'received' });
    expect(await screen()).toEqual(['outgoing: Hello there']);
  });

  it('may be answered with TwiML, more than once and from another document', async () => {
    rig.service.on('/text', twiml('<Message>One.</Message><Redirect>/more</Redirect>'));
    rig.service.on('/more', twiml('<Message><Body>Two &amp; three.</Body></Message>'));
    await send('Hello');
    await eventually(async () => (await screen()).length === 3);
    expect(await screen()).toEqual(['outgoing: Hello', 'incoming: One.', 'incoming: Two & three.']);
    expect((await rig.phones.messages()).at(-1)).toMatchObject({ direction: 'outbound-reply', sender: OURS });
  });

  it.each([
    ['no XML', { status: 200, body: 'Thank you', type: 'text/plain' }, 12300],
    ['a verb of calls', twiml('<Say>Hello</Say>'), 12200],
    ['a message without words', twiml('<Message/>'), 14103],
    ['an error', { status: 500 }, 11200],
  ])('answered with %s leave a line in the debugger', async (_what, answer, code) => {
    rig.service.on('/text', answer);
    const sid = await send('Hello');
    const [line] = await eventually(async () => {
      const lines = await rig.phones.notifications();
      return lines.length > 0 && lines;
    });
    expect(line).toMatchObject({ code, sid });
  });

  it('are refused by a number that is not ours or takes none', async () => {
    await expect(send('Hello', '+14155550177')).rejects.toMatchObject({ status: 400 });
    await expect(send('')).rejects.toMatchObject({ status: 400 });
  });

  it('STOP blocks that pair: the service is told, Twilio answers, and the next text is refused until START', async () => {
    await send(' stop ');
    expect((await told()).params).toMatchObject({ Body: ' stop ' });
    expect((await told()).params).not.toHaveProperty('OptOutType');
    expect(await screen()).toEqual(['outgoing:  stop ', expect.stringContaining('unsubscribed')]);
    await expect(rig.text()).rejects.toMatchObject({ status: 400, code: 21610 });
    expect(await rig.phones.optOuts()).toMatchObject([{ scope: OURS, number: USER }]);
    await expect(rig.text({ from: POOL_US })).resolves.toMatch(/^SM/);
    await send('START');
    await eventually(async () => (await rig.phones.optOuts()).length === 0);
    await rig.textIs(await rig.text(), 'delivered');
  });

  it('STOP to one number of a service blocks the whole service', async () => {
    await send('STOP', POOL_US);
    await eventually(async () => (await rig.phones.optOuts()).length === 1);
    await expect(rig.text({ messagingServiceSid: SERVICE })).rejects.toMatchObject({ code: 21610 });
    await expect(rig.text({ from: POOL_UK })).rejects.toMatchObject({ code: 21610 });
    await expect(rig.text()).resolves.toMatch(/^SM/);
    await send('UNSTOP', POOL_UK);
    await eventually(async () => (await rig.phones.optOuts()).length === 0);
  });

  it('with Advanced Opt-Out, the service is told what Twilio made of a keyword', async () => {
    await rig.phones.settings({ advancedOptOut: true });
    for (const [body, type] of [
      ['Quit', 'STOP'],
      ['yes', 'START'],
      ['info', 'HELP'],
    ] as const) {
      rig.service.received.length = 0;
      await send(body);
      expect((await told()).params.OptOutType).toBe(type);
    }
    rig.service.received.length = 0;
    await send('please stop');
    expect((await told()).params).not.toHaveProperty('OptOutType');
  });

  it('a reply to somebody who has just opted out is not sent, and the debugger says so', async () => {
    rig.service.on('/text', twiml('<Message>You will hear no more from us.</Message>'));
    await send('STOP');
    await eventually(async () => (await rig.phones.notifications()).some(({ code }) => code === 21610));
    expect((await rig.phones.messages()).filter(({ direction }) => direction !== 'inbound')).toEqual([]);
  });

  it('a phone answers by itself where its script says so', async () => {
    await rig.phones.script(USER, { texts: { reply: { body: 'Yes, I am fine', times: 1 } } });
    await rig.text({ body: 'Are you well?' });
    expect((await told()).params).toMatchObject({ From: USER, To: OURS, Body: 'Yes, I am fine' });
    await rig.text({ body: 'Sure?' });
    await eventually(async () => (await screen()).length === 3);
    expect(await screen()).toEqual(['incoming: Are you well?', 'outgoing: Yes, I am fine', 'incoming: Sure?']);
  });

  it.each([
    ['duplicate', 2],
    ['drop-response', 2],
    ['lost', 0],
  ] as const)('%s: the service is asked %i times', async (kind, times) => {
    await rig.phones.faults([{ on: 'inbound-message', kind }]);
    rig.simulator.engine.numbers.update(rig.numberSid(OURS), { SmsUrl: `${rig.service.url}/text#rc=2&rp=rt` });
    const sid = await send('Hello');
    const records = await eventually(async () => {
      const sent = (await rig.phones.webhooks()).filter((each) => each.sid === sid);
      return sent.length === (kind === 'duplicate' ? 2 : 1) && sent;
    });
    const asked = rig.service.at('/text');
    expect(asked).toHaveLength(times);
    expect(new Set(asked.map(({ token }) => token)).size).toBeLessThanOrEqual(1);
    expect(records.at(-1)?.kind).toBe('inbound-message');
  });
});

describe('keywords', () => {
  it.each([
    ['STOP', 'STOP'],
    [' Stopall\n', 'STOP'],
    ['unsubscribe', 'STOP'],
    ['End', 'STOP'],
    ['OPTOUT', 'STOP'],
    ['revoke', 'STOP'],
    ['cancel', 'STOP'],
    ['Yes', 'START'],
    ['HELP', 'HELP'],
    ['please stop', null],
    ['STOP it', null],
    ['constructor', null],
    ['', null],
  ])('%j is %s', (body, keyword) => {
    expect(keywordIn(body)).toBe(keyword);
  });
});
