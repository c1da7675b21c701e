/** The shapes of recordings that cross the simulator's own HTTP interface; see `types.ts` for the rules they follow. */

export type RecordingStatus = 'in-progress' | 'paused' | 'stopped' | 'processing' | 'completed' | 'absent';

/** Every recording that there is; a deleted one is in no list any more. */
export interface RecordingEntry {
  readonly sid: string;
  readonly callSid: string;
  readonly status: RecordingStatus;
  /** Whole seconds; null until it has ended. */
  readonly seconds: number | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly statusCallback: string | null;
}
