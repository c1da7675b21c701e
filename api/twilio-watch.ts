import type { VoiceProvider } from '../providers/twilio-voice';
import type { Logger } from '../vault/logger';

/** How often Twilio is asked while it is up, and while it is down (ms). */
const WHILE_UP = 30_000;
const WHILE_DOWN = 10_000;
/** One lost answer is no outage. */
const FAILURES_UNTIL_DOWN = 2;

export interface TwilioWatch {
  state(): 'up' | 'down';
  stop(): void;
}

/**
 * Asks Twilio from time to time whether it is there, so that a request is refused at once, with helplines, instead of
 * being promised a call that cannot be placed. Begins optimistic: a call that fails by itself has its own 60 s.
 */
export function watchTwilio(voice: Pick<VoiceProvider, 'probe'>, logger: Logger): TwilioWatch {
  let failures = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const isDown = () => failures >= FAILURES_UNTIL_DOWN;
  const look = async (): Promise<void> => {
    try {
      await voice.probe();
      if (isDown()) logger.info({ operation: 'probe' }, 'Twilio answers again');
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures === FAILURES_UNTIL_DOWN) logger.error({ operation: 'probe', error }, 'Twilio does not answer');
    }
    if (isStopped) return;
    // After a first failure it is asked again soon: half a minute of false hope is long for whoever waits.
    timer = setTimeout(() => void look(), failures === 0 ? WHILE_UP : isDown() ? WHILE_DOWN : 1_000);
    timer.unref();
  };
  void look();
  return {
    state: () => (isDown() ? 'down' : 'up'),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
