/**
 * `npm run smoke -- --to NUMBER [--yes] [--port PORT] [--wait SECONDS]`: one call and one text to a phone of yours on
 * the configured account, and Twilio's callbacks about both. Asks before it spends. It listens where the service
 * otherwise does, so run it before the service is started, or with `--port`.
 *
 * Needs TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER and TWILIO_WEBHOOK_BASE_URL, from the environment,
 * `.env` or SECRETS_SOURCE.
 */
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { VARIABLE_NAMES } from '../config/config';
import { callerIdFor } from '../domain/caller-id';
import { parsePhoneNumber } from '../domain/phone-number';
import { openSecrets } from '../providers/secrets';
import { CommandError, runCommand } from './command-error';
import { loadDotEnv } from './dot-env';
import { portFrom } from './ports';
import { runSmoke } from './smoke/smoke-test';
import { stopSignal } from './stop-signal';

const NEEDED = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER', 'TWILIO_WEBHOOK_BASE_URL'] as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      yes: { type: 'boolean', default: false },
      port: { type: 'string' },
      wait: { type: 'string', default: '120' },
    },
  });
  const { number: to, country } = recipient(values.to);
  loadDotEnv();
  const port = portFrom(values.port ?? process.env.PORT?.trim() ?? '3000');
  const waitSeconds = Number(values.wait);
  if (port === null) throw new CommandError('--port: expected a port from 1 to 65535');
  if (!(waitSeconds >= 1 && waitSeconds <= 600)) throw new CommandError('--wait: expected 1 to 600 seconds');
  const { env } = await openSecrets(process.env, VARIABLE_NAMES);
  const missing = NEEDED.filter((name) => !env[name]?.trim());
  if (missing.length > 0) {
    throw new CommandError(
      `No Twilio account is configured here: ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set.`,
    );
  }
  const ours = (env.TWILIO_PHONE_NUMBER ?? '').split(',').map((number) => number.trim());
  const from = callerIdFor(ours, country);
  const result = await runSmoke({
    account: {
      accountSid: env.TWILIO_ACCOUNT_SID ?? '',
      authToken: env.TWILIO_AUTH_TOKEN ?? '',
      apiKey: env.TWILIO_API_KEY || null,
      apiSecret: env.TWILIO_API_SECRET || null,
      apiBaseUrl: env.TWILIO_API_BASE_URL || null,
    },
    to,
    from,
    messagingServiceSid: env.TWILIO_MESSAGING_SERVICE_SID || null,
    publicUrl: (env.TWILIO_WEBHOOK_BASE_URL ?? '').replace(/\/+$/, ''),
    port,
    waitMs: waitSeconds * 1000,
    mayISpend: () => (values.yes ? Promise.resolve(true) : ask(to, from)),
    say,
    cancel: stopSignal(),
  });
  if (result === null) {
    say('Nothing was sent.');
    return 1;
  }
  say(`\ncall: ${result.call ?? 'no callback came'}; text: ${result.message ?? 'no callback came'}`);
  say(
    result.isWell ? 'Both ways work.' : 'Something is missing: see the lines above, and Monitor in the Twilio console.',
  );
  return result.isWell ? 0 : 1;
}

/** @throws CommandError when it is no number that can be rung */
function recipient(text: string | undefined): { number: string; country: string } {
  if (text === undefined)
    throw new CommandError('usage: npm run smoke -- --to NUMBER [--yes] [--port PORT] [--wait SECONDS]');
  try {
    const { e164, country } = parsePhoneNumber(text);
    return { number: e164.expose(), country };
  } catch {
    throw new CommandError('--to: expected a phone number with + and the country code');
  }
}

/** @throws CommandError where nobody can be asked */
async function ask(to: string, from: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CommandError('This spends money, and nobody can be asked here: add --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const question = `This rings ${to} from ${from} and texts it, for a few cents of the configured account. Go on? [y/N] `;
  const answer = await terminal.question(question);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

void runCommand(main);
