import { createWebhookUrls } from '../../domain/webhook-urls';
import { type AppUrls, createTwimlApps, type TwimlAppProvider } from '../../providers/twiml-apps';
import { examined, fail, type Finding, ok, type Patient } from './finding';
import { isSame, shown, wantedUrls } from './numbers';

const CHECK = 'in-app voice';
const NAMES = { voice: 'voice URL', status: 'status callback', fallback: 'voice fallback URL' } as const;
const KINDS = ['voice', 'status', 'fallback'] as const;

/**
 * Does the TwiML app ask us when somebody calls from the app, and does Twilio know the key that signs their tokens? With
 * `--apply` what differs is set. Says nothing where calls from the app are not configured.
 *
 * @param isReachable whether the public address leads to us: an app is never pointed at one that does not
 */
export async function appCallChecks({ config, apply }: Patient, isReachable: boolean): Promise<readonly Finding[]> {
  const { twimlAppSid } = config.twilio;
  if (twimlAppSid === null) return [];
  const provider = createTwimlApps(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
  const todo = 'Are TWILIO_ACCOUNT_SID, TWILIO_API_KEY and TWILIO_API_SECRET right, and does Twilio answer?';
  try {
    return await examined(CHECK, todo, () => theApp(provider, twimlAppSid, wanted(config), apply && isReachable));
  } finally {
    provider.close();
  }
}

function wanted(config: Patient['config']): Partial<AppUrls> {
  // Its end and its fallback are told as those of a number are.
  const { status, fallback } = wantedUrls(config);
  const urls = createWebhookUrls(config.twilio.webhookBaseUrl, config.twilio.voiceFallbackUrl);
  return {
    voice: { url: urls.voiceApp(), method: 'POST' },
    ...(status ? { status } : {}),
    ...(fallback ? { fallback } : {}),
  };
}

async function theApp(
  provider: TwimlAppProvider,
  sid: string,
  urls: Partial<AppUrls>,
  mayApply: boolean,
): Promise<readonly Finding[]> {
  const is = await provider.find(sid);
  if (is === null) {
    return [
      fail(CHECK, 'The account does not have this TwiML app.', 'Make one in the console, and set TWIML_APP_SID.'),
    ];
  }
  const wrong = KINDS.filter((kind) => urls[kind] !== undefined && !isSame(is[kind], urls[kind]));
  if (wrong.length === 0) return [ok(CHECK, 'Calls from the app, their end and their fallback go where they should.')];
  if (mayApply) {
    await provider.setUrls(sid, Object.fromEntries(wrong.map((kind) => [kind, urls[kind]])));
    return wrong.map((kind) => ok(CHECK, `The ${NAMES[kind]} was set to ${shown(urls[kind])}.`));
  }
  const todo = 'npm run doctor -- --apply sets it, once the public address leads to us.';
  return wrong.map((kind) =>
    fail(CHECK, `The ${NAMES[kind]} is ${shown(is[kind])} and should be ${shown(urls[kind])}.`, todo),
  );
}
