/** Thrown out of every wait of a leg's program when somebody hung up. */
export class LegOver extends Error {
  constructor() {
    super('the leg is over');
    this.name = 'LegOver';
  }
}

/**
 * Time as phones and TwiML see it. `scale` 10 makes a ring of 30 seconds last three; the limits of HTTP are not
 * measured with it, because the service on the other side lives in real time.
 */
export class Clock {
  scale = 1;

  /** Real milliseconds for `ms` of phone time. */
  real(ms: number): number {
    return ms / this.scale;
  }

  /** Phone time in milliseconds between two instants. */
  between(from: Date, to: Date): number {
    return Math.max(0, to.getTime() - from.getTime()) * this.scale;
  }

  /** Waits `ms` of phone time. @throws the signal's reason when it is aborted first */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return pause(this.real(ms), signal);
  }

  /** Runs `act` after `ms` of phone time unless the signal is aborted first. */
  after(ms: number, signal: AbortSignal, act: () => void): void {
    this.wait(ms, signal).then(act, () => {});
  }
}

/** Waits real milliseconds. @throws the signal's reason when it is aborted first */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The promise's value, or the signal's reason thrown when it is aborted first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new LegOver();
}
