/**
 * Helplines by country, compiled in: they are offered with every failure, also when Postgres, Temporal and the
 * key ring are down.
 */
import { HELPLINES, UNKNOWN_COUNTRY } from './helplines-table';

export interface Helpline {
  readonly operator: string;
  /** The operator's own page. */
  readonly source: string;
  /** ISO date. */
  readonly checked: string;
  /** E.164, or a short number as people dial it; null when only the source page can be offered. */
  readonly number: string | null;
  readonly dial: 'e164' | 'short';
  /** E.164 form of a short number, for callers outside its country. */
  readonly alternative: string | null;
  /** Whether the service may connect a call to it; false for emergency numbers, which are only shown. */
  readonly dialable: boolean;
}

/** As it stands in answers of the API. */
export interface Helplines {
  /** ISO country, or `ZZ` for one we have no entry for. */
  readonly country: string;
  readonly crisis: Helpline;
  /** Another one, should that not answer; null where we know none. */
  readonly second: Helpline | null;
  readonly emergency: Helpline;
  /** Postpartum Support International, where it can be reached. */
  readonly psi: Helpline | null;
}

/**
 * @param country ISO country of the person, or null when it is not known
 * @param crisisOverride `FALLBACK_CRISIS_NUMBER`: 988 or E.164
 */
export function helplinesFor(country: string | null, crisisOverride: string | null = null): Helplines {
  const known = country !== null && Object.hasOwn(HELPLINES, country) ? HELPLINES[country] : undefined;
  const entry = known ?? UNKNOWN_COUNTRY;
  const crisis = overriddenCrisis(entry.crisis, crisisOverride);
  return {
    country: known === undefined || country === null ? 'ZZ' : country,
    crisis,
    // Behind the organisation's own number comes the country's.
    second: crisis === entry.crisis || !entry.crisis.dialable ? (entry.second ?? null) : entry.crisis,
    emergency: entry.emergency,
    psi: entry.psi ?? null,
  };
}

/**
 * The organisation's own number replaces every country's. A short number replaces an entry only where that country
 * has the same short number: 988 dialled in Spain would reach nobody.
 */
function overriddenCrisis(crisis: Helpline, override: string | null): Helpline {
  if (override === null || (!override.startsWith('+') && crisis.number !== override)) return crisis;
  if (crisis.number === override) return crisis;
  return {
    operator: 'Helpline of this organisation',
    source: 'FALLBACK_CRISIS_NUMBER',
    checked: crisis.checked,
    number: override,
    dial: 'e164',
    alternative: null,
    dialable: true,
  };
}

/**
 * What to put into `<Number>` for a call that shows `callerCountry`'s number; null when it cannot be dialled from
 * there, and can only be said.
 */
export function dialledAs(helpline: Helpline, country: string, callerCountry: string | null): string | null {
  if (!helpline.dialable) return null;
  if (helpline.dial === 'e164' || callerCountry === country) return helpline.number;
  return helpline.alternative;
}

/** A helpline, and what to put into `<Number>` for it. */
export interface DialledHelpline {
  readonly helpline: Helpline;
  readonly number: string;
}

/**
 * The helplines that can be dialled for somebody in `country` from a number of ours in `callerCountry`, in the order in
 * which they are tried; two at most, none where they can only be said.
 */
export function helplinesToDial(
  country: string,
  callerCountry: string | null,
  crisisOverride: string | null,
): DialledHelpline[] {
  const { crisis, second, country: known } = helplinesFor(country, crisisOverride);
  return [crisis, second].flatMap((helpline) => {
    const number = helpline === null ? null : dialledAs(helpline, known, callerCountry);
    return helpline === null || number === null ? [] : [{ helpline, number }];
  });
}

/** The numbers people can call themselves, as they dial them: two at most. */
export function helplineNumbers({ crisis, second }: Pick<Helplines, 'crisis' | 'second'>): string[] {
  return [crisis.number, second?.number ?? null].filter((number) => number !== null);
}

/** The countries that have an entry of their own. */
export const HELPLINE_COUNTRIES: readonly string[] = Object.keys(HELPLINES);

/** Entries not compared with their source for over a year, as `US.crisis`; they warn at start. */
export function staleHelplines(now: Date): string[] {
  const yearAgo = new Date(now);
  yearAgo.setUTCFullYear(yearAgo.getUTCFullYear() - 1);
  return Object.entries(HELPLINES).flatMap(([country, entry]) =>
    (['crisis', 'second', 'emergency', 'psi'] as const)
      .filter((kind) => {
        const line = entry[kind];
        return line !== undefined && new Date(line.checked) < yearAgo;
      })
      .map((kind) => `${country}.${kind}`),
  );
}
