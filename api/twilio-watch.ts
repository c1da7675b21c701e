import type { VoiceProvider } from '../providers/twilio-voice';
import type { Logger } from '../vault/logger';
import { type PartWatch, watchPart } from './part-watch';

/**
 * Asks Twilio from time to time whether it is there, so that a request is refused at once, with helplines, instead of
 * being promised a call that cannot be placed. What is not known counts as there: a call that fails by itself has its
 * own 60 s.
 */
export function watchTwilio(voice: Pick<VoiceProvider, 'probe'>, logger: Logger): PartWatch {
  return watchPart({
    probe: () => voice.probe(),
    onDown: (error) => logger.error({ operation: 'probe', error }, 'Twilio does not answer'),
    onUp: () => logger.info({ operation: 'probe' }, 'Twilio answers again'),
  });
}
