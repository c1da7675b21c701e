import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { claim, ensureDispatch, giveBack, settleRefused, settleUnknown, type ClaimedDispatch } from '../db/dispatches';
import { RecordDestroyed, SubjectErased } from '../domain/errors';
import { ProviderError } from '../providers/provider-error';
import type { ActivityDependencies } from './dependencies';
import { nextStep } from './dispatch-choice';
import { keepCall, withdraw } from './dispatch-outcome';
import { dispatchRefused, notYet, providerUnavailable, recordDestroyed } from './failures';
import { withHeartbeat, type Heartbeat } from './heartbeat';
import { logged } from './provider-log';
import { findEarlierCalls, type DispatchHeartbeat } from './reconcile';

/** Arguments of `placeCall`: ids and operational values only. */
export interface PlaceCall {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly callId: string;
  readonly workflowId: string;
  /** The vault record of the number to ring. */
  readonly recordId: string;
  /** Hex. */
  readonly recipientToken: string;
  readonly country: string;
  /** Our number that is shown. */
  readonly from: string;
  readonly language: string;
  readonly ringSeconds: number;
  /** Answering-machine detection before the first words. */
  readonly amd: boolean;
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
type Rung = { readonly sid: string } | { readonly refused: Refusal };

/** Everything one run of the activity works with. */
interface Run {
  readonly deps: ActivityDependencies;
  readonly asked: PlaceCall;
  readonly heartbeat: Heartbeat<DispatchHeartbeat>;
  /** Monotonic; after it the run no longer waits in place. */
  readonly patientUntil: number;
}

/**
 * How long one run waits for a lease or a list in place, instead of coming back by a retry: retries of one call would
 * eat the calls per second of all. Two requests of 10 s still fit into start-to-close after it.
 */
const PATIENCE_MS = 8_000;
/** How often a waiting run looks: an event may have told what a lost answer did not. */
const LOOK_EVERY_MS = 400;
/** The longest pause between two runs. */
const COME_BACK_MS = 2_000;
const SENDER_DELAY_MS = 10_000;

/**
 * Rings a phone: at most one ring, and never none, as far as that can be had from a provider without idempotency
 * keys (docs/dispatch.md). May be retried without limit and from any instant: each attempt first finds out what
 * became of the earlier ones. The lease in the row, not Temporal, decides when the next one may look.
 *
 * Needs of its caller: no limit of attempts, start-to-close 30 s, heartbeat timeout 5 s, first retry after 1 s.
 *
 * @returns the SID of the one call
 * @throws ApplicationFailure `DispatchRefused`, `DispatchAbandoned`, `RecordDestroyed` (final), or one to be retried
 */
export function createPlaceCall(deps: ActivityDependencies) {
  return (asked: PlaceCall): Promise<{ sid: string }> =>
    withHeartbeat<DispatchHeartbeat, { sid: string }>(async (heartbeat) => {
      const run: Run = { deps, asked, heartbeat, patientUntil: deps.monotonicMs() + PATIENCE_MS };
      const { dispatchId, businessKey, from } = asked;
      const first = await ringOnce(run, { dispatchId, businessKey, from, notBeforeMs: 0 });
      if ('sid' in first) return first;
      const second = secondDispatch(deps.phoneNumbers, asked, first.refused.class);
      if (second === null) throw dispatchRefused(first.refused);
      const again = await ringOnce(run, second);
      if ('sid' in again) return again;
      throw dispatchRefused(again.refused);
    });
}

/** The id of the second dispatch follows from the first, so that every attempt, and a cancel, finds the same row. */
export function secondDispatchId(dispatchId: string): string {
  const hex = createHash('sha256').update(`${dispatchId}:2`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Only these refusals allow one more dispatch: another sender may reach them, or the same one later. */
function secondDispatch(ourNumbers: readonly string[], asked: PlaceCall, refusal: string | null): Attempted | null {
  const ids = { dispatchId: secondDispatchId(asked.dispatchId), businessKey: `${asked.businessKey}:2` };
  if (refusal === 'delay') return { ...ids, from: asked.from, notBeforeMs: SENDER_DELAY_MS };
  const other = ourNumbers.find((number) => number !== asked.from);
  return refusal === 'other-sender' && other !== undefined ? { ...ids, from: other, notBeforeMs: 0 } : null;
}

/** Claims until the dispatch has an outcome; what has to be waited for longer than our patience is left to a retry. */
async function ringOnce(run: Run, attempted: Attempted): Promise<Rung> {
  const { deps, asked } = run;
  const row = await ensureDispatch(deps.pool, {
    dispatchId: attempted.dispatchId,
    businessKey: attempted.businessKey,
    callId: asked.callId,
    workflowId: asked.workflowId,
    recipientToken: asked.recipientToken,
    channel: 'voice',
    sender: attempted.from,
    country: asked.country,
  });
  // A workflow that was reset asks under another id for the same business: the first one's row, and call, stay.
  const { dispatchId } = row;
  const early = row.createdAt.valueOf() + attempted.notBeforeMs - Date.now();
  if (attempted.notBeforeMs > 0 && row.attempt === 0 && early > 0) throw notYet(early);
  for (;;) {
    // Read before the claim: by this clock the lease cannot last longer than it really does.
    const claimedAt = deps.monotonicMs();
    const answer = await claim(deps.pool, dispatchId, deps.dispatch.leaseMs);
    if ('accepted' in answer) return { sid: answer.accepted };
    if ('claimed' in answer) {
      const rung = await attempt(run, attempted, answer.claimed, claimedAt);
      if (rung !== null) return rung;
      continue;
    }
    if ('final' in answer) {
      const { dispatch } = answer;
      if (answer.final !== 'abandoned') {
        return { refused: { class: dispatch.errorClass ?? 'unknown', code: dispatch.errorCode } };
      }
      const waitMs = await withdraw(deps, dispatch, run.heartbeat.earlier, () => reveal(run, 'reconcile'));
      await waitFor(run, waitMs);
      continue;
    }
    await waitFor(run, answer.busy);
  }
}

/** One attempt under the claim. @returns null when the row has to be looked at again */
async function attempt(
  run: Run,
  attempted: Attempted,
  claimed: ClaimedDispatch,
  claimedAt: number,
): Promise<Rung | null> {
  const { deps } = run;
  const { dispatch, previousAttemptAgeMs } = claimed;
  const { dispatchId } = dispatch;
  if (previousAttemptAgeMs !== null) {
    const ask = () => revealOrRefuse(run, claimed, 'reconcile');
    const calls = await findEarlierCalls(deps, dispatch, run.heartbeat.earlier, ask);
    const facts = { earlierAgeMs: previousAttemptAgeMs, found: calls.length > 0, settleMs: deps.dispatch.settleMs };
    const step = nextStep(facts, 'voice', dispatch.messageClass);
    if (step === 'adopt') return keepCall(deps, dispatchId, calls);
    if (step === 'wait') {
      await giveBack(deps.pool, dispatchId, claimed.attempt, LOOK_EVERY_MS);
      await waitFor(run, LOOK_EVERY_MS);
      return null;
    }
  }
  const to = await revealOrRefuse(run, claimed, 'dial');
  const leaseLeft = claimedAt + deps.dispatch.leaseMs - deps.monotonicMs();
  if (leaseLeft <= deps.dispatch.sendMarginMs) {
    // A frozen or slow process: whoever claims next must not meet a request of ours that is still on its way.
    await giveBack(deps.pool, dispatchId, claimed.attempt);
    throw notYet(0);
  }
  return send(run, attempted, claimed, to);
}

async function send(run: Run, attempted: Attempted, claimed: ClaimedDispatch, to: string): Promise<Rung | null> {
  const { deps, asked } = run;
  const { dispatchId } = claimed.dispatch;
  const { callId, language, country } = asked;
  let sid: string;
  try {
    ({ sid } = await logged(deps.logger, { dispatchId }, () =>
      deps.voice.createCall({
        to,
        from: attempted.from,
        ringSeconds: asked.ringSeconds,
        url: deps.urls.greeting({ callId, dispatchId, language }),
        statusCallback: deps.urls.callStatus({ callId, leg: 'user', dispatchId }),
        fallbackUrl: deps.urls.fallback(country),
        detectMachine: asked.amd,
      }),
    ));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    return notPlaced(run, claimed, error);
  }
  noteTry(run, claimed, 'dispatch-accepted');
  // Before Postgres: if that is down now, the next attempt has the SID from here.
  run.heartbeat.tell({ dispatchId, sid });
  return keepCall(deps, dispatchId, [sid]);
}

/** What the provider's failure means for the dispatch (the table in docs/dispatch.md). */
async function notPlaced(run: Run, claimed: ClaimedDispatch, error: ProviderError): Promise<Rung | null> {
  const { pool } = run.deps;
  const { dispatchId } = claimed.dispatch;
  noteTry(run, claimed, `dispatch-${error.outcome}`);
  switch (error.outcome) {
    case 'rate-limited': {
      await giveBack(pool, dispatchId, claimed.attempt, error.retryAfterMs ?? 0);
      throw providerUnavailable(error.retryAfterMs);
    }
    case 'not-sent':
      await giveBack(pool, dispatchId, claimed.attempt);
      throw providerUnavailable(null);
    case 'refused': {
      const refused = { class: error.class, code: String(error.code) };
      await settleRefused(pool, dispatchId, claimed.attempt, refused);
      return null;
    }
    case 'unknown':
      await settleUnknown(pool, dispatchId, claimed.attempt);
      return null;
  }
}

/** One line for each request that was made, with what came of it. */
function noteTry({ deps, asked }: Run, { attempt }: ClaimedDispatch, status: string): void {
  deps.callLog.note({
    callId: asked.callId,
    status,
    recipientToken: Buffer.from(asked.recipientToken, 'hex'),
    country: asked.country,
    retryCount: attempt - 1,
  });
}

async function waitFor(run: Run, ms: number): Promise<void> {
  if (run.deps.monotonicMs() > run.patientUntil) throw notYet(Math.min(ms, COME_BACK_MS));
  await sleep(Math.max(1, Math.min(ms, LOOK_EVERY_MS)));
}

async function reveal(run: Run, purpose: 'dial' | 'reconcile'): Promise<string> {
  const number = await run.deps.vault.reveal({ recordId: run.asked.recordId, purpose, actor: 'system' });
  return number.expose();
}

/** A number that is gone can be neither dialled nor asked about; a call that comes out late is hung up unspoken. */
async function revealOrRefuse(run: Run, claimed: ClaimedDispatch, purpose: 'dial' | 'reconcile'): Promise<string> {
  try {
    return await reveal(run, purpose);
  } catch (error) {
    if (!(error instanceof RecordDestroyed || error instanceof SubjectErased)) throw error;
    const why = { class: 'permanent', code: error.code };
    await settleRefused(run.deps.pool, claimed.dispatch.dispatchId, claimed.attempt, why);
    throw recordDestroyed();
  }
}
