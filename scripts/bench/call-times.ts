/**
 * How long people wait in a mentor call: for the first ring, for the next mentor's ring, for the helpline. The instants are
 * those of the simulator's ledger, whose clock is that of this process.
 */
import { helplineNumbers, helplinesFor } from '../../domain/helplines';
import { SimulatorClient } from '../../simulator/client';
import { DemoApp } from '../demo-call';
import { type AskedCall, askForCall, ringOf, untilOver } from './app-calls';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { percentile } from './rounds';
import { type BenchRow, rowOf, type Target } from './rows';

/** As slowly as people speak: 150 words a minute. */
const SPOKEN_WORD_MS = 400;
/** A mentor's ring of 20 s is over in one. */
const FASTER = 20;
/** As many mentors as are rung for one call, for each of two calls at the same time. */
const CALLS_AT_ONCE = 2;
const MENTORS = 4 * CALLS_AT_ONCE;
const HELPLINE = helplineNumbers(helplinesFor('US'))[0] ?? '';

export const callTimesGroup: BenchGroup = { name: 'call-times', run: { needs: 'ground', measure } };

async function measure(effort: Effort, ground: BenchGround): Promise<BenchRow[]> {
  const simulator = new SimulatorClient(ground.stack.services.simulatorUrl);
  const before = await simulator.settings({});
  const scene = { ground, simulator, effort };
  try {
    // Twilio's queue is left out, on its side as on ours.
    await simulator.settings({ callsPerSecond: 0 });
    await nobodyIsOnShift(ground);
    return [...(await firstRings(scene)), await helpline(scene), ...(await nextRings(scene))];
  } finally {
    await simulator.settings(before);
    await nobodyIsOnShift(ground);
  }
}

interface Scene {
  readonly ground: BenchGround;
  readonly simulator: SimulatorClient;
  readonly effort: Effort;
}

async function firstRings({ ground, simulator, effort: { rounds, isQuick } }: Scene): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const atOnce of isQuick ? [1, 10] : [1, 10, 100]) {
    const waited: number[] = [];
    // Of a few a percentile says little.
    const batches = isQuick ? 1 : Math.ceil((atOnce === 1 ? 5 : 1) * rounds);
    for (let batch = 0; batch < batches; batch += 1) {
      const calls = await ask({ ground, simulator }, atOnce, { outcome: 'decline', answerAfterMs: 2_000 });
      await Promise.all(calls.map((call) => untilOver(ground, call, 'no-answer')));
      const ledger = await simulator.ledger();
      waited.push(...calls.map((call) => Date.parse(ringOf(ledger, call).ringingAt) - call.askedAt));
    }
    const target = { of: 'ours', is: '<', than: 2_000 } as const;
    const name = `POST /connect-mentor → first ring, ${atOnce} at once`;
    rows.push(...percentileRows(name, waited, [50, 95, 99], (percent) => atOnce === 10 && percent === 95, target));
  }
  return rows;
}

/** With no mentor at all. The user picks up after 5 s and hears every word. */
async function helpline({ ground, simulator, effort: { rounds, isQuick } }: Scene): Promise<BenchRow> {
  await simulator.settings({ wordMs: SPOKEN_WORD_MS });
  await simulator.script(HELPLINE, { answerAfterMs: 2_000 });
  const calls = await ask({ ground, simulator }, isQuick ? 1 : rounds, {
    answerAfterMs: 5_000,
    keys: [{ when: 'greeting', press: '1', afterMs: 500 }],
    hangUp: { after: 'bridged', ms: 500 },
  });
  await Promise.all(calls.map((call) => untilOver(ground, call, 'fallback-completed')));
  const ledger = await simulator.ledger();
  const waited = calls.map((call) => {
    const { sid } = ringOf(ledger, call);
    const leg = ledger.find(({ parentSid, bridgedAt }) => parentSid === sid && bridgedAt !== null);
    return (Date.parse(leg?.bridgedAt ?? '') - call.askedAt) / 1_000;
  });
  return rowOf({
    name: 'POST /connect-mentor → helpline connected, no mentors',
    unit: 's, the longest',
    ours: percentile(waited, 100),
    target: { of: 'ours', is: '≤', than: 45 },
  });
}

/** Everybody's phone rings until Twilio gives up; then the next one is rung. */
async function nextRings({ ground, simulator, effort: { rounds, isQuick } }: Scene): Promise<BenchRow[]> {
  const app = new DemoApp(ground.stack.services);
  const phones = Array.from({ length: MENTORS }, (_, at) => `+1415555017${at}`);
  for (const phone of phones) {
    await app.addMentor('A mentor who does not answer', phone);
    await simulator.script(phone, { outcome: 'no-answer' });
  }
  await simulator.settings({ wordMs: 20, timeScale: FASTER });
  await simulator.script(HELPLINE, { answerAfterMs: 50 });
  const gaps: number[] = [];
  for (let round = 0; round < (isQuick ? 1 : rounds); round += 1) {
    const calls = await ask({ ground, simulator }, isQuick ? 1 : CALLS_AT_ONCE, {
      answerAfterMs: 50,
      keys: [
        { when: 'greeting', press: '1', afterMs: 20 },
        { when: 'speak with a helpline now', press: '0', afterMs: 20 },
      ],
      hangUp: { after: 'bridged', ms: 50 },
    });
    await Promise.all(calls.map((call) => untilOver(ground, call, 'fallback-completed')));
    const ledger = await simulator.ledger();
    for (const call of calls) {
      const { sid } = ringOf(ledger, call);
      const rings = ledger
        .filter(({ parentSid, to, ringingAt }) => parentSid === sid && phones.includes(to) && ringingAt !== null)
        .toSorted((a, b) => String(a.ringingAt).localeCompare(String(b.ringingAt)));
      for (const [at, { endedAt }] of rings.slice(0, -1).entries()) {
        gaps.push(Date.parse(rings[at + 1]?.ringingAt ?? '') - Date.parse(endedAt ?? ''));
      }
    }
  }
  const target = { of: 'ours', is: '<', than: 2_000 } as const;
  return percentileRows('no answer of a mentor → next ring', gaps, [50, 95], (percent) => percent === 95, target);
}

/** So many at the same instant, each of somebody new with a phone of their own. */
async function ask(
  { ground, simulator }: Pick<Scene, 'ground' | 'simulator'>,
  count: number,
  script: Parameters<SimulatorClient['script']>[1],
): Promise<AskedCall[]> {
  const tokens = await ground.userTokens(count);
  const phones = tokens.map((_, at) => `+162855501${String(at).padStart(2, '0')}`);
  for (const phone of phones) await simulator.script(phone, script);
  return Promise.all(phones.map((phone, at) => askForCall(ground, phone, tokens[at] ?? '')));
}

/** Mentors of this group and of others are of no use to the next. */
async function nobodyIsOnShift({ owner }: BenchGround): Promise<void> {
  await owner.query('UPDATE mentors SET available = false WHERE available');
}

function percentileRows(
  name: string,
  figures: readonly number[],
  percents: readonly number[],
  isJudged: (percent: number) => boolean,
  target: Target,
): BenchRow[] {
  return percents.map((percent) =>
    rowOf({
      name,
      unit: `ms at the ${percent}th percentile`,
      ours: percentile(figures, percent),
      ...(isJudged(percent) ? { target } : {}),
    }),
  );
}
