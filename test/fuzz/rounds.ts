import { randomInt } from 'node:crypto';
import { SeededRandom } from '../chaos/seeded-random';

/** `npm run fuzz` wants more of it, and a seed that failed can be run again. */
const ROUNDS = Number(process.env['KINDLINE_TEST_FUZZ_ROUNDS'] ?? 5_000);
const SEED = Number(process.env['KINDLINE_TEST_FUZZ_SEED'] ?? randomInt(1_000_000_000));
/** As many requests as a busy API answers at once; more would only wait for each other. */
const AT_ONCE = 16;
const BATCH = 500;

/** Whatever takes longer than this has not been answered. */
export const ANSWERED_WITHIN = 20_000;
/** For a whole suite, on a machine that does other things as well. */
export const SUITE_WITHIN = 60_000 + ROUNDS * 60;

export interface FuzzRun {
  readonly rounds: number;
  readonly seed: number;
  /** What went wrong, each with the number of its round. */
  readonly findings: readonly string[];
}

/**
 * Runs one case after the other, several at once. A case gets a random source of its own, made of the seed and its
 * number alone, so that it is the same whatever the others do.
 *
 * @param fuzz returns what is wrong, or null
 * @param afterBatch looks at what all have left behind so far; returns what is wrong, or null
 */
export async function runRounds(
  name: string,
  fuzz: (random: SeededRandom, round: number) => Promise<string | null>,
  afterBatch: () => Promise<string | null> = async () => null,
): Promise<FuzzRun> {
  process.stderr.write(`${name}: ${ROUNDS} rounds, KINDLINE_TEST_FUZZ_SEED=${SEED}\n`);
  const findings: string[] = [];
  const note = (round: number, finding: string | null): void => {
    if (finding !== null) findings.push(`round ${round}: ${finding}`);
  };
  for (let from = 0; from < ROUNDS && findings.length < 20; from += BATCH) {
    const to = Math.min(from + BATCH, ROUNDS);
    let next = from;
    const runner = async (): Promise<void> => {
      while (next < to) {
        const round = next;
        next += 1;
        note(round, await fuzz(new SeededRandom(Math.imul(SEED + round, 0x9e3779b1)), round));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, runner));
    note(to - 1, await afterBatch());
    if (to % 5_000 === 0) process.stderr.write(`${name}: ${to} of ${ROUNDS}\n`);
  }
  return { rounds: ROUNDS, seed: SEED, findings };
}
