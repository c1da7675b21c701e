import { Context } from '@temporalio/activity';

/** Faster than the heartbeat timeout of 5 s, so that a dead worker is noticed and a busy one is not. */
const BEAT_EVERY_MS = 1_000;

export interface Heartbeat<T> {
  /** What an earlier attempt last told, if its worker died. */
  readonly earlier: T | null;
  /** Tells the details at once and with every beat from now on. */
  tell(details: T): void;
}

/**
 * Runs an activity under a beat each second. Nothing is told before there is something to tell or a second has
 * passed: the SDK holds back a beat that follows another too soon, and the first SID must leave at once.
 */
export async function withHeartbeat<T, R>(run: (heartbeat: Heartbeat<T>) => Promise<R>): Promise<R> {
  const context = Context.current();
  const earlier: T | null = context.info.heartbeatDetails ?? null;
  let details = earlier;
  const timer = setInterval(() => context.heartbeat(details), BEAT_EVERY_MS).unref();
  try {
    return await run({
      earlier,
      tell: (told) => {
        details = told;
        context.heartbeat(told);
      },
    });
  } finally {
    clearInterval(timer);
  }
}
