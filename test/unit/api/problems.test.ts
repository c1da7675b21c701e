import type { Request, Response } from 'express';
import * as fc from 'fast-check';
import { z } from 'zod';
import { personName } from '../../../api/buddies-shapes';
import { checkedBody, pointerTo } from '../../../api/checked-input';
import { languageCode, time } from '../../../api/shared-shapes';
import { numberToRing } from '../../../api/given-numbers';
import { Problem, type ProblemCode, PROBLEMS, sendProblem } from '../../../api/problems';
import { contextOf } from '../../../api/request-context';
import { terminalErrorHandler } from '../../../api/terminal-error-handler';
import { createLogger } from '../../../vault/logger';

const settings = { publicBaseUrl: 'https://api.example.org', crisisOverride: null, defaultCountry: 'US' };

/** Just as much of a response as sending a problem needs. */
function response() {
  const headers: Record<string, string> = {};
  const sent = { status: 0, headers, text: '' };
  const res = {
    headersSent: false,
    status: (status: number) => ((sent.status = status), res),
    set: (name: string, value: string) => ((headers[name.toLowerCase()] = value), res),
    type: (type: string) => ((headers['content-type'] = type), res),
    send: (text: string) => ((sent.text = text), res),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stand-in with the few parts that are used
  return { res: res as unknown as Response, sent };
}
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stand-in with the few parts that are used
const requestWith = (body: unknown) => ({ body }) as unknown as Request;
const requestIn = (language?: string) =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a stand-in with the few parts that are used
  ({ headers: language === undefined ? {} : { 'accept-language': language } }) as unknown as Request;

const CODES = Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS);

test.each(CODES)('%s has a stable type, a hint, the request id and helplines', (code) => {
  const { res, sent } = response();
  sendProblem(requestIn(), res, new Problem(code), settings);
  expect(sent.headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(sent.text)).toMatchObject({
    type: `https://api.example.org/problems/${code}`,
    status: sent.status,
    code,
    hint: expect.stringMatching(/\S{2}/),
    instance: `urn:uuid:${contextOf(res).requestId}`,
    helplines: { country: 'US', crisis: { number: '988' }, emergency: { number: '911' }, psi: expect.anything() },
  });
});

test.each([
  ['the number they gave', 'GB', 'en-US', 'GB'],
  ['their language, where nothing else is known', null, 'en-GB,en;q=0.8', 'GB'],
  ['where most callers are, where they say nothing', null, undefined, 'US'],
])('helplines are those of the country of %s', (_of, known, language, expected) => {
  const { res, sent } = response();
  contextOf(res).country = known;
  sendProblem(requestIn(language), res, new Problem('not-found'), settings);
  expect(JSON.parse(sent.text).helplines.country).toBe(expected);
});

test('a retry time is a whole number of seconds, and at least one', () => {
  const { res, sent } = response();
  sendProblem(requestIn(), res, new Problem('too-many-requests', { retryAfterSeconds: 0.2 }), settings);
  expect(sent.headers['retry-after']).toBe('1');
});

/** The problem that `act` ends with; null when it ends well. Anything else is thrown on. */
function problemOf(act: () => unknown): Problem | null {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

describe('a problem never holds a value', () => {
  const schema = z.strictObject({ phone: z.string().max(5), count: z.int().min(3), kind: z.enum(['a', 'b']) });
  const marked = fc.constantFrom('+14155550142', 'Zephyrine Quillfeather', 'x@example.org', '415-555-0142');

  test('whatever a body holds, the places that are named are names of fields', () => {
    const anything = fc.oneof(marked, fc.integer(), fc.array(marked), fc.dictionary(marked, marked), fc.constant(null));
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(marked, fc.constantFrom('phone', 'count', 'kind')), anything), (body) => {
        const problem = problemOf(() => checkedBody(schema, requestWith(body)));
        expect(JSON.stringify(problem?.errors ?? [])).not.toMatch(/555|0142|Zephyrine|example\.org/);
      }),
    );
  });

  test('an unknown field is named only when its name can be no more than a name', () => {
    const places = (body: object) =>
      problemOf(() => checkedBody(z.strictObject({}), requestWith(body)))?.errors.map(({ pointer }) => pointer);
    expect(places({ callMeBack: true, '+14155550142': 1 })).toEqual(['#/callMeBack', '#']);
  });

  test.each([
    [{ name: '+14155550142' }, 'A name is expected here: letters, hyphens and apostrophes, no digits.'],
    [{ id: 'x@example.org' }, 'An id is expected here: a UUID.'],
    [{ at: 'tomorrow' }, 'A time is expected here, as 2026-11-30T09:00:00Z.'],
    [{ words: { 'x@example.org': 1 } }, 'A language is expected here: two small letters, as en.'],
    [{ odd: 'x@example.org' }, 'This has not the form that is expected here.'],
  ])('what has another form is told the one that is expected: %j', (body, detail) => {
    const schema = z.strictObject({
      name: personName(40).optional(),
      id: z.uuid().optional(),
      at: time.optional(),
      words: z.record(languageCode, z.unknown()).optional(),
      odd: z.string().regex(/^a$/).optional(),
    });
    const problem = problemOf(() => checkedBody(schema, requestWith(body)));
    expect(problem?.errors).toEqual([{ pointer: `#/${Object.keys(body)[0]}`, detail }]);
  });

  test('a number that cannot be used is not repeated', () => {
    const rules = { limits: { allowedCountries: ['GB'] }, twilio: { phoneNumbers: [] } };
    fc.assert(
      fc.property(fc.oneof(marked, fc.string()), (text) => {
        const problem = problemOf(() => numberToRing(text, '#/userPhoneNumber', rules));
        expect(JSON.stringify([problem?.errors, problem?.message])).not.toContain('555');
      }),
    );
  });
});

describe('the terminal error handler', () => {
  const lines: string[] = [];
  const logger = createLogger({ name: 'api', level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const handle = (error: unknown) => {
    const { res, sent } = response();
    terminalErrorHandler(settings, logger)(error, requestIn(), res, () => undefined);
    return { ...sent, body: JSON.parse(sent.text) };
  };

  test("a parser's error, which carries the raw body, leaves no trace in the answer or the log", () => {
    const error = Object.assign(new SyntaxError('Unexpected token + in JSON: +14155550142'), {
      status: 400,
      type: 'entity.parse.failed',
      body: '{"userPhoneNumber": +14155550142',
    });
    const answer = handle(error);
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed-json' } });
    expect(answer.text + lines.join('')).not.toContain('5550142');
  });

  test('an error nobody expected is a 500 that says nothing about it', () => {
    const answer = handle(new Error('SELECT secret FROM calls WHERE number = +14155550142'));
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal-error' } });
    expect(answer.text + lines.join('')).not.toMatch(/SELECT|5550142/);
    expect(lines.at(-1)).toContain(answer.body.instance.replace('urn:uuid:', ''));
  });

  test.each([
    [{ code: 'ECONNREFUSED' }, 503],
    [new AggregateError([{ code: 'ECONNREFUSED' }]), 503],
    [{ code: '57P01' }, 503],
    [{ code: '53300' }, 503],
    [{ code: '23505' }, 500],
    [{ status: 418 }, 400],
    ['just a text', 500],
  ])('%j is answered with %i', (error, status) => {
    expect(handle(error).status).toBe(status);
  });
});

test('pointers are JSON Pointers as URI fragments', () => {
  expect(pointerTo([])).toBe('#');
  expect(pointerTo(['a/b', 0, 'c~d', 'é'])).toBe('#/a~1b/0/c~0d/%C3%A9');
});
