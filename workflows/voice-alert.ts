import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  patched,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { isTerminal } from '../domain/call-status';
import type { LegEnded } from '../domain/mentor-call';
import {
  type AlertEndReason,
  alertLegKey,
  type AlertLegOutcome,
  type AlertNight,
  type AlertOutcome,
  type AlertPlan,
  type AlertQuestion,
  mayRingAgain,
  VOICE_ALERT,
  VOICE_ALERT_NEWS,
  type VoiceAlertInput,
  type VoiceAlertNews,
  type VoiceAlertRecipient,
  type VoiceAlertResult,
  waitAfter,
  LONGEST_HOLD_UP,
} from '../domain/voice-alert';
import { alertRecords, alertRinging, alertTexting, legs, records } from './activity-options';
import { reportTo } from './reporting';
import { tell, upsertState } from './visibility';
import { answerAlert } from './voice-alert-answers';
import { type AlertLeg, VoiceAlertState } from './voice-alert-state';

const answerTwimlUpdate = defineUpdate<AlertPlan, [AlertQuestion]>(VOICE_ALERT.answerTwiml);
const cancelUpdate = defineUpdate<VoiceAlertResult>(VOICE_ALERT.cancel);
const legEndedSignal = defineSignal<[LegEnded]>(VOICE_ALERT.legEnded);

/** Twilio's `Timeout` ends the ringing; our net comes this much later (ms). */
const RING_NET = 15_000;
/** A leg that has not begun to ring by then never will in time: Twilio may hold it for hours (ms). */
const LONGEST_QUEUE = 60_000;
/** When a net finds the call still going on, it looks again after this (ms). */
const LOOK_AGAIN = 60_000;
/** How long a text waits for phones that were given up and are still being hung up (ms). */
const LAST_MOMENT = 30_000;

type Ending = { readonly outcome: AlertOutcome; readonly reason: AlertEndReason };

/**
 * One voice alert: rings its recipients in their order, each as often as was asked, until somebody presses the key that
 * counts. What the phones say is decided in `voice-alert-answers.ts`; this function owns the ringing, the waits between,
 * the nets below what Twilio times itself, and the ending, after which no phone rings and no number is left.
 */
export async function voiceAlert(input: VoiceAlertInput): Promise<VoiceAlertResult> {
  const alert = new VoiceAlertState(input);
  listen(alert);
  // Cancelling from the Web UI must leave no ringing phone, so nothing below is cancelled with it.
  CancellationScope.current().cancelRequested.catch(() => {
    alert.stop ??= 'operator';
  });
  const result = await CancellationScope.nonCancellable(() => run(alert));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (result.endReason === 'stopped-by-operator') throw new CancelledFailure('the alert was stopped by an operator');
  return result;
}

function listen(alert: VoiceAlertState): void {
  setHandler(answerTwimlUpdate, (question) => answerAlert(alert, question), {
    // A question nobody waits for any more is refused: it would acknowledge for somebody who has long hung up.
    validator: (question) => {
      if (Date.now() > question.validUntil) throw ApplicationFailure.nonRetryable('too late', 'QuestionTooLate');
    },
  });
  setHandler(cancelUpdate, async (): Promise<VoiceAlertResult> => {
    // Who has acknowledged has acknowledged.
    if (alert.reached === null) alert.stop ??= 'request';
    await condition(() => alert.result !== null);
    return alert.result ?? { state: 'cancelled', endReason: 'cancelled-by-request', reached: null };
  });
  setHandler(legEndedSignal, (event) => {
    if (!alert.ended.has(event.callSid)) alert.ended.set(event.callSid, event);
  });
}

async function run(alert: VoiceAlertState): Promise<VoiceAlertResult> {
  const { input } = alert;
  await alertRecords.openAlert(input);
  for (const [index, recipient] of input.recipients.entries()) {
    if (index > 0 && !alert.isGivenUp) await alert.pause(input.escalationDelayMs, 'before the next recipient');
    if (!alert.isDecided() && !alert.isGivenUp) await ringRecipient(alert, index + 1, recipient);
    if (alert.isDecided()) return closeDecided(alert);
  }
  // Whoever picks up at the last moment counts, and is not texted as well.
  await Promise.race([Promise.all(alert.settling), alert.pause(LAST_MOMENT, 'the last phones')]);
  if (alert.isDecided()) return closeDecided(alert);
  if (!input.smsWhenExhausted) return close(alert, { outcome: 'exhausted', reason: 'nobody-reached' });
  await alertTexting.textRecipients({ input, messageIds: input.recipients.map(() => uuid4()) });
  return close(alert, { outcome: 'exhausted', reason: 'nobody-reached-texted' });
}

/** Rings one phone until it is answered with the key, cannot be rung, or was tried often enough. */
async function ringRecipient(alert: VoiceAlertState, position: number, recipient: VoiceAlertRecipient): Promise<void> {
  const { attempts, backoff } = alert.input;
  for (let attempt = 1; ; attempt += 1) {
    if (!(await waitForDay(alert, recipient)) || alert.isDecided()) return;
    const outcome = await ringOnce(alert, position, attempt, recipient);
    if (alert.isDecided() || alert.isGivenUp || attempt >= attempts || !mayRingAgain(outcome)) return;
    tell(`Recipient ${position}, try ${attempt}: ${outcome}. Waiting before the next try.`);
    await alert.pause(waitAfter(attempt, backoff), 'before the next try');
    if (alert.isDecided()) return;
  }
}

/**
 * A call that says a message waits for the day where its text did; before each try, for the tries may last into the night.
 * @returns false when it would come after the message's time
 */
async function waitForDay(alert: VoiceAlertState, recipient: VoiceAlertRecipient): Promise<boolean> {
  const night = nightOf(alert, recipient);
  if (night === null) return true;
  const { notAfter } = alert.input;
  while (!alert.isDecided()) {
    const waitMs = await alertRecords.nightLeft(night);
    if (waitMs <= 0) return true;
    const day = Date.now() + waitMs;
    if (typeof notAfter === 'string' && day >= Date.parse(notAfter)) return false;
    tell(`Waits for the recipient's day, until ${isoTime(day)}.`);
    await alert.pause(waitMs, 'until it is day');
  }
  return true;
}

/** @returns null for an alert that somebody asked for: it waits for nothing */
function nightOf({ input }: VoiceAlertState, { country, subjectId }: VoiceAlertRecipient): AlertNight | null {
  const { zone, kind, messageClass, urgency } = input;
  return zone === undefined ? null : { country, zone, subjectId, kind, messageClass, urgency };
}

async function ringOnce(
  alert: VoiceAlertState,
  position: number,
  attempt: number,
  recipient: VoiceAlertRecipient,
): Promise<AlertLegOutcome> {
  const leg: AlertLeg = {
    legId: uuid4(),
    position,
    attempt,
    recipient,
    dispatchedSid: null,
    speaker: null,
    placedAt: null,
    confirmedAt: null,
    refusal: null,
    placing: Promise.resolve(),
  };
  alert.leg = leg;
  tell(`Ringing recipient ${position} of ${alert.input.recipients.length}, try ${attempt}.`);
  leg.placing = placeCall(alert, leg);
  const outcome = await accompany(alert, leg);
  if (alert.reached !== null) return outcome;
  // Twilio may not answer for long: the next phone must not wait until it says what became of this one.
  if (alert.isGone(leg)) await closeLeg(alert, leg, outcome);
  else alert.settling.push(letGo(alert, leg, outcome));
  return outcome;
}

/** Never rejects: what became of the dispatch is written into the leg. */
async function placeCall(alert: VoiceAlertState, leg: AlertLeg): Promise<void> {
  const { input } = alert;
  const { recipient, legId, position, attempt } = leg;
  const night = nightOf(alert, recipient);
  try {
    const { sid } = await alertRinging.placeAlertCall({
      alertId: input.alertId,
      legId,
      position,
      attempt,
      businessKey: alertLegKey(input.alertId, position, attempt),
      workflowId: workflowInfo().workflowId,
      subjectId: recipient.subjectId,
      recordId: recipient.recordId,
      recipientToken: recipient.recipientToken,
      country: recipient.country,
      language: recipient.language,
      from: recipient.organisationNumber,
      kind: input.kind,
      messageClass: input.messageClass,
      neutralFirst: input.neutralFirst,
      ringSeconds: Math.round(input.times.ring / 1_000),
      requestedAt: input.requestedAt,
      ...(night === null ? {} : { night }),
    });
    leg.dispatchedSid = sid;
    leg.placedAt = Date.now();
  } catch (error) {
    leg.refusal = refusalOf(error);
  }
}

function refusalOf(error: unknown): AlertLegOutcome {
  const cause = error instanceof Error ? error.cause : undefined;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  if (type === 'RecordDestroyed') return 'erased';
  if (type === 'DispatchSuppressed') return 'suppressed';
  if (type === 'SwitchedOff') return 'provider-unavailable';
  return type === 'DispatchAbandoned' ? 'cancelled' : 'refused';
}

/**
 * Stays until the leg has an outcome. One timer serves the provider's patience, the ring net and the longest call,
 * because Twilio times the ringing and the Gathers itself; when it is due we look before we end anything.
 */
async function accompany(alert: VoiceAlertState, leg: AlertLeg): Promise<AlertLegOutcome> {
  const { times } = alert.input;
  let asked = Date.now();
  let deadline = asked + times.providerPatience;
  const settled = () =>
    alert.reached !== null ||
    alert.stop !== null ||
    alert.isGone(leg) ||
    (leg.refusal !== null && leg.speaker === null);
  for (;;) {
    await condition(settled, Math.max(1, deadline - Date.now()), { summary: 'net below: a phone that is rung' });
    if (alert.reached !== null) return alert.reached.outcome;
    if (alert.stop !== null) return 'cancelled';
    if (alert.isGone(leg)) return endOf(alert, leg);
    if (leg.refusal !== null && leg.speaker === null) return leg.refusal;
    const isHeldUp = leg.placedAt === null && patched('asks-before-giving-up') && (await findPlaced(leg));
    const sid = alert.sidOf(leg);
    if (sid === null || leg.placedAt === null) {
      // No try at their phone: nothing could ring anywhere.
      if (!isHeldUp) return 'provider-unavailable';
      alert.heldUpMs += Date.now() - asked;
      asked = Date.now();
      alert.isGivenUp = alert.heldUpMs >= LONGEST_HOLD_UP || isTooLate(alert);
      if (alert.isGivenUp) return 'provider-unavailable';
      deadline = asked + times.providerPatience;
      continue;
    }
    const ringOver = leg.placedAt + times.ring + RING_NET;
    if (Date.now() < ringOver) {
      deadline = ringOver;
      continue;
    }
    const { status } = await legs.readCall({ sid });
    if (settled()) continue;
    if (isTerminal(status)) alert.noteEnd(sid, status);
    else if (status === 'in-progress' && Date.now() < ringOver + times.longestCall) deadline = Date.now() + LOOK_AGAIN;
    else if (isQueued(status) && Date.now() < leg.placedAt + LONGEST_QUEUE) deadline = leg.placedAt + LONGEST_QUEUE;
    else return givenUp(leg, status);
  }
}

function isTooLate({ input: { notAfter } }: VoiceAlertState): boolean {
  return typeof notAfter === 'string' && Date.now() >= Date.parse(notAfter);
}

/**
 * No worker may have been there to tell us of a phone that rings; only what Twilio has not taken is unavailable.
 * @returns whether nothing was tried yet, because its line is closed or others are before it
 */
async function findPlaced(leg: AlertLeg): Promise<boolean> {
  const { sid, waitsForLine } = await records.placedCall({ dispatchId: leg.legId });
  // Runs that began before it was told never heard of it.
  if (sid === null) return waitsForLine ?? false;
  leg.dispatchedSid ??= sid;
  leg.placedAt ??= Date.now();
  return false;
}

function isQueued(status: string): boolean {
  return status === 'queued' || status === 'initiated';
}

function givenUp(leg: AlertLeg, status: string): AlertLegOutcome {
  if (isQueued(status)) return 'provider-unavailable';
  if (status !== 'in-progress') return 'no-answer';
  return leg.confirmedAt === null ? 'no-key' : 'not-acknowledged';
}

/** `completed` says nothing about a human: only a key does. */
function endOf(alert: VoiceAlertState, leg: AlertLeg): AlertLegOutcome {
  const status = alert.ended.get(alert.sidOf(leg) ?? '')?.status;
  if (status === 'busy' || status === 'no-answer') return status;
  if (status !== 'completed') return 'failed';
  return leg.confirmedAt === null ? 'no-key' : 'not-acknowledged';
}

/**
 * Ends a leg that is not wanted any more. An attempt under way is never abandoned: its row is marked, its outcome
 * awaited, and what came out is ended.
 */
async function letGo(alert: VoiceAlertState, leg: AlertLeg, outcome: AlertLegOutcome): Promise<void> {
  // A refusal is final: there is nothing to withdraw.
  if (leg.refusal === null) {
    const abandoned = await records.abandonDispatch({ dispatchId: leg.legId });
    await leg.placing;
    const sids = new Set([leg.speaker, leg.dispatchedSid ?? abandoned.sid]);
    for (const sid of sids) if (sid !== null && !alert.ended.has(sid)) await legs.endCall({ sid });
  }
  await closeLeg(alert, leg, outcome);
}

async function closeLeg(alert: VoiceAlertState, leg: AlertLeg, outcome: AlertLegOutcome): Promise<void> {
  const sid = alert.sidOf(leg);
  // They may have pressed the key while we were giving them up.
  await leg.placing;
  await alertRecords.closeAlertLeg({
    alertId: alert.input.alertId,
    legId: leg.legId,
    position: leg.position,
    outcome: alert.reached?.leg === leg ? alert.reached.outcome : outcome,
    callSid: sid,
    answeredAt: leg.confirmedAt === null ? null : isoTime(leg.confirmedAt),
    endedAt: isoTime(Date.now()),
  });
}

/** Who was reached is told at once; their phone may still be speaking, and its end is awaited after that. */
async function closeDecided(alert: VoiceAlertState): Promise<VoiceAlertResult> {
  const { reached, input } = alert;
  if (reached === null) {
    const reason = alert.stop === 'operator' ? 'stopped-by-operator' : 'cancelled-by-request';
    return close(alert, { outcome: 'cancelled', reason });
  }
  const { leg, outcome } = reached;
  const reason = outcome === 'acknowledged' ? 'acknowledged-by-key' : 'heard-after-key';
  alert.settling.push(
    (async () => {
      const isOver = await condition(() => alert.isGone(leg), input.times.longestCall, { summary: 'the last words' });
      const sid = alert.sidOf(leg);
      if (!isOver && sid !== null) await legs.endCall({ sid });
      await closeLeg(alert, leg, outcome);
    })(),
  );
  return close(alert, { outcome, reason });
}

/** Writes the ending; numbers given for this alert only are destroyed when nothing can ring any more. */
async function close(alert: VoiceAlertState, { outcome, reason }: Ending): Promise<VoiceAlertResult> {
  const { reached, input } = alert;
  // Who cancels is told when every phone is quiet; who waits for an acknowledgement is told when there is one.
  if (outcome === 'cancelled') await Promise.all(alert.settling);
  await alertRecords.closeAlert({
    alertId: input.alertId,
    outcome,
    endReason: reason,
    reached: reached === null ? null : { position: reached.leg.position, at: isoTime(reached.at) },
    endedAt: isoTime(Date.now()),
  });
  upsertState('ended');
  tell(`Over: ${outcome} (${reason}).`);
  alert.result = { state: outcome, endReason: reason, reached: reached?.leg.position ?? null };
  const news: VoiceAlertNews = { alertId: input.alertId, state: outcome, endReason: reason };
  await reportTo(input.reportsTo, VOICE_ALERT_NEWS, news);
  await Promise.all(alert.settling);
  await alertRecords.destroyAlertNumbers({ alertId: input.alertId });
  return alert.result;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
