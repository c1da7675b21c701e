import { pause } from './clock';

/**
 * Twilio dials so many REST calls a second, and sends so many segments a second from one number, and queues the rest;
 * `<Dial>` legs and inbound calls are not held back. The queue knows no priority: first come, first served.
 */
export class PacingQueue {
  private perSecond = 0;
  private nextFreeAt = 0;

  /** @param perSecond 0: no limit. What waits already keeps its place. */
  setRate(perSecond: number): void {
    this.perSecond = perSecond;
    this.nextFreeAt = 0;
  }

  /** Takes the next place, or several. @returns how long that call or text has to wait, in milliseconds */
  takePlace(places = 1): number {
    const now = Date.now();
    if (this.perSecond <= 0) return 0;
    const at = Math.max(now, this.nextFreeAt);
    this.nextFreeAt = at + (1000 * places) / this.perSecond;
    return at - now;
  }

  /** How long the next one would have to wait, in milliseconds. */
  backlogMs(): number {
    return Math.max(0, this.nextFreeAt - Date.now());
  }

  /** @throws the signal's reason when the call is ended while it waits */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > 0) await pause(ms, signal);
  }
}
