/**
 * When a mentor can be rung: weekly windows in the mentor's own zone. What they mean as moments says `shifts.ts`.
 *
 * A window is [start, end) on the wall clock of its weekday; an end at or before the start is on the next day, and
 * equal times mean a whole day.
 */
import { IANAZone } from 'luxon';

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
