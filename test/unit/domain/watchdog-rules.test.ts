import { judge, type WatchdogFacts, type WatchdogLimits } from '../../../domain/watchdog-rules';

const LIMITS: WatchdogLimits = {
  failurePercent: 5,
  failureCalls: 10,
  nobodyForMs: 600_000,
  userCalls: 6,
  shortCalls: 3,
  shortCallMs: 30_000,
  accounts: 3,
  targetAccounts: 4,
  providerErrors: 5,
};
const QUIET: WatchdogFacts = {
  calls: { total: 0, failed: 0 },
  mentors: { scheduled: 1, free: 1 },
  hasRequests: false,
  userCalls: [],
  shortCalls: [],
  sharedNumbers: [],
  sharedBuddies: [],
  errorCodes: [],
  unanswered: 0,
  stoppedLines: [],
  alertsAwaitingHuman: [],
  alertsReachedNobody: [],
  retentionStaleSince: null,
};
const kinds = (facts: Partial<WatchdogFacts>) =>
  judge({ ...QUIET, ...facts }, LIMITS).map(({ kind, key }) => [kind, key]);

test('a quiet hour has nothing to tell', () => {
  expect(kinds({})).toEqual([]);
});

describe('calls that led to no mentor', () => {
  test.each([
    [9, 9, false, 'fewer than ten say nothing'],
    [20, 1, false, 'exactly five in a hundred are borne'],
    [19, 1, true, 'more are not'],
    [10, 10, true, 'nor are all of them'],
  ])('%i calls, %i failed: %p, because %s', (total, failed, isFound) => {
    expect(kinds({ calls: { total, failed } })).toEqual(isFound ? [['failure-rate', 'all']] : []);
  });
});

describe('nobody can be rung', () => {
  test('is found while somebody is on shift, and held until it has gone on', () => {
    const [finding] = judge({ ...QUIET, mentors: { scheduled: 2, free: 0 } }, LIMITS);
    expect(finding).toEqual({ kind: 'nobody-available', key: 'all', holdMs: 600_000, counts: { scheduled: 2 } });
  });

  test('is no incident at night, unless somebody asks', () => {
    const mentors = { scheduled: 0, free: 0 };
    expect(kinds({ mentors })).toEqual([]);
    expect(kinds({ mentors, hasRequests: true })).toEqual([['nobody-available', 'all']]);
  });
});

test('patterns are found from their limit on, one incident for each', () => {
  const facts = {
    userCalls: [
      { userId: 'u1', count: 6 },
      { userId: 'u2', count: 5 },
    ],
    shortCalls: [{ mentorId: 'm1', count: 3 }],
    sharedNumbers: [{ callId: 'c1', accounts: 4 }],
    sharedBuddies: [
      { buddyId: 'b1', accounts: 5 },
      { buddyId: 'b2', accounts: 4 },
    ],
  };
  expect(kinds(facts)).toEqual([
    ['user-calls', 'u1'],
    ['short-calls', 'm1'],
    ['accounts-to-one-number', 'c1'],
    ['accounts-to-one-buddy', 'b1'],
  ]);
});

test('each alert that needs a human is found at once and by itself, with how many there are', () => {
  const alertsAwaitingHuman = ['a1', 'a2'].map((alertId) => ({ alertId, alerts: 2 }));
  const found = judge({ ...QUIET, alertsAwaitingHuman, alertsReachedNobody: [{ alertId: 'a3', alerts: 1 }] }, LIMITS);
  expect(found).toEqual([
    { kind: 'alert-awaits-human', key: 'a1', holdMs: 0, counts: { alerts: 2 } },
    { kind: 'alert-awaits-human', key: 'a2', holdMs: 0, counts: { alerts: 2 } },
    { kind: 'alert-reached-nobody', key: 'a3', holdMs: 0, counts: { alerts: 1 } },
  ]);
});

describe('trouble with Twilio', () => {
  test('codes of one class count together', () => {
    const errorCodes = [
      { code: 30_007, count: 3 },
      { code: 30_034, count: 2 },
    ];
    expect(kinds({ errorCodes })).toEqual([['provider-errors', 'blocked']]);
  });

  test('wrong numbers, phones that are off and people who opted out are nobody’s to mend', () => {
    const errorCodes = [21_211, 30_003, 21_610, 20_429, 99_999].map((code) => ({ code, count: 100 }));
    expect(kinds({ errorCodes })).toEqual([]);
  });

  test('an outage is found although nothing of it has a code', () => {
    const [finding] = judge({ ...QUIET, unanswered: 5 }, LIMITS);
    expect(finding).toEqual({ kind: 'provider-errors', key: 'unreachable', holdMs: 0, counts: { unanswered: 5 } });
    expect(kinds({ unanswered: 4 })).toEqual([]);
  });

  test('a retention sweep that does not come to its end is found at once', () => {
    expect(kinds({ retentionStaleSince: new Date() })).toEqual([['retention-stale', 'all']]);
  });

  test('a stopped line is found at once, with its code', () => {
    const [finding] = judge({ ...QUIET, stoppedLines: [{ line: 'twilio', code: '20003' }] }, LIMITS);
    expect(finding).toEqual({ kind: 'line-stopped', key: 'twilio', holdMs: 0, counts: { code: 20_003 } });
  });
});
