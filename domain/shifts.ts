/**
 * When a mentor is on shift, as ranges of time: weekly hours and single shifts, without the days away.
 *
 * Local times are compared with the wall clock, a stretch of constant offset after the other. So the days on which
 * clocks change need no rule of their own: a start that is skipped begins at the next minute that exists, and an hour
 * that happens twice counts twice.
 */
import { IANAZone } from 'luxon';
import { type AvailabilityWindow, secondsOfDay } from './availability';

/** Days away, or a single shift: [starts, ends) on the clock of its zone. */
export interface AvailabilityException {
  readonly kind: 'away' | 'shift';
  /** `YYYY-MM-DDTHH:MM`, without an offset. */
  readonly starts: string;
  readonly ends: string;
  /** IANA; null: the mentor's own. */
  readonly zone: string | null;
}

/** What shifts are made from. */
export interface Rota {
  /** IANA. */
  readonly zone: string;
  readonly windows: readonly AvailabilityWindow[];
  readonly exceptions: readonly AvailabilityException[];
}

/** [from, until), milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

interface Stretch extends Span {
  /** What the wall clock is ahead of UTC. */
  readonly offset: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No zone changes its clocks twice within so long. */
const LOOKS_EVERY = 6 * HOUR;

/**
 * The shifts between two moments: in order, apart from each other. Being away goes before every shift.
 * @param stretchesOf remembers the clocks of zones, where many mentors are expanded at once
 * @throws {RangeError} on a zone or a time that was never validated
 */
export function shiftsOf(rota: Rota, between: Span, stretchesOf = stretches): Span[] {
  const around = { from: between.from - 2 * DAY, until: between.until + 2 * DAY };
  const own = stretchesOf(rota.zone, around);
  const single = (kind: AvailabilityException['kind']) =>
    rota.exceptions
      .filter((exception) => exception.kind === kind)
      .flatMap(({ starts, ends, zone }) =>
        inStretches(zone === null ? own : stretchesOf(zone, around), localTime(starts), localTime(ends)),
      );
  const weekly = rota.windows.flatMap((window) => weeklySpans(window, own, around));
  return clipped(without(union([...weekly, ...single('shift')]), union(single('away'))), between);
}

/** The clocks of zones, each looked up once for the same time. */
export function rememberedStretches(): typeof stretches {
  const known = new Map<string, readonly Stretch[]>();
  return (zone, { from, until }) => {
    const key = `${zone} ${from} ${until}`;
    const stretch = known.get(key) ?? stretches(zone, { from, until });
    known.set(key, stretch);
    return stretch;
  };
}

/** Stretches of time in which a zone keeps its offset. */
function stretches(zone: string, { from, until }: Span): readonly Stretch[] {
  const clock = IANAZone.create(zone);
  if (!clock.isValid) throw new RangeError('Not a valid zone');
  const offsetAt = (at: number): number => clock.offset(at) * MINUTE;
  const found: Stretch[] = [];
  let begun = from;
  for (let at = from; at < until; at += LOOKS_EVERY) {
    const next = Math.min(at + LOOKS_EVERY, until);
    if (offsetAt(at) === offsetAt(next)) continue;
    let [before, after] = [at, next];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offsetAt(middle) === offsetAt(at)) before = middle;
      else after = middle;
    }
    found.push({ from: begun, until: after, offset: offsetAt(before) });
    begun = after;
  }
  return [...found, { from: begun, until, offset: offsetAt(begun) }];
}

/** Every occurrence of a weekly window. Days are counted on the wall clock. */
function weeklySpans({ weekday, starts, ends }: AvailabilityWindow, own: readonly Stretch[], around: Span): Span[] {
  const [start, end] = [secondsOfDay(starts), secondsOfDay(ends)];
  if (start === null || end === null) throw new RangeError('Not a valid time of day');
  const spans: Span[] = [];
  for (let day = Math.floor(around.from / DAY) - 1; day * DAY < around.until + DAY; day += 1) {
    // The first of January 1970 was a Thursday.
    if (((((day + 3) % 7) + 7) % 7) + 1 !== weekday) continue;
    const until = day * DAY + end * 1_000 + (end > start ? 0 : DAY);
    spans.push(...inStretches(own, day * DAY + start * 1_000, until));
  }
  return spans;
}

/** When the wall clock shows a time from `start` on and before `end`. */
function inStretches(all: readonly Stretch[], start: number, end: number): Span[] {
  return all.flatMap(({ from, until, offset }) => {
    const span = { from: Math.max(from, start - offset), until: Math.min(until, end - offset) };
    return span.from < span.until ? [span] : [];
  });
}

/** @throws {RangeError} */
function localTime(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  if (Number.isNaN(at)) throw new RangeError('Not a valid local time');
  return at;
}

/** Sorted; what overlaps or touches becomes one. */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || span.from > last.until) joined.push(span);
    else joined[joined.length - 1] = { from: last.from, until: Math.max(last.until, span.until) };
  }
  return joined;
}

/** What is in the first and not in the second; both as {@link union} gives them. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  return spans.flatMap((span) => {
    const left: Span[] = [];
    let { from } = span;
    for (const hole of holes) {
      if (hole.until <= from || hole.from >= span.until) continue;
      if (hole.from > from) left.push({ from, until: hole.from });
      from = Math.max(from, hole.until);
    }
    return from < span.until ? [...left, { from, until: span.until }] : left;
  });
}

function clipped(spans: readonly Span[], { from, until }: Span): Span[] {
  return spans
    .map((span) => ({ from: Math.max(span.from, from), until: Math.min(span.until, until) }))
    .filter((span) => span.from < span.until);
}
