/**
 * When a mentor can be rung: weekly windows in the mentor's own zone.
 *
 * A window is [start, end) on the wall clock of its weekday; an end at or before the start is on the next day, and
 * equal times mean a whole day. Because the wall clock is compared, and not an instant computed from it, the days on
 * which clocks change need no rule of their own: a start that is skipped begins at the next minute that exists, and
 * an hour that happens twice counts twice.
 */
import { DateTime, IANAZone } from 'luxon';

export interface AvailabilityWindow {
  /** ISO: 1 is Monday, 7 is Sunday; the day on which the window starts. */
  readonly weekday: number;
  /** `HH:MM`, optionally with seconds. */
  readonly starts: string;
  readonly ends: string;
}

/** Whether it is a zone of the IANA database; offsets and abbreviations have no daylight saving, and are refused. */
export function isIanaZone(zone: string): boolean {
  return (zone.includes('/') || zone === 'UTC') && IANAZone.isValidZone(zone);
}

/** `HH:MM` or `HH:MM:SS` from 00:00 to 23:59:59 as seconds of the day, or null. */
export function secondsOfDay(time: string): number | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(time);
  return match === null ? null : Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3] ?? 0);
}

/**
 * Whether a moment lies in one of the windows.
 * @throws {RangeError} on a zone or a time that was never validated
 */
export function isInside(windows: readonly AvailabilityWindow[], zone: string, at: Date): boolean {
  const local = DateTime.fromJSDate(at, { zone });
  if (!local.isValid) throw new RangeError('Not a valid zone or date');
  const now = local.hour * 3600 + local.minute * 60 + local.second;
  const yesterday = local.weekday === 1 ? 7 : local.weekday - 1;
  return windows.some(({ weekday, starts, ends }) => {
    const start = secondsOfDay(starts);
    const end = secondsOfDay(ends);
    if (start === null || end === null) throw new RangeError('Not a valid time of day');
    if (end > start) return weekday === local.weekday && now >= start && now < end;
    return (weekday === local.weekday && now >= start) || (weekday === yesterday && now < end);
  });
}
