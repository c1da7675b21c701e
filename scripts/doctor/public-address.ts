import { isLoopback } from '../../config/variables';
import { createWebhookUrls } from '../../domain/webhook-urls';
import { stripOverrides } from '../../domain/connection-overrides';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { fail, type Finding, ok, type Patient, reasonOf } from './finding';
import { asked } from './web';

const CHECK = 'public address';

/**
 * Sends ourselves what Twilio would send, by the way Twilio would take: through tunnel, balancer and proxies. The
 * request is that of a text to one of our numbers, because it changes nothing and stores nothing.
 */
export async function publicAddressCheck({ config }: Patient): Promise<readonly Finding[]> {
  const { webhookBaseUrl, accountSid, authToken, secondaryAuthToken, apiBaseUrl, voiceFallbackUrl } = config.twilio;
  if (apiBaseUrl === null && isLoopback(webhookBaseUrl)) {
    return [
      fail(
        CHECK,
        `Twilio cannot reach ${webhookBaseUrl}: it is this machine.`,
        'Set TWILIO_WEBHOOK_BASE_URL to the https address of a tunnel or of the deployment.',
      ),
    ];
  }
  const url = stripOverrides(createWebhookUrls(webhookBaseUrl, voiceFallbackUrl).inboundText());
  const fields = { AccountSid: accountSid, ApiVersion: '2010-04-01' };
  const send = (signature: string) =>
    asked(url, {
      method: 'POST',
      headers: { 'X-Twilio-Signature': signature, 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
  try {
    for (const token of secondaryAuthToken === null ? [authToken] : [authToken, secondaryAuthToken]) {
      const wrong = judged(await send(getExpectedTwilioSignature(token, url, fields)), url);
      if (wrong !== null) return [wrong];
    }
    const forged = await send(getExpectedTwilioSignature(`not-${authToken}`, url, fields));
    if (forged.status !== 403) {
      return [
        fail(
          CHECK,
          `A request with a wrong signature is answered ${forged.status} instead of 403.`,
          `Whatever answers at ${webhookBaseUrl} is not our API, or something in front of it answers by itself.`,
        ),
      ];
    }
    return [ok(CHECK, `A signed request to ${webhookBaseUrl} arrives, and a forged one is refused.`)];
  } catch (error) {
    return [
      fail(
        CHECK,
        `Nothing answers at ${webhookBaseUrl} (${reasonOf(error)}).`,
        'Does the tunnel run, does the API, and has the address a valid certificate?',
      ),
    ];
  }
}

/** What an answer to a rightly signed request means; null when it is the one of our API. */
function judged(answer: Response, url: string): Finding | null {
  const { status } = answer;
  if (status === 200 && answer.headers.get('content-type')?.includes('text/xml') === true) return null;
  if (status === 403) {
    return fail(
      CHECK,
      'Our own signature is refused at the public address.',
      'The signature is over TWILIO_WEBHOOK_BASE_URL and the path and query as the API sees them. Either the API runs ' +
        'with another TWILIO_WEBHOOK_BASE_URL (https and host must be those of the public address), account or auth ' +
        'token than this command, or a proxy changes path or query on the way.',
    );
  }
  if (status >= 300 && status < 400) {
    return fail(
      CHECK,
      `The public address redirects (${status}).`,
      'Twilio would repeat the request as a GET, and its form would be lost: name the address that it redirects to ' +
        'in TWILIO_WEBHOOK_BASE_URL (often https instead of http, or with www).',
    );
  }
  if (status === 404 || status === 405) {
    return fail(
      CHECK,
      `At the public address there is no ${new URL(url).pathname} (${status}).`,
      'Something else answers there, or a proxy adds or strips a part of the path.',
    );
  }
  if (status >= 500) {
    return fail(
      CHECK,
      `The public address answers ${status}.`,
      'The tunnel or balancer runs, but not the API behind it.',
    );
  }
  return fail(
    CHECK,
    `The public address answers ${status} with ${answer.headers.get('content-type') ?? 'no type'} instead of TwiML.`,
    'Something in front of the API answers by itself: a sign-in, or the warning page of a tunnel.',
  );
}
