import { type Request, Router } from 'express';
import { ApiError, notFound } from '../api-errors';
import { type Fields, many, one, readUrl } from '../call-parameters';
import type { Engine } from '../engine';
import type { Leg } from '../leg';
import { isAsked, isInTime, pageOf } from '../listing';
import type { Answer, Serve } from '../rest-route';
import type { Recording, RecordingCallback } from './recording';
import { callRecordingResource, recordingResource } from './recording-resource';

const EVENTS = new Set(['in-progress', 'completed', 'absent']);

/** `…/Calls/{sid}/Recordings` and `…/Recordings`: start, list, read, pause, stop, delete. @param account its path */
export function createRecordingsApi(engine: Engine, serve: Serve, account: string): Router {
  const router = Router();
  const { recordings, accountSid } = engine;
  const ofCall = `${account}/Calls/:call/Recordings`;
  const own = `${account}/Recordings`;
  const legOf = (req: Request): Leg => {
    const leg = engine.find(String(req.params.call));
    if (!leg) throw notFound(req.path);
    return leg;
  };
  const recordingOf = (req: Request): Recording => {
    const recording = recordings.find(String(req.params.sid));
    const call = req.params.call === undefined ? null : String(req.params.call);
    if (!recording || (call !== null && recording.options.callSid !== call)) throw notFound(req.path);
    return recording;
  };
  const addressee = (req: Request) =>
    recordings.find(String(req.params.sid))?.options.to ?? engine.find(String(req.params.call))?.to;
  const inCall = (recording: Recording) => callRecordingResource(recording, accountSid);
  const alone = (recording: Recording) =>
    recordingResource(recording, accountSid, engine.clock, engine.settings.priceAfterMs);
  const deleted = (req: Request): Answer => {
    recordings.delete(recordingOf(req));
    return { status: 204, body: null };
  };

  router.post(
    `${ofCall}.json`,
    serve({
      place: 'create-recording',
      addressee,
      work: (req, fields) => ({ status: 201, body: inCall(recordings.start(legOf(req), readStart(fields))) }),
    }),
  );
  router.get(
    `${ofCall}.json`,
    serve({
      place: 'list-recordings',
      addressee,
      work: (req, fields) => {
        const found = recordings.listed(legOf(req).sid).filter(isWanted(fields));
        const page = pageOf(found, fields, req.path);
        return { status: 200, body: { recordings: page.items.map(inCall), ...page.envelope } };
      },
    }),
  );
  router.get(
    `${own}.json`,
    serve({
      place: 'list-recordings',
      work: (req, fields) => {
        const page = pageOf(recordings.listed(null).filter(isWanted(fields)), fields, req.path);
        return { status: 200, body: { recordings: page.items.map(alone), ...page.envelope } };
      },
    }),
  );
  for (const [path, shown] of [
    [ofCall, inCall],
    [own, alone],
  ] as const) {
    const each = `${path}/:sid.json`;
    const read = (req: Request): Answer => ({ status: 200, body: shown(recordingOf(req)) });
    router.get(each, serve({ place: 'read-recording', addressee, work: read }));
    router.delete(each, serve({ place: 'update-recording', addressee, work: deleted }));
  }
  router.post(
    `${ofCall}/:sid.json`,
    serve({
      place: 'update-recording',
      addressee,
      work: (req, fields) => {
        const recording = recordingOf(req);
        const [status, pause] = [one(fields, 'Status') ?? '', one(fields, 'PauseBehavior') ?? 'silence'];
        if (!['stopped', 'paused', 'in-progress'].includes(status)) throw new ApiError(400, 20001, 'Invalid Status');
        recordings.change(recording, status, pause === 'skip' ? 'skip' : 'silence');
        return { status: 200, body: inCall(recording) };
      },
    }),
  );
  return router;
}

function isWanted(query: Fields): (recording: Recording) => boolean {
  return ({ options, createdAt }) =>
    isAsked(query, 'CallSid', options.callSid) && isInTime(query, 'DateCreated', createdAt);
}

/** @throws ApiError 400 for what Twilio does not know */
function readStart(fields: Fields) {
  const channels = one(fields, 'RecordingChannels') ?? 'mono';
  const track = one(fields, 'RecordingTrack') ?? 'both';
  if (!['mono', 'dual'].includes(channels)) throw new ApiError(400, 20001, 'Invalid RecordingChannels');
  if (!['inbound', 'outbound', 'both'].includes(track)) throw new ApiError(400, 20001, 'Invalid RecordingTrack');
  return { channels: channels === 'dual' ? 2 : 1, track, callback: readCallback(fields) } as const;
}

function readCallback(fields: Fields): RecordingCallback | null {
  const given = readUrl(fields, 'RecordingStatusCallback', 'RecordingStatusCallbackMethod', 21609);
  if (!given) return null;
  const events = many(fields, 'RecordingStatusCallbackEvent').flatMap((event) => event.split(/[\s,]+/));
  if (events.some((event) => !EVENTS.has(event)))
    throw new ApiError(400, 20001, 'Invalid RecordingStatusCallbackEvent');
  return { ...given, events: new Set(events.length > 0 ? events : ['completed']) };
}
