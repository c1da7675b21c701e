/**
 * `npm run webhook -- call-status --query call=…,leg=user --param CallSid=CA… --param CallStatus=completed`: signs and
 * sends any callback to the running service, as Twilio would, and as AWS would what became of a mail
 * (docs/webhooks.md). `--tamper` changes the body after signing, `--repeat 3` sends the same one three times.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { type Rule, RULES } from '../api/authorisation';
import { CommandError, runCommand } from './command-error';
import { loadDotEnv } from './dot-env';
import { localSecrets } from './local-secrets';
import { MAIL_EVENTS, signedMailEvent } from './mail-event';
import { runningAddresses, START_DIR } from './running-stack';

/** Whatever the service takes from Twilio, by the last words of its path. */
const PATHS: ReadonlyMap<string, string> = new Map(
  Object.entries<Rule>(RULES).flatMap(([name, { access }]): [string, string][] => {
    const path = name.slice(name.indexOf('/'));
    return access === 'twilio' ? [[path.replace(/^\/(twiml\/)?/, ''), path]] : [];
  }),
);

const sid = (prefix: string) => `${prefix}${randomBytes(16).toString('hex')}`;
/**
 * What no callback of its kind lacks. No number and no text: a service with a real account would answer whoever has it.
 */
const DEFAULTS: Readonly<Record<string, () => Record<string, string>>> = {
  'call-status': () => ({ CallSid: sid('CA'), CallStatus: 'completed', SequenceNumber: '3' }),
  'message-status': () => ({ MessageSid: sid('SM'), MessageStatus: 'delivered' }),
  'recording-status': () => ({ RecordingSid: sid('RE'), RecordingStatus: 'completed', RecordingDuration: '60' }),
  'inbound-text': () => ({ MessageSid: sid('SM') }),
};

const USAGE = `usage: npm run webhook -- <${[...PATHS.keys(), MAIL_EVENTS].join('|')}> [--query name=value,…] [--param Name=value]… [--url BASE] [--repeat N] [--tamper]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      query: { type: 'string', default: '' },
      param: { type: 'string', multiple: true, default: [] },
      url: { type: 'string' },
      repeat: { type: 'string', default: '1' },
      tamper: { type: 'boolean', default: false },
    },
  });
  const [name = ''] = positionals;
  const path = name === MAIL_EVENTS ? `/${MAIL_EVENTS}` : PATHS.get(name);
  if (path === undefined || !/^[1-9]\d{0,2}$/.test(values.repeat)) throw new CommandError(USAGE);
  loadDotEnv();
  const base = values.url ?? process.env.TWILIO_WEBHOOK_BASE_URL ?? runningAddresses().api;
  const query = new URLSearchParams(pairs(values.query === '' ? [] : values.query.split(','))).toString();
  const url = `${base.replace(/\/+$/, '')}${path}${query === '' ? '' : `?${query}`}`;
  const given = Object.fromEntries(pairs(values.param));
  const request =
    name === MAIL_EVENTS
      ? await signedMailEvent(runningAddresses().simulator, given, values.tamper)
      : signedByTwilio(name, url, given, values.tamper);
  let isWellAnswered = true;
  for (let n = 0; n < Number(values.repeat); n += 1) {
    const response = await fetch(url, { method: 'POST', ...request }).catch(() => {
      throw new CommandError(`Nothing answers at ${base}.`);
    });
    process.stdout.write(`${response.status} ${response.statusText}\n${await response.text()}\n`);
    isWellAnswered &&= response.ok;
  }
  return isWellAnswered ? 0 : 1;
}

function signedByTwilio(name: string, url: string, given: Record<string, string>, isTampered: boolean): RequestInit {
  const { accountSid, authToken } = account();
  const params = { AccountSid: accountSid, ApiVersion: '2010-04-01', ...DEFAULTS[name]?.(), ...given };
  const signature = getExpectedTwilioSignature(authToken, url, params);
  const body = new URLSearchParams({ ...params, ...(isTampered ? { Tampered: 'yes' } : {}) });
  return { headers: { 'x-twilio-signature': signature }, body };
}

/** Of the environment where a real account is configured, else of `npm start`. */
function account(): { accountSid: string; authToken: string } {
  const { TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN } = process.env;
  if (TWILIO_ACCOUNT_SID && TWILIO_AUTH_TOKEN) return { accountSid: TWILIO_ACCOUNT_SID, authToken: TWILIO_AUTH_TOKEN };
  // They would be made where there are none.
  runningAddresses();
  const secrets = localSecrets(START_DIR);
  return { accountSid: secrets.twilioAccountSid, authToken: secrets.twilioAuthToken };
}

function pairs(texts: readonly string[]): [string, string][] {
  return texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new CommandError(USAGE);
    return [text.slice(0, at), text.slice(at + 1)];
  });
}

void runCommand(main);
