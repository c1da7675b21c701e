import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

/** What `jest --json` writes, as far as it is read here. */
export const jestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});
export type JestReport = z.infer<typeof jestReport>;

/** Enough to see what was expected and what came, without the stack. */
const LINES_EACH = 14;

/**
 * Each test that failed, and each suite that could not run: path, title, and the first lines of why. Between what some
 * thousand tests print nobody finds them.
 */
export function failedTests({ testResults }: JestReport, root: string): string[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const path = relative(root, name);
    const failed = assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => entry(`${path} › ${fullName}`, failureMessages?.[0] ?? ''));
    // A suite that could not even be loaded has no test that failed.
    return failed.length > 0 || assertionResults.length > 0 || message === '' ? failed : [entry(path, message)];
  });
}

function entry(title: string, why: string): string {
  const lines = stripVTControlCharacters(why)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s+at /.test(line));
  return [title, ...lines.slice(0, LINES_EACH).map((line) => `    ${line}`)].join('\n');
}
