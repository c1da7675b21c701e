import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../../config/config';
import {
  type Kept,
  KEPT,
  type PeriodName,
  periodOf,
  RETENTION,
  type RetentionPeriods,
  retentionVariable,
  SWEPT_KINDS,
} from '../../../domain/retention';

const HOUR = 3_600_000;
const ROWS = Object.entries(KEPT) as [PeriodName, Kept][];
const CONFIGURED = ROWS.filter(([, { bounds }]) => bounds !== null);
const REQUIRED = {
  DATABASE_URL: 'postgres://127.0.0.1/x',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'x',
  TWILIO_PHONE_NUMBER: '+14155550100',
  OIDC_ISSUER: 'http://127.0.0.1:1',
  // Calls no longer than the shortest time that a number can be kept for one.
  CALL_LONGEST: '1h',
  QUEUE_LIMIT: '0',
};
const configured = (env: NodeJS.ProcessEnv): RetentionPeriods => loadConfig({ ...REQUIRED, ...env }).retention;
const inWords = (ms: number) => (ms % (24 * HOUR) === 0 ? `${ms / (24 * HOUR)}d` : `${ms / HOUR}h`);

test('nothing is configured as the table does not say: the defaults are the same', () => {
  expect(configured({})).toEqual(RETENTION);
});

test.each(CONFIGURED)('%s is configured by its variable, within its bounds and no further', (name, { bounds }) => {
  const [least, most] = bounds ?? [];
  const variable = retentionVariable(name);
  for (const ms of [least ?? 0, most ?? 0]) expect(configured({ [variable]: inWords(ms) })[name]).toBe(ms);
  for (const beyond of [`${(least ?? 0) / HOUR - 1}h`, `${(most ?? 0) / HOUR + 1}h`, '0s', '90', 'for ever']) {
    expect(() => configured({ [variable]: beyond })).toThrow(variable);
  }
});

test('each part of the sweep has one period, and that is the one that is configured', () => {
  const named = ROWS.flatMap(([, { kinds }]) => kinds);
  expect(named.toSorted()).toEqual([...SWEPT_KINDS].toSorted());
  const periods = { ...RETENTION, callLog: 1, messageLog: 2 };
  expect([periodOf('mentor-calls', periods), periodOf('mail-links', periods)]).toEqual([1, 2]);
});

test('a number given for one call is kept for a day at most, whatever is configured', () => {
  expect(() => configured({ RETENTION_NUMBER_FOR_ONE_CALL: '25h' })).toThrow('from 1h to 24h');
});

const FILE = join(__dirname, '..', '..', '..', 'docs', 'retention.md');
const BORDERS = ['<!-- the table of domain/retention.ts -->', '<!-- end of the table -->'] as const;

/** `KINDLINE_UPDATE_RETENTION_DOC=1 npm test -- domain/retention` writes it. */
test('docs/retention.md says what the table says', () => {
  const lines = ROWS.map(([name, row]) => {
    const variable = row.bounds === null ? 'fixed' : `\`${retentionVariable(name)}\``;
    const where = row.tables.map((table) => `\`${table}\``).join(', ');
    return `| ${row.what} | ${inWords(row.defaultMs)}, from ${row.from} | ${row.ending} | ${where} | ${variable} |`;
  });
  const head = ['| what | how long | then | where | variable |', '|---|---|---|---|---|'];
  const doc = readFileSync(FILE, 'utf8');
  const [before = '', after = ''] = [doc.split(BORDERS[0])[0], doc.split(BORDERS[1])[1]];
  const written = `${before}${BORDERS[0]}\n\n${[...head, ...lines].join('\n')}\n\n${BORDERS[1]}${after}`;
  if (process.env['KINDLINE_UPDATE_RETENTION_DOC']) writeFileSync(FILE, written);
  expect(readFileSync(FILE, 'utf8')).toBe(written);
});
