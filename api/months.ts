import { z } from 'zod';
import { Problem } from './problems';
import { month } from './shared-shapes';

/** The query of everything that is counted by month. */
export const monthsQuery = z.object({
  from: month.optional().meta({ description: 'The first month; left out: the eleventh before `to`.' }),
  to: month.optional().meta({ description: 'The last month; left out: this one.' }),
});

/** More would be a report for somebody else. */
const MOST_MONTHS = 24;
const MONTHS_BY_DEFAULT = 12;

/** @throws {Problem} `invalid-query` when they are in the wrong order or too many */
export function monthsOf({ from, to }: z.output<typeof monthsQuery>): { from: string; to: string } {
  const last = to ?? new Date().toISOString().slice(0, 7);
  const first = from ?? monthOf(indexOf(last) - MONTHS_BY_DEFAULT + 1);
  const months = indexOf(last) - indexOf(first) + 1;
  if (months < 1 || months > MOST_MONTHS) {
    const detail = `From 1 to ${MOST_MONTHS} months are expected here, the first one in from.`;
    throw new Problem('invalid-query', { errors: [{ pointer: from === undefined ? 'to' : 'from', detail }] });
  }
  return { from: first, to: last };
}

function indexOf(of: string): number {
  return Number(of.slice(0, 4)) * 12 + Number(of.slice(5)) - 1;
}

function monthOf(index: number): string {
  return `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`;
}
