/** How one webhook URL wants to be asked: Twilio reads it from the URL's fragment. */
export interface ConnectionPlan {
  /** The URL without its fragment, as it is requested and signed. */
  readonly url: string;
  readonly connectMs: number;
  readonly readMs: number;
  readonly totalMs: number;
  readonly retries: number;
  readonly policy: ReadonlySet<string>;
}

/** The longest a voice webhook may take in all, retries included, whatever its fragment says. */
const VOICE_CEILING_MS = 15_000;

/**
 * Splits `https://host/path#rc=3&rp=5xx,ct,rt` into the URL and its overrides. Defaults and bounds are
 * Twilio's: one retry, and only when no connection could be made, so that a 503 is not repeated.
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export function planConnection(given: string): ConnectionPlan {
  const hash = given.indexOf('#');
  const fragment = new URLSearchParams(hash < 0 ? '' : given.slice(hash + 1));
  const policy = (fragment.get('rp') ?? 'ct').split(',').map((word) => word.trim());
  return {
    url: hash < 0 ? given : given.slice(0, hash),
    connectMs: within(fragment.get('ct'), 100, 10_000, 5_000),
    readMs: within(fragment.get('rt'), 100, VOICE_CEILING_MS, VOICE_CEILING_MS),
    totalMs: within(fragment.get('tt'), 100, VOICE_CEILING_MS, VOICE_CEILING_MS),
    retries: within(fragment.get('rc'), 0, 5, 1),
    policy: new Set(policy),
  };
}

function within(text: string | null, least: number, most: number, otherwise: number): number {
  const value = Number(text ?? Number.NaN);
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
}
