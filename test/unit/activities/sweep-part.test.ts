import { createWalk, inTurn, SWEEP_BATCH } from '../../../activities/sweep-part';
import type { Placed } from '../../../db/cursor';

type Row = Placed<{ readonly n: number }>;

describe('a walk over rows of which many cannot be mended', () => {
  let now = 0;
  let rows: Row[] = [];
  const asked: number[] = [];
  beforeEach(() => {
    [now, rows] = [0, Array.from({ length: 450 }, (_, n) => ({ n, place: { at: '', id: String(n) } }))];
    asked.length = 0;
  });
  const walk = () =>
    createWalk<{ readonly n: number }>(
      async (limit, after) => rows.filter(({ n }) => n > Number(after?.id ?? -1)).slice(0, limit),
      () => now,
    );
  /** Mends what is behind the first 420 rows, and takes so long for each row. */
  const mending = (ms: number) => async (row: { readonly n: number }) => {
    asked.push(row.n);
    now += ms;
    return row.n >= 420;
  };

  it('comes to the younger ones in the same run, and to each row once', async () => {
    expect(await walk()(mending(0))).toBe(30);
    expect(asked).toEqual(rows.map(({ n }) => n));
  });

  it('goes on where it had no more time, and then begins anew', async () => {
    const one = walk();
    const mended: number[] = [];
    // Fifty rows take all the time of a run.
    for (let run = 0; run < 9; run += 1) mended.push(await one(mending(200)));
    expect(mended).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 30]);
    expect(asked).toEqual(rows.map(({ n }) => n));
    asked.length = 0;
    // The last page was full of time, not of rows: one more look finds nothing behind it.
    await one(mending(0));
    await one(mending(0));
    expect(asked).toEqual(rows.map(({ n }) => n));
  });

  it('throws the first failure when the others have had their turn', async () => {
    const done = await walk()(async ({ n }) => {
      asked.push(n);
      if (n < 3) throw new Error(`not ${n}`);
      return true;
    }).catch((error: unknown) => error);
    expect(done).toEqual(new Error('not 0'));
    expect(asked).toHaveLength(450);
  });

  it('asks nobody further when all fail, and goes on behind them the next time', async () => {
    const one = walk();
    const fail = async ({ n }: { readonly n: number }) => {
      asked.push(n);
      throw new Error('away');
    };
    await expect(one(fail)).rejects.toThrow('away');
    expect(asked).toHaveLength(SWEEP_BATCH);
    await expect(one(fail)).rejects.toThrow('away');
    expect(asked.at(-1)).toBe(2 * SWEEP_BATCH - 1);
  });
});

it('a walk that fails does not keep the next one from its rows', async () => {
  const walked: string[] = [];
  const walks = inTurn(
    () => Promise.reject(new Error('the first')),
    async () => walked.push('the second'),
  );
  await expect(walks).rejects.toThrow('the first');
  expect(walked).toEqual(['the second']);
});
