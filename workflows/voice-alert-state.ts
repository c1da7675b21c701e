import { condition } from '@temporalio/workflow';
import type { LegEnded } from '../domain/mentor-call';
import type { AlertLegOutcome, VoiceAlertInput, VoiceAlertRecipient, VoiceAlertResult } from '../domain/voice-alert';

/** One ringing of one phone. */
export interface AlertLeg {
  /** Also the id of its dispatch and of its row in the call log. */
  readonly legId: string;
  /** Whose phone, and which try at it; both from 1. */
  readonly position: number;
  readonly attempt: number;
  readonly recipient: VoiceAlertRecipient;
  /** What the dispatch became; the call that speaks is the same one but where two came of it. */
  dispatchedSid: string | null;
  /** The call that has asked for words; any other of this leg gets none. */
  speaker: string | null;
  placedAt: number | null;
  /** When somebody pressed the first key, or was told at once. */
  confirmedAt: number | null;
  /** Why no call could be placed; set once. */
  refusal: AlertLegOutcome | null;
  /** Resolves, and never rejects, when it is known what became of the dispatch. */
  placing: Promise<void>;
}

/** Who pressed the key that counts. */
export interface Reached {
  readonly leg: AlertLeg;
  readonly outcome: 'acknowledged' | 'heard';
  readonly at: number;
}

/** Everything one run remembers; plain values, so that what is kept can be read in one place. */
export class VoiceAlertState {
  leg: AlertLeg | null = null;
  reached: Reached | null = null;
  stop: 'request' | 'operator' | null = null;
  /** Terminal callbacks by CallSid; the first one counts, a terminal state never goes back. */
  readonly ended = new Map<string, LegEnded>();
  /** Legs given up whose outcome at Twilio is still to be known; no number is destroyed before. */
  readonly settling: Promise<void>[] = [];
  /** How long nothing could ring at all so far (ms). */
  heldUpMs = 0;
  /** It was held up for so long, or until it came too late: no phone is tried any more. */
  isGivenUp = false;
  result: VoiceAlertResult | null = null;

  constructor(readonly input: VoiceAlertInput) {}

  sidOf(leg: AlertLeg): string | null {
    return leg.speaker ?? leg.dispatchedSid;
  }

  isGone(leg: AlertLeg): boolean {
    const sid = this.sidOf(leg);
    return sid !== null && this.ended.has(sid);
  }

  /** The callback was lost; Twilio's own word ends the leg. */
  noteEnd(sid: string, status: string): void {
    if (this.ended.has(sid)) return;
    this.ended.set(sid, { seenKey: `read:${sid}`, callSid: sid, status, dispatchId: null, errorCode: null });
  }

  /** Nobody is rung any more: somebody was reached, or has stopped it. */
  isDecided(): boolean {
    return this.reached !== null || this.stop !== null;
  }

  /** Lets time pass; shorter when the alert is decided meanwhile: a phone given up may be picked up at the last moment. */
  async pause(ms: number, summary: string): Promise<void> {
    if (ms > 0) await condition(() => this.isDecided(), ms, { summary });
  }
}
