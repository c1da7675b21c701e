import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  isCancellation,
  log,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { CHECK_IN_NEWS, type CheckInNews } from '../domain/buddies';
import { BUILT_IN_POLICY, type EscalationStep, longestCourseMinutes } from '../domain/escalation-policy';
import { MESSAGE_NEWS, type MessageNews } from '../domain/message';
import { VOICE_ALERT_NEWS, type VoiceAlertNews } from '../domain/voice-alert';
import {
  type Ask,
  ASKS_NOT_BEGUN,
  type CloseAlert,
  type ConfirmEmergency,
  CONTACT_HAS_ANSWERED,
  type ContactAnswer,
  QUESTION_TOO_LATE,
  WELLBEING_ALERT,
  type WellbeingAlertInput,
  type WellbeingResult,
} from '../domain/wellbeing-alert';
import { wellbeingAsking, wellbeingRecords, wellbeingTelling } from './activity-options';
import { tell, upsertState } from './visibility';
import { isInVain, isToldToOthers, WellbeingAlertState } from './wellbeing-alert-state';

const closeUpdate = defineUpdate<WellbeingResult, [CloseAlert]>(WELLBEING_ALERT.close);
const confirmUpdate = defineUpdate<'confirmed', [ConfirmEmergency]>(WELLBEING_ALERT.confirmEmergency);
const contactUpdate = defineUpdate<'noted', [ContactAnswer]>(WELLBEING_ALERT.contactAnswers);
const checkInNewsSignal = defineSignal<[CheckInNews]>(CHECK_IN_NEWS);
const messageNewsSignal = defineSignal<[MessageNews]>(MESSAGE_NEWS);
const voiceAlertNewsSignal = defineSignal<[VoiceAlertNews]>(VOICE_ALERT_NEWS);

const MINUTE = 60_000;

/**
 * One wellbeing alert: goes through the steps of the policy it began with, asks whoever there is at that moment, and goes
 * on to the next step when nobody has been in touch in time, or nobody can. The first answer that counts ends it; whoever
 * is still asked then is told. Its last step only waits: a human sets it off, and never this function.
 */
export async function wellbeingAlert(input: WellbeingAlertInput): Promise<WellbeingResult> {
  const alert = new WellbeingAlertState(input, Date.now());
  listen(alert);
  // Cancelling from the Web UI must leave nobody asked, so nothing below is cancelled with it.
  CancellationScope.current().cancelRequested.catch(() => {
    alert.stop ??= 'operator';
  });
  const result = await CancellationScope.nonCancellable(() => run(alert));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (result.endReason === 'stopped-by-operator') throw new CancelledFailure('the alert was stopped by an operator');
  return result;
}

function listen(alert: WellbeingAlertState): void {
  setHandler(checkInNewsSignal, (news) => alert.hearOfCheckIn(news, Date.now()));
  setHandler(messageNewsSignal, (news) => alert.hearOfMessage(news));
  setHandler(voiceAlertNewsSignal, (news) => alert.hearOfCall(news, Date.now()));
  setHandler(
    closeUpdate,
    async ({ by }): Promise<WellbeingResult> => {
      if (alert.decision === null) alert.stop ??= by;
      await condition(() => alert.result !== null);
      return alert.result ?? { state: 'closed', endReason: by === 'user' ? 'closed-by-user' : 'closed-by-staff' };
    },
    { validator: ({ validUntil }) => refuseLate(validUntil) },
  );
  setHandler(confirmUpdate, (confirmed) => confirm(alert, confirmed), {
    validator: ({ validUntil }) => {
      refuseLate(validUntil);
      // Confirming twice changes nothing; what has not come that far, or is over, cannot be confirmed.
      const isTooLate = (alert.isDecided() || alert.isClosing) && alert.emergency?.state === 'waiting';
      if (alert.emergency === null || isTooLate) throw refused('EmergencyNotWaiting');
    },
  });
  setHandler(
    contactUpdate,
    ({ response }): 'noted' => {
      alert.hearOfContact(response, Date.now());
      return 'noted';
    },
    {
      validator: ({ response, validUntil }) => {
        refuseLate(validUntil);
        const ask = alert.openContactAsk();
        if (ask === null) throw refused('ContactNotAsked');
        if (!alert.mayAnswer(ask, response)) throw refused(CONTACT_HAS_ANSWERED);
      },
    },
  );
}

/** An update nobody waits for any more is otherwise executed when a worker returns. */
function refuseLate(validUntil: number): void {
  if (Date.now() > validUntil) throw refused(QUESTION_TOO_LATE);
}

function refused(type: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable('refused', type);
}

/** Whoever confirms it is answered when that is kept, and those on call are being rung. */
async function confirm({ emergency }: WellbeingAlertState, { actor }: ConfirmEmergency): Promise<'confirmed'> {
  if (emergency?.state === 'waiting') Object.assign(emergency, { state: 'confirmed', confirmedBy: actor });
  await condition(() => emergency?.state === 'called');
  return 'confirmed';
}

async function run(alert: WellbeingAlertState): Promise<WellbeingResult> {
  const opened = await wellbeingRecords.openWellbeingAlert(alert.input);
  if (opened === null) return closedBefore(alert);
  alert.opened = opened;
  const { steps, closesAfterMinutes } = opened.policy;
  for (const [index, step] of steps.entries()) {
    await untilDue(alert, index + 1, step);
    if (alert.isDecided()) break;
    await begin(alert, index + 1, step);
  }
  await untilHeard(alert, closesAfterMinutes * MINUTE);
  return close(alert);
}

/** It was closed before it could begin: its row says how. */
function closedBefore(alert: WellbeingAlertState): WellbeingResult {
  upsertState('ended');
  tell('Over before it had begun.');
  return (alert.result = { state: 'closed', endReason: 'workflow-failed' });
}

/** The next step comes in its time, or at once when the newest one has failed. */
async function untilDue(alert: WellbeingAlertState, position: number, { afterMinutes }: EscalationStep): Promise<void> {
  const { waitsFrom, newest } = alert;
  const left = waitsFrom === null ? 0 : waitsFrom + afterMinutes * MINUTE - Date.now();
  const isSoon = () => alert.isDecided() || alert.hasFailed(newest);
  if (left > 0) await condition(isSoon, left, { summary: `before step ${position}` });
  await noteEndedSteps(alert);
}

async function begin(alert: WellbeingAlertState, position: number, step: EscalationStep): Promise<void> {
  const { alertId, userId } = alert.input;
  const begun = await wellbeingRecords.beginWellbeingStep({
    alertId,
    userId,
    position,
    step,
    askedBuddyIds: alert.askedBuddyIds(),
    askIds: Array.from({ length: step.count }, () => uuid4()),
  });
  if ('gone' in begun) {
    alert.stop ??= 'erased';
    return;
  }
  if ('skipped' in begun) {
    alert.waitsFrom = null;
    tell(`Step ${position} (${step.who}) has nobody to ask: ${begun.skipped}.`);
    return;
  }
  alert.begin(position, step, begun.asks, Date.now());
  if (step.who === 'emergency') {
    alert.emergency = { position, step, state: 'waiting', confirmedBy: null, askId: uuid4() };
    upsertState('waiting');
    tell(`Step ${position} waits for a human to confirm it.`);
    return;
  }
  tell(`Step ${position} (${step.who}): ${begun.asks.length} asked.`);
  await ask(alert, position, step, begun.asks);
}

/**
 * What cannot be begun for too long counts as failed: the next step must not wait for it, and an end of the alert does not
 * wait for it either.
 */
async function ask(
  alert: WellbeingAlertState,
  position: number,
  step: EscalationStep,
  asks: readonly Ask[],
): Promise<void> {
  const { alertId, userId } = alert.input;
  const { policy, days } = alert.opened ?? { policy: BUILT_IN_POLICY, days: 1 };
  // The alert ends them: none of them may be over before it.
  const closesAfterMs = longestCourseMinutes(policy, position) * MINUTE;
  const reportsTo = workflowInfo().workflowId;
  const asked = { alertId, userId, days, position, step, asks, closesAfterMs, reportsTo };
  const scope = new CancellationScope();
  const asking = scope
    .run(() => wellbeingAsking.startWellbeingAsks(asked))
    .then(
      (lost) => lost.forEach((askId) => alert.lose(askId)),
      (error: unknown) => {
        // Whatever has begun is ended with the alert.
        if (isCancellation(error)) return;
        const failed = notBegun(error) ?? asks.map(({ askId }) => askId);
        // Our id stands in the line; whom and why, the activity has said.
        log.warn('somebody could not be asked in time');
        for (const askId of failed) alert.giveUp(askId);
      },
    );
  // What a human has set off is done, whoever answers meanwhile.
  if (step.who !== 'emergency') {
    await Promise.race([asking, condition(() => alert.isDecided())]);
    if (alert.isDecided()) scope.cancel();
  }
  await asking;
}

/** Which of them, where the activity could say it; the others are being asked. */
function notBegun(error: unknown): string[] | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === ASKS_NOT_BEGUN) {
      return (cause.details ?? []).filter((askId) => typeof askId === 'string');
    }
  }
  return null;
}

/** After the last step: until the answer that counts, the last answer there can be, or the end of patience. */
async function untilHeard(alert: WellbeingAlertState, patienceMs: number): Promise<void> {
  let deadline = Date.now() + patienceMs;
  const isOver = () => alert.isDecided() || alert.isEverythingHeard() || isSetOff(alert);
  while (deadline > Date.now() || isSetOff(alert)) {
    await condition(isOver, Math.max(1, deadline - Date.now()), { summary: 'the last answers' });
    // Also where an answer came at the same moment: what a human has set off is done.
    if (!isSetOff(alert)) break;
    await callForEmergency(alert);
    deadline = Date.now() + patienceMs;
  }
  // From here on nobody would do what a human sets off.
  alert.isClosing = true;
  await noteEndedSteps(alert);
}

function isSetOff({ emergency }: WellbeingAlertState): boolean {
  return emergency?.state === 'confirmed';
}

async function callForEmergency(alert: WellbeingAlertState): Promise<void> {
  const { emergency, input } = alert;
  if (emergency === null || emergency.confirmedBy === null) return;
  const { position, step, askId, confirmedBy: actor } = emergency;
  // Who confirmed it is kept before anything rings.
  await wellbeingRecords.noteEmergencyConfirmed({ alertId: input.alertId, position, actor, askId });
  emergency.state = 'called';
  const call: Ask = { askId, by: 'call', buddyId: null };
  alert.add(position, step, call);
  tell('The emergency step was confirmed by a human: those on call are rung.');
  await ask(alert, position, step, [call]);
}

/** Writes how steps have ended of which nothing more is waited for, also when somebody says another thing later. */
async function noteEndedSteps(alert: WellbeingAlertState): Promise<void> {
  const { alertId } = alert.input;
  for (const position of new Set(alert.asks.map((ask) => ask.position))) {
    const end = alert.endOf(position);
    const before = alert.noted.get(position);
    if (end === null || (before?.state === end.state && before.response === end.response)) continue;
    alert.noted.set(position, end);
    await wellbeingRecords.noteWellbeingStep({ alertId, position, ...end });
  }
}

/** The row first, so that whoever is told and looks finds it over. */
async function close(alert: WellbeingAlertState): Promise<WellbeingResult> {
  const { alertId, userId } = alert.input;
  alert.isClosing = true;
  const { decision, ...outcome } = alert.outcome(Date.now());
  const endedAt = new Date(Date.now()).toISOString();
  // An answer that was taken while its news was on the way is known to the row alone.
  const closed = await wellbeingRecords.closeWellbeingAlert({ alertId, ...outcome, decision, endedAt });
  const { state, endReason } = closed ?? outcome;
  upsertState('ended');
  tell(`Over: ${state} (${endReason}).`);
  alert.result = { state, endReason };
  const open = alert.asksToEnd();
  if (open.length > 0) {
    const asks = open.map(({ askId, by, party, channel }) => ({ askId, by, party, channel, newsId: uuid4() }));
    const ended = { alertId, userId, isTold: isToldToOthers(endReason), isInVain: isInVain(endReason), asks };
    // They learn it from their own link too: an alert must come to its end without.
    await wellbeingTelling.endWellbeingAsks(ended).catch(() => undefined);
  }
  return alert.result;
}
