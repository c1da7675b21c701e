/**
 * Shifts from a calendar (RFC 5545). Calendars carry names, addresses and notes: only DTSTART, DTEND, RRULE, EXDATE and
 * their TZID are read. Every other line is dropped before anything parses it.
 */
import ICAL from 'ical.js';
import { DateTime } from 'luxon';
import { isIanaZone } from './availability';
import type { AvailabilityException, Span } from './shifts';

export type CalendarShift = Omit<AvailabilityException, 'kind'>;

/** Why an event gave no shift. */
export const SKIPPED = [
  'unreadable',
  'no-end',
  'too-long',
  'zone-unknown',
  'rule-not-read',
  'moved',
  'endless',
] as const;
type Skipped = (typeof SKIPPED)[number];

export interface CalendarRead {
  /** In order, each once; only what ends within the time that was asked for. */
  readonly shifts: readonly CalendarShift[];
  readonly events: number;
  /** How many events were left out, by reason. */
  readonly skipped: Readonly<Partial<Record<Skipped, number>>>;
}

/** Thrown for a text that is no calendar, or has more events or shifts than anybody's rota. */
export class CalendarUnreadable extends Error {
  override readonly name = 'CalendarUnreadable';
  constructor(readonly why: 'no-calendar' | 'too-many') {
    super(why);
  }
}

const MOST_EVENTS = 1_000;
const MOST_SHIFTS = 1_000;
/** Occurrences that are counted through, for one event and for all: most of them are long past. */
const STEPS_PER_EVENT = 5_000;
const STEPS = 20_000;
const LONGEST_DAYS = 31;

/**
 * The shifts of a calendar between two moments.
 * @param ownZone the mentor's, for times that have none of their own
 * @throws {CalendarUnreadable}
 */
export function readCalendar(text: string, ownZone: string, between: Span): CalendarRead {
  const lines = text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/);
  if (!lines.some((line) => /^BEGIN:VCALENDAR\s*$/i.test(line))) throw new CalendarUnreadable('no-calendar');
  const events = eventsOf(lines);
  if (events.length > MOST_EVENTS) throw new CalendarUnreadable('too-many');
  const shifts = new Map<string, CalendarShift>();
  const skipped: Partial<Record<Skipped, number>> = {};
  let left = STEPS;
  for (const event of events) {
    const read = shiftsOfEvent(event, ownZone, between, Math.min(left, STEPS_PER_EVENT));
    left -= read.steps;
    if (read.skipped !== null) skipped[read.skipped] = (skipped[read.skipped] ?? 0) + 1;
    for (const shift of read.shifts) shifts.set(`${shift.starts} ${shift.ends} ${shift.zone}`, shift);
    if (shifts.size > MOST_SHIFTS) throw new CalendarUnreadable('too-many');
  }
  const inOrder = [...shifts.values()].toSorted((a, b) => (a.starts < b.starts ? -1 : 1));
  return { shifts: inOrder, events: events.length, skipped };
}

/** Lines of one event that may be read. */
interface EventLines {
  readonly kept: string[];
  /** One occurrence of another event at another time; which one, stands in what is not read. */
  isMoved: boolean;
}

function eventsOf(lines: readonly string[]): EventLines[] {
  const events: EventLines[] = [];
  const open: string[] = [];
  for (const line of lines) {
    const [, edge, part = ''] = /^(BEGIN|END):([\w-]+)\s*$/i.exec(line) ?? [];
    if (edge?.toUpperCase() === 'BEGIN') {
      open.push(part.toUpperCase());
      if (part.toUpperCase() === 'VEVENT') events.push({ kept: [], isMoved: false });
    } else if (edge !== undefined) open.pop();
    else if (open.at(-1) === 'VEVENT') {
      const event = events.at(-1);
      const kept = keptOf(line);
      if (kept !== null && line.length < 2_000) event?.kept.push(kept);
      if (event !== undefined && /^RECURRENCE-ID[;:]/i.test(line)) event.isMoved = true;
    }
  }
  return events;
}

/** The line with nothing but what is read, or null. */
function keptOf(line: string): string | null {
  const [, name, parameters = '', value] =
    /^(DTSTART|DTEND|RRULE|EXDATE)((?:;[\w-]+=(?:"[^"]*"|[^";:]*))*):([\w,;=+:-]*)\s*$/i.exec(line) ?? [];
  if (name === undefined || value === undefined) return null;
  // The library would make the first of January out of the 32nd of December.
  if (name.toUpperCase() !== 'RRULE' && !value.split(',').every(isWritten)) return null;
  const read = [...parameters.matchAll(/;(TZID|VALUE)=("[^"]*"|[^";:]*)/gi)].map(([parameter]) => parameter);
  return `${name.toUpperCase()}${read.join('')}:${value}`;
}

function isWritten(time: string): boolean {
  return /^\d{8}(T\d{6}Z?)?$/.test(time) && DateTime.fromISO(time.replace('Z', ''), { zone: 'utc' }).isValid;
}

interface EventRead {
  readonly shifts: readonly CalendarShift[];
  readonly skipped: Skipped | null;
  readonly steps: number;
}

function shiftsOfEvent({ kept, isMoved }: EventLines, ownZone: string, between: Span, steps: number): EventRead {
  const nothing = (skipped: Skipped, taken = 0): EventRead => ({ shifts: [], skipped, steps: taken });
  if (isMoved) return nothing('moved');
  const event = parsed(kept);
  const start = event === null ? null : timeOf(event, 'dtstart');
  if (event === null || start === null) return nothing('unreadable');
  if (start.zone !== null && !isIanaZone(start.zone)) return nothing('zone-unknown');
  const end = timeOf(event, 'dtend') ?? (start.isDate ? { ...start, local: start.local.plus({ days: 1 }) } : null);
  if (end === null) return nothing('no-end');
  if (end.zone !== null && !isIanaZone(end.zone)) return nothing('zone-unknown');
  const zone = start.zone ?? ownZone;
  // Both on the clock of the start: a shift of eight hours on the clock is one in every week of the year.
  const length = inZone(end, zone, ownZone).diff(start.local, 'minutes').minutes;
  if (length < 1) return nothing('unreadable');
  if (length > LONGEST_DAYS * 1_440) return nothing('too-long');
  const rule = event.getFirstPropertyValue('rrule');
  if (rule instanceof ICAL.Recur && !isRead(rule)) return nothing('rule-not-read');
  if (rule instanceof ICAL.Recur) untilOnClockOf(rule, zone);
  const excluded = excludedTimes(event, zone, ownZone);
  const shifts: CalendarShift[] = [];
  const occurrences = rule instanceof ICAL.Recur ? rule.iterator(floating(start.local)) : null;
  for (let step = 0; step < steps; step += 1) {
    const next = occurrences === null ? (step === 0 ? floating(start.local) : null) : occurrences.next();
    if (next === null || next === undefined) return { shifts, skipped: null, steps: step };
    // On the clock of the start; a day more or less is no matter here, and every conversion would be one for each step.
    const at = Date.UTC(next.year, next.month - 1, next.day, next.hour, next.minute);
    if (at >= between.until) return { shifts, skipped: null, steps: step };
    const shift = { starts: asText(at), ends: asText(at + length * 60_000), zone: start.zone };
    if (at + length * 60_000 <= between.from || excluded.has(shift.starts) || excluded.has(shift.starts.slice(0, 10)))
      continue;
    shifts.push(shift);
    if (shifts.length > MOST_SHIFTS) throw new CalendarUnreadable('too-many');
  }
  return nothing('endless', steps);
}

function parsed(kept: readonly string[]): ICAL.Component | null {
  try {
    return new ICAL.Component(ICAL.parse(['BEGIN:VEVENT', ...kept, 'END:VEVENT'].join('\r\n')));
  } catch {
    return null;
  }
}

/** A time as it is written: on a clock, in a zone, or without one. */
interface WrittenTime {
  /** Its fields; the zone of this value itself means nothing. */
  readonly local: DateTime<true>;
  readonly zone: string | null;
  readonly isDate: boolean;
}

function timeOf(event: ICAL.Component, name: 'dtstart' | 'dtend'): WrittenTime | null {
  const property = event.getFirstProperty(name);
  return property === null ? null : (writtenTimes(property)[0] ?? null);
}

function writtenTimes(property: ICAL.Property): WrittenTime[] {
  const tzid = property.getFirstParameter('tzid');
  return property.getValues().flatMap((value: unknown) => {
    if (!(value instanceof ICAL.Time)) return [];
    const { year, month, day, hour, minute } = value;
    const local = DateTime.utc(year, month, day, hour, minute);
    if (!local.isValid || year < 1970 || year > 2200) return [];
    const isUtc = value.zone === ICAL.Timezone.utcTimezone;
    const zone = value.isDate ? null : isUtc ? 'UTC' : tzid === '' || tzid === undefined ? null : tzid;
    return [{ local, zone, isDate: value.isDate }];
  });
}

/** The same moment on the clock of another zone. */
function inZone({ local, zone }: WrittenTime, other: string, ownZone: string): DateTime {
  if (zone === other || zone === null) return local;
  return local
    .setZone(zone ?? ownZone, { keepLocalTime: true })
    .setZone(other)
    .setZone('utc', { keepLocalTime: true });
}

/**
 * Rules of rotas: daily, weekly and monthly. Any other, and any that may have no day at all, which would be looked for
 * without end, is not read.
 */
function isRead({ freq, interval, parts }: ICAL.Recur): boolean {
  const names = Object.entries(parts).flatMap(([part, values]) => ((values ?? []).length > 0 ? [part] : []));
  if (interval < 1 || interval > 1_000) return false;
  const days = (parts['BYDAY'] ?? []).map(String);
  if (freq === 'WEEKLY') return names.every((name) => name === 'BYDAY') && days.every((day) => /^[A-Z]{2}$/.test(day));
  if (freq === 'DAILY') return names.length === 0;
  if (freq !== 'MONTHLY' || names.length > 1) return false;
  const monthDays = (parts['BYMONTHDAY'] ?? []).map(Number);
  return (
    names.every((name) => name === 'BYDAY' || name === 'BYMONTHDAY') &&
    days.every((day) => /^([+]?[1-4]|-1)?[A-Z]{2}$/.test(day)) &&
    monthDays.every((day) => Number.isInteger(day) && day !== 0 && Math.abs(day) <= 28)
  );
}

/** UNTIL is written in UTC where the start has a zone; occurrences are counted on the clock of the start. */
function untilOnClockOf(rule: ICAL.Recur, zone: string): void {
  const { until } = rule;
  if (until === null || until === undefined || until.zone !== ICAL.Timezone.utcTimezone) return;
  const { year, month, day, hour, minute } = until;
  const local = DateTime.utc(year, month, day, hour, minute).setZone(zone).setZone('utc', { keepLocalTime: true });
  if (local.isValid) rule.until = floating(local);
}

/** As {@link asText} writes them, or as days where only days are named. */
function excludedTimes(event: ICAL.Component, zone: string, ownZone: string): ReadonlySet<string> {
  const times = event.getAllProperties('exdate').flatMap(writtenTimes);
  const known = times.filter((time) => time.zone === null || isIanaZone(time.zone));
  return new Set(
    known.map((time) =>
      time.isDate ? (time.local.toISODate() ?? '') : asText(inZone(time, zone, ownZone).toMillis()),
    ),
  );
}

function floating({ year, month, day, hour, minute }: DateTime): ICAL.Time {
  return new ICAL.Time({ year, month, day, hour, minute, second: 0, isDate: false }, ICAL.Timezone.localTimezone);
}

/** `YYYY-MM-DDTHH:MM` of a time whose fields are read in UTC. */
function asText(at: number): string {
  return new Date(at).toISOString().slice(0, 16);
}
