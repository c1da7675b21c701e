/**
 * Stops asking a service that is down: without it every request would wait out its own timeout, and all of them
 * together would hold the connections that others need.
 */

export interface Circuit {
  /**
   * Runs the work, or throws `refusal(operation)` at once while the service counts as down. After the pause one caller at a
   * time tries; its success lets everybody in again.
   */
  run<T>(operation: string, work: () => Promise<T>): Promise<T>;
}

export interface CircuitOptions {
  /** Which errors say that the service is down; all others, being answers, say that it is up. */
  readonly isOutage: (error: unknown) => boolean;
  readonly refusal: (operation: string) => Error;
  /** Outages in a row after which it counts as down. Default 5: less would cut off after one lost connection. */
  readonly outages?: number;
  /** Default 2 seconds: how long somebody may be refused though the service is back. */
  readonly pauseMs?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

export function createCircuit(options: CircuitOptions): Circuit {
  const { isOutage, refusal, outages = 5, pauseMs = 2_000, now = () => performance.now() } = options;
  let inARow = 0;
  let tryAgainAt = 0;
  let isBeingTried = false;

  return {
    async run(operation, work) {
      const isDown = inARow >= outages;
      if (isDown && (isBeingTried || now() < tryAgainAt)) throw refusal(operation);
      if (isDown) isBeingTried = true;
      try {
        const result = await work();
        inARow = 0;
        return result;
      } catch (error) {
        if (isOutage(error)) {
          inARow += 1;
          tryAgainAt = now() + pauseMs;
        } else inARow = 0;
        throw error;
      } finally {
        if (isDown) isBeingTried = false;
      }
    },
  };
}
