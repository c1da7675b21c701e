import { ApiError } from '../api-errors';
import { CallbackLine } from '../callback-line';
import type { Engine } from '../engine';
import type { Leg } from '../leg';
import type { RecordingEntry } from '../recording-types';
import { rfc2822 } from '../webhook-parameters';
import { Recording, type RecordingOptions, type SavedRecording } from './recording';

/** From the end of a recording until its sound can be had, phone time. */
const PROCESSING_MS = 400;

const notOn = () => new ApiError(400, 21220, 'Invalid call state. Call or recording is not in-progress.');

/** What was asked to be recorded, by leg. A recording ends with its leg and outlives it. */
export class Recordings {
  private readonly recordings = new Map<string, Recording>();
  /** SID → epoch milliseconds from which lists show it. */
  private readonly listedFrom = new Map<string, number>();

  constructor(private readonly engine: Engine) {}

  /** @throws ApiError 400 unless the leg is in progress */
  start(leg: Leg, options: Omit<RecordingOptions, 'callSid' | 'to'>): Recording {
    if (!leg.isUp) throw notOn();
    const recording = new Recording({ ...options, callSid: leg.sid, to: leg.to });
    this.recordings.set(recording.sid, recording);
    this.listedFrom.set(recording.sid, recording.createdAt.getTime() + this.engine.nextListLag());
    this.report(recording, leg);
    const onEnd = () => this.stop(recording);
    leg.ended.addEventListener('abort', onEnd, { once: true });
    // The answer to the create goes out first.
    this.engine.clock.after(0, recording.forgotten, () => recording.emit('status'));
    this.show(recording);
    return recording;
  }

  /** `stopped`, `paused` or `in-progress`. @throws ApiError 400 for one that is over */
  change(recording: Recording, status: string, pause: 'skip' | 'silence'): void {
    if (!recording.isOn) throw notOn();
    if (status === 'stopped') return this.stop(recording);
    if (status === 'paused' && recording.status === 'in-progress') {
      if (pause === 'skip') this.count(recording);
      recording.move('paused');
    } else if (status === 'in-progress' && recording.status === 'paused') {
      recording.listensSince ??= new Date();
      recording.move('in-progress');
    }
    this.show(recording);
  }

  find(sid: string): Recording | null {
    return this.recordings.get(sid) ?? null;
  }

  /** Newest first, without those that lists do not show yet. */
  listed(callSid: string | null): Recording[] {
    const now = Date.now();
    return [...this.recordings.values()]
      .toReversed()
      .filter(({ sid, options }) =>
        callSid === null || options.callSid === callSid ? this.isListed(sid, now) : false,
      );
  }

  /** @throws ApiError 409 for one that still goes on */
  delete(recording: Recording): void {
    if (recording.isOn) throw new ApiError(409, 20009, 'Cannot delete this resource while it is in progress');
    recording.forget();
    this.recordings.delete(recording.sid);
    this.listedFrom.delete(recording.sid);
  }

  entries(): RecordingEntry[] {
    return [...this.recordings.values()].map((recording) => recording.entry());
  }

  state(): SavedRecording[] {
    return [...this.recordings.values()].map((recording) => recording.saved());
  }

  restore(saved: readonly SavedRecording[]): void {
    for (const each of saved) this.recordings.set(each.sid, Recording.restore(each));
  }

  clear(): void {
    for (const recording of this.recordings.values()) recording.forget();
    this.recordings.clear();
    this.listedFrom.clear();
  }

  private isListed(sid: string, now: number): boolean {
    return (this.listedFrom.get(sid) ?? 0) <= now;
  }

  private stop(recording: Recording): void {
    if (!recording.isOn || recording.forgotten.aborted) return;
    this.count(recording);
    recording.seconds = Math.round(recording.recordedMs / 1000);
    recording.endedAt = new Date();
    recording.move('stopped');
    this.show(recording);
    const { clock, faults } = this.engine;
    clock.after(PROCESSING_MS / 2, recording.forgotten, () => recording.move('processing'));
    clock.after(PROCESSING_MS, recording.forgotten, () => {
      const isAbsent = faults.take('recording', { to: recording.options.to }) !== null;
      if (isAbsent) recording.seconds = 0;
      recording.move(isAbsent ? 'absent' : 'completed');
    });
  }

  private count(recording: Recording): void {
    if (recording.listensSince === null) return;
    recording.recordedMs += this.engine.clock.between(recording.listensSince, new Date());
    recording.listensSince = null;
  }

  /** The phones at both ends say that they are being recorded. */
  private show(recording: Recording): void {
    const { callSid } = recording.options;
    const isRecorded = [...this.recordings.values()].some(
      (each) => each.options.callSid === callSid && each.status === 'in-progress',
    );
    for (const leg of this.engine.all(false)) {
      if (leg.sid === callSid) leg.noteRecorded(isRecorded);
      if (leg.parent?.sid === callSid) leg.emit('changed');
    }
  }

  /** Posts what becomes of it to its callback. The address of the sound is told, as Twilio does. */
  private report(recording: Recording, leg: Leg): void {
    const { callback } = recording.options;
    if (callback === null) return;
    const { engine } = this;
    leg.urls.add(callback.url);
    const line = new CallbackLine(engine.webhooks, (error) =>
      engine.notify(recording, error.code, `recording status callback: ${error.message}`),
    );
    recording.on('status', () => {
      if (!callback.events.has(recording.status)) return;
      const { to } = recording.options;
      const fault = engine.faults.take('recording-callback', { to, event: recording.status });
      const { url, method } = callback;
      const params = callbackParameters(recording, engine.accountSid);
      line.send({ kind: 'recording-callback', sid: recording.sid, url, method, params }, fault);
    });
  }
}

function callbackParameters(recording: Recording, accountSid: string): Record<string, string> {
  const { sid, options, status, createdAt, seconds } = recording;
  return {
    AccountSid: accountSid,
    CallSid: options.callSid,
    ErrorCode: '0',
    RecordingChannels: String(options.channels),
    RecordingSid: sid,
    RecordingSource: 'StartCallRecordingAPI',
    RecordingStartTime: rfc2822(createdAt),
    RecordingStatus: status,
    RecordingTrack: options.track,
    RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`,
    ...(seconds === null ? {} : { RecordingDuration: String(seconds) }),
  };
}
