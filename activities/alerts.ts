import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import {
  type AlertEnd,
  type AlertLegEnd,
  closeAlert,
  closeAlertLeg,
  destroyAlertNumbers,
  giveAlertNumbersAway,
  openAlert,
} from '../db/alerts';
import { appendAudit } from '../db/audit';
import { findMessage, noteFallback } from '../db/messages';
import { inTransaction } from '../db/pool';
import { isPolicyOn } from '../db/preferences';
import type { Db } from '../db/query';
import { callerIdFor } from '../domain/caller-id';
import type { MessageInput } from '../domain/message';
import type { AlertNight, VoiceAlertInput, VoiceAlertRecipient } from '../domain/voice-alert';
import { startMessage } from '../temporal/messages';
import { startVoiceAlert } from '../temporal/voice-alerts';
import type { ActivityDependencies } from './dependencies';
import { nightLeftMs } from './night';
import { countAlertEnd } from './outcome-metrics';
import { asSleeper } from './place-alert-call';

/** As they come out of a workflow: times are ISO 8601. */
export type AlertClosing = Omit<AlertEnd, 'endedAt'> & { readonly endedAt: string };
export type AlertLegClosing = Omit<AlertLegEnd, 'endedAt' | 'answeredAt'> & {
  readonly endedAt: string;
  readonly answeredAt: string | null;
};

/** What everybody gets who was rung in vain. */
export interface TextRecipients {
  readonly input: VoiceAlertInput;
  /** One for each recipient, so that a repeated attempt starts no second text. */
  readonly messageIds: readonly string[];
}

/** A message that did not arrive, and the alert that is to say it. */
export interface FallbackAlert {
  readonly message: MessageInput;
  readonly alertId: string;
  /** What the call goes past, under the policy for emergencies; left out by runs that began before it was told. */
  readonly overrides?: 'blocked' | null;
}

/** Rows of alerts, as local activities, and what an alert starts or is started by. */
export function createAlertActivities(deps: ActivityDependencies) {
  const { pool, callLog, temporal, phoneNumbers, voiceAlert } = deps;
  return {
    /** The first fact of an alert. */
    openAlert: (input: VoiceAlertInput): Promise<void> => openAlert(pool, input),

    /** How long the phone of somebody who is to hear a message must not ring yet (ms). */
    nightLeft: (night: AlertNight): Promise<number> => nightLeftMs(deps, asSleeper(night), new Date()),

    /** How one call of it ended; may be repeated. */
    async closeAlertLeg(end: AlertLegClosing): Promise<void> {
      const closed = await closeAlertLeg(pool, end);
      if (closed === null) return;
      const { recipientToken, country, attempt } = closed;
      callLog.note({ callId: end.legId, status: end.outcome, recipientToken, country, retryCount: attempt - 1 });
    },

    /** The last fact, in one transaction; may be repeated. */
    async closeAlert(end: AlertClosing): Promise<void> {
      if (await closeAlert(pool, end)) countAlertEnd(end.outcome);
    },

    destroyAlertNumbers: ({ alertId }: { alertId: string }): Promise<void> => destroyAlertNumbers(pool, alertId),

    /**
     * Starts a text to each recipient, once for each number. The number given for the alert goes with it: the text
     * destroys it at its own end. May be repeated with the same ids.
     */
    async textRecipients({ input, messageIds }: TextRecipients): Promise<void> {
      const texts = textsOf(input, messageIds);
      await giveAlertNumbersAway(pool, input.alertId, texts);
      for (const { text } of texts) await startMessage(temporal, text);
    },

    /**
     * Starts the alert that says a message which did not arrive. The alert takes over a number that was given for the
     * message only: the message must not destroy it. May be repeated with the same id.
     *
     * @throws ApplicationFailure `NotCalled` (final) for what no call may say
     */
    async startFallbackAlert({ message, alertId, overrides = null }: FallbackAlert): Promise<void> {
      if (message.channel !== 'sms') throw notCalled('An e-mail is said by no call');
      // The policy of this moment: a message may have waited for weeks since it began.
      if (overrides !== null && !(await isPolicyOn(pool, 'emergency-ignores-opt-out'))) {
        throw notCalled('The policy for emergencies is off');
      }
      const isWaitedFor = await inTransaction(pool, async (tx) => {
        const isRepeated = (await findMessage(tx, message.messageId))?.fallback_alert_id === alertId;
        if (!(await noteFallback(tx, message.messageId, alertId))) return false;
        if (overrides !== null && !isRepeated) await auditFallback(tx, alertId, overrides);
        return true;
      });
      // Closed by the sweep, because its workflow was ended: its number is gone, and nobody waits for the call.
      if (!isWaitedFor) return;
      const recipient: VoiceAlertRecipient = {
        subjectId: message.subjectId,
        recordId: message.recordId,
        ownsRecord: message.ownsRecord,
        recipientToken: message.recipientToken,
        country: message.country,
        language: message.language,
        organisationNumber: callerIdFor(phoneNumbers, message.country),
        content: message.content,
      };
      await startVoiceAlert(temporal, {
        alertId,
        requestedBy: message.requestedBy,
        messageId: message.messageId,
        recipients: [recipient],
        kind: message.kind,
        messageClass: message.messageClass,
        urgency: message.urgency,
        // It is enough that they have heard what the text would have said.
        acknowledge: false,
        neutralFirst: true,
        attempts: voiceAlert.attempts,
        backoff: voiceAlert.backoff,
        escalationDelayMs: 0,
        // It comes from a text.
        smsWhenExhausted: false,
        times: voiceAlert.times,
        requestHash: message.requestHash,
        requestedAt: message.requestedAt,
        zone: message.zone,
        notAfter: message.notAfter,
      });
    },
  };
}

function notCalled(why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(why, 'NotCalled');
}

/** Each time somebody is reached past their STOP leaves an entry, whatever it is that reaches them. */
async function auditFallback(tx: Db, alertId: string, purpose: 'blocked'): Promise<void> {
  const entry = { actor: 'system', action: 'opt-out.overridden', objectId: alertId, purpose, outcome: 'done' } as const;
  await appendAudit(tx, entry);
}

function textsOf(input: VoiceAlertInput, messageIds: readonly string[]) {
  const seen = new Set<string>();
  return input.recipients.flatMap((recipient, index) => {
    // The same phone may stand in the list twice.
    if (seen.has(recipient.recipientToken)) return [];
    seen.add(recipient.recipientToken);
    const messageId = messageIds[index] ?? randomUUID();
    return [{ position: index + 1, messageId, text: textTo(input, recipient, messageId) }];
  });
}

function textTo(input: VoiceAlertInput, recipient: VoiceAlertRecipient, messageId: string): MessageInput {
  return {
    messageId,
    batchId: null,
    batchRow: null,
    requestedBy: input.requestedBy,
    subjectId: recipient.subjectId,
    recordId: recipient.recordId,
    ownsRecord: recipient.ownsRecord,
    recipientToken: recipient.recipientToken,
    country: recipient.country,
    channel: 'sms',
    kind: input.kind,
    messageClass: input.messageClass,
    urgency: input.urgency,
    language: recipient.language,
    content: recipient.content,
    notBefore: null,
    notAfter: null,
    zone: null,
    // Calls are what has just been tried.
    fallback: null,
    sender: null,
    requestHash: input.requestHash,
    requestedAt: input.requestedAt,
    // Their phones have just rung for it, at whatever hour.
    waitsForDay: false,
  };
}
