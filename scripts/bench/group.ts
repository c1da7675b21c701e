import type { BenchGround } from './ground';
import type { BenchRow } from './rows';

/** How much is measured. */
export interface Effort {
  /** How often both sides take their turn. */
  readonly rounds: number;
  /** True: a few of each only, to see that everything runs; the figures mean nothing. */
  readonly isQuick: boolean;
}

/** Rows that are measured together. */
export interface BenchGroup {
  /** What `--only` looks in. */
  readonly name: string;
  /** Measured over a running stack, or in this process alone. */
  readonly run:
    | { readonly needs: 'nothing'; measure(effort: Effort): Promise<BenchRow[]> }
    | { readonly needs: 'ground'; measure(effort: Effort, ground: BenchGround): Promise<BenchRow[]> };
}
