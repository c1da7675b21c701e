import { eventually, OURS, type Rig, startRig, twilioAt, twiml, USER } from './rig';

const OTHER = '+14155550144';

describe('faults on purpose', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    rig.service.on('/voice', twiml('<Say>hello</Say>'));
    await rig.phones.script(USER, { answerAfterMs: 0 });
  });
  afterAll(() => rig.stop());

  const placed = async () => (await rig.phones.ledger()).length;

  describe('of the REST API', () => {
    it('drop-response: the call is made and its answer lost', async () => {
      await rig.phones.faults([{ on: 'create', kind: 'drop-response' }]);
      await expect(rig.place()).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await placed()).toBe(1);
    });

    it('reset: the connection breaks before anything is done', async () => {
      await rig.phones.faults([{ on: 'create', kind: 'reset' }]);
      await expect(rig.place()).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await placed()).toBe(0);
    });

    it.each([
      ['error-500-before', 0],
      ['error-500-after', 1],
    ] as const)('%s: the same 500, with %i calls made', async (kind, calls) => {
      await rig.phones.faults([{ on: 'create', kind }]);
      await expect(rig.place()).rejects.toMatchObject({ status: 500, code: 20500 });
      expect(await placed()).toBe(calls);
    });

    it('rate-limit: 429 with Retry-After, nothing done', async () => {
      await rig.phones.faults([{ on: 'create', kind: 'rate-limit', delayMs: 2_000 }]);
      await expect(rig.place()).rejects.toMatchObject({ status: 429, code: 20429 });
      expect(await placed()).toBe(0);
      await expect(rig.place()).resolves.toMatch(/^CA/);
    });

    it('unauthorized: 401 in the middle of a run', async () => {
      await rig.phones.faults([{ on: 'read', kind: 'unauthorized' }]);
      const sid = await rig.place();
      await expect(rig.twilio.calls(sid).fetch()).rejects.toMatchObject({ status: 401, code: 20003 });
    });

    it('hang: the call is made, and the answer never comes', async () => {
      await rig.phones.faults([{ on: 'create', kind: 'hang', delayMs: 10_000 }]);
      const impatient = twilioAt(rig.simulator.url);
      const answer = impatient.request({
        method: 'post',
        uri: `${rig.simulator.url}/2010-04-01/Accounts/${impatient.accountSid}/Calls.json`,
        data: { To: USER, From: OURS, Url: `${rig.service.url}/voice` },
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        timeout: 150,
      });
      await expect(answer).rejects.toMatchObject({ code: 'ECONNABORTED' });
      expect(await placed()).toBe(1);
    });

    it('late: the answer comes, but late', async () => {
      await rig.phones.faults([{ on: 'list', kind: 'late', delayMs: 200 }]);
      const asked = Date.now();
      await rig.twilio.calls.list();
      expect(Date.now() - asked).toBeGreaterThanOrEqual(190);
    });

    it('are applied to the nth request, so many times, or to one number only', async () => {
      await rig.phones.faults([
        { on: 'create', kind: 'rate-limit', nth: 2 },
        { on: 'create', kind: 'error-500-before', to: OTHER, times: 2 },
      ]);
      const results: string[] = [];
      for (const to of [USER, USER, USER, OTHER, OTHER, OTHER]) {
        results.push(
          await rig.place({ to }).then(
            () => 'placed',
            (error: { status: number }) => String(error.status),
          ),
        );
      }
      expect(results).toEqual(['placed', '429', 'placed', '500', '500', 'placed']);
    });

    it('are refused when they cannot happen there, so that no test relies on them', async () => {
      await expect(rig.phones.faults([{ on: 'create', kind: 'reorder' }])).rejects.toMatchObject({ status: 400 });
      await expect(rig.phones.faults([{ on: 'twiml', kind: 'hang' }])).rejects.toMatchObject({ status: 400 });
    });

    it('are noted in the record of exchanges', async () => {
      await rig.phones.faults([{ on: 'create', kind: 'error-500-after' }]);
      await expect(rig.place()).rejects.toMatchObject({ status: 500 });
      expect((await rig.phones.exchanges()).at(-1)).toMatchObject({ status: 500, fault: 'error-500-after' });
    });
  });

  describe('of callbacks', () => {
    const run = async () =>
      rig.over(
        await rig.place({
          statusCallback: `${rig.service.url}/status#rc=3&rp=5xx,ct,rt`,
          statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
        }),
      );
    const events = () => rig.service.at('/status').map((request) => request.params.CallStatus);
    const eventsOnce = (count: number) => eventually(() => events().length === count && events());

    it('duplicate: the same event twice, with the same token', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'duplicate', event: 'completed' }]);
      await run();
      expect(await eventsOnce(5)).toEqual(['initiated', 'ringing', 'in-progress', 'completed', 'completed']);
      const [first, second] = rig.service.at('/status').slice(3);
      expect(second?.token).toBe(first?.token);
      expect(second?.params).toEqual(first?.params);
    });

    it('duplicate-new-token: the same event again under another token', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'duplicate-new-token', event: 'ringing' }]);
      await run();
      await eventsOnce(5);
      const [first, second] = rig.service.at('/status').filter((request) => request.params.CallStatus === 'ringing');
      expect(second?.token).not.toBe(first?.token);
      expect(second?.params).toEqual(first?.params);
    });

    it('reorder: an event overtaken by the one after it, its SequenceNumber kept', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'reorder', event: 'ringing' }]);
      await run();
      const received = await eventsOnce(4);
      expect(received.indexOf('ringing')).toBeGreaterThan(received.indexOf('in-progress'));
      const ringing = rig.service.at('/status').find((request) => request.params.CallStatus === 'ringing');
      expect(ringing?.params.SequenceNumber).toBe('1');
    });

    it('late: an event long after it happened', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'late', event: 'initiated', delayMs: 3_000 }]);
      await run();
      expect((await eventsOnce(4)).at(-1)).toBe('initiated');
    });

    it('lost: an event that never comes', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'lost', event: 'in-progress' }]);
      await run();
      expect(await eventsOnce(3)).toEqual(['initiated', 'ringing', 'completed']);
    });

    it('drop-response: the receiver handled it, Twilio does not know and asks again', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'drop-response', event: 'initiated' }]);
      await run();
      const received = await eventsOnce(5);
      expect(received.filter((status) => status === 'initiated')).toHaveLength(2);
    });

    it('reset: the first try does not get through, the next one does', async () => {
      await rig.phones.faults([{ on: 'callback', kind: 'reset', event: 'completed' }]);
      await run();
      await eventsOnce(4);
      const completed = rig.service.at('/status').at(-1);
      const record = await eventually(async () =>
        (await rig.phones.webhooks()).find((each) => each.token === completed?.token && each.status !== null),
      );
      expect(record).toMatchObject({ attempts: 2, status: 204 });
    });
  });

  describe('of TwiML requests', () => {
    const place = () =>
      rig.place({
        url: `${rig.service.url}/voice#rc=3&rp=5xx,ct,rt`,
        fallbackUrl: `${rig.service.url}/fallback`,
      });
    beforeEach(() => rig.service.on('/fallback', twiml('<Say>fallback</Say>')));

    it('drop-response and duplicate: asked twice with one token, run once', async () => {
      for (const kind of ['drop-response', 'duplicate'] as const) {
        rig.service.received.length = 0;
        await rig.phones.faults([{ on: 'twiml', kind }]);
        expect((await rig.over(await place())).heard).toEqual(['hello']);
        expect(rig.service.at('/voice')).toHaveLength(2);
        expect(new Set(rig.service.at('/voice').map((request) => request.token)).size).toBe(1);
      }
    });

    it('reset: the first try does not get through', async () => {
      await rig.phones.faults([{ on: 'twiml', kind: 'reset' }]);
      expect((await rig.over(await place())).heard).toEqual(['hello']);
      expect(rig.service.at('/voice')).toHaveLength(1);
    });

    it('lost: no try gets through, and the call goes to its fallback', async () => {
      await rig.phones.faults([{ on: 'twiml', kind: 'lost' }]);
      expect(await rig.over(await place())).toMatchObject({ heard: ['fallback'], wentToFallback: true });
      expect(rig.service.at('/voice')).toEqual([]);
    });

    it('late: the question comes late', async () => {
      await rig.phones.faults([{ on: 'twiml', kind: 'late', delayMs: 200 }]);
      const sid = await place();
      const leg = await rig.over(sid);
      const asked = rig.service.at('/voice')[0]?.at ?? 0;
      expect(asked - Date.parse(leg.answeredAt ?? '')).toBeGreaterThanOrEqual(190);
    });
  });
});
