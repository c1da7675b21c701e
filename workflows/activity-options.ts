import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import { MAIL_QUEUE, MESSAGES_QUEUE, VOICE_QUEUE } from '../domain/task-queues';

/** Short database steps: one marker each, no task queue, retried until Postgres is back. */
const DATABASE_STEP = {
  // A statement that takes longer than this is cut by Postgres's own statement_timeout.
  startToCloseTimeout: '5s',
  // Postgres may be restarting; nothing is lost by asking again, every one of these is idempotent.
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
} as const;

/**
 * An outward act reconciles itself, so it is retried without limit; the lease in the dispatch row, not Temporal, decides
 * when the next attempt may look. A dead worker is noticed in 5 s.
 */
const DISPATCH = {
  startToCloseTimeout: '30s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
} as const;

export const records =
  proxyLocalActivities<
    Pick<
      Activities,
      | 'openCall'
      | 'noteCall'
      | 'closeCall'
      | 'destroyCallNumber'
      | 'reserveMentor'
      | 'releaseMentor'
      | 'queueOutlook'
      | 'joinQueue'
      | 'takeTurn'
      | 'legSeen'
      | 'abandonDispatch'
      | 'placedCall'
      | 'noteFeedback'
    >
  >(DATABASE_STEP);

export const dialling = proxyActivities<Pick<Activities, 'placeCall'>>({
  ...DISPATCH,
  taskQueue: VOICE_QUEUE,
  summary: 'Ring the user',
});

/** An outward act as well, on the default queue: it takes nobody's place among the calls per second. */
export const recording = proxyActivities<Pick<Activities, 'startRecording' | 'stopRecording'>>({
  ...DISPATCH,
  summary: 'Record the conversation, or end that',
});

export const alertRecords =
  proxyLocalActivities<
    Pick<Activities, 'openAlert' | 'nightLeft' | 'closeAlertLeg' | 'closeAlert' | 'destroyAlertNumbers'>
  >(DATABASE_STEP);

export const alertRinging = proxyActivities<Pick<Activities, 'placeAlertCall'>>({
  ...DISPATCH,
  taskQueue: VOICE_QUEUE,
  summary: 'Ring a recipient',
});

/** Starts workflows under ids that are given, so it may be repeated; Temporal or Postgres may be restarting. */
export const alertTexting = proxyActivities<Pick<Activities, 'textRecipients'>>({
  summary: 'Text those who were rung in vain',
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Questions and hang-ups at the provider: harmless to repeat, and never behind the limit of calls per second. */
export const legs = proxyActivities<Pick<Activities, 'readCall' | 'endCall'>>({
  summary: 'Ask about or end a leg',
  startToCloseTimeout: '15s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** What only makes an ending more exact: a call must not stay open, nor a slot taken, because Twilio does not answer. */
export const lookingBack = proxyActivities<Pick<Activities, 'wentToFallback'>>({
  summary: 'Ask whether the static fallback served the call',
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/** Starts a message under an id that is given; a text that cannot be begun must not keep a number for long. */
export const textingAfterwards = proxyActivities<Pick<Activities, 'textAfterCall'>>({
  summary: 'Text the user when the call is over',
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '5 minutes',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Sweeps walk rows in batches and may be run again from anywhere. */
export const sweeps = proxyActivities<
  Pick<
    Activities,
    | 'closeDeadCalls'
    | 'freeDeadSlots'
    | 'endOrphanedCalls'
    | 'askSilentLegs'
    | 'destroyExpiredNumbers'
    | 'deleteOldTwilioCalls'
    | 'askSilentTexts'
    | 'forgetOldTexts'
    | 'closeDeadMessages'
    | 'deleteDueRecordings'
    | 'noteCallQuality'
    | 'readCallInsights'
    | 'expandShifts'
  >
>({
  startToCloseTimeout: '40s',
  heartbeatTimeout: '15s',
  // The next run of the schedule takes up what this one leaves. All attempts of a part together: the parts ask Twilio,
  // and when it hangs they must all have had their turn before the run times out after five minutes.
  scheduleToCloseTimeout: '40s',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** Walks old rows in batches with a heartbeat each; the next run of its schedule takes up what this one leaves. */
export const retention = proxyActivities<
  Pick<
    Activities,
    | 'sweepOld'
    | 'endRetentionRun'
    | 'destroyUnreferencedRecords'
    | 'deleteOldAppEvents'
    | 'deleteOldTexts'
    | 'deleteOldMessages'
    | 'forgetOldRecipients'
    | 'deleteOldWebhookEvents'
    | 'deleteOldAlerts'
  >
>({
  summary: 'Destroy what was kept for its time',
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 5 },
});

/** Database steps in batches and reads at the provider; the next run of the schedule takes up what this one leaves. */
export const costs = proxyActivities<Pick<Activities, 'noteCosts' | 'readPrices' | 'watchBudget'>>({
  summary: 'What was spent',
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '15s',
  scheduleToCloseTimeout: '4 minutes',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** Database steps, starts of mails and a webhook that may not answer; what is left the next run takes up. */
export const watching = proxyActivities<Pick<Activities, 'lookForIncidents' | 'tellOfIncidents'>>({
  summary: 'Look whether anything is wrong',
  startToCloseTimeout: '60s',
  heartbeatTimeout: '15s',
  scheduleToCloseTimeout: '2 minutes',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

/** One activity a run; it beats while it goes from batch to batch, and what it leaves the next run takes up. */
export const chaining = proxyActivities<Pick<Activities, 'chainAuditEntries'>>({
  summary: 'Chain new audit entries',
  startToCloseTimeout: '45s',
  heartbeatTimeout: '15s',
  scheduleToCloseTimeout: '60s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
});

/** A store that is away for a moment is asked again; one that stays away must fail the run before the next is due. */
export const checkpointing = proxyActivities<Pick<Activities, 'writeCheckpoint'>>({
  summary: 'Write a checkpoint outside the database',
  startToCloseTimeout: '25s',
  scheduleToCloseTimeout: '50s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '10s',
    nonRetryableErrorTypes: ['AuditChainError'],
  },
});

/** One pass over the events that are due; the workflow comes again as long as any waits. */
export const telling = proxyActivities<Pick<Activities, 'deliverAppEvents'>>({
  summary: 'Tell the app what has happened',
  // Twenty seconds of batches, and the last one of them with an app that answers nobody.
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '15s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

export const batchRecords = proxyLocalActivities<Pick<Activities, 'noteBatchState'>>(DATABASE_STEP);

/**
 * A page of a batch. Each may be repeated from anywhere: a row knows its message, and a message is started once. It beats
 * while it goes from row to row; KMS may take its time for recipients who were never heard of.
 */
export const batches = proxyActivities<Pick<Activities, 'startMessagePage' | 'cancelMessagePage' | 'destroyGivenPage'>>(
  {
    summary: 'A page of a batch',
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
  },
);

export const messageRecords =
  proxyLocalActivities<
    Pick<Activities, 'openMessage' | 'messageTurn' | 'noteMessage' | 'noteRetry' | 'closeMessage' | 'abandonDispatch'>
  >(DATABASE_STEP);

export const texting = proxyActivities<Pick<Activities, 'sendText'>>({
  ...DISPATCH,
  taskQueue: MESSAGES_QUEUE,
  summary: 'Send the text',
});

export const mailing = proxyActivities<Pick<Activities, 'sendMail'>>({
  ...DISPATCH,
  taskQueue: MAIL_QUEUE,
  summary: 'Send the e-mail',
});

export const wellbeingRecords =
  proxyLocalActivities<
    Pick<
      Activities,
      | 'openWellbeingAlert'
      | 'beginWellbeingStep'
      | 'noteWellbeingStep'
      | 'noteEmergencyConfirmed'
      | 'closeWellbeingAlert'
    >
  >(DATABASE_STEP);

/** Starts workflows under ids that are given, so it may be repeated. */
export const wellbeingAsking = proxyActivities<Pick<Activities, 'startWellbeingAsks'>>({
  summary: 'Ask those of this step',
  startToCloseTimeout: '30s',
  // Whoever cannot be asked by then is not waited for: the next step comes.
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Those who are asked and need not answer any more; may be repeated, and an alert ends without it. */
export const wellbeingTelling = proxyActivities<Pick<Activities, 'endWellbeingAsks'>>({
  summary: 'Tell those who are asked that it is over',
  startToCloseTimeout: '45s',
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Starting a workflow is repeatable: the alert's id is given. */
export const fallingBack = proxyActivities<Pick<Activities, 'startFallbackAlert'>>({
  summary: 'Have it said by a call',
  startToCloseTimeout: '15s',
  // A message must come to its end even when no call can be begun.
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});

export const checkInRecords =
  proxyLocalActivities<Pick<Activities, 'openCheckIn' | 'noteCheckIn' | 'takeCheckInAnswer' | 'closeCheckIn'>>(
    DATABASE_STEP,
  );

/**
 * Starts messages under ids that are given, or stops them, so each may be repeated. A check-in must come to its end even
 * where no text can be begun.
 */
export const checkInTexting = proxyActivities<Pick<Activities, 'startCheckInText' | 'cancelCheckInTexts'>>({
  summary: 'Text the buddy, or do not any more',
  // Cancelling waits for a try that is under way.
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** The app has heard already; a text about it is worth some minutes. */
export const checkInNews = proxyActivities<Pick<Activities, 'tellOfCheckIn'>>({
  summary: 'Tell the user what the buddy did',
  startToCloseTimeout: '15s',
  scheduleToCloseTimeout: '5 minutes',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

export const verificationRecords =
  proxyLocalActivities<
    Pick<
      Activities,
      | 'claimInvitation'
      | 'answerInvitation'
      | 'expireInvitation'
      | 'noteInvitationSent'
      | 'takeInvitationBack'
      | 'noteRenewalAsked'
      | 'verificationStanding'
    >
  >(DATABASE_STEP);

/** Starts a message under an id that is given, or withdraws it; what cannot be done in an hour counts as not sent. */
export const inviting = proxyActivities<Pick<Activities, 'sendInvitation' | 'cancelInvitation'>>({
  summary: 'Ask somebody to be a buddy, or no longer',
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** The app has the news in any case: a process must come to its end although no message can be begun. */
export const tellingUser = proxyActivities<Pick<Activities, 'tellUser'>>({
  summary: 'Tell the user, as they wished',
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1 minute' },
});
