/** The types of a template's variables: what each may be, and how it reads in a text, in an e-mail and aloud. */

/** `link`: one of the reader's own, filled in where the words are written; nobody else can give it. */
export const VALUE_TYPES = ['text', 'number', 'time', 'url', 'link'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];
export type WrittenForm = 'text' | 'speech' | 'html';

export interface ValueRule {
  readonly type: ValueType;
  readonly maxLength?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly isSpelled?: boolean | undefined;
}

export const DEFAULT_TEXT_LENGTH = 160;
export const DEFAULT_URL_LENGTH = 300;

/** What a value of this rule has to be, when this one is not; null when it is. */
export function valueFault(rule: ValueRule, value: unknown): string | null {
  switch (rule.type) {
    case 'text':
      return textFault(value, rule.maxLength ?? DEFAULT_TEXT_LENGTH);
    case 'number': {
      const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = rule;
      const fits = typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max;
      return fits ? null : `A number from ${min} to ${max} is expected here.`;
    }
    case 'time':
      return typeof value === 'string' && clockOf(value) !== null
        ? null
        : 'A time with its offset is expected here, such as 2026-11-21T15:04:00-05:00.';
    case 'url':
      return urlFault(value, rule.maxLength ?? DEFAULT_URL_LENGTH);
    case 'link': {
      const fits = typeof value === 'string' && /^https?:\/\/[\x21-\x7e]+$/.test(value) && isPlainUrl(value);
      return fits ? null : 'An address of a page of ours is expected here.';
    }
  }
}

// One line, without signs that change how the rest reads (control, right-to-left overrides): a value fills a gap in a
// sentence of ours, and must not become a sentence of its own.
function textFault(value: unknown, maxLength: number): string | null {
  const fits =
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= maxLength &&
    /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u.test(withoutJoiners(value));
  return fits ? null : `One line of at most ${maxLength} characters is expected here.`;
}

/** Joiners make letters of some scripts, and emoji, what they are. */
function withoutJoiners(value: string): string {
  return value.replaceAll(/[\u200c\u200d]/g, '');
}

function urlFault(value: unknown, maxLength: number): string | null {
  const fits =
    typeof value === 'string' &&
    value.length <= maxLength &&
    /^https:\/\/[\x21-\x7e]+$/.test(value) &&
    isPlainUrl(value);
  return fits ? null : `An https address of at most ${maxLength} characters is expected here.`;
}

/** With a name before the host, a link shows one address and leads to another. */
function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '';
}

/** A value that fits its rule, as it reads in this form and language. */
export function writeValue(rule: ValueRule, value: string | number, language: string, form: WrittenForm): string {
  const written = plainValue(rule, value, language, form);
  if (form !== 'html') return written;
  const escaped = written.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const safe = escaped.replaceAll('"', '&quot;').replaceAll("'", '&#39;');
  return rule.type === 'url' || rule.type === 'link' ? `<a href="${safe}">${safe}</a>` : safe;
}

function plainValue(rule: ValueRule, value: string | number, language: string, form: WrittenForm): string {
  if (form === 'speech' && rule.isSpelled === true) return Array.from(String(value)).join(', ');
  switch (rule.type) {
    case 'text':
      return String(value);
    case 'number':
      return new Intl.NumberFormat(language, { useGrouping: false, maximumFractionDigits: 6 }).format(Number(value));
    case 'time':
      return timeValue(String(value), language, form);
    case 'url':
    case 'link':
      return form === 'speech' ? (SPOKEN_LINK[language] ?? 'a link') : String(value);
  }
}

/** Nobody can write an address down from the telephone. */
const SPOKEN_LINK: Readonly<Record<string, string>> = { en: 'a link', es: 'un enlace', fr: 'un lien', hi: 'एक लिंक' };

const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)$/;

/** The clock as it was written, wherever this runs: who writes `15:04-05:00` means four past three over there. */
function clockOf(value: string): { readonly clock: Date; readonly isUtc: boolean } | null {
  const [, clock, offset] = TIME.exec(value) ?? [];
  // V8 takes a mere `:00Z` for a time of the year 2000.
  if (clock === undefined) return null;
  const time = Date.parse(`${clock}:00Z`);
  // Postgres and people know no 31st of February; JavaScript makes the 3rd of March of it.
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(clock)) return null;
  return { clock: new Date(time), isUtc: offset === 'Z' };
}

function timeValue(value: string, language: string, form: WrittenForm): string {
  const parsed = clockOf(value);
  if (parsed === null) return value;
  const format = new Intl.DateTimeFormat(language, {
    timeZone: 'UTC',
    // In a text no day of the week: Spanish ones have letters outside GSM-7, which more than doubles its price.
    ...(form === 'text' ? {} : { weekday: 'long' }),
    month: form === 'text' ? 'short' : 'long',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
  });
  // ICU parts times by narrow no-break spaces: one of them makes a text UCS-2.
  const written = format.format(parsed.clock).replaceAll(/[\u00a0\u202f\u2009]/g, ' ');
  return parsed.isUtc ? `${written} UTC` : written;
}
