import { inTurns, median, percentile } from '../../../scripts/bench/rounds';
import { rowOf, tableOf } from '../../../scripts/bench/rows';

describe('a row of the bench', () => {
  test('judges the ratio of both sides, also where the figures are rounded', () => {
    const target = { of: 'ratio', is: '≤', than: 1.3 } as const;
    const row = (ours: number) => rowOf({ name: 'a', unit: 'ms', ours, baseline: 10, target });
    expect(row(13)).toEqual({
      name: 'a',
      unit: 'ms',
      ours: 13,
      baseline: 10,
      ratio: 1.3,
      target: 'ratio ≤ 1.3',
      ok: true,
    });
    expect(row(13.01)).toMatchObject({ ratio: 1.3, ok: false });
  });

  test('judges the figure itself where there is nothing beside it', () => {
    const row = (ours: number) => rowOf({ name: 'a', unit: 'ms', ours, target: { of: 'ours', is: '<', than: 100 } });
    expect(row(99)).toMatchObject({ baseline: null, ratio: null, target: '< 100', ok: true });
    expect(row(100)).toMatchObject({ ok: false });
  });

  test('that is missed stands out in the table, one without a target does not', () => {
    const target = { of: 'ours', is: '≥', than: 5 } as const;
    const rows = [rowOf({ name: 'slow', unit: 'x', ours: 1, target }), rowOf({ name: 'free', unit: 'x', ours: 1 })];
    const [, slow, free] = tableOf(rows).split('\n');
    expect(slow).toMatch(/^slow .*≥ 5 +MISSED$/);
    expect(free).toMatch(/^free .*–$/);
  });
});

describe('turns', () => {
  test('are taken by both sides, each first in every second round, and their medians are compared', async () => {
    const order: string[] = [];
    const side = (name: string, figures: number[]) => (round: number) => {
      order.push(name);
      return Promise.resolve(figures[round] ?? 0);
    };
    await expect(
      inTurns(3, { ours: side('ours', [9, 1, 2]), baseline: side('baseline', [5, 5, 50]) }),
    ).resolves.toEqual({ ours: 2, baseline: 5 });
    expect(order).toEqual(['ours', 'baseline', 'baseline', 'ours', 'ours', 'baseline']);
  });

  test('have percentiles that were measured, not made up between two figures', () => {
    expect(median([4, 1, 3, 2])).toBe(2);
    expect(percentile([10, 20, 30, 40], 95)).toBe(40);
    expect(() => median([])).toThrow(RangeError);
  });
});
