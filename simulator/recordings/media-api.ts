import { Router } from 'express';
import { ApiError, internalError, notFound } from '../api-errors';
import { pause } from '../clock';
import type { Engine } from '../engine';
import { checkCredentials, type Credentials, pathOf } from '../rest-route';
import { mp3, wav } from './sound';

/** A request that hangs is cut off after this long, unless the fault says otherwise. */
const HANG_MS = 60_000;
const NAME = /^(RE[0-9a-fA-F]{32})(?:\.(wav|mp3))?$/;

/** `…/Recordings/{sid}`, `.wav` and `.mp3`: the sound. No resource of the REST API, and in no record of exchanges. */
export function createMediaApi(engine: Engine, credentials: Credentials, account: string): Router {
  const router = Router();
  router.get(`${account}/Recordings/:file`, async (req, res) => {
    const [, sid = '', ending = 'wav'] = NAME.exec(req.params.file) ?? [];
    const recording = engine.recordings.find(sid);
    try {
      // As an account is set: Twilio gives sound to everybody who knows the address unless it was told not to.
      if (engine.settings.mediaNeedsAuth) checkCredentials(req, credentials);
      const fault = engine.faults.take('media', { to: recording?.options.to ?? '' });
      if (fault?.kind === 'error-500-before') throw internalError();
      if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
      if (fault?.kind === 'hang') await pause(fault.delayMs ?? HANG_MS);
      if (fault?.kind === 'reset' || fault?.kind === 'hang') {
        res.socket?.destroy();
        return;
      }
      if (recording?.status !== 'completed') throw notFound(pathOf(req));
      const sound = ending === 'mp3' ? mp3(recording.seconds ?? 0) : wav(recording.seconds ?? 0);
      res.set({ 'Content-Type': ending === 'mp3' ? 'audio/mpeg' : 'audio/x-wav', 'Content-Length': sound.length });
      // Half of it, and then nothing more.
      if (fault?.kind === 'drop-response') {
        res.write(sound.subarray(0, sound.length / 2), () => res.socket?.destroy());
        return;
      }
      res.end(sound);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      res.status(error.status).json(error.body());
    }
  });
  return router;
}
