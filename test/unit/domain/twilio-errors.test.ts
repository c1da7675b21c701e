import { classifyHttp, classOfCode, PLANS, type TwilioErrorClass } from '../../../domain/twilio-errors';

const never = { retry: 'never', attempts: 0 } as const;

/** Every row of the table of error classes: which codes, how a create answers with them, and what follows. */
const ROWS: readonly [string, readonly [status: number, code: number][], TwilioErrorClass, object][] = [
  ['not processed, too many at once', [[429, 20429]], 'retry', { retry: 'same', pages: false }],
  ['perhaps accepted', [[500, 20500]], 'unknown', { ...never, fallback: true }],
  [
    'no such destination',
    [21201, 21211, 21214, 21217].map((code) => [400, code]),
    'bad-destination',
    { ...never, fallback: false, pages: false },
  ],
  [
    'no mobile, which may still be called',
    [21614, 21635].map((code) => [400, code]),
    'not-for-texts',
    { ...never, fallback: true },
  ],
  [
    'an unknown number or a landline',
    [30005, 30006].map((code) => [400, code]),
    'not-for-texts',
    { ...never, fallback: true },
  ],
  ['no permission for a country', [21408, 21215].map((code) => [400, code]), 'not-allowed', { ...never, pages: true }],
  ['opted out', [[400, 21610]], 'opted-out', { ...never, fallback: false, pages: false }],
  [
    'a sender that cannot reach them, or is not ours',
    [21612, 21606, 21210].map((code) => [400, code]),
    'other-sender',
    { retry: 'other-sender', attempts: 1 },
  ],
  ['a full queue', [21611, 30001].map((code) => [400, code]), 'delay', { retry: 'later', pages: false }],
  [
    'suspended, or not authenticated',
    [
      [400, 30002],
      [401, 20003],
    ],
    'stop-line',
    { retry: 'later', pages: true },
  ],
  [
    'a handset that is off, or trouble at the carrier',
    [30003, 30008, 30500].map((code) => [400, code]),
    'temporary',
    { retry: 'later', attempts: 3, fallback: true, pages: false },
  ],
  [
    'blocked, filtered or unregistered',
    [30004, 30007, 30034, 32017].map((code) => [400, code]),
    'blocked',
    { ...never, pages: true },
  ],
  ['our own webhook', [11200, 11205, 13225].map((code) => [400, code]), 'page-ourselves', { ...never, pages: true }],
];

describe('the class of an error', () => {
  test.each(ROWS)('%s: the codes have their class, and the class its plan', (_what, answers, expected, plan) => {
    for (const [status, code] of answers) {
      expect(classifyHttp(status, code)).toBe(expected);
      // A receipt names the code alone.
      expect(classOfCode(code)).toBe(expected);
    }
    expect(PLANS[expected]).toMatchObject(plan);
  });

  test('that is final allows no further try, and one that is not says when', () => {
    for (const { retry, attempts, firstDelayMs } of Object.values(PLANS)) {
      expect(attempts > 0).toBe(retry !== 'never');
      expect(firstDelayMs > 0).toBe(retry === 'same' || retry === 'later');
      expect(attempts).toBeLessThanOrEqual(5);
    }
  });

  test('of a code nobody has heard of is permanent as an answer, and none in a receipt', () => {
    expect(classifyHttp(400, 29_999)).toBe('permanent');
    expect(classOfCode(29_999)).toBeNull();
  });
});
