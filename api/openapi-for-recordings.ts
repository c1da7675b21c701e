import type { Operation } from './openapi-operations';
import { recordingLinkShape, recordingPage } from './recordings-shapes';
import { listQuery } from './shared-shapes';

const RECORDING = {
  recordingId: '5d0e5a39-8c1f-4f0e-9b6a-4d7e9a557f2e',
  state: 'completed',
  durationSeconds: 1_284,
  agreedAt: '2026-11-21T15:05:31.204Z',
  startedAt: '2026-11-21T15:05:31.871Z',
  endedAt: '2026-11-21T15:26:56.022Z',
  deletedAt: null,
} as const;

/** Listening to what both have agreed to. */
export const RECORDING_OPERATIONS = {
  'GET /mentor-calls/:callId/recordings': {
    id: 'listRecordings',
    tag: 'Recordings',
    summary: 'The recordings of a call, oldest first',
    description:
      'One for each conversation that user and mentor agreed to have recorded. That somebody looked is kept.',
    query: listQuery,
    answers: {
      200: {
        description: 'A page; empty when nothing was recorded.',
        content: { 'application/json': recordingPage },
        example: { recordings: [RECORDING], nextCursor: null },
      },
    },
    problems: ['not-found'],
  },
  'POST /mentor-calls/:callId/recordings/:recordingId/link': {
    id: 'makeRecordingLink',
    tag: 'Recordings',
    summary: 'Makes a link by which a recording can be heard once, within five minutes',
    description: 'Audited when it is made, and when it is opened. Asked for again: another link.',
    answers: {
      201: {
        description: 'Made. It is shown here and nowhere else.',
        content: { 'application/json': recordingLinkShape },
        example: {
          url: 'https://kindline.example.org/recordings/TOKEN',
          expiresAt: '2026-11-21T15:31:56.022Z',
        },
      },
    },
    problems: ['not-found', 'recording-not-there'],
  },
  'GET /recordings/:token': {
    id: 'openRecording',
    tag: 'Recordings',
    summary: 'The sound of a recording, as it comes from Twilio',
    description: 'Nothing of it is kept on the way. A part of it (Range) cannot be asked for.',
    answers: { 200: { description: 'The sound.', content: { 'audio/mpeg': null } } },
    problems: ['link-over', 'temporarily-unavailable'],
  },
} as const satisfies Partial<Record<string, Operation>>;
