import { randomUUID } from 'node:crypto';
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createAlertActivities } from '../../../activities/alerts';
import { createMentorActivities } from '../../../activities/mentors';
import { createMessageActivities } from '../../../activities/messages';
import { createPlaceAlertCall } from '../../../activities/place-alert-call';
import { createSweepActivities } from '../../../activities/sweeps';
import { createTextSweepActivities } from '../../../activities/text-sweeps';
import { callsOfAlert, closeAlert, destroyAlertNumbers, findAlert, openAlert } from '../../../db/alerts';
import { findCall, updateCall } from '../../../db/calls';
import { claim, closeAbandoned, ensureDispatch } from '../../../db/dispatches';
import { createSubject } from '../../../db/subjects';
import { lastStatus, storeEvent } from '../../../db/webhook-events';
import type { LegEnded } from '../../../domain/mentor-call';
import { alertLegKey, type VoiceAlertInput, voiceAlertWorkflowId } from '../../../domain/voice-alert';
import type { KindlineClient } from '../../../temporal/connection';
import { messageInput } from '../../message-input';
import { alertRecipient, voiceAlertInput } from '../../voice-alert-input';
import { DispatchWorld, OUR_NUMBERS, until } from './dispatch-world';

/** As much of Temporal as a sweep asks: is the owner running, and the signal to one that is. */
class Temporal {
  state: WorkflowExecutionStatusName | 'UNKNOWN' = 'RUNNING';
  /** Of single workflows, where they differ. */
  readonly states = new Map<string, WorkflowExecutionStatusName>();
  readonly signals: LegEnded[] = [];
  readonly alerts: VoiceAlertInput[] = [];

  readonly client = {
    withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
    subjectAttribute: (id: string) => id,
    workflow: {
      start: async (_type: string, { workflowId, args }: { workflowId: string; args: [VoiceAlertInput] }) => {
        this.states.set(workflowId, 'RUNNING');
        this.alerts.push(args[0]);
      },
      getHandle: (workflowId: string) => ({
        describe: async () => {
          const name = this.states.get(workflowId) ?? this.state;
          if (name === 'UNKNOWN') throw new WorkflowNotFoundError('not found', workflowId, undefined);
          return { status: { name } };
        },
        signal: async (_name: string, event: LegEnded) => void this.signals.push(event),
      }),
    },
  } as unknown as KindlineClient;
}

describe('the call sweep', () => {
  let world: DispatchWorld;
  let temporal: Temporal;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  beforeEach(() => {
    temporal = new Temporal();
  });

  type Sweeps = ReturnType<typeof createSweepActivities>;
  const sweep = (part: keyof Sweeps, voice = world.deps.voice): Promise<number> => {
    const sweeps = createSweepActivities({ ...world.deps, voice, temporal: temporal.client });
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) }).run(sweeps[part]);
  };
  /** Lets what was written so far look this old. */
  const later = async (seconds: number) => {
    const past = `- interval '${seconds} seconds'`;
    await world.db.owner.query(
      `UPDATE dispatches SET created_at = created_at ${past}, lease_until = lease_until ${past}`,
    );
    await world.db.owner.query(`UPDATE webhook_events SET received_at = received_at ${past}`);
    await world.db.owner.query(`UPDATE call_logs SET opened_at = opened_at ${past}`);
  };

  /** A callback that comes late would make a leg look alive. */
  const heard = (sid: string, status: string) =>
    until(status, async () => (await lastStatus(world.db.app, sid))?.status === status);

  it('tells a running call of an end that was never heard', async () => {
    const { number, asked } = await world.somebody();
    const { sid } = await world.place(asked);
    await heard(sid, 'ringing');
    world.hears.callbacks = false;
    await world.sim.decline(number);
    await later(100);
    expect(await sweep('askSilentLegs')).toBe(1);
    expect(temporal.signals).toMatchObject([{ callSid: sid, status: 'busy', dispatchId: asked.dispatchId }]);
    expect(await sweep('askSilentLegs')).toBe(0);
    world.hears.callbacks = true;
  });

  it('ends a ringing phone whose workflow is not running, and no phone whose workflow is', async () => {
    const { number, asked } = await world.somebody();
    const { sid } = await world.place(asked);
    await heard(sid, 'ringing');
    await later(10);
    expect(await sweep('endOrphanedCalls')).toBe(0);
    temporal.state = 'TERMINATED';
    expect(await sweep('endOrphanedCalls')).toBe(1);
    expect(await world.rings(number)).toMatchObject([{ status: 'canceled' }]);
    expect(await sweep('endOrphanedCalls')).toBe(0);
  });

  it('settles a dispatch that its dead workflow left in doubt, so that the person can be rung again', async () => {
    const { number, asked } = await world.somebody();
    await ensureDispatch(world.db.app, { ...asked, channel: 'voice', sender: asked.from });
    await claim(world.db.app, asked.dispatchId, 10);
    await later(30);
    temporal.state = 'UNKNOWN';
    expect(await sweep('endOrphanedCalls')).toBe(1);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'abandoned' });
    expect(await world.rings(number)).toEqual([]);
  });

  it('comes to the younger ones although more than two pages of older ones cannot be settled', async () => {
    const { asked } = await world.somebody();
    await ensureDispatch(world.db.app, { ...asked, channel: 'voice', sender: asked.from });
    await claim(world.db.app, asked.dispatchId, 10);
    temporal.states.set('mentor-call:of-the-old-ones', 'RUNNING');
    temporal.state = 'UNKNOWN';
    await later(30);
    await world.db.owner.query(
      `INSERT INTO dispatches (dispatch_id, business_key, workflow_id, call_id, recipient_token, channel, state, attempt,
                               sid, sender, country, created_at, attempt_began_at, lease_until)
       SELECT gen_random_uuid(), 'old' || n, 'mentor-call:of-the-old-ones', gen_random_uuid(), sha256(n::text::bytea),
              'voice', CASE WHEN n % 2 = 0 THEN 'accepted' ELSE 'unknown' END, 1,
              CASE WHEN n % 2 = 0 THEN 'CA' || md5(n::text) END, $1, 'US', now() - interval '1 hour',
              now() - interval '1 hour', now() - interval '1 hour'
         FROM generate_series(1, 900) n`,
      [OUR_NUMBERS[0]],
    );
    expect(await sweep('endOrphanedCalls')).toBe(1);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'abandoned' });
    await world.db.owner.query(`DELETE FROM dispatches WHERE workflow_id = 'mentor-call:of-the-old-ones'`);
  });

  it('closes the row of a call whose workflow was terminated, and gives its mentor back', async () => {
    const { callId } = await world.callWithMentors(1);
    const { reserveMentor } = createMentorActivities(world.deps);
    const asked = { callId, step: 1, exclude: [], preferences: {}, country: 'US', leaseMs: 60_000 };
    expect((await reserveMentor(asked)).why).toBe('reserved');
    await later(10);
    expect(await sweep('closeDeadCalls')).toBe(0);
    expect(await sweep('freeDeadSlots')).toBe(0);
    temporal.state = 'TERMINATED';
    expect(await sweep('closeDeadCalls')).toBe(1);
    expect(await findCall(world.db.app, callId)).toMatchObject({
      live: false,
      outcome: 'cancelled',
      endReason: 'stopped-by-operator',
    });
    const { rowCount } = await world.db.owner.query('SELECT 1 FROM mentor_slots WHERE call_id IS NOT NULL');
    expect(rowCount).toBe(0);
  });

  it('closes a dead call although Twilio does not answer: its user could ask for no other', async () => {
    const { callId } = await world.callWithMentors(0);
    await updateCall(world.db.app, callId, { callSid: `CA${'0'.repeat(32)}` });
    await later(10);
    temporal.state = 'FAILED';
    const voice = { ...world.deps.voice, listChildCalls: () => Promise.reject(new Error('no answer')) };
    expect(await sweep('closeDeadCalls', voice)).toBe(1);
    expect(await findCall(world.db.app, callId)).toMatchObject({ live: false, endReason: 'provider-unavailable' });
  });

  it('does nothing to a call when Temporal does not say whether it runs', async () => {
    const { callId } = await world.callWithMentors(0);
    await updateCall(world.db.app, callId, { status: 'ringing-user' });
    await later(10);
    Object.assign(temporal.client, { withDeadline: () => Promise.reject(new Error('unavailable')) });
    await expect(sweep('closeDeadCalls')).rejects.toThrow('unavailable');
    expect(await findCall(world.db.app, callId)).toMatchObject({ live: true });
  });

  it('knows the calls of alerts: tells their end, hangs them up and closes them when their workflow is gone', async () => {
    const { number, asked } = await world.somebody();
    const subjectId = await createSubject(world.db.app, 'system');
    const content = { templateId: null, templateVersion: null, recordId: asked.recordId };
    const { recordId, recipientToken } = asked;
    const recipient = alertRecipient({ subjectId, recordId, recipientToken, content });
    const input = voiceAlertInput({ requestedBy: subjectId, recipients: [recipient] });
    await openAlert(world.db.app, input);
    const { alertId } = input;
    const ring = async (attempt: number) => {
      const legId = randomUUID();
      const businessKey = alertLegKey(alertId, 1, attempt);
      const ids = { alertId, legId, position: 1, attempt, businessKey, workflowId: voiceAlertWorkflowId(alertId) };
      const leg = { ...recipient, ...input, ...ids, from: OUR_NUMBERS[0], ringSeconds: 30 };
      const place = createPlaceAlertCall(world.deps);
      const { sid }: { sid: string } = await new MockActivityEnvironment().run(place, leg);
      return { legId, sid };
    };
    const first = await ring(1);
    await heard(first.sid, 'ringing');
    world.hears.callbacks = false;
    await world.sim.decline(number);
    await later(100);
    expect(await sweep('askSilentLegs')).toBeGreaterThan(0);
    world.hears.callbacks = true;
    const told = { callSid: first.sid, status: 'busy', dispatchId: first.legId };
    expect(temporal.signals).toContainEqual(expect.objectContaining(told));
    const { rows } = await world.db.owner.query(
      'SELECT leg, alert_id FROM webhook_events WHERE sid = $1 AND type = $2',
      [first.sid, 'asked'],
    );
    expect(rows).toEqual([{ leg: 'recipient', alert_id: alertId }]);

    const second = await ring(2);
    await heard(second.sid, 'ringing');
    await later(100);
    await world.db.owner.query("UPDATE voice_alerts SET opened_at = opened_at - interval '100 seconds'");
    expect(await sweep('closeDeadCalls')).toBe(0);
    temporal.state = 'TERMINATED';
    expect(await sweep('endOrphanedCalls')).toBeGreaterThan(0);
    expect((await world.deps.voice.readCall(second.sid))?.status).toBe('canceled');
    expect(await sweep('closeDeadCalls')).toBeGreaterThan(0);
    expect(await findAlert(world.db.app, alertId)).toMatchObject({
      live: false,
      state: 'cancelled',
      endReason: 'stopped-by-operator',
    });
    expect((await callsOfAlert(world.db.app, alertId)).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    expect(await sweep('closeDeadCalls')).toBe(0);
  });

  it('deletes the records of old calls at Twilio, once', async () => {
    const { asked } = await world.somebody();
    const { sid } = await world.place(asked);
    await world.deps.voice.endCall(sid);
    await heard(sid, 'canceled');
    await later(3_600);
    expect(await sweep('deleteOldTwilioCalls')).toBeGreaterThan(0);
    expect(await world.deps.voice.readCall(sid)).toBeNull();
    expect(await sweep('deleteOldTwilioCalls')).toBe(0);
  });
});

describe('the sweep of texts', () => {
  let world: DispatchWorld;
  let temporal: Temporal;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  beforeEach(() => {
    temporal = new Temporal();
    world.hears.callbacks = false;
  });

  type Sweeps = ReturnType<typeof createTextSweepActivities>;
  const sweep = (part: keyof Sweeps): Promise<number> => {
    const sweeps = createTextSweepActivities({ ...world.deps, temporal: temporal.client });
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) }).run(sweeps[part]);
  };
  /** A text that the provider has, with the row of its message. */
  const sentText = async (minutesAgo: number) => {
    const { number, asked } = await world.somebodyToText('Your ride is here.');
    const { sid } = await world.text(asked);
    await world.db.owner.query(
      `INSERT INTO messages (message_id, requested_by, subject_id, record_id, owns_record, content_record_id, language,
                             channel, kind, message_class, urgency, country, state, sid, request_hash, requested_at,
                             sent_at, live)
       VALUES ($1, $2, $2, $3, false, $4, 'en', 'sms', 'update', 'ordinary', 'normal', 'US', 'sent', $5, 'hash', now(),
               now() - $6 * interval '1 minute', true)`,
      [asked.messageId, asked.subjectId, asked.recordId, asked.content.recordId, sid, minutesAgo],
    );
    return { number, asked, sid };
  };
  const ended = (sid: string) =>
    until('its end at Twilio', async () => (await world.sim.messages()).find((text) => text.sid === sid)?.endedAt);

  it('tells a message of a receipt that was never heard, once, and leaves young ones alone', async () => {
    const old = await sentText(11);
    const young = await sentText(9);
    await ended(old.sid);
    await ended(young.sid);
    expect(await sweep('askSilentTexts')).toBe(1);
    expect(temporal.signals).toMatchObject([{ sid: old.sid, status: 'delivered', errorCode: null }]);
    expect((await lastStatus(world.db.app, old.sid))?.status).toBe('delivered');
    // Its row is not changed by us: the message does that. Asked again only when it has been silent half as long more.
    expect(await sweep('askSilentTexts')).toBe(0);
  });

  it('asks again after a while about one that is still on its way', async () => {
    await world.sim.settings({ deliveredAfterMs: 60_000 });
    const { sid } = await sentText(30);
    expect(await sweep('askSilentTexts')).toBe(0);
    const reads = async () => (await world.sim.exchanges()).filter(({ path }) => path.includes(sid)).length;
    expect(await reads()).toBe(1);
    await sweep('askSilentTexts');
    expect(await reads()).toBe(1);
    await world.db.owner.query(`UPDATE dispatches SET asked_at = asked_at - interval '16 minutes' WHERE sid = $1`, [
      sid,
    ]);
    await sweep('askSilentTexts');
    expect(await reads()).toBe(2);
    await world.sim.settings({ deliveredAfterMs: 250 });
  });

  describe('closes a message whose workflow is gone', () => {
    const old = () => world.db.owner.query(`UPDATE messages SET opened_at = opened_at - interval '2 minutes'`);
    const row = async (messageId: string) => {
      const { rows } = await world.db.owner.query(
        'SELECT live, state, reason, error_code, sid FROM messages WHERE message_id = $1',
        [messageId],
      );
      return rows[0];
    };
    const sweepWhile = async (state: Temporal['state']) => {
      temporal.state = state;
      return await sweep('closeDeadMessages');
    };
    beforeEach(() => world.db.owner.query(`UPDATE messages SET live = false, ended_at = now() WHERE live`));

    it('as far as Twilio has told, and leaves those that run', async () => {
      const told = await sentText(1);
      const silent = await sentText(1);
      const event = { dispatchId: told.asked.dispatchId, messageId: told.asked.messageId, sid: told.sid };
      const none = { callId: null, leg: null, step: null, sequence: null };
      const receipt = {
        type: 'message-status',
        status: 'undelivered',
        errorCode: '30005',
        seenKey: randomUUID(),
      } as const;
      await storeEvent(world.db.app, { ...none, ...event, ...receipt });
      await old();
      expect(await sweepWhile('RUNNING')).toBe(0);
      // Who was asked after goes to the end of the row.
      expect(await sweepWhile('TERMINATED')).toBe(0);
      await world.db.owner.query(`UPDATE messages SET owner_asked_at = owner_asked_at - interval '2 minutes'`);
      expect(await sweepWhile('TERMINATED')).toBe(2);
      const end = { live: false, state: 'undelivered', reason: 'not-delivered', error_code: '30005', sid: told.sid };
      expect(await row(told.asked.messageId)).toEqual(end);
      expect(await row(silent.asked.messageId)).toMatchObject({ state: 'unconfirmed', reason: 'stopped-by-operator' });
    });

    it('that had not left, with what was still to be sent of it; one in doubt waits until that is settled', async () => {
      const waiting = await sentText(1);
      const doubtful = await sentText(1);
      await world.db.owner.query('UPDATE messages SET sid = NULL WHERE live');
      await world.db.owner.query(
        `UPDATE dispatches SET sid = NULL, settled_at = NULL, state = CASE message_id WHEN $1 THEN 'ready' ELSE 'unknown' END,
                attempt_began_at = CASE message_id WHEN $1 THEN NULL ELSE attempt_began_at END
          WHERE message_id IN ($1, $2)`,
        [waiting.asked.messageId, doubtful.asked.messageId],
      );
      await old();
      expect(await sweepWhile('FAILED')).toBe(1);
      const end = { live: false, state: 'failed', reason: 'workflow-failed' };
      expect(await row(waiting.asked.messageId)).toMatchObject(end);
      expect(await world.row(waiting.asked.dispatchId)).toMatchObject({ state: 'abandoned' });
      expect(await row(doubtful.asked.messageId)).toMatchObject({ live: true });
      await closeAbandoned(world.db.app, doubtful.asked.dispatchId);
      await world.db.owner.query(
        `UPDATE messages SET owner_asked_at = owner_asked_at - interval '2 minutes' WHERE live`,
      );
      expect(await sweepWhile('FAILED')).toBe(1);
      expect(await row(doubtful.asked.messageId)).toMatchObject(end);
    });
  });

  describe('closes a message that was ended while a call was begun to say it', () => {
    /** Did not arrive, with a number that was given for it, and asks for a call; its workflow is gone then. */
    const fallingBack = async (overrides: 'blocked' | null = null) => {
      await world.db.owner.query(`UPDATE messages SET live = false, ended_at = now() WHERE live`);
      const { asked, sid } = await sentText(1);
      const { messageId, subjectId, recordId, recipientToken, content } = asked;
      await world.db.owner.query(
        `UPDATE messages SET owns_record = true, fallback = 'voice', opened_at = opened_at - interval '2 minutes'
          WHERE message_id = $1`,
        [messageId],
      );
      const receipt = { type: 'message-status', status: 'undelivered', errorCode: '30005', seenKey: randomUUID() };
      const none = { callId: null, leg: null, step: null, sequence: null };
      await storeEvent(world.db.app, { ...none, ...receipt, dispatchId: asked.dispatchId, messageId, sid });
      const message = messageInput({ messageId, subjectId, requestedBy: subjectId, recordId, recipientToken, content });
      const alertId = randomUUID();
      const { startFallbackAlert } = createAlertActivities({ ...world.deps, temporal: temporal.client });
      const start = () => startFallbackAlert({ message, alertId, overrides });
      temporal.states.set(`message:${messageId}`, 'TERMINATED');
      const { closeMessage } = createMessageActivities({ ...world.deps, temporal: temporal.client });
      /** The workflow has not been told that the call was begun. */
      const closeUntold = () => {
        const end = { outcome: 'undelivered', reason: 'not-delivered', sid, segments: 1, attempts: 1 } as const;
        const error = { errorCode: '30005', errorClass: 'not-for-texts', fallbackAlertId: null };
        const closing = { messageId, ...end, ...error, endedAt: new Date().toISOString() };
        return new MockActivityEnvironment().run(closeMessage, closing);
      };
      return { messageId, recordId, alertId, start, closeUntold };
    };
    const facts = async (messageId: string) => {
      const { rows } = await world.db.owner.query(
        `SELECT m.live, state, fallback_alert_id, v.destroyed_at IS NULL AS has_number
           FROM messages m JOIN vault_records v USING (record_id) WHERE message_id = $1`,
        [messageId],
      );
      return rows[0];
    };

    const policy = (isOn: boolean) =>
      world.db.owner.query(`UPDATE policies SET is_on = $1 WHERE name = 'emergency-ignores-opt-out'`, [isOn]);

    it('by nothing that the policy of this moment forbids: it may be another one than when the message began', async () => {
      await policy(false);
      const { messageId, start } = await fallingBack('blocked');
      await expect(start()).rejects.toMatchObject({ type: 'NotCalled', nonRetryable: true });
      expect(await facts(messageId)).toMatchObject({ fallback_alert_id: null });
    });

    it('leaving one entry, however often it is begun, of a call that goes past a block', async () => {
      await policy(true);
      const past = await fallingBack('blocked');
      for (let nth = 1; nth <= 2; nth += 1) await past.start();
      const usual = await fallingBack();
      await usual.start();
      const { rows } = await world.db.owner.query(
        `SELECT object_id, purpose FROM audit_entries WHERE action = 'opt-out.overridden' AND object_id = ANY($1)`,
        [[past.alertId, usual.alertId]],
      );
      expect(rows).toEqual([{ object_id: past.alertId, purpose: 'blocked' }]);
    });

    it('naming its alert, which keeps the number until its own end', async () => {
      const { messageId, alertId, start } = await fallingBack();
      await start();
      expect(await sweep('closeDeadMessages')).toBe(1);
      const closed = { live: false, state: 'undelivered', fallback_alert_id: alertId };
      expect(await facts(messageId)).toEqual({ ...closed, has_number: true });
      const [input] = temporal.alerts;
      if (input === undefined) throw new Error('no alert was started');
      await openAlert(world.db.app, input);
      const endedAt = new Date();
      const end = { outcome: 'exhausted', endReason: 'nobody-reached', reached: null, endedAt } as const;
      await closeAlert(world.db.app, { alertId, ...end });
      await destroyAlertNumbers(world.db.app, alertId);
      expect(await facts(messageId)).toEqual({ ...closed, has_number: false });
    });

    it('naming its alert also where the word that it was begun was lost', async () => {
      const { messageId, alertId, start, closeUntold } = await fallingBack();
      await start();
      await closeUntold();
      const closed = { live: false, state: 'undelivered', fallback_alert_id: alertId };
      expect(await facts(messageId)).toEqual({ ...closed, has_number: true });
    });

    it('with its number, where the call was named and then never begun', async () => {
      const { messageId, alertId, start, closeUntold } = await fallingBack();
      await start();
      temporal.states.set(voiceAlertWorkflowId(alertId), 'TERMINATED');
      await closeUntold();
      expect(await facts(messageId)).toMatchObject({ live: false, fallback_alert_id: null, has_number: false });
    });

    it('with its number, when the call was never begun; nor is it any more then', async () => {
      const { messageId, alertId, start } = await fallingBack();
      await start();
      // Terminated as well, before it wrote anything.
      temporal.states.set(voiceAlertWorkflowId(alertId), 'TERMINATED');
      expect(await sweep('closeDeadMessages')).toBe(1);
      const closed = { live: false, state: 'undelivered', fallback_alert_id: null, has_number: false };
      expect(await facts(messageId)).toEqual(closed);
      await start();
      expect(temporal.alerts).toHaveLength(1);
      expect(await facts(messageId)).toEqual(closed);
    });
  });

  it('lets Twilio forget old texts both ways, and each once', async () => {
    const { number, sid } = await sentText(0);
    await ended(sid);
    const inbound = await world.sim.sendText({ from: number, to: OUR_NUMBERS[0], body: 'Thanks!' });
    await world.db.owner.query(
      `INSERT INTO inbound_texts (seen_key, message_sid, our_number, received_at)
       VALUES ($1, $1, $2, now() - interval '1 day')`,
      [inbound, OUR_NUMBERS[0]],
    );
    await world.db.owner.query(
      `UPDATE dispatches SET forgotten_at = CASE WHEN sid <> $1 THEN now() END, created_at = now() - interval '1 day'`,
      [sid],
    );
    expect(await sweep('forgetOldTexts')).toBe(2);
    expect(await world.deps.messaging.readMessage(sid)).toBeNull();
    expect(await world.deps.messaging.readMessage(inbound)).toBeNull();
    expect(await sweep('forgetOldTexts')).toBe(0);
  });
});
