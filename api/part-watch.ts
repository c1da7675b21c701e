import type { Logger } from '../vault/logger';
import { within } from './unavailable';

/** How often a part is asked while it is up, and while it is down (ms). */
const WHILE_UP = 60_000;
const WHILE_DOWN = 10_000;
/** After a first failure it is asked again soon: a minute of false hope is long for whoever waits. */
const AFTER_ONE_FAILURE = 1_000;
/** One lost answer is no outage. */
const FAILURES_UNTIL_DOWN = 2;
/** A probe without an answer by then has failed, so that one that hangs cannot keep the last word for ever (ms). */
const PROBE_AT_MOST = 10_000;

export type PartState = 'up' | 'down' | 'unknown';

/** What is known of a part without asking it. */
export interface PartReport {
  readonly state: PartState;
  /** When the last probe ended; null before the first one has. */
  readonly checkedAt: Date | null;
}

export interface PartWatch {
  /** `unknown` until the first probe has ended. */
  state(): PartState;
  report(): PartReport;
  stop(): void;
}

export interface WatchedPart {
  /** Throws, or rejects, when the part does not answer. Cheap, and harmless when it ends unseen. */
  probe(): Promise<unknown>;
  onDown(error: unknown): void;
  onUp(): void;
}

/**
 * Asks a part from time to time whether it is there. Whoever wants to know is answered from memory: a question to
 * `/health` never becomes a request to somebody else's service, which may be limited or paid for.
 */
export function watchPart(part: WatchedPart): PartWatch {
  let failures = 0;
  let checkedAt: Date | null = null;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const isDown = () => failures >= FAILURES_UNTIL_DOWN;
  const look = async (): Promise<void> => {
    try {
      await within(PROBE_AT_MOST, part.probe());
      if (isDown()) part.onUp();
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === FAILURES_UNTIL_DOWN) part.onDown(error);
    }
    if (isStopped) return;
    checkedAt = new Date();
    timer = setTimeout(() => void look(), failures === 0 ? WHILE_UP : isDown() ? WHILE_DOWN : AFTER_ONE_FAILURE);
    timer.unref();
  };
  const state = (): PartState => (isDown() ? 'down' : failures === 0 && checkedAt !== null ? 'up' : 'unknown');
  void look();
  return {
    state,
    report: () => ({ state: state(), checkedAt }),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

/** The key ring's service. While it is down nothing new is sealed, and only subjects whose key is cached are read. */
export function watchKeyRing(keyRing: { describe(): Promise<unknown> }, logger: Logger): PartWatch {
  return watchPart({
    probe: () => keyRing.describe(),
    onDown: (error) => logger.error({ operation: 'describe-key', error }, 'the key ring does not answer'),
    onUp: () => logger.info({ operation: 'describe-key' }, 'the key ring answers again'),
  });
}
