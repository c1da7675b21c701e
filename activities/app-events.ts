import {
  claimDueEvents,
  type DueEvent,
  giveUpTheOld,
  nextDueInMs,
  noteDelivered,
  noteNotDelivered,
  releaseClaims,
} from '../db/app-event-delivery';
import { appEventBody, pauseAfter } from '../domain/app-events';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

/** Claimed at once. */
const BATCH = 100;
/** Given up at once, where nobody could be told for long. */
const MOST_OLD = 5_000;
/** Objects whose events are sent side by side; those of one object go one after the other. */
const SIDE_BY_SIDE = 8;
/** Failures in a row after which the app counts as down, and the rest of a batch is not tried. */
const DOWN_AFTER = 8;
/** How long a claim holds, ms. Half of it is for trying: what was not reached by then is given back. */
const LEASE_MS = 120_000;
/** One activity goes on from batch to batch no longer than this, ms. */
const LONGEST_PASS = 20_000;

/** What a pass over the due events came to. */
export interface DeliveryPass {
  readonly delivered: number;
  readonly failed: number;
  /** Until the next one is due, ms; null when none waits. */
  readonly nextInMs: number | null;
  /** Whether the app did not answer anything well: a pause for all. */
  readonly isDown: boolean;
}

/** Telling the app. */
export function createAppEventActivities({ pool, appWebhook, logger }: ActivityDependencies) {
  /** Sends one event. @returns whether the app has it */
  const deliver = async (event: DueEvent): Promise<boolean> => {
    if (appWebhook === null) return false;
    const told = await appWebhook.deliver({ eventId: event.eventId, body: JSON.stringify(appEventBody(event)) });
    if (told.isDelivered) {
      await noteDelivered(pool, event.eventId);
      return true;
    }
    const { error, retryAfterMs } = told;
    const pause = pauseAfter(event.attempts + 1, retryAfterMs);
    const isOver = await noteNotDelivered(pool, event.eventId, error, pause);
    const fields = { eventId: event.eventId, attempt: event.attempts + 1, reason: error };
    if (isOver) logger.error(fields, 'an event was given up: the app never took it');
    else logger.warn({ ...fields, retryAfterMs: pause }, 'the app did not take an event');
    return false;
  };

  /** Sends a batch, object by object. @returns how many the app took, did not take, and were left untried */
  const deliverBatch = async (events: readonly DueEvent[]) => {
    const objects = byObject(events);
    const until = Date.now() + LEASE_MS / 2;
    const untried: string[] = [];
    let [delivered, failed, inARow] = [0, 0, 0];
    const one = async (): Promise<void> => {
      for (let next = objects.shift(); next !== undefined; next = objects.shift()) {
        for (const event of next) {
          if (inARow >= DOWN_AFTER || Date.now() > until) untried.push(event.eventId);
          else if (await deliver(event)) [delivered, inARow] = [delivered + 1, 0];
          else [failed, inARow] = [failed + 1, inARow + 1];
        }
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, one));
    const isDown = inARow >= DOWN_AFTER;
    if (untried.length > 0) await releaseClaims(pool, untried, isDown ? pauseAfter(1) : 0);
    return { delivered, failed, isDown };
  };

  return {
    /** Sends what is due, until nothing is, its time is over, or the app is down. May be repeated and run beside itself. */
    deliverAppEvents: (): Promise<DeliveryPass> =>
      withHeartbeat(async () => {
        if (appWebhook === null) return { delivered: 0, failed: 0, nextInMs: null, isDown: false };
        const until = Date.now() + LONGEST_PASS;
        let [delivered, failed, isDown] = [0, 0, false];
        let old = 0;
        for (let more = MOST_OLD; more === MOST_OLD; old += more) more = await giveUpTheOld(pool, MOST_OLD);
        if (old > 0) logger.error({ count: old }, 'events were given up: nobody could tell the app in time');
        while (!isDown && Date.now() < until) {
          const events = await claimDueEvents(pool, BATCH, LEASE_MS);
          if (events.length === 0) break;
          const batch = await deliverBatch(events);
          [delivered, failed, isDown] = [delivered + batch.delivered, failed + batch.failed, batch.isDown];
        }
        return { delivered, failed, nextInMs: await nextDueInMs(pool), isDown };
      }),
  };
}

function byObject(events: readonly DueEvent[]): DueEvent[][] {
  const objects = new Map<string, DueEvent[]>();
  for (const event of events) objects.set(event.objectId, [...(objects.get(event.objectId) ?? []), event]);
  return [...objects.values()];
}
