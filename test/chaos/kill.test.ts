import { addMentor } from '../integration/calls/people';
import type { TestStack } from '../stack';
import { type Circle, makeCircle } from './buddies';
import { buddiesLeftOver } from './buddy-faults';
import { startKillStack } from './kill-stack';
import { planRound } from './round-plan';
import { killedBeforeItWasWritten } from './texts';
import { auditFaults, type RoundReport, runRound } from './round';

/** Other seeds in every run; `npm run chaos -- --rounds 1000` goes on for as long as you like. */
const ROUNDS = Number(process.env['KINDLINE_TEST_CHAOS_ROUNDS'] ?? 12);
/** Run a seed again with `KINDLINE_TEST_CHAOS_SEED=… KINDLINE_TEST_CHAOS_ROUNDS=1`. */
const FIRST_SEED = Number(process.env['KINDLINE_TEST_CHAOS_SEED'] ?? Math.floor(Date.now() / 1000) % 1_000_000);
/** Of all calls: a call that had to be served by the static document was still served, but not as it should be. */
const MOST_FALLBACKS = 0.05;

/** Fewer than there are calls: some wait. */
const mentorPhones = Array.from({ length: 6 }, (_, n) => `+1510555${String(100 + n).padStart(4, '0')}`);

let stack: TestStack;
let circle: Circle;
beforeAll(async () => {
  stack = await startKillStack();
  for (const phone of mentorPhones) await addMentor(stack, phone);
  circle = await makeCircle(stack);
}, 180_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

const reports: RoundReport[] = [];

describe(`${ROUNDS} rounds from seed ${FIRST_SEED}`, () => {
  it.each(Array.from({ length: ROUNDS }, (_, n) => FIRST_SEED + n))(
    'seed %i: one ring per dispatch and per Dial, every call ended, nothing left over',
    async (seed) => {
      const report = await runRound(stack, planRound(seed, mentorPhones.length), mentorPhones, circle);
      reports.push(report);
      // Also where only the first lines of a failure are kept.
      if (report.faults.length > 0) console.log(`seed ${seed}: ${report.faults.join('; ')}`);
      expect({ seed, blow: report.blow, faults: report.faults }).toEqual({ seed, blow: report.blow, faults: [] });
    },
    240_000,
  );

  it('20 texts whose worker is killed between the provider’s accept and our record are recorded, and sent once', async () => {
    expect(await killedBeforeItWasWritten(stack, 20)).toEqual([]);
  }, 120_000);

  it('after all of them every check-in has closed in its time, and nothing of buddies runs or waits to be told', async () => {
    expect(await buddiesLeftOver(stack)).toEqual([]);
  }, 120_000);

  it('after all of them the audit trail verifies, with every entry in its place', async () => {
    expect(await auditFaults(stack)).toEqual([]);
  }, 90_000);

  it('hardly ever fell a part by itself, where nobody had struck it', () => {
    if (stack.fallen.length > 0) console.log(`fell by themselves: ${stack.fallen.join(', ')}`);
    expect(stack.fallen.length).toBeLessThanOrEqual(Math.ceil(ROUNDS / 100));
  });

  it('hardly ever was a buddy not asked any more, because a blow held it up until another was in touch', () => {
    const notAsked = reports.reduce((sum, report) => sum + report.notAsked, 0);
    expect(notAsked).toBeLessThanOrEqual(Math.ceil(ROUNDS / 10));
  });

  // A single round, repeated by its seed, need not have all of them.
  (ROUNDS >= 12 ? it : it.skip)(
    'drops, cancels, fallbacks, waits, recordings and calls from apps were among them',
    () => {
      const ended = (outcome: string) => reports.reduce((sum, report) => sum + (report.outcomes[outcome] ?? 0), 0);
      expect(ended('fallback-completed')).toBeGreaterThan(0);
      expect(ended('cancelled')).toBeGreaterThan(0);
      for (const kind of ['ringBacks', 'waited', 'recorded', 'appCallsKnown'] as const) {
        expect([kind, reports.reduce((sum, report) => sum + report[kind], 0)]).not.toEqual([kind, 0]);
      }
      // Of one text in many nobody can know.
      expect(reports.filter(({ checkIn }) => checkIn === 'answered').length).toBeGreaterThan(ROUNDS / 2);
    },
  );

  it('at most one call in twenty was served by the static document', () => {
    const calls = reports.reduce((sum, report) => sum + report.calls, 0);
    const fallbacks = reports.reduce((sum, report) => sum + report.fallbackStatic, 0);
    console.log(summary(reports, fallbacks));
    expect(fallbacks).toBeLessThanOrEqual(Math.ceil(calls * MOST_FALLBACKS));
  });
});

function summary(all: readonly RoundReport[], fallbacks: number): string {
  const [outcomes, texts] = [new Map<string, number>(), new Map<string, number>()];
  for (const report of all) {
    for (const [outcome, n] of Object.entries(report.outcomes)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + n);
    for (const [state, n] of Object.entries(report.texts)) texts.set(state, (texts.get(state) ?? 0) + n);
  }
  const checkIns = new Map(
    (['answered', 'lost'] as const).map((end) => [end, all.filter(({ checkIn }) => checkIn === end).length]),
  );
  const words = (counts: ReadonlyMap<string, number>) => [...counts].map(([word, n]) => `${n} ${word}`).join(', ');
  const rings = all.reduce((sum, report) => sum + report.rings, 0);
  const stages = Object.keys(all[0]?.stages ?? {}).map((stage) => {
    const mean = all.reduce((sum, report) => sum + (report.stages[stage] ?? 0), 0) / all.length;
    return `${stage} ${mean.toFixed(1)}`;
  });
  const kinds = (['ringBacks', 'waited', 'recorded', 'appCallsKnown'] as const).map(
    (kind) => `${all.reduce((sum, report) => sum + report[kind], 0)} ${kind}`,
  );
  return `${all.length} rounds, ${rings} rings, ${kinds.join(', ')}: ${words(outcomes)}; texts: ${words(texts)}; check-ins: ${words(checkIns)}; ${fallbacks} served by the static document; seconds into a round until all was ${stages.join(', ')}`;
}
