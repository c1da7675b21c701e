/** Answers that come by text: to the newest question of that number, handed to the workflow once the routing is kept. */
import { randomUUID } from 'node:crypto';
import type { TextedAnswer } from '../../../domain/check-in-answers';
import { relayOnce } from '../../../workers/relay';
import type { KindlineClient } from '../../../temporal/connection';
import { TemporalNotInTime } from '../../../temporal/errors';
import { eventually } from '../../stack';
import { textIn } from '../api/inbound-text';
import { CheckInsUnderTest, newPhone } from './check-in-world';

let world: CheckInsUnderTest;
beforeAll(async () => {
  world = await CheckInsUnderTest.start({ ALLOWED_COUNTRIES: 'US', TWILIO_ANSWERS_OPT_OUT: 'false' });
});
afterAll(() => world.stop());
afterEach(() => {
  world.api.checkIns.down = null;
  world.api.checkIns.texts.length = 0;
});

async function asked(language = 'en') {
  const phone = newPhone();
  const asking = await world.asking({ phone, language });
  return { phone, requestId: await world.sent(asking) };
}

const text = (from: string, body: string, sid?: string) => textIn(world.api, from, body, sid);
/** The workflows are told after the routing is kept. */
const told = (...texts: TextedAnswer[]) => eventually(() => expect(world.api.checkIns.texts).toEqual(texts));

/** A text whose answer is not taken because Temporal is down; its SID. */
async function textInVain(from: string, body: string): Promise<string> {
  world.api.checkIns.down = new TemporalNotInTime();
  const texted = jest.spyOn(world.api.checkIns, 'texted');
  const { sid } = await text(from, body);
  await eventually(() => expect(texted).toHaveBeenCalled());
  texted.mockRestore();
  return sid;
}

test.each([
  ['1', 'called'],
  [' 2 ', 'messaged'],
  ['Can’t reach', 'cannot-reach'],
  ['unavailable', 'unavailable'],
  ['llamé', 'called'],
  ['no puedo', 'unavailable'],
] as const)('“%s” is an answer, and the workflow hears of it', async (body, response) => {
  const { phone, requestId } = await asked();
  expect(await text(phone, body)).toMatchObject({ routed_as: 'answer', question_id: requestId });
  await told({ requestId, response });
});

test.each(['5', '10', 'thanks', '1 and 2'])('“%s” is none', async (body) => {
  const { phone } = await asked();
  expect(await text(phone, body)).toMatchObject({ routed_as: 'unknown', question_id: null });
  expect(world.api.checkIns.texts).toEqual([]);
});

test('counts once: a second text is no answer any more', async () => {
  const { phone, requestId } = await asked();
  await text(phone, '1');
  expect(await text(phone, '2')).toMatchObject({ routed_as: 'unknown' });
  await told({ requestId, response: 'called' });
});

test('a copy of the same text tells the same, and the answer is not lost while Temporal is down', async () => {
  const { phone, requestId } = await asked();
  const sid = await textInVain(phone, '3');
  expect(world.api.checkIns.texts).toEqual([]);
  world.api.checkIns.down = null;
  await text(phone, '3', sid);
  await told({ requestId, response: 'cannot-reach' });
});

test('the relay hands over what the webhook could not, once', async () => {
  const { phone, requestId } = await asked();
  const sid = await textInVain(phone, '4');
  await world.api.database.owner.query(
    `UPDATE webhook_events SET received_at = received_at - interval '1 minute' WHERE sid = $1`,
    [sid],
  );
  const signals: unknown[] = [];
  const client = {
    withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
    workflow: {
      getHandle: (workflowId: string) => ({
        signal: async (name: string, response: string) => signals.push([workflowId, name, response]),
      }),
    },
  } as unknown as KindlineClient;
  const { pool, vault, tokenizer, logger, config } = world.api.deps;
  const { allowedCountries } = config.limits;
  const { phoneNumbers } = config.twilio;
  const settings = { ...config.inboundTexts, allowedCountries, phoneNumbers, retention: config.retention };
  const parts = { pool, client, logger, texts: { vault, tokenizer, settings } };
  await relayOnce(parts);
  await relayOnce(parts);
  expect(signals).toEqual([[`check-in:${requestId}`, 'texted', 'unavailable']]);
});

test('a question that was answered by its page, or is closed, takes no text', async () => {
  const byPage = await asked();
  await world.press(world.linkOf(byPage.requestId), { step: 'answer', response: 'called' });
  expect(await text(byPage.phone, '2')).toMatchObject({ routed_as: 'unknown' });
  const closed = await asked();
  const { requestId } = closed;
  await world.activities.closeCheckIn({ requestId, state: 'unanswered', counts: true, at: new Date().toISOString() });
  expect(await text(closed.phone, '2')).toMatchObject({ routed_as: 'unknown' });
  expect(world.api.checkIns.texts).toEqual([]);
});

test('a digit from a phone that two people are asked about is an answer for neither; after one page it is for the other', async () => {
  const phone = newPhone();
  const first = await world.sent(await world.asking({ phone, language: 'en' }));
  const second = await world.sent(await world.asking({ phone, language: 'en' }));
  expect(await text(phone, '1')).toMatchObject({ routed_as: 'unknown', question_id: null });
  expect(world.api.checkIns.texts).toEqual([]);
  await world.press(world.linkOf(second), { step: 'answer', response: 'called' });
  expect(await text(phone, '2')).toMatchObject({ routed_as: 'answer', question_id: first });
  await told({ requestId: first, response: 'messaged' });
});

test('a survey of the same phone is not taken for a check-in, and is told apart by asking', async () => {
  const { phone, requestId } = await asked();
  await world.api.deps.pool.query(
    `INSERT INTO open_questions (question_id, kind, object_id, subject_id, recipient_token, sender, answers)
     SELECT $1, 'survey', $1, subject_id, recipient_token, sender, '{1,2,3,4,5}' FROM open_questions WHERE question_id = $2`,
    [randomUUID(), requestId],
  );
  expect(await text(phone, '1')).toMatchObject({ routed_as: 'which-question' });
  expect(world.api.checkIns.texts).toEqual([]);
  // The newest was offered first.
  expect(await text(phone, 'B')).toMatchObject({ routed_as: 'choice', question_id: requestId });
  await told({ requestId, response: 'called' });
});
