import { EventEmitter } from 'node:events';
import type { RecordingEntry, RecordingStatus } from '../recording-types';
import { newSid } from '../sids';

export interface RecordingCallback {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Of in-progress, completed and absent. */
  readonly events: ReadonlySet<string>;
}

export interface RecordingOptions {
  readonly callSid: string;
  /** The number that a fault may be limited to. */
  readonly to: string;
  readonly channels: 1 | 2;
  readonly track: string;
  readonly callback: RecordingCallback | null;
}

export interface SavedRecording extends RecordingEntry {
  readonly to: string;
  readonly channels: 1 | 2;
  readonly track: string;
}

/** One recording of a leg. It knows its state and how much was recorded; it decides nothing. */
export class Recording extends EventEmitter<{ status: [] }> {
  readonly sid: string;
  readonly createdAt: Date;
  status: RecordingStatus = 'in-progress';
  updatedAt: Date;
  endedAt: Date | null = null;
  /** Whole seconds of phone time; null until it has ended. */
  seconds: number | null = null;
  /** Since when it listens; null while it is paused without recording silence, and after its end. */
  listensSince: Date | null;
  /** Phone time that was recorded before that, ms. */
  recordedMs = 0;
  private readonly gone = new AbortController();

  constructor(
    readonly options: RecordingOptions,
    saved?: { readonly sid: string; readonly createdAt: Date },
  ) {
    super();
    this.sid = saved?.sid ?? newSid('RE');
    this.createdAt = saved?.createdAt ?? new Date();
    this.updatedAt = this.createdAt;
    this.listensSince = this.createdAt;
  }

  /** It still may record. */
  get isOn(): boolean {
    return this.status === 'in-progress' || this.status === 'paused';
  }

  /** Aborted when it is deleted. */
  get forgotten(): AbortSignal {
    return this.gone.signal;
  }

  move(status: RecordingStatus): void {
    this.status = status;
    this.updatedAt = new Date();
    this.emit('status');
  }

  forget(): void {
    this.gone.abort(new Error('the recording was deleted'));
  }

  entry(): RecordingEntry {
    return {
      sid: this.sid,
      callSid: this.options.callSid,
      status: this.status,
      seconds: this.seconds,
      createdAt: this.createdAt.toISOString(),
      endedAt: this.endedAt?.toISOString() ?? null,
      statusCallback: this.options.callback?.url ?? null,
    };
  }

  saved(): SavedRecording {
    const { to, channels, track } = this.options;
    return { ...this.entry(), to, channels, track };
  }

  /** Of an earlier process: its leg is over, and nobody is told any more. */
  static restore(saved: SavedRecording): Recording {
    const { callSid, to, channels, track } = saved;
    const options = { callSid, to, channels, track, callback: null };
    const recording = new Recording(options, { sid: saved.sid, createdAt: new Date(saved.createdAt) });
    recording.listensSince = null;
    recording.seconds = saved.seconds ?? 0;
    recording.endedAt = new Date(saved.endedAt ?? saved.createdAt);
    recording.status = saved.status === 'completed' ? 'completed' : 'absent';
    return recording;
  }
}
