import { randomUUID } from 'node:crypto';
import type { Board } from './board';
import { pause } from './clock';
import type { Leg } from './leg';
import type { Fault, LegStatus } from './types';
import { callParameters, rfc2822 } from './webhook-parameters';
import { WebhookFailed } from './webhook-sender';

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

/** A callback waits this long for the one before it: then order is no longer worth the wait. */
const ORDER_PATIENCE_MS = 300;
/** A callback held back by `reorder` goes out after this long when no other follows it. */
const REORDER_PATIENCE_MS = 2_000;

/**
 * Posts a leg's progress to its StatusCallback. As with Twilio, nothing is held up by a slow receiver, and
 * order is likely but not promised. SequenceNumber counts the events of this leg that were subscribed to.
 */
export function reportProgress(board: Board, leg: Leg): void {
  let sequence = 0;
  let previous: Promise<unknown> = Promise.resolve();
  let releaseHeld: (() => void) | null = null;
  leg.on('status', () => {
    const callback = leg.statusCallback;
    if (!callback?.events.has(EVENT_OF[leg.status])) return;
    const params = progressParameters(board, leg, sequence);
    sequence += 1;
    const fault = board.faults.take('callback', { to: leg.to, event: leg.status });
    if (fault?.kind === 'lost') return;
    // Each waits for the one before it, but not for long: Twilio promises no order.
    const before = previous;
    const release = releaseHeld;
    releaseHeld = null;
    const held =
      fault?.kind === 'reorder'
        ? Promise.race([pause(REORDER_PATIENCE_MS), new Promise<void>((resolve) => (releaseHeld = resolve))])
        : null;
    const sent = (async () => {
      await Promise.race([before, pause(ORDER_PATIENCE_MS)]);
      await held;
      await post(board, leg, callback, params, fault);
      release?.();
    })();
    // One that is held back for `reorder` must not hold back the others.
    if (!held) previous = sent;
  });
}

async function post(
  board: Board,
  leg: Leg,
  callback: NonNullable<Leg['statusCallback']>,
  params: Readonly<Record<string, string>>,
  fault: Fault | null,
): Promise<void> {
  const { url, method } = callback;
  const token = randomUUID();
  const kind = 'callback' as const;
  const hook = { kind, callSid: leg.sid, url, method, params, token };
  const hooks = [fault ? { ...hook, fault: fault.kind } : hook];
  if (fault?.kind === 'duplicate') hooks.push(hook);
  if (fault?.kind === 'duplicate-new-token') hooks.push({ ...hook, token: randomUUID() });
  if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
  for (const each of hooks) {
    try {
      await board.webhooks.send(each);
    } catch (error) {
      if (!(error instanceof WebhookFailed)) throw error;
      board.notify(leg, error.code, `status callback: ${error.message}`);
    }
  }
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
