import type { Twilio } from 'twilio';

/** What Twilio answers to one request with test credentials. */
export interface TwilioCase {
  readonly title: string;
  /** The code of a refusal; null: it is created. */
  readonly code: number | null;
  /** @returns the status of what was created */
  readonly ask: (client: Twilio) => Promise<string>;
}

/** The one number that test credentials may send and call from. */
const GOOD = '+15005550006';
/** A number that can be dialled, and that is nobody's. */
const ANYBODY = '+14155550142';
const URL = 'https://example.org/voice';

/**
 * What test credentials allow: Twilio's magic numbers. The same table passes against the simulator, so that the
 * simulator's answers are Twilio's own.
 * @see https://www.twilio.com/docs/iam/test-credentials
 */
export const TWILIO_CASES: readonly TwilioCase[] = [
  text('a text from the good number', null),
  text('a text of two segments', null, { body: 'a'.repeat(161) }),
  text('a text with a callback and a validity', null, { statusCallback: 'https://example.org/s', validityPeriod: 600 }),
  text('a text to no number', 21604, { to: '' }),
  text('a text from nowhere', 21603, { from: '' }),
  text('a text to a number that does not exist', 21211, { to: '+15005550001' }),
  text('a text to a number that cannot be reached', 21612, { to: '+15005550002' }),
  text('a text to a country that the account may not text', 21408, { to: '+15005550003' }),
  text('a text to somebody who has opted out', 21610, { to: '+15005550004' }),
  text('a text to a number that takes none', 21614, { to: '+15005550009' }),
  text('a text from a number that does not exist', 21212, { from: '+15005550001' }),
  text('a text from a number that is not ours', 21606, { from: '+15005550007' }),
  text('a text from a number whose queue is full', 21611, { from: '+15005550008' }),
  call('a call from the good number', null),
  call('a call to a number that does not exist', 21217, { to: '+15005550001' }),
  call('a call to a number that cannot be reached', 21214, { to: '+15005550002' }),
  call('a call to a country that the account may not call', 21215, { to: '+15005550003' }),
  call('a call to a number that is blocked', 21216, { to: '+15005550004' }),
  call('a call from a number that does not exist', 21212, { from: '+15005550001' }),
  call('a call from a number that is not ours', 21210, { from: '+15005550007' }),
  {
    title: 'a list of messages, which test credentials may not see',
    code: 20008,
    ask: async (client) => String((await client.messages.list({ limit: 1 })).length),
  },
];

/** @throws Error saying what was expected and what came; nothing when all is as expected */
export async function runCase(client: Twilio, one: TwilioCase): Promise<void> {
  // Of an error only the code is kept: its message may quote a number, and its request holds the credentials.
  const outcome = await one.ask(client).then(
    (status) => ({ status, code: null }),
    (error: unknown) => ({ status: null, code: codeOf(error) }),
  );
  if (outcome.code !== one.code) {
    const came = outcome.code === null ? (outcome.status ?? 'no usable answer') : `the code ${outcome.code}`;
    throw new Error(`expected ${one.code === null ? 'queued' : `the code ${one.code}`}, got ${came}`);
  }
  if (one.code === null && outcome.status !== 'queued') {
    throw new Error(`expected queued, got ${outcome.status ?? 'no usable answer'}`);
  }
}

function codeOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'number' ? error.code : null;
}

function text(title: string, code: number | null, more: Partial<Parameters<Twilio['messages']['create']>[0]> = {}) {
  const ask = async (client: Twilio) =>
    (await client.messages.create({ to: ANYBODY, from: GOOD, body: 'Hello.', ...more })).status;
  return { title, code, ask };
}

function call(title: string, code: number | null, more: Partial<Parameters<Twilio['calls']['create']>[0]> = {}) {
  const ask = async (client: Twilio) =>
    (await client.calls.create({ to: ANYBODY, from: GOOD, url: URL, ...more })).status;
  return { title, code, ask };
}
