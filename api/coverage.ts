import { DateTime } from 'luxon';
import type { z } from 'zod';
import { rotas } from '../db/mentor-shifts';
import { type Coverage, coverageOf } from '../domain/coverage';
import { rememberedStretches, shiftsOf } from '../domain/shifts';
import { checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { coverageQuery, type coverageShape } from './mentor-shifts-shapes';
import { checkZone } from './mentors';
import type { Routes } from './routes';

/** Who is there when, a month at a time: as the hours and exceptions are now, for a month that is over too. */
export function coverage(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /coverage', async (req, res) => {
    const { month, zone, format } = checkedQuery(coverageQuery, req);
    checkZone(zone);
    const first = DateTime.fromISO(`${month}-01`, { zone });
    const [from, until] = [first.toMillis(), first.plus({ months: 1 }).toMillis()];
    const all = await rotas(deps.pool, new Date(from), new Date(until));
    const stretchesOf = rememberedStretches();
    const covered = coverageOf(
      all.map((rota) => shiftsOf(rota, { from, until }, stretchesOf)),
      { from, until },
    );
    if (format === 'csv') {
      res.type('text/csv').set('Content-Disposition', `attachment; filename="coverage-${month}.csv"`);
      res.send(asCsv(covered, zone));
      return;
    }
    const gaps = covered.gaps.map((gap) => ({
      starts: written(gap.from, zone),
      ends: written(gap.until, zone),
      minutes: minutes(gap.until - gap.from),
    }));
    const answer: z.input<typeof coverageShape> = {
      month,
      zone,
      mentors: all.length,
      gaps,
      gapMinutes: gaps.reduce((sum, gap) => sum + gap.minutes, 0),
      hours: covered.hours.map(({ from: starts, fewest, most }) => ({ starts: written(starts, zone), fewest, most })),
    };
    res.json(answer);
  });
}

/** An hour to a line, with how much of it nobody covers. Nothing in it needs quotes. */
function asCsv({ hours, gaps }: Coverage, zone: string): string {
  const lines = hours.map(({ from, until, fewest, most }) => {
    const uncovered = gaps.reduce(
      (sum, gap) => sum + Math.max(0, Math.min(gap.until, until) - Math.max(gap.from, from)),
      0,
    );
    return [written(from, zone), fewest, most, minutes(uncovered)].join(',');
  });
  return ['starts,fewest,most,gap_minutes', ...lines, ''].join('\r\n');
}

function written(at: number, zone: string): string {
  return DateTime.fromMillis(at, { zone }).toISO({ suppressMilliseconds: true }) ?? '';
}

function minutes(ms: number): number {
  return Math.round(ms / 60_000);
}
