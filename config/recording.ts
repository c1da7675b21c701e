import type { z } from 'zod';
import { oneOf, optional } from './variables';

/** The variables of recordings. */
export const recordingVariables = {
  CALL_RECORDING: optional('off or on', 'off' as const, oneOf('off', 'on')),
  TWILIO_RECORDING_ENCRYPTION: optional('none or public-key', 'none' as const, oneOf('none', 'public-key')),
};

type Variables = z.output<z.ZodObject<typeof recordingVariables>>;

export function arrangeRecording(v: Variables) {
  return {
    /** Off: nobody is asked, and a request that wants it is refused. */
    isOn: v.CALL_RECORDING === 'on',
    /** Whether the account is held to encrypt what it records with a key of ours. */
    isEncryptionExpected: v.TWILIO_RECORDING_ENCRYPTION === 'public-key',
  };
}
