/** When a mentor can be rung, said a second time: by the wall clock of one moment, without any ranges. */
import { DateTime } from 'luxon';
import { type AvailabilityWindow, secondsOfDay } from '../domain/availability';

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
