import { segmentsOf } from '../../../simulator/texts/segments';
import { eventually, OURS, POOL_UK, POOL_US, type Rig, SERVICE, startRig, USER } from './rig';

const BRITISH = '+442079460142';

describe('Messages, asked by the twilio package', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(() => rig.fresh());
  afterAll(() => rig.stop());

  const receiptsOf = (sid: string) => rig.service.at('/receipt').filter(({ params }) => params.MessageSid === sid);
  const receiptsOnce = (sid: string, count: number) =>
    eventually(() => receiptsOf(sid).length === count && receiptsOf(sid).map(({ params }) => params.MessageStatus));

  it.each([
    ['no To', { to: '' }, 21604],
    ['no sender', { from: '' }, 21603],
    ['no Body', { body: '' }, 21602],
    ['a To that is no number', { to: '0155' }, 21211],
    ['a From that is no number', { from: '+14' }, 21212],
    ['a From that is not ours', { from: '+14155550177' }, 21606],
    ['the same From and To', { to: OURS }, 21266],
    ['a Body of 1,601 characters', { body: 'a'.repeat(1_601) }, 21617],
    ['a StatusCallback that is no URL', { statusCallback: 'status' }, 21609],
    ['a ValidityPeriod of eleven hours', { validityPeriod: 39_600 }, 21623],
    ['a service that does not exist', { messagingServiceSid: `MG${'9'.repeat(32)}` }, 21701],
    ['a From that is not of the service', { messagingServiceSid: SERVICE, from: OURS }, 21712],
    ['a picture, which is not simulated', { mediaUrl: ['https://example.org/x.png'] }, 20001],
  ])('refuses %s', async (_what, more, code) => {
    await expect(rig.text(more)).rejects.toMatchObject({ status: 400, code });
    expect(await rig.phones.messages()).toEqual([]);
  });

  it('answers queued, then tells every state but that one, signed and without a sequence', async () => {
    const created = await rig.twilio.messages.create({
      to: USER,
      from: OURS,
      body: 'Hello.',
      statusCallback: `${rig.service.url}/receipt`,
    });
    expect(created).toMatchObject({ status: 'queued', from: OURS, dateSent: null, price: null, numSegments: '1' });
    expect(created.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(await receiptsOnce(created.sid, 3)).toEqual(['sending', 'sent', 'delivered']);
    const last = receiptsOf(created.sid).at(-1);
    expect(last).toMatchObject({ signatureIsGood: true, params: { MessageSid: created.sid, From: OURS, To: USER } });
    expect(last?.params.RawDlrDoneDate).toMatch(/^\d{10}$/);
    expect(Object.keys(last?.params ?? {})).not.toContain('SequenceNumber');
    expect(await rig.phones.texts(USER)).toMatchObject([
      { sid: created.sid, number: OURS, direction: 'incoming', body: 'Hello.' },
    ]);
    const read = await eventually(async () => {
      const now = await rig.twilio.messages(created.sid).fetch();
      return now.price !== null && now;
    });
    expect(read).toMatchObject({ status: 'delivered', price: '-0.00830', priceUnit: 'USD', errorCode: null });
    expect(read.dateSent).toBeInstanceOf(Date);
  });

  it('shows no sender of a service’s message, and no segments, until it is sent', async () => {
    await rig.phones.settings({ sentAfterMs: 250_000 });
    const created = await rig.twilio.messages.create({ to: BRITISH, messagingServiceSid: SERVICE, body: 'Hello.' });
    expect(created).toMatchObject({ status: 'accepted', from: null, numSegments: '0', messagingServiceSid: SERVICE });
    expect(await rig.textIs(created.sid, 'sending')).toMatchObject({ sender: POOL_UK });
    expect((await rig.twilio.messages(created.sid).fetch()).from).toBeNull();
    expect(await rig.twilio.messages.list({ from: POOL_UK })).toEqual([]);
    expect(await rig.twilio.messages.list({ dateSentAfter: new Date(0) })).toEqual([]);
    await rig.textIs(created.sid, 'delivered');
    expect((await rig.twilio.messages(created.sid).fetch()).from).toBe(POOL_UK);
    expect(await rig.twilio.messages.list({ from: POOL_UK, dateSentAfter: new Date(0) })).toHaveLength(1);
  });

  it('keeps to the number that wrote to somebody before', async () => {
    const first = await rig.text({ messagingServiceSid: SERVICE });
    expect(await rig.textIs(first, 'delivered')).toMatchObject({ sender: POOL_US });
    expect(await receiptsOnce(first, 4)).toEqual(['queued', 'sending', 'sent', 'delivered']);
    for (let more = 0; more < 3; more += 1) {
      const sid = await rig.text({ messagingServiceSid: SERVICE });
      expect(await rig.textIs(sid, 'delivered')).toMatchObject({ sender: POOL_US });
    }
  });

  it('lists newest first, later than it reads, and pages', async () => {
    await rig.phones.settings({ listLagMs: 60_000 });
    const unlisted = await rig.text();
    expect((await rig.twilio.messages(unlisted).fetch()).sid).toBe(unlisted);
    expect(await rig.twilio.messages.list({ to: USER })).toEqual([]);
    await rig.phones.settings({ listLagMs: 500 });
    const [first, second] = [await rig.text(), await rig.text()];
    const listed = await eventually(async () => {
      const found = await rig.twilio.messages.list({ to: USER, pageSize: 1 });
      return found.length === 2 && found;
    });
    expect(listed.map((each) => each.sid)).toEqual([second, first]);
    expect(await rig.twilio.messages.list({ to: BRITISH })).toEqual([]);
  });

  it('redacts and deletes what is over, while the phone keeps what it got', async () => {
    await rig.phones.settings({ sentAfterMs: 250_000 });
    const sid = await rig.text({ body: 'A secret.' });
    await expect(rig.twilio.messages(sid).remove()).rejects.toMatchObject({ status: 409, code: 20009 });
    await rig.textIs(sid, 'delivered');
    await expect(rig.twilio.messages(sid).update({ status: 'canceled' })).rejects.toMatchObject({ code: 30409 });
    expect((await rig.twilio.messages(sid).update({ body: '' })).body).toBe('');
    expect((await rig.twilio.messages(sid).fetch()).body).toBe('');
    await expect(rig.twilio.messages(sid).remove()).resolves.toBe(true);
    await expect(rig.twilio.messages(sid).fetch()).rejects.toMatchObject({ status: 404 });
    expect(await rig.phones.texts(USER)).toMatchObject([{ body: 'A secret.' }]);
  });

  it('ends as the phone’s script says, with the code of the failure', async () => {
    await rig.phones.script(USER, { texts: { outcome: 'undelivered', errorCode: 30003, times: 1 } });
    const sid = await rig.text();
    expect(await receiptsOnce(sid, 3)).toEqual(['sending', 'sent', 'undelivered']);
    expect(receiptsOf(sid).at(-1)?.params.ErrorCode).toBe('30003');
    expect(await rig.twilio.messages(sid).fetch()).toMatchObject({
      errorCode: 30003,
      errorMessage: 'Unreachable destination handset',
    });
    expect(await rig.phones.texts(USER)).toEqual([]);
    await rig.textIs(await rig.text(), 'delivered');

    await rig.phones.script(USER, { texts: { outcome: 'failed', errorCode: 30002 } });
    expect(await rig.textIs(await rig.text(), 'failed')).toMatchObject({ errorCode: 30002, sentAt: null });
    await rig.phones.script(USER, { texts: { outcome: 'refused', errorCode: 21614 } });
    await expect(rig.text()).rejects.toMatchObject({ status: 400, code: 21614 });
    await rig.phones.script(USER, { texts: { outcome: 'sent' } });
    await rig.textIs(await rig.text(), 'sent');
  });

  it('gives several receipts where a long text’s parts end differently', async () => {
    const parts = [{ status: 'undelivered', errorCode: 30003 }, { status: 'delivered' }] as const;
    await rig.phones.script(USER, { texts: { receipts: parts } });
    const sid = await rig.text({ body: 'é'.repeat(200) });
    expect(await receiptsOnce(sid, 4)).toEqual(['sending', 'sent', 'undelivered', 'delivered']);
    expect((await rig.twilio.messages(sid).fetch()).numSegments).toBe('2');
  });

  it('sends so many segments a second from one number, and says when its queue is full', async () => {
    await rig.phones.settings({ messagesPerSecond: 20, senderQueueSeconds: 0.3 });
    const began = Date.now();
    const sids = [await rig.text(), await rig.text({ body: 'a'.repeat(161) }), await rig.text(), await rig.text()];
    for (const sid of sids) await rig.textIs(sid, 'delivered');
    expect(Date.now() - began).toBeGreaterThanOrEqual(190);
    await rig.phones.settings({ messagesPerSecond: 0.1, senderQueueSeconds: 15 });
    await rig.text();
    await rig.text();
    await expect(rig.text()).rejects.toMatchObject({ status: 400, code: 21611 });
    await expect(rig.text({ from: POOL_US })).resolves.toMatch(/^SM/);
  });

  it('creates a service’s message all the same when its pool is full, and lets it fail', async () => {
    await rig.phones.settings({ messagesPerSecond: 0.1, senderQueueSeconds: 3 });
    for (const from of [POOL_US, POOL_UK]) await rig.text({ from });
    const sid = await rig.text({ messagingServiceSid: SERVICE });
    expect(await rig.textIs(sid, 'failed')).toMatchObject({ errorCode: 30001 });
  });

  it('gives up a text that waits longer than it is valid', async () => {
    await rig.phones.settings({ messagesPerSecond: 0.05 });
    await rig.text();
    await rig.text();
    const sid = await rig.text({ validityPeriod: 1 });
    expect(await rig.textIs(sid, 'failed')).toMatchObject({ errorCode: 30036 });
  });

  it('texts only the countries that the account may text', async () => {
    await rig.phones.settings({ textCountries: ['US'] });
    await expect(rig.text()).resolves.toMatch(/^SM/);
    await expect(rig.text({ to: BRITISH })).rejects.toMatchObject({ status: 400, code: 21408 });
  });

  it.each([
    ['drop-response', 1, { code: 'ECONNRESET' }],
    ['reset', 0, { code: 'ECONNRESET' }],
    ['error-500-before', 0, { status: 500, code: 20500 }],
    ['error-500-after', 1, { status: 500, code: 20500 }],
    ['rate-limit', 0, { status: 429, code: 20429 }],
  ] as const)('create-message %s: %i made', async (kind, made, error) => {
    await rig.phones.faults([{ on: 'create-message', kind }]);
    await expect(rig.text()).rejects.toMatchObject(error);
    expect(await rig.phones.messages()).toHaveLength(made);
    await expect(rig.place()).resolves.toMatch(/^CA/);
  });

  it('receipts come twice, out of order or never where the plan says so', async () => {
    await rig.phones.faults([
      { on: 'message-callback', kind: 'duplicate', event: 'sending' },
      { on: 'message-callback', kind: 'reorder', event: 'sent' },
    ]);
    expect(await receiptsOnce(await rig.text(), 4)).toEqual(['sending', 'sending', 'delivered', 'sent']);
    await rig.phones.faults([{ on: 'message-callback', kind: 'lost', event: 'delivered' }]);
    const sid = await rig.text();
    await rig.textIs(sid, 'delivered');
    expect(await receiptsOnce(sid, 2)).toEqual(['sending', 'sent']);
  });
});

describe('segments', () => {
  it.each([
    ['160 of GSM-7', 'a'.repeat(160), 1],
    ['161 of GSM-7', 'a'.repeat(161), 2],
    ['80 that take two places', '€'.repeat(80), 1],
    ['81 that take two places', '€'.repeat(81), 2],
    ['70 of UCS-2', 'ж'.repeat(70), 1],
    ['71 of UCS-2', 'ж'.repeat(71), 2],
    ['35 of two units', '🙂'.repeat(35), 1],
    ['67 of two units, never split', '🙂'.repeat(67), 3],
  ])('%s', (_what, body, segments) => {
    expect(segmentsOf(body)).toBe(segments);
  });
});
