import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createMessageActivities } from '../../../activities/messages';
import type { ActivityDependencies } from '../../../activities/dependencies';
import type { SendText } from '../../../activities/send-text';
import { noteByReceipt } from '../../../db/may-send';
import { openMessage } from '../../../db/messages';
import { inTransaction } from '../../../db/pool';
import { lineStates, resumeLine, stopLine } from '../../../db/provider-lines';
import { savedDestination } from '../../../db/recipients';
import { setSwitch } from '../../../db/switches';
import type { Vault } from '../../../db/vault-records';
import { SealedValue } from '../../../domain/sealed';
import { createTokenizer } from '../../../vault/tokens';
import { startLineWatch } from '../../../workers/line-watch';
import { messageInput } from '../../message-input';
import { giveProfile } from '../buddies/people';
import { dead, DispatchWorld, OUR_NUMBERS, SERVICE, TIMES, TOKEN_KEY, until } from './dispatch-world';

const WORDS = 'Your ride is here.';
const MINUTE = 60_000;

describe('a text', () => {
  let world: DispatchWorld;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  afterEach(() => world.sim.faults([]));

  /** What the log says of requests for it that were made once more. */
  const triedAgain = ({ messageId }: SendText): { retryAfterMs: number }[] =>
    world.logLines
      .map((line) => JSON.parse(line))
      .filter((line) => line.msg === 'a dispatch is tried again' && line.messageId === messageId);

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

  it('is asked once more after a refusal that may pass, and never a third time; the log has attempt, class and delay', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    await world.sim.script(number, { texts: { outcome: 'refused', errorCode: 21611, times: 9 } });
    const held: unknown = await world.attemptText(asked).done.catch((error: unknown) => error);
    expect(held).toMatchObject({ type: 'DispatchNotYet' });
    const waitMs: unknown = Reflect.get(Object(held), 'nextRetryDelay');
    expect(waitMs).toBeGreaterThan(MINUTE / 2);
    expect(waitMs).toBeLessThanOrEqual(MINUTE);
    await world.db.owner.query(
      `UPDATE dispatches SET created_at = created_at - interval '1 minute' WHERE business_key = $1`,
      [`${asked.businessKey}:2`],
    );
    const refused = { type: 'DispatchRefused', details: [{ class: 'delay', code: '21611' }] };
    for (const _ of [1, 2]) await expect(world.attemptText(asked).done).rejects.toMatchObject(refused);
    const retry = { dispatchId: asked.dispatchId, messageId: asked.messageId, attempt: 1 };
    expect(triedAgain(asked)).toMatchObject([{ ...retry, class: 'delay', retryAfterMs: MINUTE }]);
    const { rows } = await world.db.owner.query('SELECT 1 FROM dispatches WHERE message_id = $1', [asked.messageId]);
    expect(rows).toHaveLength(2);
  });

  it.each([
    ['a burst of 429', 'rate-limit', 'retry', 1_000],
    ['an outcome that nobody knows', 'error-500-before', 'unknown', TIMES.settleMs],
  ] as const)(
    'is a line of the log with attempt, class and delay for each time more, after %s',
    async (_what, kind, errorClass, atLeastMs) => {
      const { number, asked } = await world.somebodyToText(WORDS, { messageClass: 'safety' });
      await world.sim.faults([{ on: 'create-message', kind, times: 1, delayMs: 50, to: number }]);
      await world.text(asked);
      const [again, ...more] = triedAgain(asked);
      expect(more).toEqual([]);
      expect(again).toMatchObject({ dispatchId: asked.dispatchId, class: errorClass, attempt: expect.any(Number) });
      expect(again?.retryAfterMs).toBeGreaterThanOrEqual(atLeastMs);
    },
  );

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

  /** It is night in UTC, for another hour. */
  function night(): Partial<ActivityDependencies> {
    const now = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
    const quietHours = { from: (now + 1_440 - 60) % 1_440, until: (now + 60) % 1_440 };
    return { messages: { ...world.deps.messages, quietHours } };
  }

  it('that waited for its line into the night waits for the day; an answer does not', async () => {
    const atNight = night();
    const { number, asked } = await world.somebodyToText(WORDS, { zone: 'UTC' });
    const held: unknown = await world.attemptText(asked, atNight).done.catch((error: unknown) => error);
    expect(held).toMatchObject({ type: 'DispatchNotYet' });
    expect(Reflect.get(Object(held), 'nextRetryDelay')).toBeGreaterThan(3_000_000);
    expect(await world.texts(number)).toEqual([]);
    const woken = await world.somebodyToText(WORDS, { zone: 'UTC', waitsForDay: false });
    await world.text(woken.asked, atNight);
    expect(await world.texts(woken.number)).toHaveLength(1);
    await world.text({ ...asked, kind: 'automatic' }, atNight);
    expect(await world.texts(number)).toHaveLength(1);
  });

  it('waits for the day of the zone that its recipient has told us, before its turn and at its line', async () => {
    const { number, asked } = await world.somebodyToText(WORDS);
    const { subjectId } = asked;
    await giveProfile({ pool: world.db.app, vault: world.vault }, subjectId, { timeZone: 'UTC' });
    await expect(world.attemptText(asked, night()).done).rejects.toMatchObject({ type: 'DispatchNotYet' });
    expect(await world.texts(number)).toEqual([]);
    const { messageTurn } = createMessageActivities({ ...world.deps, ...night() });
    expect(await messageTurn(messageInput({ subjectId }))).toMatchObject({ reason: 'quiet-hours' });
    // What whoever asks for it knows of this person goes first.
    expect(await messageTurn(messageInput({ subjectId, zone: 'America/Chicago' }))).toMatchObject({ waitMs: 0 });
  });

  it('that was turned away until the night, before anything had left, waits for the day as well', async () => {
    const { number, asked } = await world.somebodyToText(WORDS, { zone: 'UTC' });
    await world.sim.faults([{ on: 'create-message', kind: 'rate-limit', times: 1, delayMs: 0, to: number }]);
    await expect(world.attemptText(asked).done).rejects.toMatchObject({ type: 'ProviderUnavailable' });
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'ready', attempt: 1 });
    await expect(world.attemptText(asked, night()).done).rejects.toMatchObject({ type: 'DispatchNotYet' });
    expect(await world.texts(number)).toEqual([]);
    await world.text(asked);
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

  describe('while the token key is replaced', () => {
    const olderKey = { version: 0, key: Buffer.alloc(32, 3) };
    const during = { tokenizer: createTokenizer([TOKEN_KEY, olderKey]) };

    /** Has said STOP when the older key was the current one. */
    async function stopped(change: Partial<SendText> = {}) {
      const made = await world.somebodyToText(WORDS, change);
      const token = createTokenizer([olderKey]).token(SealedValue.of('phone', made.number));
      await world.db.owner.query(
        `INSERT INTO opt_outs (recipient_token, token_version, scope) VALUES ($1, 1, 'organisation')`,
        [token],
      );
      return made;
    }
    const trail = async (id: string) =>
      (
        await world.db.owner.query(
          `SELECT action, purpose FROM audit_entries WHERE object_id = $1 AND action ~ 'suppressed|overridden'`,
          [id],
        )
      ).rows;

    it('is not sent to whoever opted out under the older one', async () => {
      const { number, asked } = await stopped();
      await expect(world.text(asked, during)).rejects.toMatchObject({ details: [{ reason: 'opted-out' }] });
      await expect(world.text(asked, during)).rejects.toMatchObject({ details: [{ reason: 'opted-out' }] });
      expect(await world.texts(number)).toEqual([]);
      expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'abandoned' });
      expect(await trail(asked.dispatchId)).toEqual([{ action: 'dispatch.suppressed', purpose: 'opted-out' }]);
    });

    it('is not sent again either, when nobody can know what became of the first try', async () => {
      const { number, asked } = await stopped({ messageClass: 'safety' });
      const before = { tokenizer: createTokenizer([TOKEN_KEY]) };
      let asks = 0;
      const dying = world.messagingWith({
        createMessage: () => {
          asks += 1;
          return dead();
        },
      });
      world.attemptText(asked, { ...before, ...dying }).done.catch(() => undefined);
      await until('the worker to die', async () => asks === 1);
      await expect(world.text(asked, during)).rejects.toMatchObject({ details: [{ reason: 'opted-out' }] });
      expect(await world.texts(number)).toEqual([]);
      // Over, so that nothing else to them has to wait for it.
      expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'abandoned', settledAt: expect.any(Date) });
      expect(await trail(asked.dispatchId)).toContainEqual({ action: 'dispatch.suppressed', purpose: 'opted-out' });
    });

    it('goes past it only in an emergency under the policy, with an audit entry', async () => {
      const { number, asked } = await stopped({ messageClass: 'safety' });
      await world.db.owner.query(`UPDATE policies SET is_on = true WHERE name = 'emergency-ignores-opt-out'`);
      await world.text(asked, during);
      await world.db.owner.query(`UPDATE policies SET is_on = false WHERE name = 'emergency-ignores-opt-out'`);
      expect(await world.texts(number)).toHaveLength(1);
      expect(await trail(asked.dispatchId)).toEqual([{ action: 'opt-out.overridden', purpose: 'opted-out' }]);
    });
  });

  describe('to a number that does not exist', () => {
    /** Saved, verified or not, and by somebody else too. */
    async function saved(verified: boolean) {
      const { number, asked } = await world.somebodyToText(WORDS);
      const { rows } = await world.db.owner.query<{ id: string }>(
        `INSERT INTO contact_points (subject_id, record_id, kind, token, token_version, country, verified_at)
         VALUES ($1, $2, 'phone', decode($3, 'hex'), 1, 'US', CASE WHEN $4 THEN clock_timestamp() END)
         RETURNING contact_point_id AS id`,
        [asked.subjectId, asked.recordId, asked.recipientToken, verified],
      );
      const mark = async () =>
        (
          await world.db.owner.query(
            'SELECT unreachable_code AS code FROM contact_points WHERE contact_point_id = $1 AND unreachable_since < now()',
            [rows[0]?.id],
          )
        ).rows[0]?.code ?? null;
      return { number, asked, mark };
    }

    it.each([true, false])(
      'marks whoever saved it (verified: %s), and its owner is written to elsewhere',
      async (verified) => {
        const { number, asked, mark } = await saved(verified);
        expect(await mark()).toBeNull();
        await world.sim.script(number, { texts: { outcome: 'refused', errorCode: 21211 } });
        await expect(world.text(asked)).rejects.toMatchObject({ details: [{ class: 'bad-destination' }] });
        expect(await mark()).toBe('21211');
        const other = await world.somebody();
        await world.db.owner.query(
          `INSERT INTO contact_points (subject_id, record_id, kind, token, token_version, country, created_at, verified_at)
           VALUES ($1, $2, 'phone', decode($3, 'hex'), 1, 'US', now() - interval '1 year', CASE WHEN $4 THEN now() END)`,
          [asked.subjectId, other.asked.recordId, other.asked.recipientToken, verified],
        );
        const wanted = { kind: 'phone', subjectId: asked.subjectId } as const;
        expect((await savedDestination(world.db.app, wanted))?.recordId).toBe(other.asked.recordId);
        // A phone that takes no texts may be rung all the same.
        const toRing = await savedDestination(world.db.app, { ...wanted, isForCall: true });
        expect(toRing?.recordId).toBe(asked.recordId);
      },
    );

    it('is marked by a receipt that says so, unless its owner verified it after that text', async () => {
      const late = await saved(false);
      const { sid } = await world.text(late.asked);
      const receipt = { sid, dispatchId: late.asked.dispatchId, errorCode: '21217' };
      await noteByReceipt(world.db.app, { ...receipt, errorCode: '30003' }, { isNews: true });
      expect(await late.mark()).toBeNull();
      await noteByReceipt(world.db.app, receipt, { isNews: false });
      expect(await late.mark()).toBeNull();
      await noteByReceipt(world.db.app, receipt, { isNews: true });
      expect(await late.mark()).toBe('21217');
      const since = await saved(false);
      const sent = await world.text(since.asked);
      await world.db.owner.query('UPDATE contact_points SET verified_at = clock_timestamp() WHERE subject_id = $1', [
        since.asked.subjectId,
      ]);
      await noteByReceipt(
        world.db.app,
        { ...receipt, sid: sent.sid, dispatchId: since.asked.dispatchId },
        { isNews: true },
      );
      expect(await since.mark()).toBeNull();
    });

    it.each([
      [21614, '21614'],
      [21408, null],
    ])('is marked where no text will ever reach it, and by no other refusal: %i', async (errorCode, marked) => {
      const { number, asked, mark } = await saved(false);
      await world.sim.script(number, { texts: { outcome: 'refused', errorCode } });
      await expect(world.text(asked)).rejects.toMatchObject({ details: [{ code: String(errorCode) }] });
      expect(await mark()).toBe(marked);
    });
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

    /** The row of a message that is under way. */
    async function begun(channel: 'sms' | 'email'): Promise<string> {
      const { asked } = await world.somebodyToText(WORDS);
      const { messageId, subjectId, recordId, recipientToken, content } = asked;
      const ids = { messageId, subjectId, requestedBy: subjectId, recordId, recipientToken, content };
      const input = messageInput({ ...ids, channel, ownsRecord: false });
      await openMessage(world.db.app, input, { state: 'sending', reason: null, nextAttemptAt: null });
      return messageId;
    }

    it('by Twilio after it had taken a text, a receipt stops it too, unless the account was read since', async () => {
      const { noteRetry } = createMessageActivities(world.deps);
      const told = {
        messageId: await begun('sms'),
        attempt: 1,
        delayMs: 30_000,
        nextAttemptAt: new Date().toISOString(),
      };
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

    it('by the carrier of mail, a mail stops the line of mail, and no call or text waits', async () => {
      const { noteRetry, closeMessage } = createMessageActivities(world.deps);
      const messageId = await begun('email');
      const act = new MockActivityEnvironment();
      const error = { errorClass: 'stop-line', errorCode: '403' };
      const at = new Date().toISOString();
      await world.db.owner.query(`UPDATE provider_lines SET probed_at = now() - interval '2 minutes'`);
      await act.run(noteRetry, { messageId, attempt: 1, delayMs: 30_000, nextAttemptAt: at, ...error });
      await act.run(closeMessage, {
        ...error,
        messageId,
        sid: null,
        segments: null,
        attempts: 1,
        fallbackAlertId: null,
        endedAt: at,
        outcome: 'failed' as const,
        reason: 'not-delivered' as const,
      });
      expect(await lineStates(world.db.app)).toMatchObject([
        { line: 'twilio', stoppedAt: null },
        { line: 'mail', stoppedAt: expect.any(Date), code: '403' },
      ]);
      await resumeLine(world.db.app, 'mail');
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

    it('by Twilio, it waits also where what is switched off is to end', async () => {
      const { number, asked } = await world.somebodyToText(WORDS);
      await inTransaction(world.db.app, (tx) => stopLine(tx, 'twilio', '20003', 0));
      const toEnd = { whenSwitchedOff: 'end' } as const;
      await expect(world.attemptText(asked, toEnd).done).rejects.toMatchObject({ type: 'DispatchNotYet' });
      expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'ready', attempt: 0 });
      await resumeLine(world.db.app, 'twilio');
      await world.text(asked, toEnd);
      expect(await world.texts(number)).toHaveLength(1);
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
