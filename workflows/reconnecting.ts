import type { MentorCallState } from './mentor-call-state';

/** Less time than this is no conversation any more (ms). */
const LEAST_CONVERSATION = 60_000;
/** Both lines that end within this were lost together; later the user has hung up (ms). */
const BOTH_LOST = 5_000;

/** Who is rung after a line was lost. `helpline`: the call has been put together often enough, or for long enough. */
export type Again = 'same' | 'another' | 'helpline';

/** Milliseconds that a conversation begun now may last at most; for ever in calls of before. */
export function timeLeft(call: MentorCallState): number {
  // Who was promised a mentor, and waited, is not cut off at once.
  return Math.max(LEAST_CONVERSATION, untilTheEnd(call));
}

function untilTheEnd({ input, firstConfirmedAt }: MentorCallState): number {
  if (!input.drops || firstConfirmedAt === null) return Number.POSITIVE_INFINITY;
  return input.drops.longest - (Date.now() - firstConfirmedAt);
}

/** Whether a mentor may be rung for this call once more, after a conversation. */
export function mayConnectAgain(call: MentorCallState): boolean {
  const { drops } = call.input;
  if (!drops) return true;
  return call.reconnections < drops.mostReconnections && untilTheEnd(call) >= LEAST_CONVERSATION;
}

/**
 * The mentor they were talking with first, then one other, then the helpline. Unasked the same mentor is rung once a
 * call: a line that breaks twice is not mended by a third try.
 */
export function whoAgain(call: MentorCallState, why: 'key' | 'unasked' | 'rung-back'): Again {
  if (!call.input.drops) {
    const again = call.reconnectedSame ? 'another' : 'same';
    call.reconnectedSame = true;
    return again;
  }
  if (!mayConnectAgain(call)) return 'helpline';
  call.reconnections += 1;
  call.othersLeft = 1;
  if (why !== 'unasked') return 'same';
  const again = call.reconnectedUnasked ? 'another' : 'same';
  call.reconnectedUnasked = true;
  return again;
}

/**
 * Whether the user, whose line is over, is rung back: once a call, only with their word, and only after a conversation
 * that was short or whose line failed. When both lines were lost they come first, and then the mentor.
 */
export function mayRingBack(call: MentorCallState, bridgedMs: number, cutShort: number): boolean {
  const { turn, user, input } = call;
  if (!input.mayCallBack || call.stop !== null || !user?.sid || !turn) return false;
  const failed = call.ended.get(user.sid)?.status === 'failed';
  if (call.phase === 'bridged') return (failed || bridgedMs < cutShort) && mayConnectAgain(call);
  if (!input.drops || call.lastBridge === null || !mayConnectAgain(call)) return false;
  // With the helpline, or still looking, they know where they are; one who was asked for a key and hung up has left.
  if (call.phase !== 'looking' && call.phase !== 'dialling' && call.phase !== 'offering') return false;
  return failed || (call.isCutOff && Date.now() - call.lastBridge.endedAt <= BOTH_LOST);
}
