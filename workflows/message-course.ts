import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { MessageInput, MessageOutcome, MessageReason, MessageReceipt, MessageResult } from '../domain/message';
import { afterReceipt, outcomeOf, type ReceiptState } from '../domain/message-status';
import { classOfCode, type ErrorPlan, isErrorClass, PLANS, type TwilioErrorClass } from '../domain/twilio-errors';

/** How one try ended when it did not bring the message to its recipient. */
export interface FailedTry {
  readonly outcome: Exclude<MessageOutcome, 'delivered' | 'unconfirmed' | 'expired' | 'cancelled'>;
  readonly reason: MessageReason;
  readonly errorClass: TwilioErrorClass | null;
  readonly errorCode: string | null;
  /** At the create, where the dispatch itself has tried it once more already; not by a receipt. */
  readonly wasRefused: boolean;
}

/** The message is over. */
export interface Ending {
  readonly outcome: MessageOutcome;
  readonly reason: MessageReason | null;
}

/** What one `send` came to. `withdrawn`: it was abandoned before anything left. */
export type SendResult =
  | { readonly sid: string; readonly segments: number | null }
  | { readonly failed: FailedTry }
  | { readonly withdrawn: true };

/** Everything one run remembers; plain values, so that what is kept can be read in one place. */
export class MessageCourse {
  /** Tries begun. */
  tries = 0;
  sid: string | null = null;
  segments: number | null = null;
  /** Of the last try. */
  failure: FailedTry | null = null;
  fallbackAlertId: string | null = null;
  receiptPatienceMs = 0;
  /** Under the policy for emergencies; nobody has to ask for it. */
  goesByVoiceWhenBlocked = false;
  stop: 'user' | 'operator' | null = null;
  /** While a try is with the provider it cannot be cancelled. */
  isWithProvider = false;
  /** Whoever began it has heard that the provider has it. */
  hasToldSent = false;
  /** `KindlineState` says that it waits. */
  isMarkedWaiting = false;
  result: MessageResult | null = null;
  /** Of every try that the provider took. */
  readonly sids: string[] = [];
  private readonly receipts = new Map<string, ReceiptState>();

  constructor(readonly input: MessageInput) {}

  /** A receipt may come before the answer to its create: it is kept under its SID. */
  take({ sid, status, errorCode }: MessageReceipt): void {
    const before = this.receipts.get(sid) ?? null;
    if (this.input.heedsLateDelivery !== true && this.ended(sid) !== null && !isDelivered(before)) return;
    const state = afterReceipt(before, { status, errorCode });
    if (state !== null) this.receipts.set(sid, state);
  }

  /** What the provider has said of a try that is over; null while it is not. */
  ended(sid: string): ReceiptState | null {
    const told = this.receipts.get(sid);
    return told !== undefined && outcomeOf(told.status) !== null ? told : null;
  }

  /** The try that has brought the message to its recipient, be it one that was taken for failed; null: none has. */
  arrived(): string | null {
    return this.sids.find((sid) => isDelivered(this.receipts.get(sid) ?? null)) ?? null;
  }

  /** Nothing more may be sent: somebody has stopped it, or it has arrived. */
  isOver(): boolean {
    return this.stop !== null || this.arrived() !== null;
  }

  /** Milliseconds until it is too late to send it; null: it never is. */
  timeLeft(): number | null {
    return this.input.notAfter === null ? null : Date.parse(this.input.notAfter) - Date.now();
  }

  isTooLateIn(ms: number): boolean {
    const left = this.timeLeft();
    return left !== null && ms >= left;
  }
}

function isDelivered(told: ReceiptState | null): boolean {
  return told !== null && outcomeOf(told.status) === 'delivered';
}

/** The plan for an error; a code that is not in the table is final, and another channel may still work. */
export function planFor({ errorClass }: FailedTry): ErrorPlan {
  return PLANS[errorClass ?? 'permanent'];
}

/** How long until a failed try is worth repeating; null when it is not. */
export function retryDelayMs(course: MessageCourse, failed: FailedTry): number | null {
  const plan = planFor(failed);
  if (course.stop !== null || plan.retry === 'never' || course.tries > plan.attempts) return null;
  // The dispatch itself has tried the other sender; and where one must be used, there is no other.
  if (plan.retry === 'other-sender' && (failed.wasRefused || course.input.sender !== null)) return null;
  // A full queue was asked again later, and a stopped line when it was open again: twice refused is refused.
  const isRefusedTwice = failed.wasRefused && (failed.errorClass === 'delay' || failed.errorClass === 'stop-line');
  if (isRefusedTwice && patched('refused-twice-is-over')) return null;
  const delayMs = plan.firstDelayMs * 2 ** (course.tries - 1);
  return course.isTooLateIn(delayMs) ? null : delayMs;
}

/**
 * Whether a call may say what the text did not. Somebody who said STOP to texts is called only where harm may come of
 * silence and the organisation has decided so, whoever asked for the call.
 */
export function mayFallBack(course: MessageCourse, failed: FailedTry): boolean {
  const { input, stop } = course;
  if (stop !== null) return false;
  // No phone rings at an address.
  if (input.channel !== 'sms' && patched('calls-no-address')) return false;
  if (isPastBlock(course, failed)) return true;
  if (input.fallback !== 'voice') return false;
  if (failed.outcome === 'suppressed') {
    return input.messageClass === 'safety' && failed.reason !== 'preference' && !patched('stop-holds-for-calls');
  }
  if (failed.reason === 'record-destroyed' || failed.reason === 'not-sendable') return false;
  return planFor(failed).fallback;
}

/** Whether a call goes past what Twilio blocks for the person: under the policy for emergencies only. */
export function isPastBlock({ goesByVoiceWhenBlocked }: MessageCourse, { reason }: FailedTry): boolean {
  return goesByVoiceWhenBlocked && reason === 'blocked';
}

/** What a terminal receipt means; null for one that says it arrived. */
export function failureOf({ status, errorCode }: ReceiptState): FailedTry | null {
  const outcome = outcomeOf(status);
  if (outcome === null || outcome === 'delivered') return null;
  const errorClass = errorCode === null ? null : classOfCode(Number(errorCode));
  const common = { errorClass, errorCode, wasRefused: false } as const;
  if (errorClass === 'opted-out') return { ...common, outcome: 'suppressed', reason: 'blocked' };
  return { ...common, outcome, reason: 'not-delivered' };
}

const SUPPRESSED: readonly MessageReason[] = ['opted-out', 'blocked', 'preference'];

/** What the failure of a sending activity means, by its type (`activities/failures.ts`). */
export function resultOf(error: unknown): SendResult {
  const cause = error instanceof Error ? error.cause : undefined;
  const failure = cause instanceof ApplicationFailure ? cause : null;
  const details: unknown = failure?.details?.[0] ?? {};
  const none = { errorClass: null, errorCode: null, wasRefused: true } as const;
  switch (failure?.type) {
    case 'DispatchAbandoned': {
      // A text cannot be taken back: one that had left before it was withdrawn goes its way.
      const sid = textIn(details, 'sid');
      return sid === null ? { withdrawn: true } : { sid, segments: null };
    }
    case 'DispatchSuppressed': {
      const reason = SUPPRESSED.find((known) => known === textIn(details, 'reason')) ?? 'opted-out';
      return { failed: { ...none, outcome: 'suppressed', reason } };
    }
    case 'DispatchLost':
      return { failed: { ...none, outcome: 'lost', reason: 'nobody-knows', errorClass: 'unknown' } };
    case 'SwitchedOff':
      return { failed: { ...none, outcome: 'failed', reason: 'switched-off' } };
    case 'RecordDestroyed':
      return { failed: { ...none, outcome: 'failed', reason: 'record-destroyed' } };
    case 'DispatchRefused': {
      const errorCode = textIn(details, 'code');
      const errorClass = knownClass(textIn(details, 'class'));
      const refused = { ...none, errorClass, errorCode };
      if (errorClass === 'opted-out') return { failed: { ...refused, outcome: 'suppressed', reason: 'blocked' } };
      return { failed: { ...refused, outcome: 'failed', reason: 'provider-refused' } };
    }
    default:
      return { failed: { ...none, outcome: 'failed', reason: 'not-sendable' } };
  }
}

function textIn(details: unknown, name: string): string | null {
  const value: unknown = typeof details === 'object' && details !== null ? Reflect.get(details, name) : undefined;
  return typeof value === 'string' ? value : null;
}

function knownClass(word: string | null): TwilioErrorClass | null {
  return isErrorClass(word) ? word : null;
}
