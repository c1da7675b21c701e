import type { Config } from '../../config/config';
import { createWebhookUrls } from '../../domain/webhook-urls';
import {
  createTwilioNumbers,
  type NumberProvider,
  type NumberUrl,
  type NumberUrls,
  type OwnedNumber,
} from '../../providers/twilio-numbers';
import { examined, fail, type Finding, ok, type Patient } from './finding';

const KINDS = ['voice', 'text', 'status', 'fallback'] as const;
const NAMES: Readonly<Record<(typeof KINDS)[number], string>> = {
  voice: 'voice URL',
  text: 'message URL',
  status: 'status callback',
  fallback: 'voice fallback URL',
};

/**
 * Does each of our numbers ask us when somebody calls it? With `--apply` what differs is set.
 *
 * @param isReachable whether the public address leads to us: numbers are never pointed at one that does not
 */
export async function numberChecks(patient: Patient, isReachable: boolean): Promise<readonly Finding[]> {
  const { config } = patient;
  const provider = createTwilioNumbers(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
  try {
    const findings: Finding[] = [];
    for (const number of config.twilio.phoneNumbers) {
      const todo = 'Are TWILIO_ACCOUNT_SID and its token or API key right, and does Twilio answer?';
      findings.push(...(await examined(number, todo, () => oneNumber(patient, provider, number, isReachable))));
    }
    return findings;
  } finally {
    provider.close();
  }
}

async function oneNumber(
  { config, apply }: Patient,
  provider: NumberProvider,
  number: string,
  isReachable: boolean,
): Promise<readonly Finding[]> {
  const own = await provider.find(number);
  if (own === null) {
    return [fail(number, 'The account does not have this number.', 'Correct TWILIO_PHONE_NUMBER, or buy it.')];
  }
  const findings = hindrances(own);
  const wanted = wantedUrls(config);
  const wrong = KINDS.filter((kind) => wanted[kind] !== undefined && !isSame(own.urls[kind], wanted[kind]));
  if (wrong.length === 0) {
    findings.push(ok(number, 'Calls, texts, status and fallback go where they should.'));
  } else if (apply && isReachable) {
    await provider.setUrls(own.sid, Object.fromEntries(wrong.map((kind) => [kind, wanted[kind]])));
    findings.push(...wrong.map((kind) => ok(number, `The ${NAMES[kind]} was set to ${shown(wanted[kind])}.`)));
  } else {
    const todo = apply
      ? 'Not set, because the public address does not lead to us: mend that first.'
      : 'npm run doctor -- --apply sets it.';
    findings.push(
      ...wrong.map((kind) =>
        fail(number, `The ${NAMES[kind]} is ${shown(own.urls[kind])} and should be ${shown(wanted[kind])}.`, todo),
      ),
    );
  }
  return findings;
}

/** What no URL can mend. */
function hindrances(own: OwnedNumber): Finding[] {
  const findings: Finding[] = [];
  if (!own.hasVoice) findings.push(fail(own.number, 'It cannot be used for calls.', 'Take a number with voice.'));
  if (own.handledBy !== null) {
    findings.push(
      fail(
        own.number,
        `A TwiML ${own.handledBy} handles its calls, so its voice URL is ignored.`,
        'Take it out in the console of Twilio, under "Configure".',
      ),
    );
  }
  return findings;
}

/** Without a static fallback nothing is said about it here; the check of the documents does. */
export function wantedUrls({ twilio }: Config): Partial<NumberUrls> {
  const urls = createWebhookUrls(twilio.webhookBaseUrl, twilio.voiceFallbackUrl);
  const fallback = urls.fallback('default');
  return {
    voice: { url: urls.inbound(), method: 'POST' },
    text: { url: urls.inboundText(), method: 'POST' },
    status: { url: urls.inboundStatus(), method: 'POST' },
    // Static hosts refuse a POST.
    ...(fallback === null ? {} : { fallback: { url: fallback, method: 'GET' } }),
  };
}

export function isSame(is: NumberUrl, wanted: NumberUrl | undefined): boolean {
  return is.url === wanted?.url && is.method === wanted?.method;
}

export function shown(wanted: NumberUrl | undefined): string {
  if (wanted === undefined || wanted.url === null) return 'not set';
  // An address may carry a password, and its query whatever its owner put there.
  const address = wanted.url.replace(/\/\/[^/@]*@/, '//…@').replace(/\?[^#]*/, '?…');
  return `${wanted.method} ${address}`;
}
