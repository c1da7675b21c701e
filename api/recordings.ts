import type { Request, Response } from 'express';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { findCall } from '../db/calls';
import { inTransaction } from '../db/pool';
import { giveBackRecordingLink, keepRecordingLink, takeRecordingLink } from '../db/recording-links';
import { findRecording, listRecordings, noteRecordingStatus, type Recording } from '../db/recordings';
import { RECORDING_LINK_MS } from '../domain/recording';
import { linkHash, newLinkToken } from '../vault/link-tokens';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { recordingLinkShape, recordingPage, recordingShape } from './recordings-shapes';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';

/** Recordings, for admins: which there are, and how to listen to one. The sound passes through and is never kept. */
export function recordings(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /mentor-calls/:callId/recordings', async (req, res, caller) => {
    const callId = checkedId(req, 'callId');
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /mentor-calls/:callId/recordings', caller.subjectId, callId];
    const place = { callId, limit, cursor: checkedCursor(deps.tokenizer, scope, cursor) };
    const page = await listRecordings(deps.pool, place);
    // A recording may outlive the row of its call.
    if (page.rows.length === 0 && (await findCall(deps.pool, callId)) === null) throw new Problem('not-found');
    const entry = {
      actor: caller.subjectId,
      action: 'call-recording.read',
      objectId: callId,
      outcome: 'done',
    } as const;
    await appendAudit(deps.pool, entry);
    const answer: z.input<typeof recordingPage> = {
      recordings: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('POST /mentor-calls/:callId/recordings/:recordingId/link', async (req, res, caller) => {
    const recordingId = checkedId(req, 'recordingId');
    const recording = await lookedAt(deps, checkedId(req, 'callId'), recordingId);
    if (recording === null) throw new Problem('not-found');
    if (stateOf(recording) !== 'completed') throw new Problem('recording-not-there');
    const token = newLinkToken();
    const hash = hashOf(token);
    const link = { hash, recordingId, madeBy: caller.subjectId, forMs: RECORDING_LINK_MS };
    const expiresAt = await inTransaction(deps.pool, (tx) => keepRecordingLink(tx, link));
    const answer: z.input<typeof recordingLinkShape> = {
      url: `${deps.config.api.publicBaseUrl}/recordings/${token}`,
      expiresAt: expiresAt.toISOString(),
    };
    res.status(201).json(answer);
  });

  routes.open('GET /recordings/:token', async (req, res) => {
    // Looking whether it is there would use it up.
    if (req.method === 'HEAD') {
      res.status(405).set('Allow', 'GET').end();
      return;
    }
    await listen(deps, req, res);
  });
}

/** As it is: where no callback has told that it is over, Twilio is asked. */
async function lookedAt(deps: ApiDeps, callId: string, recordingId: string): Promise<Recording | null> {
  const known = await findRecording(deps.pool, callId, recordingId);
  if (known === null || known.recordingSid === null || isFinal(known)) return known;
  const told = await deps.recordings.read(known.recordingSid).catch(() => null);
  if (told === null || (told.status !== 'completed' && told.status !== 'absent')) return known;
  const { status, durationSeconds } = told;
  await noteRecordingStatus(deps.pool, { sid: known.recordingSid, status, durationSeconds });
  return findRecording(deps.pool, callId, recordingId);
}

function isFinal(recording: Recording): boolean {
  return !['requested', 'in-progress'].includes(stateOf(recording));
}

/** One who opens a used link learns no more than one who made it up. */
async function listen(deps: ApiDeps, req: Request, res: Response): Promise<void> {
  const { token } = req.params;
  const hash = typeof token === 'string' ? linkHash(token) : null;
  const taken = hash === null ? null : await inTransaction(deps.pool, (tx) => takeRecordingLink(tx, hash));
  if (hash === null || taken === null) throw new Problem('link-over');
  const { recordingId } = taken;
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  let media: Awaited<ReturnType<ApiDeps['recordings']['open']>>;
  try {
    media = await deps.recordings.open(taken.recordingSid, gone.signal);
  } catch (error) {
    deps.logger.warn({ recordingId, error }, 'a recording could not be had');
    await inTransaction(deps.pool, (tx) => giveBackRecordingLink(tx, hash, taken));
    throw new Problem('temporarily-unavailable');
  }
  if (media === null) throw new Problem('link-over');
  res.status(200).set({
    'Cache-Control': 'no-store',
    'Content-Type': media.contentType,
    'Content-Disposition': `attachment; filename="recording-${recordingId}.mp3"`,
    'Accept-Ranges': 'none',
    ...(media.length === null ? {} : { 'Content-Length': String(media.length) }),
  });
  try {
    // As fast as it is taken, and no further.
    await pipeline(media.stream, res);
  } catch (error) {
    // Headers are gone: whoever listens sees that it ends too early.
    deps.logger.warn({ recordingId, error }, 'a recording was not heard to its end');
  }
}

function hashOf(token: string): Buffer {
  const hash = linkHash(token);
  if (hash === null) throw new Error('A new token has the form of one');
  return hash;
}

type Shown = z.input<typeof recordingShape>;

function shown(recording: Recording): Shown {
  const { recordingId, durationSeconds, agreedAt, startedAt, endedAt, deletionConfirmedAt } = recording;
  return {
    recordingId,
    state: stateOf(recording),
    durationSeconds,
    agreedAt: agreedAt.toISOString(),
    startedAt: startedAt?.toISOString() ?? null,
    endedAt: endedAt?.toISOString() ?? null,
    deletedAt: deletionConfirmedAt?.toISOString() ?? null,
  };
}

function stateOf({ state, mustGo, deletedAt, deletionConfirmedAt }: Recording): Shown['state'] {
  if (deletionConfirmedAt !== null) return 'deleted';
  return mustGo || deletedAt !== null ? 'deleting' : state;
}
