import {
  noteAsked,
  noteForgotten,
  receivedTextsToForget,
  sentTextsToForget,
  type SilentText,
  silentTexts,
  type TextAtTwilio,
} from '../db/silent-texts';
import { noteByReceipt } from '../db/may-send';
import { markHandled, storeEvent } from '../db/webhook-events';
import { signalReceipt } from '../temporal/messages';
import type { ActivityDependencies } from './dependencies';
import { closeDeadMessages } from './message-sweep';
import { logged } from './provider-log';
import { countWhere, createWalk, inTurn, SWEEP_BATCH, sweepPart } from './sweep-part';
import { isTextOver } from './text-acts';

const SIGNAL_WITHIN = 2_000;

/** The parts of the sweep that are of texts; like the others each may be repeated and run beside itself. */
export function createTextSweepActivities(deps: ActivityDependencies) {
  const { pool, messaging, logger, callRetentionMs } = deps;
  const walkSent = createWalk<TextAtTwilio>((limit, after) => sentTextsToForget(pool, callRetentionMs, limit, after));
  const walkReceived = createWalk<TextAtTwilio>((limit, after) =>
    receivedTextsToForget(pool, callRetentionMs, limit, after),
  );
  const forget = async (text: TextAtTwilio): Promise<boolean> => {
    for (const sid of text.sids) await logged(logger, {}, () => messaging.deleteMessage(sid));
    await noteForgotten(pool, text);
    return true;
  };
  return {
    /** A text that is over, although we never heard so: Twilio's word is stored and told like any receipt. */
    askSilentTexts: sweepPart(logger, 'ask-silent-texts', async () =>
      countWhere(await silentTexts(pool, deps.messages.receiptSilenceMs, SWEEP_BATCH), async (text) => {
        const { dispatchId, sid } = text;
        await noteAsked(pool, dispatchId);
        const facts = await logged(logger, { dispatchId }, () => messaging.readMessage(sid));
        if (facts === null || !isTextOver(facts.status)) return false;
        await tellReceipt(deps, text, facts.status, facts.errorCode === null ? null : String(facts.errorCode));
        return true;
      }),
    ),

    /** Texts and e-mails that nobody leads any more. */
    closeDeadMessages: sweepPart(logger, 'close-dead-messages', () => closeDeadMessages(deps)),

    /** Twilio's own records of texts both ways, which hold numbers and words, after `TWILIO_CALL_RETENTION`. */
    forgetOldTexts: sweepPart(logger, 'forget-old-texts', () =>
      inTurn(
        () => walkSent(forget),
        () => walkReceived(forget),
      ),
    ),
  };
}

/** The same path as a receipt's, and under its key: should that still come, it is a repeat. */
async function tellReceipt(
  deps: ActivityDependencies,
  { dispatchId, messageId, sid }: SilentText,
  status: string,
  errorCode: string | null,
): Promise<void> {
  const seenKey = `message-status:${sid}:${status}`;
  const none = { callId: null, leg: null, step: null, sequence: null };
  const ids = { sid, dispatchId, messageId };
  await storeEvent(deps.pool, { ...none, ...ids, seenKey, type: 'message-status', status, errorCode });
  await noteByReceipt(deps.pool, { ...ids, errorCode }, { isNews: true });
  await signalReceipt(deps.temporal, messageId, { seenKey, sid, status, errorCode }, SIGNAL_WITHIN);
  await markHandled(deps.pool, seenKey);
}
