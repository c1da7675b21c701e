import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createMessageActivities } from '../../../activities/messages';
import type { SendText } from '../../../activities/send-text';
import { lineStates, resumeLine } from '../../../db/provider-lines';
import { setSwitch } from '../../../db/switches';
import type { Vault } from '../../../db/vault-records';
import { startLineWatch } from '../../../workers/line-watch';
import { DispatchWorld, OUR_NUMBERS, SERVICE, until } from './dispatch-world';

const WORDS = 'Your ride is here.';

describe('a text', () => {
  let world: DispatchWorld;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  afterEach(() => world.sim.faults([]));

  it('asked for twice, and by two workers at once, is sent once, with ids only in what Twilio is given', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    const [first, second] = await Promise.all([world.text(asked), world.text(asked)]);
    expect(second).toEqual(first);
    expect(first).toEqual({ sid: first.sid, segments: 1 });
    expect(await world.text(asked)).toEqual(first);
    const [sent, ...more] = await world.texts(number);
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ sid: first.sid, body: WORDS, sender: OUR_NUMBERS[0] });
    expect(sent?.statusCallback).toMatch(/message-status\?message=[\w-]{36}&dispatch=[\w-]{36}#rc=3&rp=5xx,ct,rt$/);
    expect(sent?.statusCallback).not.toContain(number.slice(-7));
    const { rows } = await world.db.owner.query(
      'SELECT action, purpose FROM audit_entries WHERE object_id = ANY($1) ORDER BY at',
      [[asked.dispatchId, asked.recordId]],
    );
    expect(rows).toContainEqual({ action: 'record.revealed', purpose: 'send' });
    expect(rows).toContainEqual({ action: 'dispatch.accepted', purpose: null });
  });

  it('goes out by the service where there is one, else by our number, and by the one that is asked for', async () => {
    const sent = async (change: Partial<SendText>, messagingServiceSid: string | null) => {
      const { number, asked } = await world.somebodyToText(WORDS, change);
      await world.text(asked, { messagingServiceSid });
      const [text] = await world.texts(number);
      return [text?.messagingServiceSid ?? text?.sender, (await world.row(asked.dispatchId)).sender];
    };
    expect(await sent({}, SERVICE)).toEqual([SERVICE, SERVICE]);
    expect(await sent({}, null)).toEqual([OUR_NUMBERS[0], OUR_NUMBERS[0]]);
    expect(await sent({ sender: OUR_NUMBERS[1] }, SERVICE)).toEqual([OUR_NUMBERS[1], OUR_NUMBERS[1]]);
  });

  it('is tried once more by another number when this one cannot reach them, unless that one is part of the answer', async () => {
    const free = await world.somebodyToText(WORDS);
    const bound = await world.somebodyToText(WORDS, { sender: OUR_NUMBERS[0], kind: 'automatic' });
    for (const { number } of [free, bound]) {
      await world.sim.script(number, { texts: { outcome: 'refused', errorCode: 21612, times: 1 } });
    }
    const { sid } = await world.text(free.asked);
    expect(await world.texts(free.number)).toMatchObject([{ sid, sender: OUR_NUMBERS[1] }]);
    const refused = { type: 'DispatchRefused', details: [{ class: 'other-sender', code: '21612' }] };
    await expect(world.text(bound.asked)).rejects.toMatchObject(refused);
    expect(await world.texts(bound.number)).toEqual([]);
  });

  it('goes out by another number after a receipt said that one cannot reach them, and not at all where it is the only one', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    const { sid } = await world.text(asked);
    const again = { ...asked, dispatchId: randomUUID(), businessKey: `${asked.workflowId}:2`, unreachedBy: sid };
    await world.text(again);
    expect((await world.texts(number)).map(({ sender }) => sender)).toEqual(OUR_NUMBERS);
    const third = { ...again, dispatchId: randomUUID(), businessKey: `${asked.workflowId}:3` };
    await expect(world.text(third, { phoneNumbers: [OUR_NUMBERS[0]] })).rejects.toMatchObject({
      type: 'DispatchRefused',
      details: [{ class: 'other-sender' }],
    });
  });

  it('is sent, not lost, when its words could not be had at the first attempt', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    let failures = 2;
    const vault: Vault = {
      ...world.deps.vault,
      reveal: async (what) => {
        // First the words, then the number.
        if (failures > 0 && what.recordId === [asked.recordId, asked.content.recordId][failures - 1]) {
          failures -= 1;
          throw new Error('KMS does not answer');
        }
        return world.deps.vault.reveal(what);
      },
    };
    await world.text(asked, { vault });
    expect(failures).toBe(0);
    expect(await world.texts(number)).toHaveLength(1);
  });

  it('that waited for its line into the night waits for the day; an answer does not', async () => {
    const now = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
    const quietHours = { from: (now + 1_440 - 60) % 1_440, until: (now + 60) % 1_440 };
    const atNight = { messages: { ...world.deps.messages, quietHours } };
    const { number, asked } = await world.somebodyToText(WORDS, { zone: 'UTC' });
    const held: unknown = await world.attemptText(asked, atNight).done.catch((error: unknown) => error);
    expect(held).toMatchObject({ type: 'DispatchNotYet' });
    expect(Reflect.get(Object(held), 'nextRetryDelay')).toBeGreaterThan(3_000_000);
    expect(await world.texts(number)).toEqual([]);
    await world.text({ ...asked, kind: 'automatic' }, atNight);
    expect(await world.texts(number)).toHaveLength(1);
  });

  it('waits out a burst of 429 and is sent once', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    await world.sim.faults([{ on: 'create-message', kind: 'rate-limit', times: 2, delayMs: 50, to: number }]);
    await world.text(asked);
    expect(await world.texts(number)).toHaveLength(1);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'accepted', attempt: 3 });
  });

  it.each([
    [21211, 'bad-destination'],
    [21614, 'not-for-texts'],
    [21408, 'not-allowed'],
    [21617, 'permanent'],
  ])('refused with code %i ends for good with its class %s', async (errorCode, errorClass) => {
    const { number, asked } = await world.somebodyToText(WORDS);
    await world.sim.script(number, { texts: { outcome: 'refused', errorCode } });
    const refused = { type: 'DispatchRefused', details: [{ class: errorClass, code: String(errorCode) }] };
    await expect(world.text(asked)).rejects.toMatchObject(refused);
    await expect(world.text(asked)).rejects.toMatchObject(refused);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'refused', attempt: 1, errorClass });
  });

  it('that Twilio blocks is refused, and no further one to them is even asked for', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    await world.sim.script(number, { texts: { outcome: 'refused', errorCode: 21610 } });
    const refused = { type: 'DispatchRefused', details: [{ class: 'opted-out', code: '21610' }] };
    await expect(world.text(asked)).rejects.toMatchObject(refused);
    const next = { ...(await world.somebodyToText(WORDS)).asked, recipientToken: asked.recipientToken };
    const suppressed = { type: 'DispatchSuppressed', nonRetryable: true, details: [{ reason: 'blocked' }] };
    await expect(world.text(next)).rejects.toMatchObject(suppressed);
    // The failure may be lost on its way to Temporal: asked again, it is the same.
    await expect(world.text(next)).rejects.toMatchObject(suppressed);
    const creates = (await world.sim.exchanges()).filter(
      ({ method, form }) => method === 'POST' && form['To'] === number,
    );
    expect(creates).toHaveLength(1);
    const { rows } = await world.db.owner.query('SELECT action, purpose FROM audit_entries WHERE object_id = $1', [
      next.dispatchId,
    ]);
    expect(rows).toEqual([{ action: 'dispatch.suppressed', purpose: 'blocked' }]);
  });

  it('that somebody has opted out of, or does not want, between request and sending, is not sent', async () => {
    const optedOut = await world.somebodyToText(WORDS);
    const unwanted = await world.somebodyToText(WORDS);
    await world.db.owner.query(
      `INSERT INTO opt_outs (recipient_token, token_version, scope) VALUES (decode($1, 'hex'), 1, 'organisation')`,
      [optedOut.asked.recipientToken],
    );
    await world.db.owner.query(
      `INSERT INTO preferences (subject_id, channel, kind, allowed) VALUES ($1, 'sms', 'update', false)`,
      [unwanted.asked.subjectId],
    );
    await expect(world.text(optedOut.asked)).rejects.toMatchObject({ details: [{ reason: 'opted-out' }] });
    await expect(world.text(unwanted.asked)).rejects.toMatchObject({ details: [{ reason: 'preference' }] });
    expect([...(await world.texts(optedOut.number)), ...(await world.texts(unwanted.number))]).toEqual([]);
  });

  it('to a country that is not allowed any more, or whose words are gone, is not sent', async () => {
    const abroad = await world.somebodyToText(WORDS, { country: 'GB' });
    const gone = await world.somebodyToText(WORDS);
    await world.vault.destroy(gone.asked.content.recordId, 'call-over');
    const refused = { type: 'DispatchRefused', details: [{ class: 'not-allowed', code: 'country' }] };
    await expect(world.text(abroad.asked)).rejects.toMatchObject(refused);
    await expect(world.text(gone.asked)).rejects.toMatchObject({ type: 'RecordDestroyed', nonRetryable: true });
    expect([...(await world.texts(abroad.number)), ...(await world.texts(gone.number))]).toEqual([]);
  });

  describe('while the line is closed', () => {
    const actions = async () => {
      const { rows } = await world.db.owner.query<{ action: string; purpose: string | null }>(
        `SELECT action, purpose FROM audit_entries WHERE action LIKE 'line.%' OR action LIKE 'switch.%' ORDER BY at`,
      );
      return rows;
    };
    const pages = () => world.logLines.filter((line) => line.includes('"msg":"line-stopped"')).length;

    it('by Twilio, everything waits, one page goes out, and all is sent by itself when an account read succeeds', async () => {
      const people = await Promise.all(Array.from({ length: 3 }, () => world.somebodyToText(WORDS)));
      // Several meet the wall at once; then the account itself stays closed for two probes.
      await world.sim.faults([
        { on: 'create-message', kind: 'unauthorized', times: 2 },
        { on: 'read', kind: 'unauthorized', times: 2 },
      ]);
      const sending = people.map(({ asked }) => world.text(asked));
      await until('the line is stopped', async () => (await lineStates(world.db.app))[0]?.code === '20003');
      const call = await world.somebody();
      const ringing = world.place(call.asked);
      const watch = startLineWatch({
        pool: world.db.app,
        logger: world.deps.logger,
        intervalMs: 200,
        probes: { twilio: async () => (await world.deps.messaging.probe()).isActive },
      });
      await Promise.all([...sending, ringing]);
      await watch.stop();
      for (const { number } of people) expect(await world.texts(number)).toHaveLength(1);
      // Calls share the account: the phone rang only when it was open again.
      expect(await world.rings(call.number)).toHaveLength(1);
      expect(await actions()).toEqual([
        { action: 'line.stopped', purpose: '20003' },
        { action: 'line.resumed', purpose: null },
      ]);
      expect(pages()).toBe(1);
      const probes = (await world.sim.exchanges()).filter(({ path }) => /\/Accounts\/AC5+\.json$/.test(path));
      expect(probes.length).toBeGreaterThanOrEqual(3);
      expect(await lineStates(world.db.app)).toMatchObject([{ line: 'twilio', stoppedAt: null }, { line: 'mail' }]);
    });

    it('by Twilio after it had taken a text, a receipt stops it too, unless the account was read since', async () => {
      const { noteRetry } = createMessageActivities(world.deps);
      const told = { messageId: randomUUID(), attempt: 1, delayMs: 30_000, nextAttemptAt: new Date().toISOString() };
      const receipt = { ...told, errorClass: 'stop-line', errorCode: '30002' };
      const note = () => new MockActivityEnvironment().run(noteRetry, receipt);
      const twilio = async () => (await lineStates(world.db.app))[0];
      await world.db.owner.query(`UPDATE provider_lines SET probed_at = now() - interval '2 minutes'`);
      await note();
      expect(await twilio()).toMatchObject({ code: '30002', stoppedAt: expect.any(Date) });
      await resumeLine(world.db.app, 'twilio');
      await note();
      expect(await twilio()).toMatchObject({ stoppedAt: null });
    });

    it.each([
      ['blocked', '30007', 1],
      ['not-allowed', '21408', 1],
      ['temporary', '30003', 0],
    ])('a message that ends as %s calls for a human: %s, %i', async (errorClass, errorCode, times) => {
      const { closeMessage } = createMessageActivities(world.deps);
      const end = {
        messageId: randomUUID(),
        outcome: 'failed',
        reason: 'not-delivered',
        sid: null,
        segments: null,
      } as const;
      const more = { attempts: 1, errorClass, errorCode, fallbackAlertId: null, endedAt: new Date().toISOString() };
      await new MockActivityEnvironment().run(closeMessage, { ...end, ...more });
      const called = world.logLines.filter(
        (line) => line.includes('sending-needs-a-human') && line.includes(errorCode),
      );
      expect(called).toHaveLength(times);
    });

    it('by a switch, it waits until that is turned, and ends at once where that is configured', async () => {
      const waiting = await world.somebodyToText(WORDS);
      const ending = await world.somebodyToText(WORDS);
      await setSwitch(world.db.app, 'sms', false, 'system');
      const sent = world.text(waiting.asked);
      await expect(world.text(ending.asked, { whenSwitchedOff: 'end' })).rejects.toMatchObject({
        type: 'SwitchedOff',
        nonRetryable: true,
      });
      expect(await world.row(ending.asked.dispatchId)).toMatchObject({ state: 'abandoned', attempt: 0 });
      await until('it waits', async () => (await world.row(waiting.asked.dispatchId)).state === 'ready');
      expect(await world.texts(waiting.number)).toEqual([]);
      // Calls have a switch of their own.
      const { asked } = await world.somebody();
      await world.place(asked);
      await setSwitch(world.db.app, 'sms', true, 'system');
      await sent;
      expect(await world.texts(waiting.number)).toHaveLength(1);
      expect((await actions()).slice(-2)).toEqual([
        { action: 'switch.changed', purpose: 'off' },
        { action: 'switch.changed', purpose: 'on' },
      ]);
    });

    it('by configuration, no switch opens it', async () => {
      const { asked, number } = await world.somebodyToText(WORDS);
      await setSwitch(world.db.app, 'sms', true, 'system');
      const change = { enabled: { voice: true, sms: false, email: true }, whenSwitchedOff: 'end' } as const;
      await expect(world.text(asked, change)).rejects.toMatchObject({ type: 'SwitchedOff' });
      expect(await world.texts(number)).toEqual([]);
    });
  });
});
