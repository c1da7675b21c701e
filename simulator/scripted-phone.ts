import type { Board } from './board';
import type { Leg } from './leg';
import type { HandsetScript, KeyRule } from './types';

/** How long a voicemail records before it hangs up by itself. */
const VOICEMAIL_MS = 60_000;

/**
 * Lets a phone act by its script. The script is looked up at every event, so that a test may change it during
 * a call; how often a key rule was used is counted per leg.
 */
export function followScript(board: Board, leg: Leg): void {
  const used = new Map<KeyRule, number>();
  const script = () => board.handsets.scriptOf(leg.handset);
  const later = (ms: number, act: () => void) => board.clock.after(ms, leg.ended, act);
  const pressFor = (fits: (when: string) => boolean) => {
    for (const rule of script()?.keys ?? []) {
      const times = used.get(rule) ?? 0;
      if (!fits(rule.when) || times >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
      used.set(rule, times + 1);
      later(rule.afterMs ?? 0, () => leg.press(rule.press));
    }
  };
  const hangUpAfter = (moment: 'answered' | 'bridged' | 'words') => {
    const plan = script()?.hangUp;
    if (plan?.after === moment) later(plan.ms, () => (plan.isLost === true && leg.isUp ? leg.lose() : leg.hangUp()));
  };

  leg.on('status', () => {
    if (leg.status === 'ringing' && leg.direction !== 'inbound') pickUpOrNot(leg, script(), later);
    if (!leg.isUp) return;
    hangUpAfter('answered');
    if (isVoicemail(script())) later(VOICEMAIL_MS, () => leg.hangUp());
  });
  leg.on('gather', (phase) => {
    pressFor((when) => when === 'gather' || when === phase);
  });
  leg.on('words', (words) => {
    const heard = (part: string) => words.toLowerCase().includes(part.toLowerCase());
    pressFor((when) => !['greeting', 'whisper', 'gather'].includes(when) && heard(when));
    const part = script()?.hangUp?.words;
    if (part === undefined || heard(part)) hangUpAfter('words');
  });
  leg.on('bridged', () => hangUpAfter('bridged'));
}

export function isVoicemail(script: HandsetScript | null): boolean {
  return script?.outcome === 'voicemail';
}

function pickUpOrNot(leg: Leg, script: HandsetScript | null, later: (ms: number, act: () => void) => void): void {
  const outcome = script?.outcome ?? (script?.answerAfterMs === undefined ? null : 'answer');
  const act = {
    answer: () => leg.pickUp(),
    voicemail: () => leg.pickUp(),
    busy: () => leg.end('busy', 486),
    decline: () => leg.hangUp(),
  };
  // `no-answer` rings on until Twilio's Timeout; `failed` never came this far.
  if (outcome === null || outcome === 'no-answer' || outcome === 'failed') return;
  later(script?.answerAfterMs ?? 0, act[outcome]);
}
