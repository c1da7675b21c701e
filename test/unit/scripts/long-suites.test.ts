import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TESTS = join(__dirname, '..', '..');
const longSuites: readonly string[] = JSON.parse(readFileSync(join(TESTS, 'long-suites.json'), 'utf8'));
const suites = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `/test/${file}`);

test.each(longSuites)('%s, which npm test leaves out, is there', (named) => {
  expect(suites.filter((suite) => suite.startsWith(named))).not.toEqual([]);
});
