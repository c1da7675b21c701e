import { randomUUID } from 'node:crypto';
import { createCallAfterwardsActivities, type TextAfterCall } from '../../../activities/call-afterwards';
import { createMentorCallActivities } from '../../../activities/mentor-calls';
import { closeCall, openCall, updateCall } from '../../../db/calls';
import { feedbackOf, takeFeedback } from '../../../db/call-feedback';
import { replacePreferences } from '../../../db/preferences';
import { recordOptOut } from '../../../db/opt-outs';
import { inTransaction } from '../../../db/pool';
import { renderContent } from '../../../db/rendering';
import { createSubject } from '../../../db/subjects';
import { setSwitch } from '../../../db/switches';
import type { RingingInput } from '../../mentor-call-input';
import type { MessageInput } from '../../../domain/message';
import { RETENTION } from '../../../domain/retention';
import type { KindlineClient } from '../../../temporal/connection';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { callInput, LIMITS, localRing, mentorWith, phone, vaultOver } from '../db/people';

let database: TestDatabase;
let parts: Parameters<typeof createCallAfterwardsActivities>[0];
const started: MessageInput[] = [];
/** Remembers what was started, once for each workflow id. */
const temporal = {
  withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
  workflowQueue: 'q',
  subjectAttribute: () => 's',
  workflow: {
    start: async (_type: string, { args }: { args: [MessageInput] }) => {
      if (!started.some(({ messageId }) => messageId === args[0].messageId)) started.push(args[0]);
    },
  },
} as unknown as KindlineClient;

beforeAll(async () => {
  database = await createTestDatabase();
  const pool = database.app;
  const vault = vaultOver(pool, await localRing());
  const enabled = { voice: true, sms: true, email: false };
  parts = { pool, vault, temporal, enabled, crisisOverride: null, retention: RETENTION };
});
afterAll(async () => {
  await parts.vault.close();
  await database.drop();
});
beforeEach(() => {
  started.length = 0;
});

/** A call that is over, with its number kept for the text. */
async function overCall(more: Partial<RingingInput> = {}): Promise<RingingInput> {
  const userId = await createSubject(parts.pool, 'system');
  const recordId = await parts.vault.seal({ subjectId: userId, kind: 'phone', value: phone() });
  const call = callInput({ userId, recordId }, more);
  await openCall(parts.pool, call, LIMITS);
  const { callId } = call;
  const { mentorId } = await mentorWith(parts.pool);
  await updateCall(parts.pool, callId, { status: 'connected', mentorId, bridgedAt: new Date() });
  const end = {
    callId,
    outcome: 'completed',
    endReason: 'bridge-over',
    endedAt: new Date(),
    durationSeconds: 90,
  } as const;
  await closeCall(parts.pool, { ...end, keepNumber: true });
  return call;
}

const asking = (call: RingingInput, text: TextAfterCall['text']): TextAfterCall => ({
  call,
  text,
  messageId: randomUUID(),
  questionId: randomUUID(),
});
const send = (asked: TextAfterCall) => createCallAfterwardsActivities(parts).textAfterCall(asked);

async function isDestroyed(recordId: string): Promise<boolean> {
  const { rows } = await database.owner.query('SELECT destroyed_at FROM vault_records WHERE record_id = $1', [
    recordId,
  ]);
  return rows[0].destroyed_at !== null;
}

async function questionsOf(callId: string): Promise<unknown[]> {
  return (await database.owner.query('SELECT * FROM open_questions WHERE object_id = $1', [callId])).rows;
}

const wordsOf = async ({ content, language }: MessageInput) =>
  (await renderContent({ pool: parts.pool, vault: parts.vault } as never, content, language, 'text')).value.expose();

/** Words that tell a reader what the text is about; the texts say none of them, in any language. */
const REVEALING =
  /mentor|postpartum|suicid|crisis|helpline|hotline|support|therap|baby|survey|kindline|ayuda|écoute|soutien|हेल्पलाइन|मेंटर/i;

describe.each(['en', 'es', 'fr', 'hi'])('in %s', (language) => {
  test('the numbers are named in neutral words, and the person may opt out', async () => {
    await send(asking(await overCall({ language }), 'helplines'));
    const words = await wordsOf(started[0] as MessageInput);
    expect(words).toMatch(/988.*\+18338526262.*911/s);
    expect(words).toContain('STOP');
    expect(words).not.toMatch(REVEALING);
  });

  test('the question names nothing but its keys', async () => {
    await send(asking(await overCall({ language }), 'how-was-it'));
    const words = await wordsOf(started[0] as MessageInput);
    expect(words).toMatch(/1.*5/s);
    expect(words).toContain('STOP');
    expect(words).not.toMatch(REVEALING);
  });
});

test('the numbers go out as of class safety, and the text takes the number along', async () => {
  const call = await overCall();
  await send(asking(call, 'helplines'));
  expect(started).toEqual([
    expect.objectContaining({
      recordId: call.recordId,
      ownsRecord: true,
      kind: 'alert',
      messageClass: 'safety',
      urgency: 'emergency',
      sender: null,
    }),
  ]);
  expect(await isDestroyed(call.recordId)).toBe(false);
  expect(await questionsOf(call.callId)).toEqual([]);
});

test('what is said in a text, and of a call, is kept for as long as is configured', async () => {
  const retention = { ...RETENTION, messageBody: 7 * 86_400_000 };
  const call = await overCall();
  await createCallAfterwardsActivities({ ...parts, retention }).textAfterCall(asking(call, 'how-was-it'));
  const given = { callId: call.callId, rating: 5, words: 'well done', via: 'app' } as const;
  await inTransaction(parts.pool, (tx) => takeFeedback(tx, { ...parts, retention }, given));
  const { rows } = await database.owner.query(
    `SELECT expires_at - created_at < interval '8 days' AS is_as_configured FROM vault_records
      WHERE subject_id = $1 AND kind = 'text'`,
    [call.userId],
  );
  expect(rows).toEqual([{ is_as_configured: true }, { is_as_configured: true }]);
});

test('the question goes out from the number that they saw, within the hour, and is open from then on', async () => {
  const call = await overCall();
  const asked = asking(call, 'how-was-it');
  await send(asked);
  expect(started[0]).toMatchObject({ kind: 'survey', messageClass: 'ordinary', sender: call.organisationNumber });
  const left = Date.parse(started[0]?.notAfter ?? '') - Date.now();
  expect(left).toBeGreaterThan(50 * 60_000);
  expect(left).toBeLessThanOrEqual(60 * 60_000);
  expect(await questionsOf(call.callId)).toMatchObject([
    { question_id: asked.questionId, kind: 'survey', sender: call.organisationNumber, closed_at: null },
  ]);
});

test('repeated, it starts one text and asks once', async () => {
  const asked = asking(await overCall(), 'how-was-it');
  await send(asked);
  await send(asked);
  expect(started).toHaveLength(1);
  expect(await questionsOf(asked.call.callId)).toHaveLength(1);
});

test('a number that was saved is not the text’s to destroy', async () => {
  await send(asking(await overCall({ numberIsForThisCallOnly: false }), 'helplines'));
  expect(started[0]).toMatchObject({ ownsRecord: false });
});

describe('nothing is asked, and the number goes at once, where', () => {
  const NOTHING = { started: [], questions: [], isDestroyed: true };
  const left = async (call: RingingInput, text: TextAfterCall['text'] = 'how-was-it') => {
    await send(asking(call, text));
    return {
      started: [...started],
      questions: await questionsOf(call.callId),
      isDestroyed: await isDestroyed(call.recordId),
    };
  };

  test('the user wants no such texts', async () => {
    const call = await overCall();
    const no = { channel: 'sms', kind: 'survey', allowed: false } as const;
    await replacePreferences(parts.pool, call.userId, [no], 'any');
    expect(await left(call)).toEqual(NOTHING);
  });

  test('the phone has opted out', async () => {
    const call = await overCall();
    const token = Buffer.from(call.recipientToken, 'hex');
    const recipient = { token, tokenVersion: 1, candidates: [token] };
    const change = { recipient, scope: 'organisation', senders: [], actor: call.userId };
    await inTransaction(parts.pool, (tx) => recordOptOut(tx, change));
    expect(await left(call)).toEqual(NOTHING);
  });

  test('they have said it already', async () => {
    const call = await overCall();
    await createCallAfterwardsActivities(parts).noteFeedback({ callId: call.callId, rating: 3 });
    expect(await feedbackOf(parts.pool, call.callId)).toMatchObject({ rating: 3, via: 'key' });
    expect(await left(call)).toEqual(NOTHING);
  });

  test('there are no numbers to name', async () => {
    expect(await left(await overCall({ country: 'DE' }), 'helplines')).toEqual(NOTHING);
  });

  test('texts are off, by configuration or by staff', async () => {
    const on = parts;
    parts = { ...on, enabled: { ...on.enabled, sms: false } };
    expect(await left(await overCall(), 'helplines')).toEqual(NOTHING);
    parts = on;
    await inTransaction(parts.pool, (tx) => setSwitch(tx, 'sms', false, 'system'));
    expect(await left(await overCall(), 'helplines')).toEqual(NOTHING);
    await inTransaction(parts.pool, (tx) => setSwitch(tx, 'sms', true, 'system'));
  });
});

test('who refuses such calls is known from the call’s first step on, also when that is repeated', async () => {
  const userId = await createSubject(parts.pool, 'system');
  const recordId = await parts.vault.seal({ subjectId: userId, kind: 'phone', value: phone() });
  const no = { channel: 'voice', kind: 'survey', allowed: false } as const;
  await replacePreferences(parts.pool, userId, [no], 'any');
  const feedback = { byKey: true, bySms: true, afterSeconds: 60 };
  const { openCall: open } = createMentorCallActivities({ pool: parts.pool, limits: LIMITS } as never);
  const call = callInput({ userId, recordId }, { feedback });
  const refused = { state: 'opened', refusesSurveyCalls: true };
  expect([await open(call), await open(call)]).toEqual([refused, refused]);
});
