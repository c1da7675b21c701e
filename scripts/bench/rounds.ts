/** How the two sides are compared: in turns, so that whatever else the machine does disturbs both alike. */

/** Figures of one side, a round each. */
export interface TwoSides {
  readonly ours: number;
  readonly baseline: number;
}

/**
 * Runs both sides in turns, `rounds` times each; who is first changes with every round, so that neither always finds
 * the machine warmed up by the other.
 *
 * @returns the median over the rounds of what each run says
 */
export async function inTurns(
  rounds: number,
  sides: Readonly<Record<keyof TwoSides, (round: number) => Promise<number>>>,
): Promise<TwoSides> {
  const ours: number[] = [];
  const baseline: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['ours', 'baseline'] as const) : (['baseline', 'ours'] as const);
    for (const side of order) (side === 'ours' ? ours : baseline).push(await sides[side](round));
  }
  return { ours: median(ours), baseline: median(baseline) };
}

export function median(figures: readonly number[]): number {
  return percentile(figures, 50);
}

/** The smallest figure that is at least as large as `percent` of all. @throws RangeError for none */
export function percentile(figures: readonly number[], percent: number): number {
  const sorted = [...figures].toSorted((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
  if (found === undefined) throw new RangeError('There is nothing to take a percentile of');
  return found;
}
