import type { Board } from './board';
import { CallbackLine } from './callback-line';
import type { Leg } from './leg';
import type { LegStatus } from './types';
import { callParameters, rfc2822 } from './webhook-parameters';

/** The name under which a state is subscribed to; every end is `completed`. */
const EVENT_OF: Readonly<Record<LegStatus, string>> = {
  queued: 'queued',
  initiated: 'initiated',
  ringing: 'ringing',
  'in-progress': 'answered',
  completed: 'completed',
  busy: 'completed',
  failed: 'completed',
  'no-answer': 'completed',
  canceled: 'completed',
};

/** Posts a leg's progress to its StatusCallback. SequenceNumber counts the events of this leg that were subscribed to. */
export function reportProgress(board: Board, leg: Leg): void {
  let sequence = 0;
  const line = new CallbackLine(board.webhooks, (error) =>
    board.notify(leg, error.code, `status callback: ${error.message}`),
  );
  leg.on('status', () => {
    const callback = leg.statusCallback;
    if (!callback?.events.has(EVENT_OF[leg.status])) return;
    const params = progressParameters(board, leg, sequence);
    sequence += 1;
    const { url, method } = callback;
    const fault = board.faults.take('callback', { to: leg.to, event: leg.status });
    line.send({ kind: 'callback', sid: leg.sid, url, method, params }, fault);
  });
}

function progressParameters(board: Board, leg: Leg, sequence: number): Record<string, string> {
  const params: Record<string, string> = {
    ...callParameters(leg, board.accountSid),
    CallbackSource: 'call-progress-events',
    SequenceNumber: String(sequence),
    Timestamp: rfc2822(leg.updatedAt),
  };
  if (leg.endedAt) {
    const seconds = leg.answeredAt ? Math.round(board.clock.between(leg.answeredAt, leg.endedAt) / 1000) : 0;
    params.CallDuration = String(seconds);
    // Twilio's `Duration` is in begun minutes, for billing.
    params.Duration = String(Math.ceil(seconds / 60));
    params.SipResponseCode = String(leg.sipResponseCode ?? 200);
  }
  return params;
}
