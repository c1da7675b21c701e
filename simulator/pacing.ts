import { pause } from './clock';

/**
 * Twilio dials so many REST calls a second and queues the rest; `<Dial>` legs and inbound calls are not held
 * back. The queue knows no priority: first come, first dialled.
 */
export class PacingQueue {
  private callsPerSecond = 0;
  private nextFreeAt = 0;

  /** @param callsPerSecond 0: no limit. Calls that wait already keep their place. */
  setRate(callsPerSecond: number): void {
    this.callsPerSecond = callsPerSecond;
    this.nextFreeAt = 0;
  }

  /** Takes the next place. @returns how long that call has to wait, in milliseconds */
  takePlace(): number {
    const now = Date.now();
    if (this.callsPerSecond <= 0) return 0;
    const at = Math.max(now, this.nextFreeAt);
    this.nextFreeAt = at + 1000 / this.callsPerSecond;
    return at - now;
  }

  /** @throws the signal's reason when the call is ended while it waits */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await pause(ms, signal);
  }
}
