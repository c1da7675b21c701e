import { condition, uuid4, workflowInfo } from '@temporalio/workflow';
import { records, recording as recordings } from './activity-options';
import type { CallRecording, MentorCallState, MentorTurn } from './mentor-call-state';

/** How long a next question waits for a recording to be stopped (ms): Twilio wants its answer within 4 s in all. */
const STOP_PATIENCE = 2_000;

/**
 * Both have agreed: the user's leg is recorded from here on. Not waited for: the conversation begins with it or without
 * it.
 */
export function beginRecording(call: MentorCallState, turn: MentorTurn): void {
  const callSid = call.user?.sid;
  const { input } = call;
  // Calls from the app have no number, and are not recorded.
  const { recipientToken } = input;
  if (callSid == null || recipientToken === null) return;
  const recordingId = uuid4();
  const asked = recordings.startRecording({
    recordingId,
    callId: input.callId,
    step: turn.step,
    callSid,
    userId: input.userId,
    mentorId: turn.mentorId,
    country: input.country,
    workflowId: workflowInfo().workflowId,
    recipientToken,
    organisationNumber: input.organisationNumber,
  });
  const begun: CallRecording = {
    recordingId,
    outcome: 'open',
    asking: asked.then(
      () => void (begun.outcome = 'started'),
      // A conversation that is not recorded is still a conversation.
      () => void (begun.outcome = 'none'),
    ),
  };
  leaveRecording(call);
  call.recording = begun;
}

/** Of a leg that is over: Twilio has ended it, and nothing that comes later is about it. */
export function leaveRecording(call: MentorCallState): void {
  if (call.recording !== null) call.endings.push(letGo(call.recording));
  call.recording = null;
}

/**
 * The conversation is over and the user is still there: whoever comes next has not agreed. Waited for only as long as
 * the user can be left without an answer; what is stopped too late is deleted.
 */
export async function endRecording(call: MentorCallState): Promise<void> {
  const { recording } = call;
  if (recording === null) return;
  call.recording = null;
  const overSince = new Date(Date.now()).toISOString();
  let isOver = false;
  const ending = stop(recording, overSince).then(() => void (isOver = true));
  call.endings.push(ending);
  await condition(() => isOver, STOP_PATIENCE, { summary: 'until nothing is recorded any more' });
}

async function stop(recording: CallRecording, overSince: string): Promise<void> {
  await letGo(recording);
  if (recording.outcome !== 'started') return;
  try {
    await recordings.stopRecording({ recordingId: recording.recordingId, overSince });
  } catch {
    // It was marked to be deleted by then; it ends with the leg.
  }
}

/** One that is still being asked for is not wanted any more; what comes of it is ended and deleted. */
async function letGo(recording: CallRecording): Promise<void> {
  if (recording.outcome === 'open') await records.abandonDispatch({ dispatchId: recording.recordingId });
  await recording.asking;
}

/** Before the workflow ends. With the user's leg Twilio has ended its recording too. */
export async function settleRecordings(call: MentorCallState): Promise<void> {
  if (call.recording !== null) await letGo(call.recording);
  await Promise.all(call.endings);
}
