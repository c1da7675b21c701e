import type { ClaimedDispatch } from '../db/dispatches';
import type { ActivityDependencies } from './dependencies';
import type { Channel } from './dispatch-choice';

type Logs = Pick<ActivityDependencies, 'logger' | 'callLog'>;

/** What a line says of the act, ids and operational values only. */
interface LoggedAct {
  readonly callId: string | null;
  readonly messageId: string | null;
  readonly channel: Channel;
  readonly country: string;
  /** Hex. */
  readonly recipientToken: string;
}

/** One line for each request that was made, with what came of it. */
export function noteTry(
  { logger, callLog }: Logs,
  { callId, messageId, channel, country, recipientToken }: LoggedAct,
  { attempt, dispatch: { dispatchId } }: ClaimedDispatch,
  status: string,
): void {
  const retryCount = attempt - 1;
  // Lines of calls tell what becomes of legs.
  if (callId === null || channel === 'recording') {
    logger.info({ dispatchId, messageId, channel, status, country, retry_count: retryCount }, 'sent');
  } else {
    callLog.note({ callId, status, recipientToken: Buffer.from(recipientToken, 'hex'), country, retryCount });
  }
}

/**
 * One line for each request that is made once more.
 * @param claimed of the attempt that did not do it
 * @param why the class of its error, and how long after it the next request may be made (ms)
 */
export function noteRetry(
  { logger }: Logs,
  { callId, messageId, channel }: LoggedAct,
  { attempt, dispatch: { dispatchId } }: Pick<ClaimedDispatch, 'attempt' | 'dispatch'>,
  why: { readonly class: string; readonly retryAfterMs: number },
): void {
  logger.info({ dispatchId, callId, messageId, channel, attempt, ...why }, 'a dispatch is tried again');
}
