import { Context } from '@temporalio/activity';
import { budgetUse, readBudget, takeWarning } from '../db/cost-budget';
import { noteInboundTextCosts, noteLegCosts, noteNumberCosts, noteTextCosts } from '../db/cost-items';
import { noteRecordingCosts } from '../db/recording-costs';
import { costsToLookAt, noteNoPrice, notePrice, type Unpriced } from '../db/costs';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { countryOfNumber } from '../domain/phone-number';
import { nextLookMs, pricesOf } from '../domain/prices';
import { ProviderError } from '../providers/provider-error';
import type { Price } from '../providers/twilio-price';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';
import { logged } from './provider-log';

const BATCH = 500;
/** What is left after so many batches is taken up by the next run. */
const MOST_BATCHES = 40;
/** Prices asked for in one run: reading them must not eat the requests that calls need. */
const MOST_LOOKS = 300;
/** Resources in a row that gave an error: then it is not the resource. */
const MOST_FAILURES = 3;

/** The parts of the cost sweep. Each may be repeated and run beside itself. */
export function createCostActivities(deps: ActivityDependencies) {
  const { pool, logger } = deps;
  return {
    /** Turns what was sent, received and rung since the last time into costs, estimated by our table. @returns how many */
    noteCosts: (): Promise<number> =>
      withHeartbeat(async () => {
        const ours = deps.phoneNumbers.map((number) => ({ number, country: countryOfNumber(number) ?? 'ZZ' }));
        const rents = ours.map((our) => ({ ...our, amountMicro: pricesOf(our.country).numberMonth }));
        let made = await noteNumberCosts(pool, rents);
        const noteInbound = (db: Db, limit: number) => noteInboundTextCosts(db, limit, ours);
        for (const note of [noteTextCosts, noteInbound, noteLegCosts, noteRecordingCosts]) {
          for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
            const some = await note(pool, BATCH);
            made += some;
            if (some < BATCH) break;
          }
        }
        return made;
      }),

    /** Asks the provider what things really cost. @returns how many prices it told */
    readPrices: (): Promise<number> =>
      withHeartbeat(async () => {
        let [told, failures] = [0, 0];
        for (const due of await costsToLookAt(pool, MOST_LOOKS)) {
          try {
            const price = await logged(logger, { callSid: due.item }, () => priceOf(deps, due));
            failures = 0;
            if (price === null || price.micro === null) {
              // A resource that is gone will never say.
              await noteNoPrice(pool, due.item, price === null ? null : nextLookMs(due.looks + 1));
              continue;
            }
            await notePrice(pool, due.item, { ...price, micro: price.micro });
            told += 1;
          } catch (error) {
            if (!(error instanceof ProviderError)) throw error;
            // Whatever is wrong now is wrong for the others too: the next run takes them up.
            if (isOfTheLine(error)) break;
            // One that always fails must not stand in front of the others for ever.
            await noteNoPrice(pool, due.item, nextLookMs(due.looks + 1));
            failures += 1;
            if (failures === MOST_FAILURES) break;
          }
        }
        return told;
      }),

    /** Measures this month against the budget; says so once a month when it is used up too far. @returns percent */
    watchBudget: async (): Promise<number | null> => {
      const budget = await readBudget(pool);
      const { percent, isWarned } = await budgetUse(pool, budget);
      if (percent === null) return null;
      const meter = Context.current().metricMeter;
      meter.createGauge('kindline_cost_budget_used_percent', 'int').set(percent);
      if (isWarned && (await inTransaction(pool, takeWarning))) {
        logger.warn({ percent }, 'the budget of this month is nearly or wholly used up');
        meter.createCounter('kindline_cost_budget_warnings').add(1);
      }
      return percent;
    },
  };
}

/** Our pace (429), our account (20003), or the way there, which the circuit may have closed. */
function isOfTheLine({ outcome, class: errorClass }: ProviderError): boolean {
  return outcome === 'rate-limited' || outcome === 'not-sent' || errorClass === 'stop-line';
}

/** Null when the provider knows no such thing (any more); `micro` null when it has no price yet. */
async function priceOf(
  { voice, messaging, recordings }: Pick<ActivityDependencies, 'voice' | 'messaging' | 'recordings'>,
  { kind, item }: Unpriced,
): Promise<{ micro: number | null; currency: string; units: number | null } | null> {
  if (kind === 'sms') {
    const text = await messaging.readMessage(item);
    return text && { ...orUnknown(text.price), units: text.segments };
  }
  if (kind === 'recording') {
    const recording = await recordings.read(item);
    return recording && { ...orUnknown(recording.price), units: null };
  }
  if (kind !== 'voice') return null;
  const call = await voice.readCall(item);
  const seconds = call?.durationSeconds ?? null;
  return call && { ...orUnknown(call.price), units: seconds === null ? null : Math.ceil(seconds / 60) };
}

function orUnknown(price: Price | null): { micro: number | null; currency: string } {
  return price ?? { micro: null, currency: '' };
}
