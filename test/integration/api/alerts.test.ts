import { randomUUID } from 'node:crypto';
import { closeAlert, closeAlertLeg, openAlert, openAlertLeg } from '../../../db/alerts';
import { abandon, ensureDispatch } from '../../../db/dispatches';
import { SealedValue } from '../../../domain/sealed';
import type { VoiceAlertInput } from '../../../domain/voice-alert';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, newCallSid } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ RECIPIENT_LIMITS: '3/15m' });
});
afterAll(() => api.stop());
beforeEach(() => {
  api.alerts.down = null;
  api.alerts.plan = { do: 'hang-up' };
  api.alerts.onStart = (input) => openAlert(api.deps.pool, input);
});

const staff = { role: 'staff' } as const;
const WORDS = 'The door of house four is open.';
const request = { recipients: [{ phoneNumber: MARKED.userPhone }, { phoneNumber: MARKED.mentorPhone }], text: WORDS };

async function alerted(json: unknown = request, who: { role: 'staff' | 'service'; subject?: string } = staff) {
  const answer = await api.ask('POST', '/alerts/voice', { who, json });
  expect(answer).toMatchObject({ status: 202, body: { success: true, state: 'starting' } });
  const input = api.alerts.started.find(({ alertId }) => alertId === answer.body.alertId);
  if (input === undefined) throw new Error('nothing was started');
  return input;
}

/** A leg as the workflow has it: dispatched, and not adopted by any call yet. */
async function rung(input: VoiceAlertInput, position = 1) {
  const [recipient] = input.recipients.slice(position - 1);
  if (recipient === undefined) throw new Error('no such recipient');
  const legId = randomUUID();
  const { alertId, requestedAt } = input;
  const leg = { ...recipient, alertId, legId, position, attempt: 1, from: recipient.organisationNumber, requestedAt };
  await openAlertLeg(api.deps.pool, leg);
  await ensureDispatch(api.deps.pool, {
    dispatchId: legId,
    businessKey: `voice-alert:${alertId}:${position}:${legId}`,
    callId: legId,
    alertId,
    messageId: null,
    workflowId: `voice-alert:${alertId}`,
    recipientToken: recipient.recipientToken,
    channel: 'voice',
    sender: recipient.organisationNumber,
    country: 'US',
  });
  const callSid = newCallSid();
  const fields = { CallSid: callSid, CallStatus: 'in-progress', Direction: 'outbound-api', To: MARKED.userPhone };
  const ask = (step: string, more = '', digits?: string, first = 'key') =>
    api.twilio(
      `/twiml/alert?alert=${alertId}&call=${legId}&dispatch=${legId}&step=${step}&first=${first}${more}&lang=en`,
      {
        ...fields,
        ...(digits === undefined ? {} : { Digits: digits }),
      },
    );
  return { legId, callSid, ask, recipient };
}

describe('POST /alerts/voice', () => {
  test('seals number and words under each recipient’s own key, and starts the workflow with ids only', async () => {
    const input = await alerted();
    expect(input.recipients).toHaveLength(2);
    expect(new Set(input.recipients.flatMap((one) => [one.recordId, one.content.recordId])).size).toBe(4);
    for (const told of [MARKED.userPhone, MARKED.mentorPhone, 'door'])
      expect(JSON.stringify(input)).not.toContain(told);
    for (const { content, subjectId } of input.recipients) {
      const words = await api.deps.vault.reveal({ recordId: content.recordId, purpose: 'send', actor: 'system' });
      expect(JSON.parse(words.expose())).toEqual({ text: WORDS });
      const { rows } = await api.database.owner.query('SELECT subject_id FROM vault_records WHERE record_id = $1', [
        content.recordId,
      ]);
      expect(rows).toEqual([{ subject_id: subjectId }]);
    }
  });

  test('takes what is not said from the configuration, and what is said from the request', async () => {
    const { times, ...usual } = api.deps.config.voiceAlert;
    expect(await alerted()).toMatchObject({
      ...usual,
      times,
      acknowledge: true,
      neutralFirst: true,
      urgency: 'normal',
    });
    const json = {
      ...request,
      attempts: 2,
      retryAfterSeconds: 1_200,
      escalationDelaySeconds: 0,
      urgency: 'emergency',
      smsWhenExhausted: true,
    };
    expect(await alerted(json)).toMatchObject({
      attempts: 2,
      backoff: { firstMs: 1_200_000, longestMs: 1_200_000 },
      escalationDelayMs: 0,
      urgency: 'emergency',
      smsWhenExhausted: true,
    });
  });

  test('keeps each number for as long as it may go on, and a day', async () => {
    const json = { ...request, attempts: 10, retryAfterSeconds: 3_600, escalationDelaySeconds: 3_600 };
    const input = await alerted(json);
    const { rows } = await api.database.owner.query(
      `SELECT extract(epoch FROM min(expires_at) - now()) / 3600 AS hours FROM vault_records
        WHERE record_id = ANY($1)`,
      [input.recipients.map(({ recordId }) => recordId)],
    );
    // Two people, nine waits of an hour and one before the next person.
    expect(Number(rows[0].hours)).toBeGreaterThan(24 + 2 * 10);
  });

  test('repeated under the same key is answered as the first time and starts one alert; another body is refused', async () => {
    const raw = { headers: { 'Idempotency-Key': randomUUID() } };
    const ask = (json: unknown) => api.ask('POST', '/alerts/voice', { who: staff, json, raw });
    const before = api.alerts.started.length;
    const answers = [await ask(request), await ask(request)];
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    expect(api.alerts.started).toHaveLength(before + 1);
    expect(await ask({ ...request, attempts: 1 })).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
  });

  test('is refused when everybody was rung often enough, and only then', async () => {
    const phone = '+14155550177';
    const token = api.deps.tokenizer.token(SealedValue.of('phone', phone)).toString('hex');
    for (let nth = 1; nth <= 3; nth += 1) {
      const { legId } = await rung(await alerted({ ...request, recipients: [{ phoneNumber: phone }] }));
      await api.database.owner.query(
        `UPDATE dispatches SET state = 'accepted', sid = $2, attempt = 1, attempt_began_at = clock_timestamp()
          WHERE dispatch_id = $1 AND recipient_token = decode($3, 'hex')`,
        [legId, newCallSid(), token],
      );
    }
    const ask = (...numbers: string[]) =>
      api.ask('POST', '/alerts/voice', {
        who: staff,
        json: { ...request, recipients: numbers.map((phoneNumber) => ({ phoneNumber })) },
      });
    const refused = await ask(phone);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60);
    expect((await ask(phone, '+14155550178')).status).toBe(202);
  });

  test('is refused where one phone stands twice, however it is named', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const saved = await api.ask('POST', '/contact-points', { who, json: { phoneNumber: '+14155550179' } });
    const before = api.alerts.started.length;
    for (const twice of [{ phoneNumber: '+1 415 555 0179' }, { contactPointId: saved.body.contactPointId }]) {
      const recipients = [{ phoneNumber: MARKED.mentorPhone }, { phoneNumber: '+14155550179' }, twice];
      const answer = await api.ask('POST', '/alerts/voice', { who: staff, json: { ...request, recipients } });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'invalid-body', errors: [{ pointer: '#/recipients/2' }] },
      });
    }
    expect(api.alerts.started).toHaveLength(before);
  });

  test('is refused while calls are switched off', async () => {
    await api.database.owner.query("INSERT INTO switches (name, is_on) VALUES ('voice', false)");
    const answer = await api.ask('POST', '/alerts/voice', { who: staff, json: request });
    await api.database.owner.query("DELETE FROM switches WHERE name = 'voice'");
    expect(answer).toMatchObject({ status: 503, body: { code: 'voice-disabled' } });
  });
});

describe('GET /alerts/voice', () => {
  test('shows an alert with its recipients and calls, and neither number nor words', async () => {
    const input = await alerted();
    const { legId, callSid } = await rung(input, 2);
    const { alertId } = input;
    const at = new Date();
    await closeAlertLeg(api.deps.pool, {
      alertId,
      legId,
      position: 2,
      outcome: 'acknowledged',
      callSid,
      answeredAt: at,
      endedAt: at,
    });
    const end = { outcome: 'acknowledged', endReason: 'acknowledged-by-key' } as const;
    await closeAlert(api.deps.pool, { alertId, ...end, reached: { position: 2, at }, endedAt: at });
    const answer = await api.ask('GET', `/alerts/voice/${alertId}`, { who: staff });
    expect(answer.body).toMatchObject({
      state: 'acknowledged',
      endReason: 'acknowledged-by-key',
      reached: { position: 2 },
      recipients: [
        { position: 1, lastOutcome: null },
        { position: 2, lastOutcome: 'acknowledged' },
      ],
      calls: [{ callId: legId, position: 2, attempt: 1, status: 'acknowledged', callSid }],
    });
    for (const told of [MARKED.userPhone, MARKED.mentorPhone, 'door']) expect(answer.text).not.toContain(told);
    const { rows } = await api.database.owner.query(
      "SELECT action FROM audit_entries WHERE object_id IN ($1, $2) AND action LIKE 'voice-alert.%' ORDER BY at",
      [alertId, legId],
    );
    expect(rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['voice-alert.requested', 'voice-alert.rang', 'voice-alert.reached']),
    );
  });

  test('shows an alert whose first row is not written yet', async () => {
    api.alerts.onStart = async () => undefined;
    const { alertId } = await alerted();
    const answer = await api.ask('GET', `/alerts/voice/${alertId}`, { who: staff });
    expect(answer.body).toMatchObject({ alertId, state: 'starting', recipients: [], calls: [] });
  });

  test('lists a service its own, and staff everybody’s, a page at a time', async () => {
    const service = { role: 'service', subject: randomUUID() } as const;
    const mine = [await alerted(request, service), await alerted(request, service)];
    const first = await api.ask('GET', '/alerts/voice?limit=1', { who: service });
    const second = await api.ask('GET', `/alerts/voice?limit=1&cursor=${first.body.nextCursor}`, { who: service });
    const ids = [first, second].flatMap(({ body }) => body.voiceAlerts.map((one: { alertId: string }) => one.alertId));
    expect(ids).toEqual(mine.map(({ alertId }) => alertId).toReversed());
    expect(second.body.nextCursor).toBeNull();
    const all = await api.ask('GET', '/alerts/voice?state=starting&limit=100', { who: staff });
    expect(all.body.voiceAlerts.length).toBeGreaterThan(2);
  });

  test('is not among the mentor calls', async () => {
    const input = await alerted();
    const { legId } = await rung(input);
    const calls = await api.ask('GET', '/mentor-calls', { who: staff });
    expect(calls.text).not.toContain(legId);
    expect((await api.ask('GET', `/mentor-calls/${legId}`, { who: staff })).status).toBe(404);
  });
});

describe('DELETE /alerts/voice', () => {
  test('cancels what lives, and leaves what is over as it is, also without Temporal', async () => {
    const { alertId } = await alerted();
    const end = { alertId, outcome: 'cancelled', endReason: 'cancelled-by-request', reached: null } as const;
    api.alerts.onStart = async () => undefined;
    expect((await api.ask('DELETE', `/alerts/voice/${alertId}`, { who: staff })).status).toBe(200);
    expect(api.alerts.cancelled).toContain(alertId);
    await closeAlert(api.deps.pool, { ...end, endedAt: new Date() });
    api.alerts.down = new Error('Temporal is down');
    const again = await api.ask('DELETE', `/alerts/voice/${alertId}`, { who: staff });
    expect(again.body).toMatchObject({ state: 'cancelled', endReason: 'cancelled-by-request' });
  });
});

describe('what a phone of an alert says', () => {
  const speak = (input: VoiceAlertInput) => {
    const [recipient] = input.recipients;
    if (recipient === undefined) throw new Error('nobody');
    return { do: 'speak', recipient, acknowledge: true, n: 1 } as const;
  };

  test('is neutral before the first key, and then the words, revealed at that moment and audited', async () => {
    const input = await alerted();
    const leg = await rung(input);
    const greeting = await leg.ask('greeting');
    expect(greeting.text).toContain('To hear it, press 1.');
    expect(greeting.text).not.toContain('door');
    expect(api.alerts.asked.filter(({ alertId }) => alertId === input.alertId)).toEqual([]);
    api.alerts.plan = speak(input);
    const message = await leg.ask('confirmed', '&try=1', '1');
    expect(message.text).toContain(WORDS);
    expect(message.text).toContain('To say that you have heard this, press 1. To hear it again, press 2.');
    expect(api.alerts.asked.at(-1)?.question).toMatchObject({ kind: 'may-speak', legId: leg.legId });
    const { rows } = await api.database.owner.query(
      "SELECT purpose FROM audit_entries WHERE action = 'record.revealed' AND object_id = $1",
      [leg.recipient.content.recordId],
    );
    expect(rows).toEqual([{ purpose: 'send' }]);
    expect(api.logLines.join('')).not.toContain('door');
  });

  test.each([
    ['another key', '7'],
    ['no key', ''],
  ])('stays neutral after %s: the greeting once more, then goodbye', async (_what, digits) => {
    const leg = await rung(await alerted());
    await leg.ask('greeting');
    expect((await leg.ask('confirmed', '&try=1', digits)).text).toContain('please press 1 now');
    expect((await leg.ask('confirmed', '&try=2', digits)).text).toContain('Goodbye');
  });

  test('is the message at once where the request said so', async () => {
    const input = await alerted({ ...request, neutralFirst: false });
    const leg = await rung(input);
    api.alerts.plan = speak(input);
    expect((await leg.ask('greeting', '', undefined, 'words')).text).toContain(WORDS);
  });

  test('is nothing to a second call of the same dispatch, which is ended', async () => {
    const leg = await rung(await alerted());
    await leg.ask('greeting');
    const CallSid = newCallSid();
    const path = `/twiml/alert?alert=${randomUUID()}&call=${leg.legId}&dispatch=${leg.legId}&step=greeting&lang=en`;
    const other = await api.twilio(path, { CallSid, CallStatus: 'in-progress', Direction: 'outbound-api' });
    expect(other.text).toContain('<Response><Hangup/></Response>');
    expect(api.endedByRest).toContain(CallSid);
  });

  test('is nothing when the dispatch was withdrawn', async () => {
    const leg = await rung(await alerted());
    await abandon(api.deps.pool, leg.legId);
    expect((await leg.ask('greeting')).text).toContain('<Response><Hangup/></Response>');
  });

  test('tells the workflow which key was pressed after the message, and says its answer', async () => {
    const leg = await rung(await alerted());
    api.alerts.plan = { do: 'thank' };
    expect((await leg.ask('answered', '&n=2', '1')).text).toContain('We have noted that you have heard it');
    expect(api.alerts.asked.at(-1)?.question).toMatchObject({ kind: 'answered', n: 2, digits: '1' });
    api.alerts.plan = { do: 'goodbye' };
    expect((await leg.ask('answered', '&n=2', '')).text).toContain('Goodbye');
  });

  test('is goodbye when the words were erased meanwhile', async () => {
    const input = await alerted();
    const leg = await rung(input);
    await api.deps.vault.destroy(leg.recipient.content.recordId, 'expired');
    api.alerts.plan = speak(input);
    expect((await leg.ask('confirmed', '&try=1', '1')).text).toContain('Goodbye');
  });

  test('is "one moment" and the same question while Temporal is away, four times, then goodbye and no helpline', async () => {
    const leg = await rung(await alerted());
    api.alerts.down = new Error('Temporal is down');
    const first = await leg.ask('answered', '&n=1', '1');
    expect(first.text).toContain('One moment, please.');
    expect(first.text).toMatch(/<Redirect[^>]*>[^<]*step=answered[^<]*n=1[^<]*loop=1[^<]*digits=1/);
    const last = await leg.ask('answered', '&n=1&loop=4', '1');
    expect(last.text).toContain('Goodbye');
    expect(last.text).not.toContain('<Dial');
  });

  test('is silence for an alert that is over', async () => {
    const input = await alerted();
    const leg = await rung(input);
    api.alerts.over.add(input.alertId);
    expect((await leg.ask('confirmed', '&try=1', '1')).text).toContain('<Response><Hangup/></Response>');
  });
});
