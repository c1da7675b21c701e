/**
 * `npm run test:twilio`: asks the real Twilio what test credentials allow, and compares with what this project
 * believes about it. Nothing is sent, rung or charged. Without credentials every case is skipped, and says so.
 *
 * Needs `TWILIO_TEST_ACCOUNT_SID` and `TWILIO_TEST_AUTH_TOKEN` in the environment or in `.env`.
 */
import twilio from 'twilio';
import { CommandError, runCommand } from './command-error';
import { loadDotEnv } from './dot-env';
import { runCase, TWILIO_CASES } from './twilio-cases';

async function main(): Promise<number> {
  loadDotEnv();
  const { TWILIO_TEST_ACCOUNT_SID: accountSid, TWILIO_TEST_AUTH_TOKEN: authToken, TWILIO_API_BASE_URL } = process.env;
  if (!accountSid) {
    skipAll();
    return 0;
  }
  if (!authToken) throw new CommandError('TWILIO_TEST_AUTH_TOKEN: expected the auth token of the test credentials');
  const client = twilio(accountSid, authToken, { timeout: 30_000, autoRetry: true });
  if (TWILIO_API_BASE_URL) client.api.baseUrl = TWILIO_API_BASE_URL;
  let failed = 0;
  for (const one of TWILIO_CASES) {
    try {
      await runCase(client, one);
      say(`ok    ${one.title}`);
    } catch (error) {
      failed += 1;
      say(`FAIL  ${one.title}: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }
  say(`\n${TWILIO_CASES.length - failed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 ? 0 : 1;
}

/** So that nobody takes silence for success. */
function skipAll(): void {
  say('*** SKIPPED: nothing was asked of the real Twilio, because TWILIO_TEST_ACCOUNT_SID is not set. ***');
  say('    (Twilio console, Account management, API keys & tokens, Test credentials. They cost nothing.)\n');
  for (const { title } of TWILIO_CASES) say(`skip  ${title}`);
  say(`\n0 passed, 0 failed, ${TWILIO_CASES.length} skipped`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void runCommand(main);
