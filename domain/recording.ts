/** The words of recordings; imported by the workflow, therefore without any package. */

/** `requested`: both have agreed, and nothing of it is known yet. The others are the provider's words. */
export const RECORDING_STATES = ['requested', 'in-progress', 'completed', 'absent'] as const;
export type RecordingState = (typeof RECORDING_STATES)[number];
/** What the provider tells; `absent`: there is no sound. */
export type RecordingStatus = Exclude<RecordingState, 'requested'>;

/**
 * Why a recording goes before its time. `erased`: somebody on it asked to be. `not-agreed`: it went on while somebody
 * could be heard who had not agreed. `not-wanted`: it began too late. `doubled`: one more than was asked for.
 */
export const DELETE_BECAUSE = ['erased', 'not-agreed', 'not-wanted', 'doubled'] as const;
export type DeleteBecause = (typeof DELETE_BECAUSE)[number];

/** How long an admin's link to a recording opens, milliseconds; it opens once. */
export const RECORDING_LINK_MS = 5 * 60_000;

/**
 * From the end of a conversation until somebody else could be heard at the earliest, milliseconds: a sentence, a ring
 * and a key lie between. A recording that was stopped later may hold words of somebody who has not agreed.
 */
export const STOPPED_IN_TIME_MS = 5_000;

/** The business key of the dispatch that has the conversation with the mentor of this step recorded. */
export function recordingKey(callId: string, step: number): string {
  return `mentor-call:${callId}:recording:${step}`;
}

export function isRecordingStatus(word: string): word is RecordingStatus {
  return word === 'in-progress' || word === 'completed' || word === 'absent';
}

export function isRecordingSid(text: string | null): text is string {
  return text !== null && /^RE[0-9a-fA-F]{32}$/.test(text);
}
