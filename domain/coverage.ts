/** Who is there when: how many are on shift in each hour of a time, and when nobody is. */
import { type Span, union, without } from './shifts';

export interface HourCovered extends Span {
  /** How many are on shift at least, and at most, at any moment of the hour. */
  readonly fewest: number;
  readonly most: number;
}

export interface Coverage {
  readonly hours: readonly HourCovered[];
  /** When nobody is on shift. */
  readonly gaps: readonly Span[];
}

const HOUR = 3_600_000;

/**
 * @param shifts of each mentor, apart from each other, as `shiftsOf` gives them
 * @param between from a full hour to a full hour
 */
export function coverageOf(shifts: readonly (readonly Span[])[], between: Span): Coverage {
  const all = shifts.flat();
  const changes = new Map<number, number>();
  const change = (at: number, by: number): void => void changes.set(at, (changes.get(at) ?? 0) + by);
  for (const { from, until } of all) {
    change(Math.max(from, between.from), 1);
    change(Math.min(until, between.until), -1);
  }
  const moments = [...changes].toSorted(([a], [b]) => a - b);
  const hours: HourCovered[] = [];
  let [now, next] = [0, 0];
  for (let from = between.from; from < between.until; from += HOUR) {
    const until = Math.min(from + HOUR, between.until);
    // What changes at the full hour belongs to this one.
    const takeUntil = (end: number, seen: (count: number) => void): void => {
      for (let moment = moments[next]; moment !== undefined && moment[0] < end; moment = moments[next]) {
        now += moment[1];
        next += 1;
        seen(now);
      }
    };
    takeUntil(from + 1, () => undefined);
    let [fewest, most] = [now, now];
    takeUntil(until, (count) => {
      fewest = Math.min(fewest, count);
      most = Math.max(most, count);
    });
    hours.push({ from, until, fewest, most });
  }
  return { hours, gaps: without([between], union(all)) };
}
