import { z } from 'zod';
import { examined, fail, type Finding, ok, type Patient, warn } from './finding';

const ANSWER_WITHIN_MS = 5_000;
const TWILIO = 'https://api.twilio.com';
/** Seconds. Tokens are read with this much grace; AWS refuses requests that are five minutes off. */
const SKEW_TO_WATCH = 5;
const SKEW_TOO_MUCH = 60;

/** Never follows a redirect: each of these addresses must be the right one itself. */
export function asked(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_WITHIN_MS), ...init });
}

/** Our clock against Twilio's: the `Date` of any answer, with whole seconds. */
export function clockCheck({ config }: Patient): Promise<readonly Finding[]> {
  return examined('clock', 'May this machine reach api.twilio.com over https?', async () => {
    const began = Date.now();
    const answer = await asked(config.twilio.apiBaseUrl ?? TWILIO, { method: 'HEAD' });
    const ended = Date.now();
    const theirs = Date.parse(answer.headers.get('date') ?? '');
    if (Number.isNaN(theirs)) return warn('clock', 'Twilio’s answer has no date.', 'Is a proxy in between?');
    // Theirs is rounded down, and was written somewhere between our two looks.
    const early = theirs - ended;
    const late = began - (theirs + 1_000);
    const seconds = Math.round(Math.max(0, early, late) / 1_000);
    const todo = 'Let NTP set the clock (timedatectl set-ntp true).';
    if (seconds > SKEW_TOO_MUCH) return fail('clock', `Our clock is ${seconds} s off.`, todo);
    if (seconds > SKEW_TO_WATCH) return warn('clock', `Our clock is ${seconds} s off.`, todo);
    return ok('clock', 'Our clock agrees with Twilio’s.');
  });
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const keySet = z.object({ keys: z.array(z.object({ kty: z.string() })).min(1) });

/** The issuer's keys, found as the API finds them. Without them nobody can be signed in. */
export function signInCheck({ config }: Patient): Promise<readonly Finding[]> {
  const { issuer } = config.oidc;
  const todo = 'Is OIDC_ISSUER the issuer as it stands in its tokens (`iss`)?';
  return examined('sign-in', todo, async () => {
    const document = await asked(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`);
    if (!document.ok) return fail('sign-in', `The issuer's discovery document answers ${document.status}.`, todo);
    const found = discovery.safeParse(await document.json());
    if (!found.success) return fail('sign-in', 'The issuer’s discovery document names no keys.', todo);
    if (found.data.issuer !== issuer) {
      return fail('sign-in', `The issuer calls itself ${found.data.issuer}.`, `Set OIDC_ISSUER=${found.data.issuer}`);
    }
    const keys = await asked(found.data.jwks_uri);
    const read = keySet.safeParse(keys.ok ? await keys.json() : null);
    if (!read.success) return fail('sign-in', 'The issuer shows no public key.', 'Look at its jwks_uri.');
    return ok('sign-in', `The issuer shows ${read.data.keys.length} public key(s).`);
  });
}
