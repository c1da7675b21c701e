import { z } from 'zod';
import { RECORDING_STATES } from '../domain/recording';
import { nextCursor, time } from './shared-shapes';

export const recordingShape = z
  .strictObject({
    recordingId: z.uuid(),
    state: z.enum([...RECORDING_STATES, 'deleting', 'deleted']).meta({
      description: 'absent: there is no sound. deleting: it goes soon. deleted: Twilio does not know it any more.',
    }),
    durationSeconds: z.int().nullable(),
    agreedAt: time.meta({ description: 'When the mentor agreed by key; the user had agreed before.' }),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    deletedAt: time.nullable(),
  })
  .meta({ id: 'Recording' });

export const recordingPage = z
  .strictObject({ recordings: z.array(recordingShape), nextCursor })
  .meta({ id: 'RecordingPage' });

export const recordingLinkShape = z
  .strictObject({
    url: z.url().meta({ description: 'Opens once. Whoever has it can listen.' }),
    expiresAt: time,
  })
  .meta({ id: 'RecordingLink' });
