/**
 * Messages to many, in the words that the API, the workflow and the tables share. No import from a package: this file is
 * part of the workflow bundle.
 */
import { MESSAGE_STATES } from './message';

/** `receiving`: rows are still being read. `checked`: nothing is sent before somebody says so. */
export const BATCH_STATES = [
  'receiving',
  'checked',
  'sending',
  'paused',
  'completed',
  'cancelled',
  /** Its upload broke off; nobody can see or start it. */
  'discarded',
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** Why a row is not sent. A number is never repeated: the row names the place in what was sent. */
export const ROW_PROBLEMS = [
  'duplicate',
  'recipient-missing',
  'recipient-unknown',
  'phone-number-invalid',
  'phone-number-not-allowed',
  'country-not-allowed',
  'email-address-invalid',
  'language-invalid',
  'zone-unknown',
  'variables-invalid',
  /** With its variables filled in it is longer than a text may be. */
  'text-too-long',
  'row-unreadable',
  /** What was given is gone: the batch was started too late, or the person was erased. */
  'expired',
  /** Its message could never be begun: what was given does not open any more, or Temporal will not take it. */
  'not-startable',
] as const;
export type RowProblem = (typeof ROW_PROBLEMS)[number];

/** `ready`: can be sent, and was not yet. From then on the state of its message. */
export const ROW_STATES = ['ready', 'duplicate', 'invalid', ...MESSAGE_STATES] as const;
export type RowState = (typeof ROW_STATES)[number];

export const MESSAGE_BATCH = {
  workflow: 'messageBatch',
  pause: 'pause',
  resume: 'resume',
  cancel: 'cancel',
} as const;

/** Arguments of the workflow: ids and operational values only. */
export interface MessageBatchInput {
  readonly batchId: string;
  /** Subject id of who asked for it. */
  readonly requestedBy: string;
  /** Carried over when the workflow continues as new. */
  readonly isPaused?: boolean;
  /** Begins with the end: cancelled before it was ever started. */
  readonly isCancelled?: boolean;
}

export type MessageBatchResult = { readonly state: 'completed' | 'cancelled' };

/** More recipients than this are two batches. */
export const MOST_RECIPIENTS = 10_000;
/**
 * Messages of one batch that may wait to be sent at once: far below what a namespace, or one number of ours, can take. What
 * the provider has is not among them.
 */
export const MOST_OPEN = 500;
/** Rows that one activity starts. */
export const PAGE_OF_ROWS = 100;

export function messageBatchWorkflowId(batchId: string): string {
  return `message-batch:${batchId}`;
}
