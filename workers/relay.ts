import type { Pool } from 'pg';
import { nextDueInMs } from '../db/app-event-delivery';
import type { NewsForUser } from '../activities/tell-user';
import {
  type EndingToTell,
  tellUntoldEndings,
  tellUntoldWithdrawals,
  type WithdrawalToTell,
} from '../db/buddy-endings';
import { tellUntoldContacts } from '../db/contact-endings';
import { type InboundParts, routeText } from '../db/inbound-routing';
import { markHandled, noteFailedHandling, unhandledEvents, type StoredEvent } from '../db/webhook-events';
import { changesTheCourse } from '../domain/call-status';
import { changesTheCourse as endsATry } from '../domain/message-status';
import type { ContactAsked } from '../domain/wellbeing-alert';
import { wakeAppWebhook } from '../temporal/app-events';
import { tellBuddyEnded } from '../temporal/buddy-endings';
import type { KindlineClient } from '../temporal/connection';
import { signalTexted } from '../temporal/check-ins';
import { TemporalNotInTime } from '../temporal/errors';
import { signalLegEnded } from '../temporal/mentor-calls';
import { signalReceipt, startMessage } from '../temporal/messages';
import { signalAlertLegEnded } from '../temporal/voice-alerts';
import { tellContactAnswer } from '../temporal/wellbeing-alerts';
import type { Logger } from '../vault/logger';

/** The same as the webhook's own signal: an event late by a second is late, a relay that hangs is stuck. */
const SIGNAL_WITHIN_MS = 1_000;
const BATCH = 100;
/** Milliseconds: younger ones the API is just handling. */
const HANDLED_BY_NOW = 2_000;

/** What a relay is made of. */
export interface RelayParts {
  readonly pool: Pool;
  readonly client: KindlineClient;
  readonly logger: Logger;
  /** For texts to our numbers, which are routed by the database and answered by a message. */
  readonly texts: Omit<InboundParts, 'pool'>;
}

/** Tells a user as they wished; may be repeated. */
export interface TellingUser {
  readonly tellUser: (news: NewsForUser) => Promise<void>;
}

/**
 * Hands one stored event to its workflow. What has nothing to tell is done; a workflow that has ended counts as told.
 * @throws TemporalNotInTime; the event then stays unhandled
 */
type Teller = (parts: RelayParts, event: StoredEvent, withinMs: number) => Promise<unknown>;

/** By type of event, as `api/webhook-events.ts` has it for replays. An event of another type waits for its relay. */
const TELLERS: Readonly<Record<string, Teller>> = {
  'call-status': async ({ client }, event, withinMs) => {
    const { callId, alertId, sid: callSid, status } = event;
    if (!changesTheCourse(event) || !callId || !callSid || !status) return;
    const { seenKey, dispatchId, errorCode } = event;
    const ended = { seenKey, callSid, status, dispatchId, errorCode };
    if (alertId === null) await signalLegEnded(client, callId, ended, withinMs);
    else await signalAlertLegEnded(client, alertId, ended, withinMs);
  },
  'inbound-text': async ({ pool, client, texts }, { seenKey }, withinMs) => {
    const { answer, checkIn } = await routeText({ ...texts, pool }, seenKey, null);
    if (checkIn !== null) await signalTexted(client, checkIn, withinMs);
    if (answer !== null) await startMessage(client, answer, withinMs);
  },
  'mail-event': async ({ client }, { messageId, seenKey, sid, status, errorCode }, withinMs) => {
    if (!messageId || !sid || !status) return;
    await signalReceipt(client, messageId, { seenKey, sid, status, errorCode }, withinMs);
  },
  'message-status': async ({ client }, event, withinMs) => {
    const { messageId, sid, status, seenKey, errorCode } = event;
    if (!endsATry(event) || !messageId || !sid || !status) return;
    await signalReceipt(client, messageId, { seenKey, sid, status, errorCode }, withinMs);
  },
};
const KNOWN_TYPES = Object.keys(TELLERS);

/**
 * One pass over the events whose webhook could store them and not signal them. One that a workflow cannot take (its
 * history is full, say) does not keep the others from theirs; it is tried again with every pass.
 *
 * @returns how many were handled
 * @throws TemporalNotInTime at the first event that Temporal does not take in time: the others would only wait too
 */
export async function relayOnce(parts: RelayParts): Promise<number> {
  const { pool, logger } = parts;
  const events = await unhandledEvents(pool, BATCH, HANDLED_BY_NOW, KNOWN_TYPES);
  let handled = 0;
  for (const event of events) {
    try {
      await TELLERS[event.type]?.(parts, event, SIGNAL_WITHIN_MS);
    } catch (error) {
      if (error instanceof TemporalNotInTime) throw error;
      await noteFailedHandling(pool, event.seenKey, error instanceof Error ? error.name : 'Error');
      logger.warn({ callId: event.callId, error }, 'a late event could not be handed over');
      continue;
    }
    await markHandled(pool, event.seenKey);
    handled += 1;
  }
  return handled;
}

/**
 * One pass over the buddies and contacts of whom running workflows have yet to hear that they are not asked any more.
 * @returns how many were told
 * @throws TemporalNotInTime, as {@link relayOnce}
 */
export async function relayEndings({
  pool,
  client,
  logger,
}: Pick<RelayParts, 'pool' | 'client' | 'logger'>): Promise<number> {
  const tell = (ending: EndingToTell) => tellBuddyEnded(client, ending, SIGNAL_WITHIN_MS);
  const onFailure = (error: unknown): void => {
    if (error instanceof TemporalNotInTime) throw error;
    logger.warn({ error }, 'the end of a buddy or contact could not be told');
  };
  const ofBuddies = await tellUntoldEndings(pool, tell, onFailure, BATCH);
  const tellAlert = (asked: ContactAsked) => tellContactAnswer(client, asked, 'unavailable', SIGNAL_WITHIN_MS);
  return ofBuddies + (await tellUntoldContacts(pool, tellAlert, onFailure, BATCH));
}

/**
 * One pass over the buddies who have withdrawn and of whom the user was not told yet: a message under the id that was
 * written with the withdrawal, so that there is one at most.
 * @returns how many were told
 * @throws TemporalNotInTime, as {@link relayOnce}
 */
export async function relayWithdrawals({
  pool,
  logger,
  tellUser,
}: Pick<RelayParts, 'pool' | 'logger'> & TellingUser): Promise<number> {
  const tell = ({ buddyId, messageId }: WithdrawalToTell) => tellUser({ buddyId, news: 'withdrawn', messageId });
  const onFailure = (error: unknown): void => {
    if (error instanceof TemporalNotInTime) throw error;
    logger.warn({ error }, 'a user could not be told that a buddy has withdrawn');
  };
  return await tellUntoldWithdrawals(pool, tell, onFailure, BATCH);
}

/** Nobody has taken what was due when we last said so, ms: said again. */
const SAY_AGAIN_AFTER_MS = 30_000;

/**
 * Sees to it that the app is told: a due event wakes the workflow that tells it. One that is already awake, or whose app
 * is down, is not told of the same event with every pass.
 * @returns a step for each pass; it throws what Temporal and Postgres throw
 */
export function appWaker({ pool, client }: Pick<RelayParts, 'pool' | 'client'>): () => Promise<boolean> {
  let wokenAt = Number.NEGATIVE_INFINITY;
  return async () => {
    // What comes due while we ask or speak may be missed by the pass that we wake: it counts as new the next time.
    const askedAt = performance.now();
    const dueInMs = await nextDueInMs(pool);
    if (dueInMs === null || dueInMs > 0) return false;
    const sinceMs = performance.now() - wokenAt;
    if (-dueInMs > sinceMs && sinceMs < SAY_AGAIN_AFTER_MS) return false;
    await wakeAppWebhook(client, SIGNAL_WITHIN_MS);
    wokenAt = askedAt;
    return true;
  };
}

/** Passes every `intervalMs` until stopped; a failed pass (Temporal or Postgres away) is tried again by the next. */
export function startRelay(
  parts: RelayParts & TellingUser & { readonly intervalMs: number; readonly tellsTheApp: boolean },
) {
  const { logger, intervalMs, tellsTheApp } = parts;
  const wakeApp = appWaker(parts);
  const state = { stopped: false };
  let wake: () => void = () => undefined;
  const running = (async () => {
    while (!state.stopped) {
      try {
        const count = await relayOnce(parts);
        if (count > 0) logger.info({ count }, 'late events handed to their workflows');
        const ended = await relayEndings(parts);
        if (ended > 0) logger.info({ count: ended }, 'ends of buddies and contacts told to their workflows');
        const withdrawn = await relayWithdrawals(parts);
        if (withdrawn > 0) logger.info({ count: withdrawn }, 'withdrawals of buddies told to their users');
        // A full batch means there are more: no pause before them.
        if (count === BATCH || ended >= BATCH || withdrawn === BATCH) continue;
      } catch (error) {
        logger.warn({ error }, 'late events could not be handed over');
      }
      if (tellsTheApp) {
        await wakeApp().catch((error: unknown) => logger.warn({ error }, 'nobody could be asked to tell the app'));
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, intervalMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();
  return {
    /** Resolves when the pass under way is over. */
    async stop(): Promise<void> {
      state.stopped = true;
      wake();
      await running;
    },
  };
}
