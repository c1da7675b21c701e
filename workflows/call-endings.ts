import { lookingBack } from './activity-options';
import type { EndReason, Outcome } from '../domain/mentor-call';
import type { MentorCallState } from './mentor-call-state';

/** How a mentor call ends, for the app and in its row. */
export interface Ending {
  readonly outcome: Outcome;
  readonly reason: EndReason;
  readonly mergedInto?: string;
}

export function stopped(call: MentorCallState): Ending {
  if (call.stop === 'operator') return { outcome: 'cancelled', reason: 'stopped-by-operator' };
  return call.everBridged
    ? { outcome: 'completed', reason: 'ended-by-user' }
    : { outcome: 'cancelled', reason: 'cancelled-by-user' };
}

export function ordinaryEnding(call: MentorCallState): Ending {
  if (call.phase === 'helpline') {
    if (call.helplineOver === 'not-reached') return { outcome: 'failed', reason: 'helpline-not-reached' };
    if (call.helplineOver === 'left') return { outcome: 'cancelled', reason: 'user-hung-up' };
    return { outcome: 'fallback-completed', reason: 'helpline-over' };
  }
  if (call.everBridged) return { outcome: 'completed', reason: 'bridge-over' };
  return { outcome: 'cancelled', reason: 'user-hung-up' };
}

export function closing(call: MentorCallState, ending: Ending) {
  const { turn } = call;
  return {
    callId: call.input.callId,
    outcome: ending.outcome,
    endReason: ending.reason,
    endedAt: new Date(Date.now()).toISOString(),
    durationSeconds: call.talkedSeconds,
    ...connectedOf(turn),
  };
}

function connectedOf(turn: MentorCallState['turn']) {
  if (turn === null || turn.bridgedAt === null) return {};
  const ms = (turn.bridgeEndedAt ?? Date.now()) - turn.bridgedAt;
  return { connectedStep: turn.step, connectedSeconds: Math.max(0, Math.round(ms / 1_000)) };
}

/** Null when Twilio does not tell in time: nobody's slot, and no next call, waits for this. */
export async function wentToFallback(call: MentorCallState, sid: string): Promise<boolean | null> {
  try {
    return (await lookingBack.wentToFallback({ callId: call.input.callId, sid })).fallback;
  } catch {
    return null;
  }
}
