import { ApplicationFailure } from '@temporalio/activity';
import type { TwilioErrorClass } from '../domain/twilio-errors';

/** The types of failure that a workflow may branch on (`error.cause.type`). */
export const FAILURES = {
  /** Twilio refused the act for good; details: class and code. */
  refused: 'DispatchRefused',
  /** The dispatch was withdrawn and nothing of it is ringing any more. */
  abandoned: 'DispatchAbandoned',
  /** The number was destroyed before it could be dialled. */
  recordDestroyed: 'RecordDestroyed',
  /** It is not time to look again; retried by Temporal after the delay it names. */
  notYet: 'DispatchNotYet',
  /** The outcome of an attempt is not known; retried, and the next attempt reconciles. */
  unknown: 'DispatchUnknown',
  /** The provider did not take the request; retried with backoff. */
  providerUnavailable: 'ProviderUnavailable',
} as const;

export function dispatchRefused(errorClass: TwilioErrorClass | null, code: number | null): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.refused,
    message: 'The provider refused the dispatch',
    nonRetryable: true,
    details: [{ class: errorClass, code }],
  });
}

export function dispatchAbandoned(): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.abandoned,
    message: 'The dispatch was withdrawn',
    nonRetryable: true,
    category: 'BENIGN',
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

export function outcomeUnknown(afterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.unknown,
    message: 'The outcome of the attempt is not known',
    nextRetryDelay: Math.max(50, Math.ceil(afterMs)),
  });
}

/** @param afterMs the provider's own Retry-After; without it Temporal's backoff decides */
export function providerUnavailable(afterMs: number | null): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.providerUnavailable,
    message: 'The provider did not take the request',
    ...(afterMs === null ? {} : { nextRetryDelay: Math.max(50, Math.ceil(afterMs)) }),
  });
}
