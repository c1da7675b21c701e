import * as fc from 'fast-check';
import { type AvailabilityException, rememberedStretches, shiftsOf, type Span } from '../../../domain/shifts';
import { isInside } from '../../wall-clock';

const HOUR = 3_600_000;
const span = (from: string, until: string): Span => ({ from: Date.parse(from), until: Date.parse(until) });
const WEEK = span('2026-11-16T00:00Z', '2026-11-23T00:00Z');
const asText = (spans: readonly Span[]) =>
  spans.map(({ from, until }) => `${new Date(from).toISOString().slice(0, 16)} ${(until - from) / HOUR}h`);
const monday = { weekday: 1, starts: '09:00', ends: '17:00' };
const away = (starts: string, ends: string, zone: string | null = null): AvailabilityException => ({
  kind: 'away',
  starts,
  ends,
  zone,
});

it('weekly hours become ranges of UTC', () => {
  expect(asText(shiftsOf({ zone: 'America/New_York', windows: [monday], exceptions: [] }, WEEK))).toEqual([
    '2026-11-16T14:00 8h',
  ]);
});

it('hours that overlap or touch are one shift, and both ends are cut', () => {
  const windows = [
    { weekday: 7, starts: '20:00', ends: '04:00' },
    { weekday: 1, starts: '04:00', ends: '06:00' },
    { weekday: 1, starts: '05:00', ends: '07:00' },
  ];
  expect(asText(shiftsOf({ zone: 'UTC', windows, exceptions: [] }, WEEK))).toEqual([
    '2026-11-16T00:00 7h',
    '2026-11-22T20:00 4h',
  ]);
});

it('a day away leaves the rest of a shift on both sides', () => {
  const exceptions = [away('2026-11-16T12:00', '2026-11-16T13:30')];
  expect(asText(shiftsOf({ zone: 'UTC', windows: [monday], exceptions }, WEEK))).toEqual([
    '2026-11-16T09:00 3h',
    '2026-11-16T13:30 3.5h',
  ]);
});

it('a single shift is on the clock of its own zone, and goes with the mentor where it has none', () => {
  const at = { kind: 'shift', starts: '2026-11-18T18:00', ends: '2026-11-18T20:00' } as const;
  const rota = (zone: string | null) => ({
    zone: 'Asia/Tokyo',
    windows: [],
    exceptions: [{ ...at, zone }],
  });
  expect(asText(shiftsOf(rota('Europe/Madrid'), WEEK))).toEqual(['2026-11-18T17:00 2h']);
  expect(asText(shiftsOf(rota(null), WEEK))).toEqual(['2026-11-18T09:00 2h']);
});

it('being away goes before a single shift too', () => {
  const exceptions = [
    { kind: 'shift', starts: '2026-11-18T18:00', ends: '2026-11-18T20:00', zone: null } as const,
    away('2026-11-18T00:00', '2026-11-19T00:00'),
  ];
  expect(shiftsOf({ zone: 'UTC', windows: [], exceptions }, WEEK)).toEqual([]);
});

it('what never was a time or a zone is thrown out', () => {
  const wrong = (more: object) => () => shiftsOf({ zone: 'UTC', windows: [], exceptions: [], ...more }, WEEK);
  expect(wrong({ zone: 'Mars/Olympus' })).toThrow(RangeError);
  expect(wrong({ windows: [{ ...monday, ends: '25:00' }] })).toThrow(RangeError);
  expect(wrong({ exceptions: [away('2026-11-18', '2026-11-19T00:00')] })).toThrow(RangeError);
  expect(wrong({ exceptions: [away('2026-13-18T00:00', '2026-14-19T00:00')] })).toThrow(RangeError);
});

it('ranges say of every moment what the wall clock says, in any zone and over every change of clocks', () => {
  const zones = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'America/Santiago', 'Africa/Casablanca'];
  const clock = fc
    .integer({ min: 0, max: 1439 })
    .map((m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`);
  const window = fc.record({ weekday: fc.integer({ min: 1, max: 7 }), starts: clock, ends: clock });
  const stretchesOf = rememberedStretches();
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.array(window, { maxLength: 6 }),
      // Weeks of one year, so that the clocks of a zone are looked up once a week.
      fc.integer({ min: 0, max: 51 }),
      fc.array(fc.integer({ min: 0, max: 14 * 24 * 60 - 1 }), { minLength: 20, maxLength: 60 }),
      (zone, windows, week, minutes) => {
        const from = Date.parse('2026-01-05T00:00Z') + week * 7 * 24 * HOUR;
        const between = { from, until: from + 14 * 24 * HOUR };
        const shifts = shiftsOf({ zone, windows, exceptions: [] }, between, stretchesOf);
        for (const [i, shift] of shifts.entries()) expect(shift.from).toBeGreaterThan(shifts[i - 1]?.until ?? 0);
        for (const minute of minutes) {
          const at = from + minute * 60_000;
          const found = shifts.some((shift) => shift.from <= at && at < shift.until);
          expect(found).toBe(isInside(windows, zone, new Date(at)));
        }
      },
    ),
    { numRuns: 300 },
  );
});
