/**
 * `npm run webhook -- call-status --query call=…,leg=user --param CallSid=CA… --param CallStatus=completed`: signs and
 * sends any callback to the running service, as Twilio would. `--tamper` changes the body after signing.
 */
import { parseArgs } from 'node:util';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { CommandError, runCommand } from './command-error';
import { loadDotEnv } from './dot-env';
import { localSecrets } from './local-secrets';
import { runningAddresses, START_DIR } from './running-stack';

const PATHS: Readonly<Record<string, string>> = {
  'call-status': '/call-status',
  'connect-mentor': '/twiml/connect-mentor',
  'mentor-whisper': '/twiml/mentor-whisper',
  'mentor-confirm': '/twiml/mentor-confirm',
  inbound: '/twiml/inbound',
  'inbound-text': '/twiml/inbound-text',
};

const USAGE = `usage: npm run webhook -- <${Object.keys(PATHS).join('|')}> [--query name=value,…] [--param Name=value]… [--url BASE] [--tamper]`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      query: { type: 'string', default: '' },
      param: { type: 'string', multiple: true, default: [] },
      url: { type: 'string' },
      tamper: { type: 'boolean', default: false },
    },
  });
  const path = PATHS[positionals[0] ?? ''];
  if (path === undefined) throw new CommandError(USAGE);
  loadDotEnv();
  const base = values.url ?? process.env.TWILIO_WEBHOOK_BASE_URL ?? runningAddresses().api;
  const { accountSid, authToken } = account();
  const query = new URLSearchParams(pairs(values.query === '' ? [] : values.query.split(','))).toString();
  const url = `${base.replace(/\/+$/, '')}${path}${query === '' ? '' : `?${query}`}`;
  const params = { AccountSid: accountSid, ApiVersion: '2010-04-01', ...Object.fromEntries(pairs(values.param)) };
  const signature = getExpectedTwilioSignature(authToken, url, params);
  const body = new URLSearchParams({ ...params, ...(values.tamper ? { Tampered: 'yes' } : {}) });
  const sent = fetch(url, { method: 'POST', headers: { 'x-twilio-signature': signature }, body });
  const response = await sent.catch(() => {
    throw new CommandError(`Nothing answers at ${base}.`);
  });
  process.stdout.write(`${response.status} ${response.statusText}\n${await response.text()}\n`);
  return response.ok ? 0 : 1;
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
