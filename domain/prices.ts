/**
 * What things are likely to cost until Twilio says what they did. Figures for planning, not for accounting: carriers'
 * surcharges, taxes and discounts of the account are in Twilio's own price only.
 */

/** Millionths of a US dollar. */
export interface CountryPrices {
  /** One segment to a phone there. */
  readonly textSegment: number;
  /** One segment of a text to our number there. */
  readonly textIn: number;
  /** A minute begun, to a phone there. */
  readonly minuteOut: number;
  /** A minute begun, of a call to our number there. */
  readonly minuteIn: number;
  /** A local number, a month. */
  readonly numberMonth: number;
  readonly source: string;
  /** When the source was read. */
  readonly date: string;
}

/** A minute begun of a recording, with the month for which it is kept: Twilio's list price, the same everywhere. */
export const RECORDING_MINUTE = 3_000;

export const PRICES_CURRENCY = 'USD';
/** Stored with each estimate, so that a later table explains only its own. */
export const PRICE_TABLE = 'estimate-2026-11';

const LIST =
  'list prices as others quote them (hivebook.wiki/wiki/twilio-sms-pricing, help.hoopai.com; texts to us: budgetforge.dev/tools/twilio-sms-pricing-2026)';
const CAUTIOUS = 'our own figure, on the high side: no list was read';
const DATE = '2026-11-21';

const NORTH_AMERICA = {
  textSegment: 8_300,
  textIn: 8_300,
  minuteOut: 14_000,
  minuteIn: 8_500,
  numberMonth: 1_150_000,
} as const;

export const PRICES: Readonly<Record<string, CountryPrices>> = {
  US: { ...NORTH_AMERICA, source: LIST, date: DATE },
  CA: { ...NORTH_AMERICA, source: LIST, date: DATE },
  GB: {
    textSegment: 55_000,
    textIn: 10_000,
    minuteOut: 35_000,
    minuteIn: 10_000,
    numberMonth: 1_500_000,
    source: CAUTIOUS,
    date: DATE,
  },
};

/** For a country without a row: a warning that comes too early is better than one that comes too late. */
export const ELSEWHERE: CountryPrices = {
  textSegment: 150_000,
  textIn: 50_000,
  minuteOut: 250_000,
  minuteIn: 50_000,
  numberMonth: 5_000_000,
  source: CAUTIOUS,
  date: DATE,
};

export function pricesOf(country: string): CountryPrices {
  return PRICES[country] ?? ELSEWHERE;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** After the thing itself: Twilio fills a price in within minutes as a rule, and within a day or so otherwise. */
const LOOKS_AFTER_MS = [10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR] as const;

/** When a thing is first looked at for its price. */
export const FIRST_LOOK_MS = LOOKS_AFTER_MS[0];

/** How long to wait after the nth look in vain (1, 2, …); null: the estimate stays. */
export function nextLookMs(looks: number): number | null {
  return LOOKS_AFTER_MS[looks] ?? null;
}
