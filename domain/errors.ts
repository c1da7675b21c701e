/**
 * Errors of our own. Each has a stable `code` that may be logged, and a text made of constants: an error never
 * carries the value that caused it, because texts of errors end in logs, histories and answers.
 */

/** The base of all errors that Kindline throws on purpose. */
export class KindlineError extends Error {
  override readonly name: string = 'KindlineError';

  constructor(
    /** Stable, lower case with dashes; operational class. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Thrown when somebody is to be erased whose data a legal hold keeps. */
export class SubjectHeld extends KindlineError {
  override readonly name = 'SubjectHeld';

  constructor() {
    super('subject-held', 'A legal hold keeps what is held of this person: lift it first');
  }
}

export type PhoneNumberProblem = 'not-a-phone-number' | 'not-valid' | 'short-number' | 'no-country';

/** Thrown when a text is not a phone number that could be rung anywhere. */
export class PhoneNumberError extends KindlineError {
  override readonly name = 'PhoneNumberError';

  constructor(problem: PhoneNumberProblem) {
    super(problem, 'This is not a phone number we can use. Write it with country code, for example +1 415 555 0177.');
  }
}

export type VaultOpenProblem = 'unknown-format' | 'malformed' | 'wrong-key' | 'not-authentic';

/** Thrown when a vault record does not open: changed, moved to another row, or sealed under another key. */
export class VaultOpenError extends KindlineError {
  override readonly name = 'VaultOpenError';

  constructor(problem: VaultOpenProblem) {
    super(problem, 'A vault record does not open');
  }
}

/** What a key ring's service answered: its name for the error and its ids, for the log; no text of its own. */
export interface KeyRingAnswer {
  readonly class: string;
  readonly operation: string;
  readonly status?: number | null;
  readonly requestId?: string | null;
}

/** Thrown when a key ring cannot be used: no key file, wrong permissions, a wrapped key that is not ours. */
export class KeyRingError extends KindlineError {
  override readonly name = 'KeyRingError';
  readonly class: string | null;
  readonly operation: string | null;
  readonly status: number | null;
  readonly requestId: string | null;

  constructor(code: string, message: string, answer?: KeyRingAnswer) {
    super(code, message);
    this.class = answer?.class ?? null;
    this.operation = answer?.operation ?? null;
    this.status = answer?.status ?? null;
    this.requestId = answer?.requestId ?? null;
  }

  /** The key ring's service is down, too slow or too busy: asking again later helps. */
  get isUnavailable(): boolean {
    return this.code === 'key-ring-unavailable';
  }
}

/** Thrown when the source of secrets cannot be read, or holds something unusable. Names variables, never values. */
export class SecretsError extends KindlineError {
  override readonly name = 'SecretsError';
}

/** Thrown when the plaintext of a vault record has been destroyed. */
export class RecordDestroyed extends KindlineError {
  override readonly name = 'RecordDestroyed';

  constructor() {
    super('record-destroyed', 'The vault record has been destroyed');
  }
}

/** Thrown when the key of a subject has been destroyed: nothing sealed for that person opens any more. */
export class SubjectErased extends KindlineError {
  override readonly name = 'SubjectErased';

  constructor() {
    super('subject-erased', 'The person has been erased');
  }
}

/** Nothing is left to read: the record was destroyed, or the person erased. */
export function isDestroyed(error: unknown): error is RecordDestroyed | SubjectErased {
  return error instanceof RecordDestroyed || error instanceof SubjectErased;
}

/** Thrown when a sealed record does not hold what was given for a row of a batch. */
export class GivenRowUnreadable extends KindlineError {
  override readonly name = 'GivenRowUnreadable';

  constructor() {
    super('given-row-unreadable', 'A record does not hold the row of a batch');
  }
}
