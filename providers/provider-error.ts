import type { TwilioErrorClass } from '../domain/twilio-errors';

/**
 * What a failed request means for the act it asked for:
 * - `refused`: the provider answered and did not do it, for good;
 * - `rate-limited`: not processed, may be asked again after `retryAfterMs`;
 * - `not-sent`: no byte of it left this process;
 * - `unknown`: it may have been done.
 */
export type ProviderOutcome = 'refused' | 'rate-limited' | 'not-sent' | 'unknown';

/** What a provider is asked for, as it appears in logs and metrics. */
export type ProviderOperation =
  | 'create-call'
  | 'list-calls'
  | 'list-child-calls'
  | 'read-call'
  | 'end-call'
  | 'delete-call'
  | 'start-recording'
  | 'list-recordings'
  | 'stop-recording'
  | 'read-recording'
  | 'delete-recording'
  | 'open-recording'
  | 'create-message'
  | 'list-messages'
  | 'read-message'
  | 'redact-message'
  | 'delete-message'
  | 'read-account'
  | 'send-mail'
  | 'probe'
  | 'list-numbers'
  | 'read-app'
  | 'update-app'
  | 'update-number';

export interface ProviderErrorFacts {
  readonly operation: ProviderOperation;
  readonly outcome: ProviderOutcome;
  /** HTTP status of the answer; null when there was none. */
  readonly status: number | null;
  /** Twilio's error code; null when the answer carried none. */
  readonly code: number | null;
  readonly class: TwilioErrorClass;
  /** Twilio's own id of the request, for its support. */
  readonly requestId: string | null;
  /** How long to leave the provider alone, in milliseconds; only with `rate-limited`. */
  readonly retryAfterMs: number | null;
}

/**
 * Thrown by every call of a provider. Twilio's own errors quote phone numbers and carry the request with its
 * Authorization header, so nothing of them is kept: no message, no URL, no cause.
 */
export class ProviderError extends Error implements ProviderErrorFacts {
  readonly operation: ProviderOperation;
  readonly outcome: ProviderOutcome;
  readonly status: number | null;
  readonly code: number | null;
  readonly class: TwilioErrorClass;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;

  constructor(facts: ProviderErrorFacts) {
    super(`${facts.operation}: ${facts.outcome} (status ${facts.status ?? 'none'}, code ${facts.code ?? 'none'})`);
    this.name = 'ProviderError';
    this.operation = facts.operation;
    this.outcome = facts.outcome;
    this.status = facts.status;
    this.code = facts.code;
    this.class = facts.class;
    this.requestId = facts.requestId;
    this.retryAfterMs = facts.retryAfterMs;
  }

  /** The only fields of a provider's error that are ever logged. */
  facts(): ProviderErrorFacts {
    return {
      operation: this.operation,
      outcome: this.outcome,
      status: this.status,
      code: this.code,
      class: this.class,
      requestId: this.requestId,
      retryAfterMs: this.retryAfterMs,
    };
  }
}
