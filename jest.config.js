/**
 * One jest run for all kinds of test that need no browser. Types are checked by `tsc`, not here: swc only strips them.
 *
 * `scripts/test.ts` starts what the suites share (Postgres, Temporal) and passes it on as `KINDLINE_TEST_*`.
 */

/**
 * Suites that `npm test` leaves to `npm run test:all`: each repeats something many times over. Together they take as long as
 * half of all others.
 */
const LONG_SUITES = require('./test/long-suites.json');

/** Packages that are ES modules only, and what they import: Node can require() them, jest cannot. */
const ES_MODULES = ['jose', 'openid-client', 'oauth4webapi', 'node-pg-migrate', 'glob', 'minimatch', 'brace-expansion'];

module.exports = {
  // Node's own, and where lines are counted, it lets threads and child processes count theirs.
  testEnvironment: process.env.KINDLINE_TEST_COVERAGE_DIR === undefined ? 'node' : '<rootDir>/test/child-coverage.ts',
  roots: ['<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // The canary looks at what all other suites left behind: `scripts/test.ts` runs it by itself, last.
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env.KINDLINE_TEST_PHASE === 'canary' ? [] : ['/test/canary/']),
    ...(process.env.KINDLINE_TEST_PHASE === 'short' ? LONG_SUITES : []),
  ],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.kindline/'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' }, keepClassNames: true },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${ES_MODULES.join('|')})/)`],
  // A whole call through real services takes seconds, and on a machine with other work far longer (test/patience.ts).
  testTimeout: 240_000,
  // On two cores: suites wait for real services a third of their time.
  maxWorkers: 3,
  testSequencer: '<rootDir>/test/longest-first.js',
};
