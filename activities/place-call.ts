import { createHash } from 'node:crypto';
import {
  abandonedSafely,
  claimDispatch,
  ensureDispatch,
  giveBack,
  noteDoubled,
  settleAccepted,
  settleRefused,
  settleUnknown,
  type ClaimedDispatch,
  type Dispatch,
} from '../db/dispatches';
import { RecordDestroyed, SubjectErased } from '../domain/errors';
import { ProviderError } from '../providers/provider-error';
import type { ActivityDependencies } from './dependencies';
import {
  dispatchAbandoned,
  dispatchRefused,
  notYet,
  outcomeUnknown,
  providerUnavailable,
  recordDestroyed,
} from './failures';
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
}

type Rung = { readonly sid: string } | { readonly refused: { readonly class: string | null; code: number | null } };

/** How soon an event may have told us what a lost answer did not (ms). */
const LOOK_AGAIN_MS = 1_000;
/** How long a sender whose queue is full is left alone (ms). */
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
  return async (asked: PlaceCall): Promise<{ sid: string }> =>
    withHeartbeat<DispatchHeartbeat, { sid: string }>(async (heartbeat) => {
      const first: Attempted = asked;
      const rung = await ringOnce(deps, asked, first, heartbeat);
      if ('sid' in rung) return rung;
      const second = secondDispatch(deps.phoneNumbers, asked, rung.refused.class);
      if (second === null) throw dispatchRefused(rung.refused.class, rung.refused.code);
      const again = await ringOnce(deps, asked, second, heartbeat);
      if ('sid' in again) return again;
      throw dispatchRefused(again.refused.class, again.refused.code);
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
  if (refusal === 'delay') return { ...ids, from: asked.from };
  const other = ourNumbers.find((number) => number !== asked.from);
  return refusal === 'other-sender' && other !== undefined ? { ...ids, from: other } : null;
}
