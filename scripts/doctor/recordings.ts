import { mediaUrl } from '../../providers/twilio-media';
import { createTwilioRecordings } from '../../providers/twilio-recordings';
import { examined, fail, type Finding, ok, type Patient, warn } from './finding';
import { asked } from './web';

const CHECK = 'recordings';
/** Nobody's: an account that guards its sound says so before it looks whether there is any. */
const NO_RECORDING = `RE${'0'.repeat(32)}`;

/** Where calls may be recorded: whether their sound is guarded at Twilio. Nothing is said where none are. */
export async function recordingChecks({ config }: Patient): Promise<readonly Finding[]> {
  if (!config.recording.isOn) return [];
  const todo = 'Is CALL_RECORDING meant to be on, and does Twilio answer?';
  return [
    ...(await examined(CHECK, todo, () => guarded(config))),
    ...(config.recording.isEncryptionExpected ? await examined(CHECK, todo, () => encrypted(config)) : []),
  ];
}

/** Twilio shows that setting nowhere: sound is asked for as a stranger would. */
async function guarded({ twilio }: Patient['config']): Promise<Finding> {
  const recordings = createTwilioRecordings(twilio, { httpTimeoutMs: 5_000 });
  try {
    const sid = (await recordings.newest())?.sid ?? NO_RECORDING;
    const { status } = await asked(mediaUrl(twilio, sid), { method: 'HEAD' });
    if (status === 401) return ok(CHECK, 'Twilio gives the sound of recordings to nobody without our credentials.');
    return fail(
      CHECK,
      `Twilio answers ${status} instead of 401 to a stranger who asks for the sound of a recording.`,
      'In the console of Twilio, under Voice, Settings, General: enforce HTTP auth on media URLs.',
    );
  } finally {
    recordings.close();
  }
}

async function encrypted({ twilio }: Patient['config']): Promise<Finding> {
  const recordings = createTwilioRecordings(twilio, { httpTimeoutMs: 5_000 });
  try {
    const newest = await recordings.newest();
    const todo = 'In the console of Twilio, under Voice, Settings, General: recording encryption with your public key.';
    if (newest === null) return warn(CHECK, 'Nothing was recorded yet that could show whether it is encrypted.', todo);
    if (newest.isEncrypted) return ok(CHECK, 'The newest recording is encrypted with a key of yours.');
    return fail(CHECK, 'The newest recording is not encrypted, and TWILIO_RECORDING_ENCRYPTION says public-key.', todo);
  } finally {
    recordings.close();
  }
}
