import * as fc from 'fast-check';
import { scrub } from '../../../vault/redaction';

/** One number in every spelling that has been seen in logs; each must be found. */
const SPELLINGS = [
  '+14155550123',
  '14155550123',
  '0014155550123',
  '4155550123',
  '+1 415 555 0123',
  '+1 (415) 555-0123',
  '+1-415-555-0123',
  '+1.415.555.0123',
  '+1 415 5550123',
  '(415) 555-0123',
  '415-555-0123',
  '415.555.0123',
  '415 555 0123',
  '%2B14155550123',
  '%2b14155550123',
  '%2B1%20415%20555%200123',
  '+1\u00a0415\u00a0555\u00a00123',
  '+447700900123',
  '+44 7700 900123',
  '+44 (0)20 7946 0123',
  '07700 900123',
  '020 7946 0123',
  '447700900123',
  '+4915123456789',
  '4915123456789',
];
/** Where in a line of JSON it can stand. */
const PLACES: Record<string, (number: string) => string> = {
  'a message': (number) => JSON.stringify({ msg: `cannot call ${number} now` }),
  'the end of a sentence': (number) => JSON.stringify({ msg: `cannot call ${number}.` }),
  'a value': (number) => JSON.stringify({ Phone: number }),
  'a deep value': (number) => JSON.stringify({ a: { b: [{ to: number }] } }),
  'a query': (number) => JSON.stringify({ url: `https://example.org/x?To=${number}&y=1` }),
  'a form body': (number) => JSON.stringify({ body: `From=${number}` }),
  'nested JSON': (number) => JSON.stringify({ body: JSON.stringify({ to: number }) }),
};

describe('the scan of the finished line', () => {
  it.each(SPELLINGS)('finds %s wherever it stands', (number) => {
    for (const [place, write] of Object.entries(PLACES)) {
      const { line, found } = scrub(write(number));
      expect({ place, found }).toEqual({ place, found: true });
      expect(line.replace(/\D/g, '')).not.toContain('0123');
      expect(() => JSON.parse(line)).not.toThrow();
    }
  });

  it('finds a number that is a JSON number, and leaves JSON behind', () => {
    const { line, found } = scrub('{"to":14155550123,"list":[447700900123]}');
    expect(found).toBe(true);
    expect(JSON.parse(line)).toEqual({ to: 0, list: [0] });
  });

  it.each([
    'ada@example.org',
    'a.b+c@mail.example.co.uk',
    'ada%40example.org',
    'zoë@exämple.org',
    "o'neil@example.org",
  ])('finds the address %s', (address) => {
    const { line, found } = scrub(JSON.stringify({ msg: `to <${address}>` }));
    expect(found).toBe(true);
    expect(line).toBe(JSON.stringify({ msg: 'to <[email]>' }));
  });

  it.each([
    ['an ISO time', '{"time":"2026-11-21T12:34:56.789Z"}'],
    ['an epoch time in milliseconds', '{"at":1795264496789}'],
    ['an epoch time in seconds', '{"at":1795264496}'],
    ['a UUID', '{"callId":"12345678-1234-8123-8123-123456789012"}'],
    ['a UUID that begins like an international number', '{"callId":"00522900-7617-49a6-af0b-02825e3811d6"}'],
    ['a Twilio SID', '{"callSid":"CA12345678901234567890123456789012"}'],
    ['a workflow id', '{"workflowId":"mentor-call:00000000-0000-8000-8000-000000000000"}'],
    ['an IP address with a port', '{"address":"127.0.0.1:65535"}'],
    ['small numbers in a row', '{"a":415,"b":555,"c":123,"d":[100,200,300,400,500,600,700]}'],
    ['a version', '{"version":"@temporalio/worker@1.24.0","node":"v20.19.0"}'],
    ['a token in hex', `{"token":"${'a1b2c3d4'.repeat(8)}"}`],
    ['an error code and a status', '{"errorCode":21211,"httpStatus":400,"durationMs":123456789}'],
    ['a database address', '{"url":"postgres://kindline@localhost:54321/kindline_01"}'],
    ['a date with a time', '{"msg":"2026-11-21 12:34:56"}'],
  ])('leaves %s alone', (_what, line) => {
    expect(scrub(line)).toEqual({ line, found: false });
  });

  it('leaves every UUID and every time of this century alone', () => {
    const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2033-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(fc.uuid(), time, (id, at) => {
        const line = JSON.stringify({ id, time: at.toISOString(), ms: at.getTime() });
        expect(scrub(line).line).toBe(line);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds every E.164 number inside any text without digits', () => {
    const noDigits = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\d+%\\]/g, ''));
    const number = fc.integer({ min: 2_000_000_000, max: 9_999_999_999 }).map((digits) => `+1${digits}`);
    fc.assert(
      fc.property(noDigits, number, noDigits, (before, digits, after) => {
        const { line, found } = scrub(JSON.stringify({ msg: before + digits + after }));
        expect(found).toBe(true);
        expect(line).not.toContain(digits.slice(4));
      }),
    );
  });

  it('takes linear time on long lines made to be slow', () => {
    const slow = [
      'a.'.repeat(100_000),
      '1 '.repeat(100_000),
      '+'.repeat(100_000),
      `${'a'.repeat(200_000)}@`,
      '('.repeat(100_000),
    ];
    for (const line of slow) {
      const started = performance.now();
      scrub(line);
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });
});
