import { SealedValue } from '../../../domain/sealed';
import { createLogger, type Logger } from '../../../vault/logger';

const NUMBER = '+14155550123';
/* oxlint-disable typescript/no-unsafe-type-assertion -- this suite goes round the types on purpose */
/** As others see it: a caller that goes round the types. */
type Loose = Record<'debug' | 'info' | 'warn' | 'error', (fields: object, message: string) => void> & {
  child(fields: object): Loose;
};

function setUp(level = 'debug'): {
  log: Logger;
  loose: Loose;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = '';
  const log = createLogger({ name: 'test', level, destination: { write: (line: string) => void (text += line) } });
  const lines = (): Record<string, unknown>[] =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { log, loose: log as unknown as Loose, lines, text: () => text };
}

describe('a log line', () => {
  it('has a level, an ISO time, the process, its fields and a constant message', () => {
    const { log, lines } = setUp();
    log.info({ callId: 'c-1', status: 'ringing', durationMs: 12, isNew: true }, 'leg changed');
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        name: 'test',
        callId: 'c-1',
        status: 'ringing',
        durationMs: 12,
        isNew: true,
        msg: 'leg changed',
      },
    ]);
  });

  it('drops fields that are not on the list and values that have not the form of their field', () => {
    const { loose, lines } = setUp();
    loose.info(
      {
        callId: 'c-1',
        phone: NUMBER,
        From: NUMBER,
        status: 'Ada Lovelace',
        route: '/x?To=1',
        port: '80',
        actor: NUMBER,
      },
      'x',
    );
    expect(Object.keys(lines()[0] ?? {})).toEqual(['level', 'time', 'name', 'callId', 'msg']);
  });

  it('leaves out fields that are null or undefined', () => {
    const { log, lines } = setUp();
    log.warn({ errorCode: null, callSid: undefined, country: 'US' }, 'x');
    expect(Object.keys(lines()[0] ?? {})).toEqual(['level', 'time', 'name', 'country', 'msg']);
  });

  it('is not written below the level', () => {
    const { log, text } = setUp('warn');
    log.info({}, 'quiet');
    expect(text()).toBe('');
  });

  it('carries the fields of its child logger', () => {
    const { log, lines } = setUp();
    log.child({ component: 'relay' }).child({ callId: 'c-1' }).info({ count: 1 }, 'x');
    expect(lines()[0]).toMatchObject({ component: 'relay', callId: 'c-1', count: 1 });
  });
});

describe('an error in a log line', () => {
  it('is its name, code, class and status, never its message, stack, cause or anything else', () => {
    const { log, lines } = setUp();
    const error = Object.assign(new TypeError(`no route to ${NUMBER}`, { cause: new Error(NUMBER) }), {
      code: 21211,
      status: 400,
      class: 'permanent',
      moreInfo: `https://example.org/${NUMBER}`,
      config: { data: `To=${NUMBER}`, headers: { Authorization: 'Basic c2VjcmV0' } },
      body: `{"To":"${NUMBER}"`,
    });
    log.error({ error }, 'provider refused');
    expect(lines()[0]?.['error']).toEqual({ name: 'TypeError', code: 21211, class: 'permanent', status: 400 });
  });

  it.each([
    ['a string', NUMBER, { name: 'string' }],
    ['an object with a name full of data', { name: `Error for ${NUMBER}`, code: NUMBER }, { name: 'Error' }],
    ['a bare object', { to: NUMBER }, { name: 'Error' }],
  ])('may be %s', (_what, error, reduced) => {
    const { log, lines, text } = setUp();
    log.error({ error }, 'x');
    expect(lines()[0]?.['error']).toEqual(reduced);
    expect(text()).not.toContain(NUMBER.slice(-7));
  });
});

/** Every shape that leaked through pino's own redaction when it was tried, and some more. */
const leaks: Record<string, (log: Loose) => void> = {
  'a number in the message': (log) => log.info({}, `calling ${NUMBER}`),
  'a spaced national number in the message': (log) => log.info({}, 'calling (415) 555-0123'),
  'a URL-encoded number in the message': (log) => log.info({}, 'GET /x?To=%2B14155550123'),
  'a number in the message of an error': (log) => log.error({ error: new Error(NUMBER) }, 'x'),
  'an error instead of the fields': (log) => log.error(new Error(NUMBER), 'x'),
  'a number three levels deep': (log) => log.info({ contact: { phone: { e164: NUMBER } } }, 'x'),
  'a number deep under an allowed field': (log) => log.info({ status: { to: NUMBER } }, 'x'),
  'a number in a list': (log) => log.info({ callId: [NUMBER] }, 'x'),
  'a top-level binding of a child logger': (log) => log.child({ phone: NUMBER }).info({}, 'x'),
  'an allowed binding of a child logger': (log) => log.child({ callId: NUMBER }).info({}, 'x'),
  'a key written in capitals': (log) => log.info({ Phone: NUMBER, PHONE: NUMBER }, 'x'),
  'a number as key': (log) => log.info({ [NUMBER]: 1 }, 'x'),
  'a number as JSON number': (log) => log.info({ count: 14155550123 }, 'x'),
  'a bare number in an allowed id': (log) => log.info({ actor: '14155550123' }, 'x'),
  'a dashed number in an allowed id': (log) => log.info({ requestId: '415-555-0123' }, 'x'),
  'a number behind a prefix in an allowed id': (log) => log.info({ requestId: 'tel:415-555-0123' }, 'x'),
  'a format argument': (log) => log.info({}, `%s calls ${NUMBER}`),
  'a toJSON': (log) => log.info({ status: { toJSON: () => NUMBER } }, 'x'),
  'a sealed value': (log) =>
    log.info({ status: SealedValue.of('phone', NUMBER) }, `to ${String(SealedValue.of('phone', NUMBER))}`),
  'an object with a number as prototype': (log) => log.info(Object.create({ phone: NUMBER }), 'x'),
};

describe('nothing leaks through', () => {
  it.each(Object.entries(leaks))('%s', (_name, write) => {
    const { loose, text, lines } = setUp();
    write(loose);
    expect(
      text()
        .replace(/"time":"[^"]*"/, '')
        .replace(/\D/g, ''),
    ).not.toContain('5550123');
    expect(lines()).toHaveLength(1);
  });

  it('and what only the net below caught is counted, over all child loggers', () => {
    const { log, loose } = setUp();
    loose.info({}, 'fine');
    expect(log.scrubbedLines()).toBe(0);
    loose.info({}, `calling ${NUMBER}`);
    loose.child({ callId: 'c' }).info({}, 'mail ada@example.org');
    expect(log.scrubbedLines()).toBe(2);
  });
});

describe('the types', () => {
  it('accept constant messages and listed fields only', () => {
    const { log } = setUp('silent');
    const computed: string = ['a', 'b'].join('');
    log.info({ callId: 'c' }, 'constant');
    // @ts-expect-error a computed message
    log.info({}, computed);
    // @ts-expect-error a template with a value
    log.info({}, `to ${computed}`);
    // @ts-expect-error a field that is not on the list
    log.info({ phone: '1' }, 'x');
    // @ts-expect-error a sealed value is no id
    log.info({ callId: SealedValue.of('phone', '1') }, 'x');
    expect(log.scrubbedLines()).toBe(0);
  });
});
