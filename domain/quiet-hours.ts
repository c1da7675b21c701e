import { DateTime } from 'luxon';

/** Minutes after midnight, local time; `from` may be later than `until`: over midnight. */
export interface QuietHours {
  readonly from: number;
  readonly until: number;
}

/** Over all zones of the largest country there is a moment when nobody sleeps, or none within two days. */
const LOOK_AHEAD_MS = 48 * 3_600_000;

/**
 * When the quiet hours of somebody are over. Of whom only the number is known, every zone of its country counts, because
 * they may be in any of them.
 *
 * @param zones IANA names, at least one
 * @returns `now` itself when it is not quiet anywhere
 */
export function endOfQuiet(now: Date, hours: QuietHours, zones: readonly string[]): Date {
  let at = now.valueOf();
  while (at - now.valueOf() < LOOK_AHEAD_MS) {
    const ends = zones.map((zone) => endOfQuietIn(at, hours, zone));
    const last = Math.max(...ends);
    if (last === at) return new Date(at);
    at = last;
  }
  // A country that is never awake as a whole: when those who sleep now are up.
  return new Date(Math.max(...zones.map((zone) => endOfQuietIn(now.valueOf(), hours, zone))));
}

/** Epoch ms; `at` itself when it is not quiet there. */
function endOfQuietIn(at: number, { from, until }: QuietHours, zone: string): number {
  const local = DateTime.fromMillis(at, { zone });
  const minute = local.hour * 60 + local.minute;
  const isQuiet = from < until ? minute >= from && minute < until : minute >= from || minute < until;
  if (!isQuiet) return at;
  const day = minute < until ? local : local.plus({ days: 1 });
  const end = day.set({ hour: Math.floor(until / 60), minute: until % 60, second: 0, millisecond: 0 });
  // A clock that is set forward at that very hour has no such time: luxon gives one after it.
  return Math.max(at + 1, end.toMillis());
}

const zonesByCountry = new Map<string, readonly string[]>();

/** The IANA zones of a country, from the ICU data of Node; UTC for one that has none there. */
export function zonesOfCountry(country: string): readonly string[] {
  let zones = zonesByCountry.get(country);
  if (zones === undefined) {
    zones = namedByIcu(country);
    zonesByCountry.set(country, zones);
  }
  return zones;
}

function namedByIcu(country: string): readonly string[] {
  if (!/^[A-Z]{2}$/.test(country)) return ['UTC'];
  // A property in Node 20, a method by the standard.
  const locale = new Intl.Locale('und', { region: country });
  const method: unknown = Reflect.get(locale, 'getTimeZones');
  const named: unknown = typeof method === 'function' ? method.call(locale) : Reflect.get(locale, 'timeZones');
  const zones = Array.isArray(named) ? named.filter((zone): zone is string => typeof zone === 'string') : [];
  return zones.length > 0 ? zones : ['UTC'];
}
