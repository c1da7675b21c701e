import { randomBytes, randomUUID } from 'node:crypto';
import { feedbackOf } from '../../../db/call-feedback';
import { updateCall } from '../../../db/calls';
import { deleteOldTexts } from '../../../db/inbound-texts';
import { askQuestion } from '../../../db/open-questions';
import { deleteLiftedOptOuts, isOptedOut, liftOptOut, recordOptOut } from '../../../db/opt-outs';
import { type RecipientToken, recipientSubject } from '../../../db/recipients';
import { guardValues, noteBlocked, type SendingGuard, whyNotSql } from '../../../db/may-send';
import { relayOnce } from '../../../workers/relay';
import type { KindlineClient } from '../../../temporal/connection';
import { SealedValue } from '../../../domain/sealed';
import type { ServiceKey } from '../../../vault/service-keys';
import { createTokenizer } from '../../../vault/tokens';
import { liveCall, mentorWith } from '../db/people';
import { eventually } from '../../stack';
import { ApiUnderTest } from './api-under-test';
import { untilRouted } from './inbound-text';

const OURS = '+14155550100';
const OURS_TOO = '+447700900100';
const SERVICE = `MG${'5e'.repeat(16)}`;

let api: ApiUnderTest;
let nth = 0;
beforeAll(async () => {
  api = await ApiUnderTest.start({
    TWILIO_ANSWERS_OPT_OUT: 'false',
    AUTOMATIC_ANSWER_INTERVAL: '1h',
    ALLOWED_COUNTRIES: 'US',
  });
});
afterAll(() => api.stop());

/** A phone nobody has heard of. */
function newPhone(): string {
  nth += 1;
  return `+1628555${String(100 + nth).padStart(4, '0')}`;
}

interface Text {
  readonly from: string;
  readonly body: string;
  readonly to?: string;
  readonly more?: Record<string, string>;
}

function fieldsOf({ from, body, to = OURS, more = {} }: Text): Record<string, string> {
  const sid = `SM${randomBytes(16).toString('hex')}`;
  return { MessageSid: sid, SmsSid: sid, From: from, To: to, Body: body, NumMedia: '0', ...more };
}

async function text(given: Text, fields = fieldsOf(given)) {
  const answer = await api.twilio('/twiml/inbound-text', fields);
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain('<Message');
  return await untilRouted(api.database.owner, fields['MessageSid'] ?? '');
}

async function rowOf(sid: string): Promise<Record<string, unknown>> {
  const { rows } = await api.database.owner.query('SELECT * FROM inbound_texts WHERE message_sid = $1', [sid]);
  return rows[0] ?? {};
}

function tokenOf(phone: string): Buffer {
  return api.deps.tokenizer.token(SealedValue.of('phone', phone));
}

/** Why a text to this phone would not be sent; asked as the claim asks it. */
async function whyNot(
  phone: string,
  { sender = OURS, ...more }: Partial<SendingGuard> & { sender?: string; messageId?: string } = {},
): Promise<string | null> {
  const guard: SendingGuard = { subjectId: randomUUID(), kind: 'alert', channel: 'sms', ignoresOptOut: false, ...more };
  const { rows } = await api.deps.pool.query(
    `SELECT ${whyNotSql(1)} AS reason
       FROM (SELECT $5::bytea AS recipient_token, $6::text AS sender, $7::uuid AS message_id) d`,
    [...guardValues(guard), tokenOf(phone), sender, more.messageId ?? null],
  );
  return rows[0].reason;
}

function answersTo(row: Record<string, unknown>): string[] {
  return api.messages.filter(({ messageId }) => messageId === row['answer_message_id']).map(({ kind }) => kind);
}

describe('words of opting out', () => {
  test.each(['STOP', 'stop', ' Stop ', 'OptOut', 'revoke', 'END'])(
    '%j stops every text to that phone',
    async (body) => {
      const from = newPhone();
      expect(await whyNot(from)).toBeNull();
      expect(await text({ from, body })).toMatchObject({ routed_as: 'opt-out' });
      expect(await whyNot(from)).toBe('opted-out');
    },
  );

  test('"please stop" is a sentence: nothing is stopped, and a helpful answer goes out from the number that was texted', async () => {
    const from = newPhone();
    const row = await text({ from, body: 'please stop', to: OURS_TOO });
    expect(row).toMatchObject({ routed_as: 'unknown', answer: 'help' });
    expect(await whyNot(from)).toBeNull();
    await eventually(() => expect(answersTo(row)).toHaveLength(1));
    expect(api.messages.at(-1)).toMatchObject({
      messageId: row['answer_message_id'],
      sender: OURS_TOO,
      kind: 'automatic',
      channel: 'sms',
      recordId: row['sender_record_id'],
      ownsRecord: false,
      content: { templateVersion: 1 },
    });
  });

  test('STOP to one of our numbers stops texts from the others; START to another one lifts that', async () => {
    const from = newPhone();
    await text({ from, body: 'STOP', to: OURS });
    expect(await whyNot(from, { sender: OURS_TOO })).toBe('opted-out');
    expect(await text({ from, body: 'start', to: OURS_TOO })).toMatchObject({ routed_as: 'opt-in' });
    expect(await whyNot(from, { sender: OURS_TOO })).toBeNull();
  });

  test('the confirmation of an opt-out is sent all the same, an earlier answer is not any more', async () => {
    const [first, second] = [newPhone(), newPhone()];
    const confirmed = await text({ from: first, body: 'STOP' });
    expect(confirmed).toMatchObject({ answer: 'opt-out-confirmed' });
    const automatic = { kind: 'automatic', ignoresOptOut: true } as const;
    expect(await whyNot(first, { ...automatic, messageId: String(confirmed['answer_message_id']) })).toBeNull();
    const helped = await text({ from: second, body: 'what is this?' });
    await text({ from: second, body: 'STOP' });
    expect(await whyNot(second, { ...automatic, messageId: String(helped['answer_message_id']) })).toBe('opted-out');
  });

  test('YES and START are answers of somebody who is not opted out', async () => {
    for (const body of ['YES', 'Start']) {
      expect(await text({ from: newPhone(), body })).toMatchObject({ routed_as: 'unknown' });
    }
    const from = newPhone();
    await text({ from, body: 'STOP' });
    expect(await text({ from, body: 'yes' })).toMatchObject({ routed_as: 'opt-in' });
    expect(await whyNot(from)).toBeNull();
  });

  test('what Twilio takes for an opt-out is one, whatever the language; then Twilio has answered, and blocks the pair and its service', async () => {
    const from = newPhone();
    const more = { OptOutType: 'STOP', MessagingServiceSid: SERVICE };
    const row = await text({ from, body: 'Arrêt', more });
    expect(row).toMatchObject({ routed_as: 'opt-out', answer: null, opt_out_type: 'STOP' });
    expect(answersTo(row)).toEqual([]);
    const urgent = { ignoresOptOut: true, kind: 'alert' } as const;
    await api.database.owner.query(`UPDATE policies SET is_on = true WHERE name = 'emergency-ignores-opt-out'`);
    expect(await whyNot(from, { ...urgent, sender: OURS })).toBe('blocked');
    expect(await whyNot(from, { ...urgent, sender: SERVICE })).toBe('blocked');
    // Nor is the block got round by another sender.
    expect(await whyNot(from, { ...urgent, sender: OURS_TOO })).toBe('blocked');
    await api.database.owner.query(`UPDATE policies SET is_on = false WHERE name = 'emergency-ignores-opt-out'`);
    await text({ from, body: 'UNSTOP', to: OURS_TOO });
    expect(await whyNot(from, { sender: OURS })).toBe('blocked');
    expect(await whyNot(from, { sender: OURS_TOO })).toBeNull();
    await text({ from, body: 'UNSTOP', more: { MessagingServiceSid: SERVICE } });
    expect(await whyNot(from, { sender: OURS })).toBeNull();
  });

  test('START to another number of ours counts also from somebody of whom only Twilio knows that they opted out', async () => {
    const from = newPhone();
    await noteBlocked(api.deps.pool, { recipientToken: tokenOf(from), sender: OURS, code: '21610' });
    expect(await whyNot(from, { sender: OURS_TOO })).toBe('blocked');
    const row = await text({ from, body: 'START', to: OURS_TOO });
    expect(row).toMatchObject({ routed_as: 'opt-in', answer: 'opted-in' });
    expect(await whyNot(from, { sender: OURS_TOO })).toBeNull();
    expect(await whyNot(from, { sender: OURS })).toBe('blocked');
  });

  test('HELP gets help, and not from somebody who is opted out', async () => {
    const [from, silenced] = [newPhone(), newPhone()];
    expect(await text({ from, body: 'Info' })).toMatchObject({ routed_as: 'help', answer: 'help' });
    await noteBlocked(api.deps.pool, { recipientToken: tokenOf(silenced), sender: OURS, code: '21610' });
    expect(await text({ from: silenced, body: 'HELP' })).toMatchObject({ routed_as: 'help', answer: null });
  });

  test('the policy for emergencies is off by default; with it an alert of class safety goes past the opt-out', async () => {
    const from = newPhone();
    await text({ from, body: 'STOP' });
    expect(await whyNot(from, { ignoresOptOut: true })).toBe('opted-out');
    await api.database.owner.query(`UPDATE policies SET is_on = true WHERE name = 'emergency-ignores-opt-out'`);
    expect(await whyNot(from, { ignoresOptOut: true })).toBeNull();
    expect(await whyNot(from, { ignoresOptOut: false })).toBe('opted-out');
    await api.database.owner.query(`UPDATE policies SET is_on = false WHERE name = 'emergency-ignores-opt-out'`);
  });
});

describe('while the token key is replaced', () => {
  const [older, newer] = [1, 2].map((version) => ({ version, key: Buffer.alloc(32, version) }));
  const phone = SealedValue.of('phone', '+14155550191');
  /** As a process that holds these versions knows the phone. */
  const knownBy = (...keys: ServiceKey[]): RecipientToken => {
    const tokenizer = createTokenizer(keys);
    return { token: tokenizer.token(phone), tokenVersion: tokenizer.version, candidates: tokenizer.candidates(phone) };
  };
  const change = (recipient: RecipientToken) => ({
    recipient,
    scope: 'organisation',
    senders: [OURS, SERVICE],
    actor: 'system',
  });
  const blocks = async (tokens: readonly Buffer[]) => {
    const { rows } = await api.database.owner.query(
      `SELECT token_version AS version, sender FROM provider_blocks
        WHERE recipient_token = ANY($1) AND lifted_at IS NULL ORDER BY token_version, sender`,
      [tokens],
    );
    return rows;
  };

  test('a block says under which version it was written, counts under both, and is lifted under both', async () => {
    if (older === undefined || newer === undefined) throw new Error('two keys');
    const [before, during] = [knownBy(older), knownBy(newer, older)];
    await recordOptOut(api.deps.pool, change(before));
    expect(await isOptedOut(api.deps.pool, { ...change(during), senders: [OURS_TOO] })).toBe(true);
    await recordOptOut(api.deps.pool, change(during));
    expect(await blocks(during.candidates)).toEqual([
      { version: 1, sender: OURS },
      { version: 1, sender: SERVICE },
      { version: 2, sender: OURS },
      { version: 2, sender: SERVICE },
    ]);
    await liftOptOut(api.deps.pool, change(during));
    expect(await blocks(during.candidates)).toEqual([]);
  });

  test('a block that a receipt tells of has the version of the token that its dispatch was made with', async () => {
    if (older === undefined || newer === undefined) throw new Error('two keys');
    const { token } = knownBy(newer);
    await recipientSubject(api.deps.pool, { token, tokenVersion: 2, candidates: [token] });
    const unknown = randomBytes(32);
    for (const recipientToken of [token, unknown]) {
      await noteBlocked(api.deps.pool, { recipientToken, sender: OURS, code: '21610' });
    }
    expect(await blocks([token])).toEqual([{ version: 2, sender: OURS }]);
    expect(await blocks([unknown])).toEqual([{ version: api.deps.tokenizer.version, sender: OURS }]);
  });
});

describe('automatic answers', () => {
  test('one for a number and interval, whatever it writes', async () => {
    const from = newPhone();
    const rows: Record<string, unknown>[] = [];
    for (const body of ['hello', 'who is this', 'HELP', 'STOP']) rows.push(await text({ from, body }));
    expect(rows.map(({ answer }) => answer)).toEqual(['help', null, null, null]);
    await eventually(() => expect(rows.flatMap(answersTo)).toEqual(['automatic']));
    await api.database.owner.query(
      `UPDATE inbound_texts SET answered_at = answered_at - interval '61 minutes' WHERE answered_at IS NOT NULL`,
    );
    expect(await text({ from, body: 'START' })).toMatchObject({ answer: 'opted-in' });
  });

  test('two texts at once from one number get one', async () => {
    const from = newPhone();
    const rows = await Promise.all(['a', 'b', 'c', 'd'].map((body) => text({ from, body: `${body} ?` })));
    expect(rows.filter(({ answer }) => answer !== null)).toHaveLength(1);
  });

  test.each([
    ['a country that is not served', '+442079460123'],
    ['one of our own numbers', OURS],
    ['a short code', '55555'],
    ['a name', 'KINDLINE'],
    ['a withheld number', 'anonymous'],
  ])('none to %s', async (_who, from) => {
    const row = await text({ from, body: 'hello' });
    expect(row).toMatchObject({ answer: null });
  });
});

describe('a text that is delivered', () => {
  test('again is the same one: nothing is sealed, routed or answered twice', async () => {
    const from = newPhone();
    const fields = fieldsOf({ from, body: 'hello again' });
    await text({ from, body: '' }, fields);
    const before = await api.footprint();
    await text({ from, body: '' }, fields);
    expect(await api.footprint()).toEqual(before);
    const { rows } = await api.database.owner.query('SELECT copies FROM webhook_events WHERE sid = $1', [
      fields['MessageSid'],
    ]);
    expect(rows).toEqual([{ copies: 2 }]);
  });

  test('by somebody else than Twilio changes nothing', async () => {
    const before = await api.footprint();
    const answer = await api.twilio('/twiml/inbound-text', fieldsOf({ from: newPhone(), body: 'STOP' }), {
      token: 'wrong',
    });
    expect(answer.status).toBe(403);
    expect(await api.footprint()).toEqual(before);
  });

  test('leaves who wrote what in the vault only, and can be handed over again until it is swept', async () => {
    const from = newPhone();
    const body = 'my sister is in hospital';
    const row = await text({ from, body });
    const { rows } = await api.database.owner.query('SELECT to_jsonb(e) AS e FROM webhook_events e WHERE sid = $1', [
      row['message_sid'],
    ]);
    const event = rows[0].e;
    expect(JSON.stringify([event, row])).not.toContain(from.slice(1));
    expect(JSON.stringify([event, row])).not.toContain('sister');
    expect(event.payload).toMatchObject({ inboundId: row['inbound_id'] });
    expect(api.logLines.join('')).not.toContain('sister');
    await api.database.owner.query('UPDATE inbound_texts SET routed_as = NULL, answer = NULL WHERE inbound_id = $1', [
      row['inbound_id'],
    ]);
    const who = { role: 'admin' } as const;
    const replay = await api.ask('POST', `/webhook-events/${event.event_id}/replay`, { who });
    expect(replay.body).toEqual({ eventId: event.event_id, result: 'handled' });
    expect(await rowOf(String(row['message_sid']))).toMatchObject({ routed_as: 'unknown' });
    await api.deps.vault.destroy(String(row['body_record_id']), 'expired');
    await api.database.owner.query('UPDATE inbound_texts SET routed_as = NULL WHERE inbound_id = $1', [
      row['inbound_id'],
    ]);
    expect((await api.ask('POST', `/webhook-events/${event.event_id}/replay`, { who })).status).toBe(200);
    expect(await rowOf(String(row['message_sid']))).toMatchObject({ routed_as: null });
  });

  test('while Temporal is down is answered by the relay later, once', async () => {
    const from = newPhone();
    const fields = fieldsOf({ from, body: 'anybody there' });
    const start = jest.spyOn(api.deps.messages, 'start').mockRejectedValueOnce(new Error('away'));
    await text({ from, body: '' }, fields);
    await eventually(() => expect(start).toHaveBeenCalled());
    start.mockRestore();
    const sid = fields['MessageSid'] ?? '';
    await api.database.owner.query(
      `UPDATE webhook_events SET received_at = received_at - interval '1 minute' WHERE sid = $1`,
      [sid],
    );
    const started: string[] = [];
    const client = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflowQueue: 'q',
      subjectAttribute: () => 's',
      workflow: { start: async (_type: string, { workflowId }: { workflowId: string }) => started.push(workflowId) },
    } as unknown as KindlineClient;
    const { pool, vault, tokenizer, logger, config } = api.deps;
    const { allowedCountries } = config.limits;
    const { retention, inboundTexts } = config;
    const settings = { ...inboundTexts, allowedCountries, phoneNumbers: [OURS], retention };
    const parts = { pool, client, logger, texts: { vault, tokenizer, settings } };
    await relayOnce(parts);
    expect(started).toEqual([`message:${String((await rowOf(sid))['answer_message_id'])}`]);
    expect(await relayOnce(parts)).toBe(0);
  });
});

describe('answers to open questions', () => {
  async function ask(phone: string, kind: 'survey' | 'check-in', answers: string[] | null, sender = OURS) {
    const { rows } = await api.database.owner.query('INSERT INTO subjects DEFAULT VALUES RETURNING subject_id');
    const questionId = randomUUID();
    const subjectId = rows[0].subject_id;
    const recipientToken = tokenOf(phone);
    const objectId = randomUUID();
    await askQuestion(api.deps.pool, { questionId, kind, objectId, subjectId, recipientToken, sender, answers });
    return questionId;
  }
  const scores = ['1', '2', '3', '4', '5'];

  test('reach the newest question that this number asked this phone, and the app is told', async () => {
    const from = newPhone();
    await ask(from, 'survey', scores, OURS_TOO);
    await ask(from, 'survey', scores);
    const newest = await ask(from, 'survey', scores);
    expect(await text({ from, body: ' 5 ' })).toMatchObject({ routed_as: 'answer', question_id: newest, answer: null });
    const { rows } = await api.database.owner.query('SELECT type FROM app_events WHERE object_id = $1', [newest]);
    expect(rows).toEqual([{ type: 'question.answered' }]);
  });

  test('YES is an answer where it was asked for', async () => {
    const from = newPhone();
    const question = await ask(from, 'check-in', null);
    expect(await text({ from, body: 'Yes' })).toMatchObject({ routed_as: 'answer', question_id: question });
  });

  test('do not reach a question of yesterday, or one they do not fit', async () => {
    const from = newPhone();
    const old = await ask(from, 'survey', scores);
    await api.database.owner.query(
      `UPDATE open_questions SET asked_at = asked_at - interval '25 hours' WHERE question_id = $1`,
      [old],
    );
    await ask(from, 'survey', scores);
    expect(await text({ from, body: 'six' })).toMatchObject({ routed_as: 'unknown', question_id: null });
  });

  test('that fit two questions of two jobs are asked about, and go where the person says', async () => {
    const from = newPhone();
    const survey = await ask(from, 'survey', scores);
    const checkIn = await ask(from, 'check-in', null);
    const row = await text({ from, body: '4' });
    expect(row).toMatchObject({ routed_as: 'which-question', answer: 'which-question', question_id: checkIn });
    await eventually(() => expect(answersTo(row)).toEqual(['automatic']));
    expect(await text({ from, body: 'b' })).toMatchObject({ routed_as: 'choice', question_id: survey, answer: null });
    expect(await rowOf(String(row['message_sid']))).toMatchObject({
      routed_as: 'answer',
      question_id: survey,
      other_question_id: null,
    });
    expect(await text({ from, body: 'feeling better' })).toMatchObject({ question_id: checkIn });
  });

  describe('to how a call was', () => {
    async function calledAndAsked(phone: string): Promise<{ callId: string; questionId: string }> {
      const { pool } = api.deps;
      const { callId, userId } = await liveCall(pool);
      const { mentorId } = await mentorWith(pool);
      await updateCall(pool, callId, { status: 'connected', mentorId, bridgedAt: new Date() });
      const questionId = randomUUID();
      const recipientToken = tokenOf(phone);
      const asked = { questionId, kind: 'survey', objectId: callId, subjectId: userId, recipientToken } as const;
      await askQuestion(pool, { ...asked, sender: OURS, answers: scores });
      return { callId, questionId };
    }

    test('keep the number, and its words sealed', async () => {
      const from = newPhone();
      const { callId, questionId } = await calledAndAsked(from);
      const row = await text({ from, body: '4 she listened' });
      expect(row).toMatchObject({ routed_as: 'answer', question_id: questionId, answer: null });
      const feedback = await feedbackOf(api.deps.pool, callId);
      expect(feedback).toMatchObject({ rating: 4, via: 'sms' });
      const recordId = feedback?.wordRecordId ?? '';
      const words = await api.deps.vault.reveal({ recordId, purpose: 'own-view', actor: 'system' });
      expect(words.expose()).toBe('she listened');
    });

    test('count once: the second text of the same phone is no answer any more', async () => {
      const from = newPhone();
      const { callId } = await calledAndAsked(from);
      await text({ from, body: '2' });
      expect(await text({ from, body: '5' })).toMatchObject({ routed_as: 'unknown' });
      expect((await feedbackOf(api.deps.pool, callId))?.rating).toBe(2);
    });

    test.each(['hello', '10', '4.5', 'STOP'])('%s is none', async (body) => {
      const from = newPhone();
      const { callId } = await calledAndAsked(from);
      expect(await text({ from, body })).toMatchObject({ question_id: null });
      expect(await feedbackOf(api.deps.pool, callId)).toBeNull();
    });

    test('that may be for something else are kept when the person has said for which', async () => {
      const from = newPhone();
      const { callId } = await calledAndAsked(from);
      await ask(from, 'check-in', null);
      expect(await text({ from, body: '5' })).toMatchObject({ routed_as: 'which-question' });
      expect(await feedbackOf(api.deps.pool, callId)).toBeNull();
      await text({ from, body: 'B' });
      expect(await feedbackOf(api.deps.pool, callId)).toMatchObject({ rating: 5, via: 'sms' });
    });
  });
});

describe('what is kept', () => {
  const aged = async (table: string, column: string, where: string, value: unknown) => {
    await api.database.owner.query(
      `UPDATE ${table} SET ${column} = ${column} - interval '91 days' WHERE ${where} = $1`,
      [value],
    );
  };
  const count = async (table: string, where: string, value: unknown): Promise<number> => {
    const { rows } = await api.database.owner.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${where} = $1`, [
      value,
    ]);
    return rows[0].n;
  };
  const rows = { olderThanMs: 90 * 86_400_000, limit: 100 };

  test('of a text is gone after its time, with the records; a dry run only counts', async () => {
    const from = newPhone();
    const row = await text({ from, body: 'long ago' });
    const { rows: records } = await api.database.owner.query(
      `SELECT round(extract(epoch FROM expires_at - created_at) / 86400)::int AS days FROM vault_records
        WHERE record_id = ANY($1)`,
      [[row['sender_record_id'], row['body_record_id']]],
    );
    expect(records).toEqual([{ days: 90 }, { days: 90 }]);
    await aged('inbound_texts', 'received_at', 'inbound_id', row['inbound_id']);
    expect(await deleteOldTexts(api.deps.pool, { ...rows, isDryRun: true })).toMatchObject({ taken: 1 });
    expect(await count('inbound_texts', 'inbound_id', row['inbound_id'])).toBe(1);
    expect(await deleteOldTexts(api.deps.pool, { ...rows, isDryRun: false })).toMatchObject({ taken: 1 });
    expect(await count('inbound_texts', 'inbound_id', row['inbound_id'])).toBe(0);
  });

  test('of an opt-out is kept while it stands, however old; one that was lifted goes', async () => {
    const [stands, lifted] = [newPhone(), newPhone()];
    for (const from of [stands, lifted]) await text({ from, body: 'STOP' });
    await text({ from: lifted, body: 'START' });
    for (const phone of [stands, lifted]) await aged('opt_outs', 'since', 'recipient_token', tokenOf(phone));
    await aged('opt_outs', 'lifted_at', 'recipient_token', tokenOf(lifted));
    await deleteLiftedOptOuts(api.deps.pool, { ...rows, isDryRun: false });
    expect(await count('opt_outs', 'recipient_token', tokenOf(lifted))).toBe(0);
    expect(await whyNot(stands)).toBe('opted-out');
  });

  test('of somebody who is erased holds no token but their opt-out, which stands', async () => {
    const from = newPhone();
    const row = await text({ from, body: 'STOP' });
    await api.deps.vault.eraseSubject(String(row['subject_id']), 'system');
    expect(await rowOf(String(row['message_sid']))).toMatchObject({ sender_token: null });
    expect(await count('recipients', 'subject_id', row['subject_id'])).toBe(0);
    expect(await whyNot(from)).toBe('opted-out');
  });
});
