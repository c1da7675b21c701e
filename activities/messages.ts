import { Context } from '@temporalio/activity';
import { closeMessage, findMessage, type MessageEnd, type MessageNote, noteMessage, openMessage } from '../db/messages';
import { isPolicyOn } from '../db/preferences';
import { recipientWaitMs } from '../db/recipient-limits';
import type { MessageInput, MessageReason } from '../domain/message';
import { begunFallback } from './begun-fallback';
import type { ActivityDependencies } from './dependencies';
import { stopLineOf } from './line-stop';
import { countMessageEnd, observeTimes } from './outcome-metrics';
import { nightLeftMs } from './night';
import { isErrorClass, PLANS } from '../domain/twilio-errors';

/** Whether a message may go now: `waitMs` is 0, or how long until it is worth asking again. */
export interface MessageTurn {
  readonly waitMs: number;
  readonly reason: Extract<MessageReason, 'not-before' | 'quiet-hours' | 'recipient-limit'> | null;
}

export interface OpenedMessage {
  readonly turn: MessageTurn;
  /** How long the provider may take to tell what became of a try; fixed at the start. */
  readonly receiptPatienceMs: number;
  /** Whether a call says it where Twilio blocks the text: of class safety, under the organisation's policy for emergencies. */
  readonly goesByVoiceWhenBlocked: boolean;
}

/** As they come out of a workflow: times are ISO 8601. */
export type MessageNoting = Omit<MessageNote, 'nextAttemptAt'> & Waited & { readonly nextAttemptAt: string | null };
export type MessageClosing = Omit<MessageEnd, 'endedAt'> & Waited & { readonly endedAt: string };

interface Waited {
  /** Whether it has waited for its time, the day, its turn or another try; left out by runs that began before it was told. */
  readonly hasWaited?: boolean;
}

/** What is tried again, and why. */
export interface MessageRetry {
  readonly messageId: string;
  /** Of the try that failed, from 1. */
  readonly attempt: number;
  readonly errorClass: string | null;
  readonly errorCode: string | null;
  readonly delayMs: number;
  /** ISO 8601. */
  readonly nextAttemptAt: string;
}

const RECEIPTS_ARE_LATE_MS = 60_000;

/** Local activities on the row of a message. */
export function createMessageActivities(deps: ActivityDependencies) {
  const { pool, logger } = deps;
  const turnOf = (input: MessageInput): Promise<MessageTurn> => messageTurn(deps, input, new Date());

  return {
    /** The first fact of a message, and whether it may go at once. */
    async openMessage(input: MessageInput): Promise<OpenedMessage> {
      const turn = await turnOf(input);
      const isWaiting = turn.waitMs > 0;
      await openMessage(pool, input, {
        state: isWaiting ? 'waiting' : 'sending',
        reason: turn.reason,
        nextAttemptAt: isWaiting ? new Date(Date.now() + turn.waitMs) : null,
      });
      const goesByVoiceWhenBlocked =
        input.messageClass === 'safety' && (await isPolicyOn(pool, 'emergency-ignores-opt-out'));
      return { turn, receiptPatienceMs: deps.messages.receiptPatienceMs, goesByVoiceWhenBlocked };
    },

    /** Its time, the recipient's night, and what the recipient has got lately. */
    messageTurn: turnOf,

    /** What the app sees while the message is under way; one that is over does not change any more. */
    async noteMessage({ hasWaited = false, ...note }: MessageNoting): Promise<void> {
      const step = await noteMessage(pool, note);
      if (step !== null) observeTimes(step, hasWaited);
    },

    /** The row and a line of the log: which try, of what class the error was, and how long until the next. */
    async noteRetry({
      messageId,
      attempt,
      errorClass,
      errorCode,
      delayMs,
      nextAttemptAt,
    }: MessageRetry): Promise<void> {
      // Twilio took it and then closed our account: nothing else may meet that wall.
      if (errorClass === 'stop-line') await stopLineOfMessage(deps, messageId, errorCode);
      const waiting = { messageId, state: 'waiting', reason: 'retry', nextAttemptAt } as const;
      await noteMessage(pool, { ...waiting, attempts: attempt, errorCode, errorClass });
      logger.info(
        { messageId, attempt, class: errorClass, errorCode, retryAfterMs: delayMs },
        'a message is tried again',
      );
    },

    /** The last facts, and the number, in one transaction; may be repeated. */
    async closeMessage({ hasWaited = false, ...closing }: MessageClosing): Promise<void> {
      await callForAHuman(deps, closing);
      const fallbackAlertId = closing.fallbackAlertId ?? (await unseenFallback(deps, closing));
      const step = await closeMessage(pool, { ...closing, fallbackAlertId });
      if (step === null) return;
      const { messageId, outcome, reason, attempts, errorCode } = closing;
      countMessageEnd(step.channel, outcome);
      observeTimes(step, hasWaited);
      logger.info({ messageId, status: outcome, reason, attempt: attempts, errorCode }, 'message');
    },
  };
}

/** A call may have been begun and only the word of it lost: then the number is the call's, and not to be destroyed yet. */
async function unseenFallback(deps: ActivityDependencies, { messageId, outcome }: MessageClosing) {
  if (outcome === 'delivered') return null;
  const message = await findMessage(deps.pool, messageId);
  return await begunFallback(deps, message?.fallback_alert_id ?? null);
}

/** Some errors no further try can mend: a carrier filters what we send, or a country is not opened in our account. */
async function callForAHuman(deps: ActivityDependencies, { messageId, errorClass, errorCode }: MessageClosing) {
  if (errorClass === 'stop-line') await stopLineOfMessage(deps, messageId, errorCode);
  else if (isErrorClass(errorClass) && PLANS[errorClass].pages) {
    deps.logger.error({ messageId, class: errorClass, errorCode }, 'sending-needs-a-human');
    Context.current().metricMeter.createCounter('kindline_sending_needs_a_human').add(1, { class: errorClass });
  }
}

/** The line it went out by, and no other: trouble with mail is none of Twilio's. */
async function stopLineOfMessage(deps: ActivityDependencies, messageId: string, errorCode: string | null) {
  const message = await findMessage(deps.pool, messageId);
  if (message !== null) await stopLineOf(deps, message.channel, errorCode ?? '', RECEIPTS_ARE_LATE_MS);
}

async function messageTurn(deps: ActivityDependencies, input: MessageInput, now: Date): Promise<MessageTurn> {
  const untilItsTime = input.notBefore === null ? 0 : Date.parse(input.notBefore) - now.valueOf();
  if (untilItsTime > 0) return { waitMs: untilItsTime, reason: 'not-before' };
  const night = await nightLeftMs(deps, input, now);
  if (night > 0) return { waitMs: night, reason: 'quiet-hours' };
  // What somebody has just written is answered, however much they have got lately.
  if (input.kind === 'automatic') return { waitMs: 0, reason: null };
  const { recipientToken, channel, messageClass } = input;
  const turn = { tokenHexes: [recipientToken], channel, messageClass };
  const waitMs = await recipientWaitMs(deps.pool, turn, deps.recipientLimits);
  return { waitMs, reason: waitMs > 0 ? 'recipient-limit' : null };
}
