import { z } from 'zod';

/**
 * Readers of single variables. Each is a zod schema over `string | undefined` whose only message is what was
 * expected: zod's own messages can quote the value.
 */

type Variable<T> = z.ZodType<T, string | undefined>;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `7d`, `500ms`, `2m`, `24h` in milliseconds; `null` when it is none of these. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const [, count, unit] = match ?? [];
  if (count === undefined || unit === undefined) return null;
  return Number(count) * (UNITS[unit] ?? Number.NaN);
}

/** A duration within bounds, both included. */
export function durationFrom(least: string, most: string): (text: string) => number | null {
  const [min, max] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
  return (text) => {
    const ms = parseDuration(text);
    return ms !== null && ms >= min && ms <= max ? ms : null;
  };
}

/** No token can be taken back, so none lives long; one that is gone before the phone has rung is of no use either. */
export function tokenLifetime(text: string): number | null {
  const ms = parseDuration(text);
  return ms !== null && ms >= 60_000 && ms <= 900_000 ? ms : null;
}

/** So many within a time. */
export interface Rate {
  readonly count: number;
  readonly withinMs: number;
}

/** `20/24h`; `null` when it is none. */
export function parseRate(text: string): Rate | null {
  const [, count = '', within = ''] = /^(\d{1,9})\/(\w+)$/.exec(text) ?? [];
  const withinMs = parseDuration(within);
  return withinMs === null || withinMs < 1_000 || Number(count) < 1 ? null : { count: Number(count), withinMs };
}

/** Several, separated by commas; each counts. */
export function parseRates(text: string): readonly Rate[] | null {
  const rates = text.split(',').map((rate) => parseRate(rate.trim()));
  return rates.every((rate) => rate !== null) ? rates : null;
}

/**
 * A variable that may be left out.
 *
 * @param expected completes "NAME: expected …"
 * @param fallback used when the variable is unset or empty
 * @param parse gives `null` for a value that is not as expected
 */
export function optional<T, F>(expected: string, fallback: F, parse: (text: string) => T | null): Variable<T | F> {
  return z
    .string()
    .optional()
    .transform((text, context): T | F => {
      const trimmed = text?.trim() ?? '';
      if (trimmed === '') return fallback;
      const value = parse(trimmed);
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    });
}

/** A variable that must be set. */
export function required<T>(expected: string, parse: (text: string) => T | null): Variable<T> {
  return z
    .string()
    .optional()
    .transform((text, context): T => {
      const value = parse(text?.trim() ?? '');
      if (value !== null) return value;
      context.addIssue({ code: 'custom', message: expected });
      return z.NEVER;
    });
}

export const text = (value: string): string | null => (value === '' ? null : value);

export const boolean = (value: string): boolean | null =>
  value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : null;

/** A whole number within bounds, both included. */
export function whole(min: number, max: number): (value: string) => number | null {
  return (value) => {
    const number = Number(value);
    return /^\d+$/.test(value) && number >= min && number <= max ? number : null;
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): (value: string) => T | null {
  return (value) => choices.find((choice) => choice === value) ?? null;
}

/** A URL with one of the protocols, without the slash at its end, so that paths can be joined to it. */
export function url(...protocols: readonly string[]): (value: string) => string | null {
  return (value) => {
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) return null;
    return value.replace(/\/+$/, '');
  };
}

/** As it is given, slashes and query too: another service's address is not ours to tidy. */
export function webhookUrl(value: string): string | null {
  if (!URL.canParse(value)) return null;
  const { protocol, username, password, hash } = new URL(value);
  return /^https?:$/.test(protocol) && username + password + hash === '' ? value : null;
}

/** Standard Webhooks: 24 to 64 random bytes. */
export const WEBHOOK_SECRET = 'whsec_ and 24 to 64 bytes in base64';
export function webhookSecret(value: string): string | null {
  const base64 = /^whsec_((?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/.exec(value)?.[1];
  const bytes = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length;
  return bytes >= 24 && bytes <= 64 ? value : null;
}

/** Comma-separated, each matching the pattern, at least one. */
export function listOf(pattern: RegExp): (value: string) => readonly string[] | null {
  return (value) => {
    const entries = value.split(',').map((entry) => entry.trim());
    return entries.every((entry) => pattern.test(entry)) ? entries : null;
  };
}

/** Comma-separated choices, at least one, each once. */
export function listOneOf<const T extends string>(...choices: readonly T[]): (value: string) => readonly T[] | null {
  return (value) => {
    const entries = value.split(',').map((entry) => oneOf(...choices)(entry.trim()));
    const known = entries.filter((entry) => entry !== null);
    return known.length === entries.length && new Set(known).size === known.length ? known : null;
  };
}

export const E164 = /^\+[1-9]\d{6,14}$/;

/** Only this machine answers there. */
export function isLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(address).hostname);
}

/** Helplines are the one kind of number that may be short. */
export const HELPLINE_NUMBER = 'a number in E.164, or a short number such as 988; never an emergency number';
/** Only ever shown: a call of ours to them names neither a person nor a place. */
const EMERGENCY_NUMBERS: readonly string[] = ['911', '112', '999', '000'];
export const helplineNumber = (value: string): string | null =>
  E164.test(value) || (/^\d{3,6}$/.test(value) && !EMERGENCY_NUMBERS.includes(value)) ? value : null;

/** What mails are from: `name@domain`, or `Name <name@domain>`; nothing that would end a header. */
export const mailFrom = (value: string): string | null =>
  /^(?:[^<>@",;\r\n]{1,100} <[\w.+-]+@[\w-]+(?:\.[\w-]+)+>|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)$/.test(value) ? value : null;

export const SNS_TOPIC = /^arn:aws(?:-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/;

/** `21:00-08:00`, local time, over midnight where the first is later: minutes after midnight; null for what is none. */
export function parseQuietHours(value: string): { readonly from: number; readonly until: number } | null {
  const found = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(value);
  if (found === null) return null;
  const from = Number(found[1]) * 60 + Number(found[2]);
  const until = Number(found[3]) * 60 + Number(found[4]);
  return from === until ? null : { from, until };
}

/** Addresses of the organisation's own people, separated by commas, each once. */
export function addressList(value: string): readonly string[] | null {
  const addresses = value.split(',').map((address) => address.trim().toLowerCase());
  const isEach = addresses.every((address) => /^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(address));
  return isEach && new Set(addresses).size === addresses.length ? addresses : null;
}

/** A duration that may be left out. */
export const duration = (fallback: string) =>
  optional('a duration such as 30s, 5m, 24h or 7d', parseDuration(fallback) ?? Number.NaN, parseDuration);

/** Any words, or null. */
export const anyText = (expected: string) => optional(expected, null, text);
