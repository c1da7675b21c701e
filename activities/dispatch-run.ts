import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendAudit } from '../db/audit';
import {
  abandon,
  claim,
  type ClaimedDispatch,
  closeAbandoned,
  ensureDispatch,
  giveBack,
  markLost,
  settleRefused,
  settleUnknown,
  suppress,
} from '../db/dispatches';
import type { ClosedBecause } from '../db/dispatch-claims';
import type { SendingGuard } from '../db/may-send';
import { noteHeld } from '../db/messages';
import { inTransaction } from '../db/pool';
import { noteUnreachable } from '../db/unreachable-points';
import { isDestroyed } from '../domain/errors';
import type { MessageClass } from '../domain/message';
import { isOfTheNumber, PLANS } from '../domain/twilio-errors';
import type { SealedValue } from '../domain/sealed';
import { ProviderError } from '../providers/provider-error';
import type { ChannelActs } from './channel-acts';
import type { RecipientStep } from '../domain/recipient-limits';
import type { ActivityDependencies } from './dependencies';
import { type Channel, nextStep } from './dispatch-choice';
import { noteRetry, noteTry } from './dispatch-log';
import { counted } from './dispatch-metrics';
import { keep, withdraw } from './dispatch-outcome';
import {
  dispatchLost,
  dispatchRefused,
  dispatchSuppressed,
  notYet,
  providerUnavailable,
  recordDestroyed,
  switchedOff,
} from './failures';
import { withHeartbeat, type Heartbeat } from './heartbeat';
import { stopLineOf } from './line-stop';
import { unwantedUnderOlderTokens } from './older-tokens';
import { logged } from './provider-log';
import { findEarlier, type DispatchHeartbeat } from './reconcile';

/** One outward act, in ids and operational values only. */
export interface Act {
  readonly dispatchId: string;
  /** Cannot occur twice. */
  readonly businessKey: string;
  readonly workflowId: string;
  readonly callId: string | null;
  readonly messageId: string | null;
  readonly alertId: string | null;
  /** The vault record of the number or address; null: nobody is reached, and none is revealed (a recording). */
  readonly recordId: string | null;
  /** Hex. */
  readonly recipientToken: string;
  readonly country: string;
  readonly channel: Channel;
  readonly messageClass: MessageClass;
  /** Our number, service or address. */
  readonly sender: string;
  /** Whose wish is asked in the claiming statement; null: nobody's (a call that was asked for). */
  readonly guard: SendingGuard | null;
  /** How long it must not go out yet, ms; asked again at each attempt, for a line may stay closed into the night. */
  readonly holdMs?: () => Promise<number>;
}

/** One row of the chain: the dispatch itself, or the one more that some refusals allow. */
interface Attempted {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly from: string;
  /** A sender whose queue is full is left alone this long after the row was made. */
  readonly notBeforeMs: number;
}

interface Refusal {
  readonly class: string | null;
  readonly code: string | null;
}
type Sent = { readonly sid: string } | { readonly refused: Refusal; readonly from: string };

/** Everything one run of the activity works with. */
interface Run {
  readonly deps: ActivityDependencies;
  readonly act: Act;
  readonly by: ChannelActs;
  readonly heartbeat: Heartbeat<DispatchHeartbeat>;
  /** Monotonic; after it the run no longer waits in place. */
  readonly patientUntil: number;
}

/**
 * How long one run waits for a lease or a list in place, instead of coming back by a retry: retries of one act would
 * eat the acts per second of all. Two requests of 10 s still fit into start-to-close after it.
 */
const PATIENCE_MS = 8_000;
/** How often a waiting run looks: an event may have told what a lost answer did not. */
const LOOK_EVERY_MS = 400;
/** The longest pause between two runs. */
const COME_BACK_MS = 2_000;
const COME_BACK_ALERT_MS = 5_000;
/** A queue that is full is asked once more, as late as the table says. */
const SENDER_DELAY_MS = PLANS.delay.firstDelayMs;
/** Before a request is made again that was not taken, where the provider does not say when; doubled each time. */
const AGAIN_MS = 1_000;
const AGAIN_AT_MOST_MS = 15_000;

/**
 * Does one outward act: at most once, and never not at all, as far as that can be had from a provider without
 * idempotency keys (docs/dispatch.md). May be retried without limit and from any instant: each attempt first finds
 * out what became of the earlier ones. The lease in the row, not Temporal, decides when the next one may look.
 *
 * Needs of its caller: no limit of attempts, start-to-close 30 s, heartbeat timeout 5 s, first retry after 1 s.
 *
 * @returns the SID of the one call or message
 * @throws ApplicationFailure `DispatchRefused`, `DispatchAbandoned`, `DispatchLost`, `DispatchSuppressed`,
 *   `SwitchedOff`, `RecordDestroyed` (final), or one to be retried
 */
export function runDispatch(deps: ActivityDependencies, act: Act, by: ChannelActs): Promise<{ sid: string }> {
  return withHeartbeat<DispatchHeartbeat, { sid: string }>(async (heartbeat) => {
    const run: Run = { deps, act, by, heartbeat, patientUntil: deps.monotonicMs() + PATIENCE_MS };
    return await counted(act, () => sendOnceOrTwice(run));
  });
}

async function sendOnceOrTwice(run: Run): Promise<{ sid: string }> {
  const { dispatchId, businessKey, sender } = run.act;
  const first = await sendOnce(run, { dispatchId, businessKey, from: sender, notBeforeMs: 0 });
  if ('sid' in first) return first;
  const second = secondDispatch(run, first.refused.class, first.from);
  if (second === null) throw dispatchRefused(first.refused);
  const again = await sendOnce(run, second);
  if ('sid' in again) return again;
  throw dispatchRefused(again.refused);
}

/** The id of the second dispatch follows from the first, so that every attempt, and a cancel, finds the same row. */
export function secondDispatchId(dispatchId: string): string {
  const hex = createHash('sha256').update(`${dispatchId}:2`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Only these refusals allow one more: another sender may reach them, the same one later, or a line that is open again. */
function secondDispatch({ act, by }: Run, refusal: string | null, from: string): Attempted | null {
  // Later there is another conversation, or none.
  if (act.channel === 'recording') return null;
  const ids = { dispatchId: secondDispatchId(act.dispatchId), businessKey: `${act.businessKey}:2` };
  if (refusal === 'delay') return { ...ids, from, notBeforeMs: SENDER_DELAY_MS };
  if (refusal === 'stop-line') return { ...ids, from, notBeforeMs: 0 };
  const other = refusal === 'other-sender' ? by.otherSender(from) : null;
  return other === null ? null : { ...ids, from: other, notBeforeMs: 0 };
}

/** Claims until the dispatch has an outcome; what has to be waited for longer than our patience is left to a retry. */
async function sendOnce(run: Run, attempted: Attempted): Promise<Sent> {
  const { deps, act, by } = run;
  const row = await ensureDispatch(deps.pool, { ...act, ...attempted, sender: attempted.from });
  // A workflow that was reset asks under another id for the same business: the first one's row, and act, stay. So does
  // the first sender, should our numbers have changed since: by another one an earlier attempt would not be found.
  const { dispatchId, sender: from } = row;
  // Also after an attempt of which nothing has left: a burst of 429 may have lasted into the night.
  if (row.state === 'ready') {
    const early = attempted.notBeforeMs > 0 ? row.createdAt.valueOf() + attempted.notBeforeMs - Date.now() : 0;
    const holdMs = Math.max(early, (await act.holdMs?.()) ?? 0);
    if (holdMs > 0) throw await held(run, holdMs);
  }
  const terms = {
    guard: act.guard,
    isConfigured: act.channel === 'recording' || deps.enabled[act.channel],
    limits: limitsOf(run),
  };
  for (;;) {
    // Read before the claim: by this clock the lease cannot last longer than it really does.
    const claimedAt = deps.monotonicMs();
    const answer = await claim(deps.pool, dispatchId, deps.dispatch.leaseMs, terms);
    if ('accepted' in answer) return { sid: answer.accepted };
    if ('suppressed' in answer) throw dispatchSuppressed(answer.suppressed);
    if ('closed' in answer) throw await closedTo(run, dispatchId, answer.closed);
    if ('claimed' in answer) {
      const sent = await attempt(run, from, answer.claimed, claimedAt);
      if (sent !== null) return sent;
      continue;
    }
    if ('final' in answer) {
      const { dispatch } = answer;
      if (answer.final === 'lost') throw dispatchLost();
      if (answer.final === 'refused') {
        return { from, refused: { class: dispatch.errorClass ?? 'unknown', code: dispatch.errorCode } };
      }
      const waitMs = await withdraw(deps, by, dispatch, run.heartbeat.earlier, async () =>
        plain(await reveal(run, 'reconcile')),
      );
      await waitFor(run, waitMs);
      continue;
    }
    // Minutes or hours, and not a question of this attempt: it comes back when it is this recipient's turn.
    // An alert is not patient for so long, and is over only when the call it has given up is known to be.
    if (answer.because === 'recipient-limit') {
      throw await held(run, act.alertId === null ? answer.busy : Math.min(answer.busy, COME_BACK_ALERT_MS));
    }
    await waitFor(run, answer.busy);
  }
}

/**
 * Messages are spaced, and so are the calls of alerts, whatever was true when the alert was asked for; an answer to what
 * somebody has just written is not kept back, and calls to a mentor have rules of their own.
 */
function limitsOf({ deps, act }: Run): readonly RecipientStep[] | null {
  if ((act.messageId === null && act.alertId === null) || act.guard?.kind === 'automatic') return null;
  return deps.recipientLimits[act.messageClass];
}

/** One attempt under the claim. @returns null when the row has to be looked at again */
async function attempt(run: Run, from: string, claimed: ClaimedDispatch, claimedAt: number): Promise<Sent | null> {
  let ready: { readonly to: string } | { readonly instead: Sent | null };
  try {
    ready = await makeReady(run, claimed, claimedAt);
  } catch (error) {
    // Nothing of this attempt has left. Were it to count as one that may have sent something, a text would be lost
    // because KMS did not answer.
    await giveBack(run.deps.pool, claimed.dispatch.dispatchId, claimed.attempt).catch(() => false);
    throw error;
  }
  return 'to' in ready ? send(run, from, claimed, ready.to) : ready.instead;
}

/** Everything before the request: what became of earlier attempts, then number and words. */
async function makeReady(
  run: Run,
  claimed: ClaimedDispatch,
  claimedAt: number,
): Promise<{ readonly to: string } | { readonly instead: Sent | null }> {
  const { deps, by } = run;
  const { dispatch, previousAttemptAgeMs } = claimed;
  const { dispatchId } = dispatch;
  if (previousAttemptAgeMs !== null) {
    const ask = () => orRefuse(run, claimed, async () => plain(await reveal(run, 'reconcile')));
    const found = await findEarlier(deps, dispatch, by, run.heartbeat.earlier, ask);
    // Where there is no list, nothing has to settle.
    const settleMs = by.list === null ? 0 : deps.dispatch.settleMs;
    const facts = { earlierAgeMs: previousAttemptAgeMs, found: found.length > 0, settleMs };
    const step = nextStep(facts, dispatch.channel, dispatch.messageClass);
    if (step === 'adopt') return { instead: await keep(deps, by, dispatchId, found) };
    if (step === 'wait') {
      await giveBack(deps.pool, dispatchId, claimed.attempt, LOOK_EVERY_MS);
      await waitFor(run, LOOK_EVERY_MS);
      return { instead: null };
    }
    if (step === 'give-up') return { instead: await giveUp(run, claimed) };
    await mustStillBeWanted(run, claimed);
    const failed = { dispatch, attempt: claimed.attempt - 1 };
    noteRetry(deps, run.act, failed, { class: 'unknown', retryAfterMs: previousAttemptAgeMs });
  }
  const to = await orRefuse(run, claimed, async () => {
    await by.prepare?.();
    return await reveal(run, by.revealPurpose);
  });
  const unwanted = await unwantedUnderOlderTokens(deps, { dispatchId, guard: run.act.guard }, to);
  if (unwanted !== null) {
    await suppress(deps.pool, dispatchId, unwanted);
    throw dispatchSuppressed(unwanted);
  }
  const leaseLeft = claimedAt + deps.dispatch.leaseMs - deps.monotonicMs();
  if (leaseLeft <= deps.dispatch.sendMarginMs) {
    // A frozen or slow process: whoever claims next must not meet a request of ours that is still on its way.
    throw notYet(0);
  }
  return { to: plain(to) };
}

async function send(run: Run, from: string, claimed: ClaimedDispatch, to: string): Promise<Sent | null> {
  const { deps, by } = run;
  const { dispatchId } = claimed.dispatch;
  let sid: string;
  try {
    ({ sid } = await logged(deps.logger, { dispatchId }, () => by.send(to, from, dispatchId)));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return notSent(run, from, claimed, error);
  }
  noteTry(deps, run.act, claimed, 'dispatch-accepted');
  // Before Postgres: if that is down now, the next attempt has the SID from here.
  run.heartbeat.tell({ dispatchId, sid });
  return keep(deps, by, dispatchId, [sid]);
}

/** What the provider's failure means for the dispatch (the table in docs/dispatch.md). */
async function notSent(run: Run, from: string, claimed: ClaimedDispatch, error: ProviderError): Promise<Sent | null> {
  const { deps, act, by } = run;
  const { dispatchId } = claimed.dispatch;
  noteTry(deps, act, claimed, `dispatch-${error.outcome}`);
  switch (error.outcome) {
    case 'rate-limited':
    case 'not-sent': {
      await giveBack(deps.pool, dispatchId, claimed.attempt, error.retryAfterMs ?? 0);
      const retryAfterMs = error.retryAfterMs ?? Math.min(AGAIN_MS * 2 ** (claimed.attempt - 1), AGAIN_AT_MOST_MS);
      noteRetry(deps, act, claimed, { class: error.class, retryAfterMs });
      throw providerUnavailable(retryAfterMs);
    }
    case 'refused': {
      const code = String(error.code);
      // Before the row says so: what follows from it must not be lost with this process.
      if (error.class === 'stop-line') await stopLineOf(deps, act.channel, code);
      await by.onRefused?.(error, from);
      if (isOfTheNumber(Number(code))) await noteUnreachable(deps.pool, tokenOf(act), code);
      await settleRefused(deps.pool, dispatchId, claimed.attempt, { class: error.class, code });
      // Of the second there is no third.
      const second = claimed.dispatch.businessKey === act.businessKey ? secondDispatch(run, error.class, from) : null;
      if (second !== null) noteRetry(deps, act, claimed, { class: error.class, retryAfterMs: second.notBeforeMs });
      return null;
    }
    case 'unknown':
      await settleUnknown(deps.pool, dispatchId, claimed.attempt);
      return null;
  }
}

/** Nobody can know, and it is not to be repeated: shown, and another channel may follow. */
async function giveUp({ deps }: Run, claimed: ClaimedDispatch): Promise<null> {
  const { dispatchId } = claimed.dispatch;
  await inTransaction(deps.pool, async (tx) => {
    if (!(await markLost(tx, dispatchId, claimed.attempt))) return;
    await appendAudit(tx, { actor: 'system', action: 'dispatch.lost', objectId: dispatchId, outcome: 'failed' });
  });
  return null;
}

/** A second sending after an unknown outcome is as much a sending as the first: same wish, same switches. */
async function mustStillBeWanted(run: Run, { dispatch, attempt: nth, unwanted, closed }: ClaimedDispatch) {
  const { pool } = run.deps;
  if (unwanted !== null) {
    await suppress(pool, dispatch.dispatchId, unwanted);
    throw dispatchSuppressed(unwanted);
  }
  if (closed === null) return;
  await giveBack(pool, dispatch.dispatchId, nth);
  throw await closedTo(run, dispatch.dispatchId, closed);
}

/**
 * What a line that takes nothing now means for work under way. Switched off by us it waits, or ends, as configured; closed
 * by the provider it opens again by itself, and what is to be sent waits in any case.
 */
async function closedTo(run: Run, dispatchId: string, because: ClosedBecause): Promise<Error> {
  const { deps } = run;
  if (because === 'switched-off' && deps.whenSwitchedOff === 'end') {
    await abandon(deps.pool, dispatchId);
    await closeAbandoned(deps.pool, dispatchId);
    return switchedOff();
  }
  // Spread, so that all that wait do not come back at the same instant.
  return held(run, deps.lineProbeIntervalMs * (0.5 + Math.random() / 2));
}

/** It comes back for no reason of ours: what its message then takes is no time of ours either. */
async function held({ deps, act }: Run, ms: number): Promise<Error> {
  if (act.messageId !== null) await noteHeld(deps.pool, act.messageId);
  return notYet(ms);
}

async function waitFor(run: Run, ms: number): Promise<void> {
  if (run.deps.monotonicMs() > run.patientUntil) throw notYet(Math.min(ms, COME_BACK_MS));
  await sleep(Math.max(1, Math.min(ms, LOOK_EVERY_MS)));
}

const tokenOf = (act: Act): Buffer => Buffer.from(act.recipientToken, 'hex');

/** Null where nobody is reached. */
async function reveal(run: Run, purpose: ChannelActs['revealPurpose'] | 'reconcile'): Promise<SealedValue | null> {
  const { recordId } = run.act;
  return recordId === null ? null : await run.deps.vault.reveal({ recordId, purpose, actor: 'system' });
}

const plain = (to: SealedValue | null): string => to?.expose() ?? '';

/** A number that is gone can be neither reached nor asked about; a call that comes out late is hung up unspoken. */
async function orRefuse<T>(run: Run, claimed: ClaimedDispatch, look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!isDestroyed(error)) throw error;
    const why = { class: 'permanent', code: error.code };
    await settleRefused(run.deps.pool, claimed.dispatch.dispatchId, claimed.attempt, why);
    throw recordDestroyed();
  }
}
