import * as fc from 'fast-check';
import { parseQuietHours } from '../../../config/variables';
import { endOfQuiet, zonesOfCountry } from '../../../domain/quiet-hours';

const NIGHT = { from: 21 * 60, until: 8 * 60 };
const at = (iso: string): Date => new Date(iso);
const until = (now: string, zones: readonly string[], hours = NIGHT): string =>
  endOfQuiet(at(now), hours, zones).toISOString();

test.each([
  ['in the evening', '2026-11-21T03:30:00Z', '2026-11-21T14:00:00.000Z'],
  ['after midnight', '2026-11-21T09:00:00Z', '2026-11-21T14:00:00.000Z'],
  ['at the very minute it begins', '2026-11-22T03:00:00Z', '2026-11-22T14:00:00.000Z'],
  ['at the very minute it ends', '2026-11-21T14:00:00Z', '2026-11-21T14:00:00.000Z'],
  ['by day', '2026-11-21T18:00:00Z', '2026-11-21T18:00:00.000Z'],
])('%s in Chicago', (_when, now, expected) => {
  expect(until(now, ['America/Chicago'])).toBe(expected);
});

test('hours within one day', () => {
  const siesta = { from: 14 * 60, until: 16 * 60 + 30 };
  expect(until('2026-11-21T14:00:00Z', ['Europe/Madrid'], siesta)).toBe('2026-11-21T15:30:00.000Z');
  expect(until('2026-11-21T16:00:00Z', ['Europe/Madrid'], siesta)).toBe('2026-11-21T16:00:00.000Z');
});

test('the night in which clocks are set forward or back ends at the same local time', () => {
  expect(until('2026-03-08T05:00:00Z', ['America/New_York'])).toBe('2026-03-08T12:00:00.000Z');
  expect(until('2026-11-01T03:00:00Z', ['America/New_York'])).toBe('2026-11-01T13:00:00.000Z');
  // 02:30 does not exist that night: the first moment after it.
  const early = { from: 21 * 60, until: 150 };
  expect(until('2026-03-08T05:00:00Z', ['America/New_York'], early)).toBe('2026-03-08T07:30:00.000Z');
});

test('of a country with many zones all have to be awake', () => {
  const zones = zonesOfCountry('US');
  expect(zones).toEqual(expect.arrayContaining(['America/New_York', 'Pacific/Honolulu']));
  // 08:30 in New York, when Honolulu sleeps: until it is 08:00 there.
  expect(until('2026-11-21T13:30:00Z', zones)).toBe('2026-11-21T18:00:00.000Z');
  expect(until('2026-11-21T20:00:00Z', zones)).toBe('2026-11-21T20:00:00.000Z');
  // 21:30 in New York: not before Honolulu is up next morning.
  expect(until('2026-11-22T02:30:00Z', zones)).toBe('2026-11-22T18:00:00.000Z');
});

test('a country that is never awake as a whole waits for those who sleep now', () => {
  const almostAlways = { from: 9 * 60, until: 8 * 60 };
  expect(until('2026-11-21T12:00:00Z', ['UTC', 'Asia/Tokyo'], almostAlways)).toBe('2026-11-22T08:00:00.000Z');
});

test('a country without zones of its own counts as UTC', () => {
  expect(zonesOfCountry('GB')).toEqual(['Europe/London']);
  expect(zonesOfCountry('ZZ')).toEqual(['UTC']);
  expect(zonesOfCountry('no country')).toEqual(['UTC']);
});

test('what it gives is never before now, and not quiet in a single zone', () => {
  const minute = fc.integer({ min: 0, max: 1439 });
  const now = fc.date({ min: at('2026-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z'), noInvalidDate: true });
  const zone = fc.constantFrom('America/New_York', 'Europe/London', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC');
  fc.assert(
    fc.property(now, minute, minute, zone, (when, from, end, where) => {
      fc.pre(from !== end);
      const hours = { from, until: end };
      const over = endOfQuiet(when, hours, [where]);
      expect(over.valueOf()).toBeGreaterThanOrEqual(when.valueOf());
      expect(endOfQuiet(over, hours, [where])).toEqual(over);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['21:00-08:00', NIGHT],
  ['00:30-06:15', { from: 30, until: 375 }],
  ['24:00-08:00', null],
  ['21:00', null],
  ['08:00-08:00', null],
  ['9:00-17:00', null],
])('%s is read as %j', (text, expected) => {
  expect(parseQuietHours(text)).toEqual(expected);
});
