import * as fc from 'fast-check';
import { coverageOf } from '../../../domain/coverage';
import { union } from '../../../domain/shifts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const DAY = { from: 0, until: 24 * HOUR };

it('says for each hour how many are there at least and at most, and when nobody is', () => {
  const { hours, gaps } = coverageOf(
    [
      [{ from: 0, until: 10 * HOUR }],
      [
        { from: 1.5 * HOUR, until: 9 * HOUR },
        { from: 20 * HOUR, until: 30 * HOUR },
      ],
    ],
    DAY,
  );
  expect(hours).toHaveLength(24);
  expect(hours.slice(0, 3)).toEqual([
    { from: 0, until: HOUR, fewest: 1, most: 1 },
    { from: HOUR, until: 2 * HOUR, fewest: 1, most: 2 },
    { from: 2 * HOUR, until: 3 * HOUR, fewest: 2, most: 2 },
  ]);
  expect(hours[9]).toMatchObject({ fewest: 1, most: 1 });
  expect(gaps).toEqual([{ from: 10 * HOUR, until: 20 * HOUR }]);
});

it('without anybody there is one gap', () => {
  const { hours, gaps } = coverageOf([], DAY);
  expect(gaps).toEqual([DAY]);
  expect(hours.every(({ most }) => most === 0)).toBe(true);
});

it('says the same as counting minute by minute', () => {
  const shift = fc
    .tuple(fc.integer({ min: -120, max: 1_500 }), fc.integer({ min: 1, max: 600 }))
    .map(([from, length]) => ({ from: from * MINUTE, until: (from + length) * MINUTE }));
  const mentors = fc.array(fc.array(shift, { maxLength: 4 }).map(union), { maxLength: 5 });
  fc.assert(
    fc.property(mentors, (shifts) => {
      const { hours, gaps } = coverageOf(shifts, DAY);
      for (const hour of hours) {
        const counts = Array.from({ length: 60 }, (_, minute) => {
          const at = hour.from + minute * MINUTE;
          const there = shifts.filter((mine) => mine.some(({ from, until }) => from <= at && at < until)).length;
          const isGap = gaps.some(({ from, until }) => from <= at && at < until);
          return isGap === (there === 0) ? there : Number.NaN;
        });
        expect(hour).toMatchObject({ fewest: Math.min(...counts), most: Math.max(...counts) });
      }
    }),
    { numRuns: 20 },
  );
});
