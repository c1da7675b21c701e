/**
 * `npm run match:evaluate [-- --save] [--json]`: learns weights from the ratings of past calls and compares how they and
 * the rules would have chosen, in the running service or in the one that the environment describes. Writes nothing, but
 * with `--save` the weights as a new version, which counts where MATCH_SCORER is `learned`.
 */
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/config';
import { saveModel } from '../db/match-models';
import { ratedMatches } from '../db/match-ratings';
import { createPool } from '../db/pool';
import { type Estimate, type Evaluation, evaluate, learn, type Model } from '../domain/match-learning';
import { defaultScorer, FEATURES } from '../domain/match-scorers';
import { CommandError, runCommand } from './command-error';
import { serviceSettings } from './service-settings';

/** Fewer would be noise. */
const FEWEST_TO_SAVE = 50;
/** Fewer cannot be divided into what is learned from and what is judged. */
const FEWEST_TO_COMPARE = 10;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { save: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  });
  const config = loadConfig((await serviceSettings()).env);
  const pool = createPool(config.database, { warn: () => undefined });
  try {
    const matches = await ratedMatches(pool);
    if (matches.length < FEWEST_TO_COMPARE) {
      throw new CommandError(`There are ${matches.length} rated calls; ${FEWEST_TO_COMPARE} are needed to compare.`);
    }
    if (values.save && matches.length < FEWEST_TO_SAVE) {
      throw new CommandError(
        `There are ${matches.length} rated calls; ${FEWEST_TO_SAVE} are needed to save. Nothing was.`,
      );
    }
    const model = learn(matches);
    const evaluation = evaluate(matches, defaultScorer(config.matching.points), seeded(1));
    const version = values.save ? await saveModel(pool, model.weights, matches.length) : null;
    const result = { ...evaluation, weights: model.weights, savedAs: version };
    process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : inWords(evaluation, model, version));
  } finally {
    await pool.end();
  }
}

function inWords(
  { calls, agreement, expected, given }: Evaluation,
  { weights }: Model,
  version: number | null,
): string {
  return [
    `${calls} rated calls.`,
    `Both scorers choose the same mentor in ${(agreement * 100).toFixed(1)} % of them.`,
    `Expected rating, default:  ${range(expected.default)}`,
    `Expected rating, learned:  ${range(expected.learned)}`,
    `Gain of the learned one:   ${range(expected.gain)}`,
    `Rating that was given where the learned one agrees with what was done: ${given === null ? 'none' : range(given)}`,
    '',
    'Points on a scale of ratings; in use a common language always outweighs the rest:',
    ...FEATURES.map((name) => `  ${name.padEnd(13)} ${weights[name].toFixed(3)}`),
    '',
    'The expectation is the learned model’s own, of calls it has not seen: a gain whose range holds 0 is none.',
    version === null ? 'Nothing was saved.' : `Saved as version ${version}.`,
    '',
  ].join('\n');
}

function range({ mean, low, high }: Estimate): string {
  return `${mean.toFixed(2)} (95 %: ${low.toFixed(2)} to ${high.toFixed(2)})`;
}

/** The same figures from the same calls (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

void runCommand(main);
