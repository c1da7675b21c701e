import { ALERT_KEYS, type AlertPlan, type AlertQuestion, MOST_SPOKEN } from '../domain/voice-alert';
import type { AlertLeg, VoiceAlertState } from './voice-alert-state';

/** Nobody pressed anything after the message: it may have been missed, so it is spoken once more unasked. */
const SPOKEN_UNASKED = 2;

/**
 * What a phone is to say next. Depends on the question and on whether its leg is the one that counts, so that a question
 * that is asked again gets the same answer.
 */
export function answerAlert(alert: VoiceAlertState, question: AlertQuestion): AlertPlan {
  const leg = speakingLeg(alert, question);
  if (leg === null) return { do: 'hang-up' };
  if (question.kind === 'may-speak') {
    leg.confirmedAt ??= Date.now();
    if (!alert.input.acknowledge) reach(alert, leg, 'heard');
    return speak(alert, leg, 1);
  }
  const { digits, n } = question;
  if (alert.input.acknowledge && digits === ALERT_KEYS.acknowledge) {
    reach(alert, leg, 'acknowledged');
    return { do: 'thank' };
  }
  const mayRepeat = digits === ALERT_KEYS.again ? n < MOST_SPOKEN : n < SPOKEN_UNASKED;
  // Somebody who only listens has heard it; who is to acknowledge may not have found the key yet.
  return mayRepeat && (alert.input.acknowledge || digits !== '') ? speak(alert, leg, n + 1) : { do: 'goodbye' };
}

/** The leg that asks, if it is the one that is going on and no other call of it has spoken before; null otherwise. */
function speakingLeg(alert: VoiceAlertState, { legId, callSid }: AlertQuestion): AlertLeg | null {
  const leg = alert.leg;
  if (leg === null || leg.legId !== legId || alert.stop !== null || alert.ended.has(callSid)) return null;
  // Somebody else has acknowledged while this phone was still asking.
  if (alert.reached !== null && alert.reached.leg !== leg) return null;
  leg.speaker ??= callSid;
  // Somebody is on the line, whatever became of Twilio's answer to us: from here on the longest call ends it.
  leg.placedAt ??= Date.now();
  return leg.speaker === callSid ? leg : null;
}

function reach(alert: VoiceAlertState, leg: AlertLeg, outcome: 'acknowledged' | 'heard'): void {
  alert.reached ??= { leg, outcome, at: Date.now() };
}

function speak(alert: VoiceAlertState, { recipient }: AlertLeg, n: number): AlertPlan {
  const { subjectId, content, language } = recipient;
  return { do: 'speak', recipient: { subjectId, content, language }, acknowledge: alert.input.acknowledge, n };
}
