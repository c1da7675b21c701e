import { ApplicationFailure } from '@temporalio/activity';
import type { SuppressedBecause } from '../domain/message';
import { ASKS_NOT_BEGUN } from '../domain/wellbeing-alert';

/** The types of failure that a workflow may branch on (`error.cause.type`). */
export const FAILURES = {
  /** Twilio refused the act for good; details: class and code. */
  refused: 'DispatchRefused',
  /** The dispatch was withdrawn and nothing of it is ringing any more; details: `{ sid }` of a text that had left. */
  abandoned: 'DispatchAbandoned',
  /** Nobody can know whether it was sent, and it is not repeated. */
  lost: 'DispatchLost',
  /** Not sent, because the person does not want it; details: `{ reason: SuppressedBecause }`. */
  suppressed: 'DispatchSuppressed',
  /** The channel is switched off, and `WHEN_SWITCHED_OFF` says not to wait for it. */
  switchedOff: 'SwitchedOff',
  /** The number was destroyed before it could be dialled. */
  recordDestroyed: 'RecordDestroyed',
  /** It is not time to look again; retried by Temporal after the delay it names. */
  notYet: 'DispatchNotYet',
  /** The provider did not take the request; retried by Temporal after the delay it names. */
  providerUnavailable: 'ProviderUnavailable',
} as const;

/** Retried by Temporal; the others are begun. @param askIds of those that are not */
export function asksNotBegun(askIds: readonly string[]): ApplicationFailure {
  return ApplicationFailure.create({
    type: ASKS_NOT_BEGUN,
    message: 'Some could not be asked yet',
    details: [...askIds],
  });
}

export function dispatchRefused(why: { class: string | null; code: string | null }): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.refused,
    message: 'The provider refused the dispatch',
    nonRetryable: true,
    details: [why],
  });
}

/** @param sid of what went out before it was withdrawn and cannot be taken back; null when nothing did */
export function dispatchAbandoned(sid: string | null = null): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.abandoned,
    message: 'The dispatch was withdrawn',
    nonRetryable: true,
    category: 'BENIGN',
    details: [{ sid }],
  });
}

export function dispatchLost(): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.lost,
    message: 'Nobody can know whether it was sent',
    nonRetryable: true,
  });
}

export function dispatchSuppressed(reason: SuppressedBecause): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.suppressed,
    message: 'The person does not want it',
    nonRetryable: true,
    category: 'BENIGN',
    details: [{ reason }],
  });
}

export function switchedOff(): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.switchedOff,
    message: 'The channel is switched off',
    nonRetryable: true,
  });
}

export function recordDestroyed(): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.recordDestroyed,
    message: 'The number does not exist any more',
    nonRetryable: true,
  });
}

/** Retried by Temporal after the delay; expected, so neither logged as an error nor counted as one. */
export function notYet(afterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.notYet,
    message: 'Not yet',
    nextRetryDelay: Math.max(50, Math.ceil(afterMs)),
    category: 'BENIGN',
  });
}

/** Retried by Temporal after the delay: the provider's own Retry-After, else our backoff. */
export function providerUnavailable(afterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.providerUnavailable,
    message: 'The provider did not take the request',
    nextRetryDelay: Math.max(50, Math.ceil(afterMs)),
  });
}

/** Whether somebody found a dispatch withdrawn and quiet: for callers outside a workflow. */
export function isAbandoned(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === FAILURES.abandoned;
}
