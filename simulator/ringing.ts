import type { Board } from './board';
import { LegOver, unlessAborted } from './clock';
import type { Leg } from './leg';

/** From dialling until the far phone rings. */
const POST_DIAL_MS = 20;

/**
 * Dials a leg and lets its phone ring.
 * @param seconds Twilio's `Timeout`: how long it rings; the end is then `no-answer`
 * @returns true when somebody (or a machine) answered; otherwise the leg is over
 */
export async function ring(board: Board, leg: Leg, seconds: number): Promise<boolean> {
  const tooLong = new AbortController();
  try {
    leg.dial();
    await board.clock.wait(POST_DIAL_MS, leg.ended);
    if (board.handsets.scriptOf(leg.handset)?.outcome === 'failed') {
      leg.end('failed', 404);
      return false;
    }
    const answered = new Promise<void>((resolve) => {
      leg.on('status', () => leg.isUp && resolve());
    });
    board.clock.after(seconds * 1000, AbortSignal.any([leg.ended, tooLong.signal]), () => leg.end('no-answer', 487));
    leg.ring();
    await unlessAborted(answered, leg.ended);
    return true;
  } catch (error) {
    // Ended meanwhile: declined, timed out, or by REST.
    if (error instanceof LegOver) return false;
    throw error;
  } finally {
    tooLong.abort();
  }
}
