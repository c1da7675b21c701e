import * as fc from 'fast-check';
import { DateTime } from 'luxon';
import { type AvailabilityWindow, isIanaZone, secondsOfDay } from '../../../domain/availability';
import { shiftsOf } from '../../../domain/shifts';

function isInside(windows: readonly AvailabilityWindow[], zone: string, moment: Date): boolean {
  const from = moment.getTime();
  return shiftsOf({ windows, zone, exceptions: [] }, { from, until: from + 1 }).length > 0;
}

/** Minutes of a local day (and the next) at which the windows are open, each as the wall clock with its offset. */
function openMinutes(windows: AvailabilityWindow[], zone: string, day: string): string[] {
  const start = DateTime.fromISO(day, { zone });
  const end = start.plus({ days: 1 });
  const shifts = shiftsOf({ windows, zone, exceptions: [] }, { from: start.toMillis(), until: end.toMillis() });
  const open: string[] = [];
  for (let at = start.toMillis(); at < end.toMillis(); at += 60_000) {
    const isOpen = shifts.some(({ from, until }) => from <= at && at < until);
    if (isOpen) open.push(DateTime.fromMillis(at, { zone }).toFormat('HH:mm ZZ'));
  }
  return open;
}
const window = (weekday: number, starts: string, ends: string): AvailabilityWindow => ({ weekday, starts, ends });
const at = (iso: string, zone: string): Date => DateTime.fromISO(iso, { zone }).toJSDate();

describe('a window of availability', () => {
  const zone = 'Europe/London';

  it('includes its start and excludes its end', () => {
    const windows = [window(1, '09:00', '17:00')];
    expect(isInside(windows, zone, at('2026-11-16T08:59:59.999', zone))).toBe(false);
    expect(isInside(windows, zone, at('2026-11-16T09:00', zone))).toBe(true);
    expect(isInside(windows, zone, at('2026-11-16T16:59:59.999', zone))).toBe(true);
    expect(isInside(windows, zone, at('2026-11-16T17:00', zone))).toBe(false);
    expect(isInside(windows, zone, at('2026-11-17T12:00', zone))).toBe(false);
  });

  it('goes over midnight when it ends before it starts, from Sunday into Monday too', () => {
    const windows = [window(7, '22:00', '06:00')];
    expect(isInside(windows, zone, at('2026-11-15T21:59', zone))).toBe(false);
    expect(isInside(windows, zone, at('2026-11-15T22:00', zone))).toBe(true);
    expect(isInside(windows, zone, at('2026-11-16T05:59', zone))).toBe(true);
    expect(isInside(windows, zone, at('2026-11-16T06:00', zone))).toBe(false);
    expect(isInside(windows, zone, at('2026-11-15T03:00', zone))).toBe(false);
  });

  it('lasts a whole day when its times are equal', () => {
    const windows = [window(3, '08:30', '08:30')];
    expect(isInside(windows, zone, at('2026-11-18T08:29', zone))).toBe(false);
    expect(isInside(windows, zone, at('2026-11-18T08:30', zone))).toBe(true);
    expect(isInside(windows, zone, at('2026-11-19T08:29', zone))).toBe(true);
    expect(isInside(windows, zone, at('2026-11-19T08:30', zone))).toBe(false);
    expect(openMinutes([window(3, '00:00', '00:00')], zone, '2026-11-18')).toHaveLength(24 * 60);
  });

  it('is read on the wall clock of the mentor, not of the server', () => {
    const monday9 = at('2026-11-16T09:30', 'Australia/Lord_Howe');
    expect(isInside([window(1, '09:00', '10:00')], 'Australia/Lord_Howe', monday9)).toBe(true);
    expect(isInside([window(1, '09:00', '10:00')], 'America/New_York', monday9)).toBe(false);
  });

  it('is never open without windows', () => {
    expect(isInside([], zone, new Date())).toBe(false);
  });
});

describe('when clocks change', () => {
  it('a start that is skipped begins at the next minute that exists (New York, 8 March 2026)', () => {
    const open = openMinutes([window(7, '02:30', '04:00')], 'America/New_York', '2026-03-08');
    expect(open[0]).toBe('03:00 -04:00');
    expect(open).toHaveLength(60);
  });

  it('a window inside the skipped hour never opens', () => {
    expect(openMinutes([window(7, '02:15', '02:45')], 'America/New_York', '2026-03-08')).toEqual([]);
  });

  it('a repeated hour counts twice (New York, 1 November 2026)', () => {
    const open = openMinutes([window(7, '01:00', '02:00')], 'America/New_York', '2026-11-01');
    expect(open).toHaveLength(120);
    expect(open[0]).toBe('01:00 -04:00');
    expect(open[60]).toBe('01:00 -05:00');
    expect(openMinutes([window(7, '01:00', '01:30')], 'America/New_York', '2026-11-01')).toHaveLength(60);
  });

  it('London: an hour less in March, an hour more in October', () => {
    const whole = [window(7, '00:00', '00:00')];
    expect(openMinutes(whole, 'Europe/London', '2026-03-29')).toHaveLength(23 * 60);
    expect(openMinutes(whole, 'Europe/London', '2026-10-25')).toHaveLength(25 * 60);
  });

  it('Lord Howe moves by half an hour', () => {
    const night = [window(7, '01:00', '03:00')];
    expect(openMinutes(night, 'Australia/Lord_Howe', '2026-10-04')).toHaveLength(90);
    expect(openMinutes(night, 'Australia/Lord_Howe', '2026-04-05')).toHaveLength(150);
    expect(openMinutes([window(7, '02:10', '03:00')], 'Australia/Lord_Howe', '2026-10-04')[0]).toBe('02:30 +11:00');
  });

  it('a night shift over the change belongs to the evening on which it began', () => {
    const shift = [window(6, '22:00', '03:00')];
    expect(openMinutes(shift, 'America/New_York', '2026-03-08')).toHaveLength(120);
    expect(openMinutes(shift, 'America/New_York', '2026-11-01')).toHaveLength(240);
  });

  it('nothing happens in a zone without daylight saving', () => {
    for (const day of ['2026-03-08', '2026-03-29', '2026-10-25', '2026-11-01']) {
      expect(openMinutes([window(7, '01:00', '04:00')], 'Asia/Kolkata', day)).toHaveLength(180);
    }
  });

  it('a window and the rest of its day never overlap and leave no gap, in any zone at any time', () => {
    const zones = ['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Santiago'];
    const minute = fc.integer({ min: 0, max: 1439 });
    const clock = (m: number): string =>
      `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        minute,
        minute,
        fc.date({ min: new Date('2024-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
        (zone, a, b, moment) => {
          fc.pre(a !== b);
          const everyDay = [1, 2, 3, 4, 5, 6, 7];
          const open = everyDay.map((weekday) => window(weekday, clock(a), clock(b)));
          const rest = everyDay.map((weekday) => window(weekday, clock(b), clock(a)));
          expect(isInside(open, zone, moment)).toBe(!isInside(rest, zone, moment));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('zones and times', () => {
  it.each(['America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'UTC', 'America/Argentina/Buenos_Aires'])(
    'accepts %s',
    (zone) => expect(isIanaZone(zone)).toBe(true),
  );
  it.each(['', 'EST', '+02:00', 'UTC+3', 'Mars/Olympus', 'America/New York', 'Europe/London; DROP TABLE'])(
    'refuses "%s"',
    (zone) => expect(isIanaZone(zone)).toBe(false),
  );
  it('reads times of day with and without seconds, and no others', () => {
    expect(secondsOfDay('00:00')).toBe(0);
    expect(secondsOfDay('23:59:59')).toBe(86_399);
    for (const wrong of ['24:00', '9:00', '12:60', '12:00:60', '12', ' 12:00', '12:00Z']) {
      expect(secondsOfDay(wrong)).toBeNull();
    }
  });
  it('throws rather than guess when a zone or time was never validated', () => {
    expect(() => isInside([window(1, '09:00', '10:00')], 'Mars/Olympus', new Date())).toThrow(RangeError);
    expect(() => isInside([window(1, '9', '10:00')], 'UTC', new Date())).toThrow(RangeError);
  });
});
