import { knowsSid, noteReceiptSid } from '../db/dispatches';
import { inTransaction } from '../db/pool';
import { keepDouble, noteRecordingSid, noteRecordingStatus } from '../db/recordings';
import { storeEvent } from '../db/webhook-events';
import { isRecordingSid, isRecordingStatus, type RecordingStatus } from '../domain/recording';
import type { ApiDeps } from './deps';
import type { EventHandler } from './event-handlers';
import type { Routes } from './routes';
import { storedInTime } from './stored-events';
import type { TwilioRequest } from './twilio-requests';
import { isUuid } from './webhook-query';

/** A callback of a recording, sanitised: its address at Twilio is left out, and so is whatever else Twilio says. */
interface RecordingEvent {
  /** One per event: a recording is in a state once. */
  readonly seenKey: string;
  readonly callId: string;
  /** Also the id of its dispatch. */
  readonly recordingId: string;
  readonly sid: string;
  readonly status: RecordingStatus;
  readonly seconds: number | null;
}

/**
 * `POST /recording-status`: what became of a recording. Nobody waits for it: it is stored with what it changes, in one
 * transaction.
 */
export function recordingStatus(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /recording-status', async (asked, res) => {
    const event = readEvent(asked);
    if (event === null) {
      res.status(204).end();
      return;
    }
    try {
      await storedInTime(deps.pool, event.seenKey, store(deps, event));
    } catch (error) {
      deps.logger.warn({ route: '/recording-status', error }, 'an event could not be stored');
      res.status(503).end();
      return;
    }
    res.status(204).end();
  });
}

function store({ pool }: Pick<ApiDeps, 'pool'>, event: RecordingEvent): Promise<{ handledAt: Date | null }> {
  const { seenKey, callId, recordingId, sid, status, seconds } = event;
  return inTransaction(pool, async (tx) => {
    const stored = {
      seenKey,
      type: 'recording-status',
      sid,
      dispatchId: recordingId,
      callId,
      leg: null,
      step: null,
      status,
      sequence: null,
      errorCode: null,
      payload: { seconds },
    } as const;
    const { isNew, handledAt } = await storeEvent(tx, stored, true);
    if (isNew) await apply(tx, event);
    return { handledAt };
  });
}

/** The first SID that is heard of is the dispatch's own, also while the attempt still waits for its answer. */
async function apply(
  tx: Parameters<typeof storeEvent>[0],
  { recordingId, sid, status, seconds }: Pick<RecordingEvent, 'recordingId' | 'sid' | 'status' | 'seconds'>,
): Promise<void> {
  const isDouble = !(await knowsSid(tx, recordingId, sid)) && (await noteReceiptSid(tx, recordingId, sid));
  if (isDouble) await keepDouble(tx, recordingId, sid);
  else await noteRecordingSid(tx, recordingId, sid);
  await noteRecordingStatus(tx, { sid, status, durationSeconds: seconds });
}

/** A stored callback once more: what it says has been noted, or is noted now. */
export const handleRecordingStatus: EventHandler = ({ pool }, { dispatchId, sid, status, payload }) => {
  if (dispatchId === null || !isRecordingSid(sid) || status === null || !isRecordingStatus(status)) return null;
  const seconds = typeof payload['seconds'] === 'number' ? payload['seconds'] : null;
  return async () => {
    await inTransaction(pool, (tx) => apply(tx, { recordingId: dispatchId, sid, status, seconds }));
    return 'handled';
  };
};

function readEvent({ field, query }: TwilioRequest): RecordingEvent | null {
  const [callId, recordingId] = [query.get('call'), query.get('recording')];
  const [sid, status] = [field('RecordingSid'), field('RecordingStatus') ?? ''];
  if (!isUuid(callId) || !isUuid(recordingId) || !isRecordingSid(sid) || !isRecordingStatus(status)) return null;
  const duration = field('RecordingDuration') ?? '';
  const seconds = /^\d{1,6}$/.test(duration) ? Number(duration) : null;
  return { seenKey: `recording-status:${sid}:${status}`, callId, recordingId, sid, status, seconds };
}
