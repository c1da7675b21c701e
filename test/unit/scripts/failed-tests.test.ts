import { failedTests } from '../../../scripts/failed-tests';

const report = (testResults: Parameters<typeof failedTests>[0]['testResults']) => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults,
});

describe('what failed is named again at the end of a run', () => {
  it('by path and title, with what was expected, and without the stack', () => {
    const why =
      '\u001b[31mexpect(received).toBe(expected)\u001b[39m\n\nExpected: 1\nReceived: 2\n    at Object.<anonymous> (a.test.ts:3:1)';
    const named = failedTests(
      report([
        {
          name: '/clone/test/unit/a.test.ts',
          message: why,
          assertionResults: [
            { fullName: 'a is one', status: 'failed', failureMessages: [why] },
            { fullName: 'a is not two', status: 'passed', failureMessages: [] },
          ],
        },
      ]),
      '/clone',
    );
    expect(named).toEqual([
      'test/unit/a.test.ts › a is one\n    expect(received).toBe(expected)\n    Expected: 1\n    Received: 2',
    ]);
  });

  it('also a suite that could not be loaded, and nothing of one that passed or has no tests', () => {
    const named = failedTests(
      report([
        { name: '/clone/test/b.test.ts', message: "Cannot find module './c'", assertionResults: [] },
        { name: '/clone/test/d.test.ts', message: '', assertionResults: [] },
      ]),
      '/clone',
    );
    expect(named).toEqual(["test/b.test.ts\n    Cannot find module './c'"]);
  });
});
