import { once } from 'node:events';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { type EventPlace, eventsAfter, placeAfter, placeOfNow } from '../db/app-event-lists';
import { type AppEventBody, appEventBody } from '../domain/app-events';
import { ownEventsQuery, type ownEvents } from './app-events-shapes';
import type { SignedIn } from './authentication';
import { checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { createEventFeed, type EventFeed } from './event-feed';
import { FEED_PAGE, MOST_STREAMS, MOST_STREAMS_PER_PERSON, STREAM_BEAT, STREAM_PATIENCE } from './limits';
import { Problem } from './problems';
import type { Routes } from './routes';

/**
 * `GET /events`: what happens to what the signed-in person has asked for, and to nobody else's. As server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html) for whoever accepts them, else as a list to poll.
 * `Last-Event-ID` goes on after that event, from the table: a connection that broke loses nothing.
 */
export function eventStream(routes: Routes, deps: ApiDeps): void {
  const feed = createEventFeed(deps);
  routes.signedIn('GET /events', async (req, res, caller) => {
    const { limit } = checkedQuery(ownEventsQuery, req);
    if (req.accepts(['json', 'text/event-stream']) !== 'text/event-stream') return list(deps, req, res, caller, limit);
    if (feed.count(caller.subjectId) >= MOST_STREAMS_PER_PERSON) {
      throw new Problem('too-many-requests', { retryAfterSeconds: STREAM_BEAT / 1_000 });
    }
    if (feed.count() >= MOST_STREAMS) throw new Problem('temporarily-unavailable');
    const id = lastEventId(req);
    const from = await (id === null ? placeOfNow(deps.pool) : placeAfter(deps.pool, caller.subjectId, id));
    await stream({ deps, feed, res, caller, from });
  });
}

async function list(deps: ApiDeps, req: Request, res: Response, { subjectId }: SignedIn, limit: number): Promise<void> {
  const id = lastEventId(req);
  // Whoever polls and has nothing yet wants what there is.
  const from = id === null ? { txid: '0', position: '0' } : await placeAfter(deps.pool, subjectId, id);
  const found = await eventsAfter(deps.pool, subjectId, from, limit);
  const answer: z.input<typeof ownEvents> = {
    events: found.map(({ event }) => ({ id: event.eventId, ...appEventBody(event) })),
    lastEventId: found.at(-1)?.event.eventId ?? id,
  };
  res.json(answer);
}

/** One that is not ours, or is not kept any more, leads to the oldest that is kept. */
function lastEventId(req: Request): string | null {
  const given = req.get('Last-Event-ID');
  if (given === undefined || given === '') return null;
  const id = z.uuid().safeParse(given);
  return id.success ? id.data.toLowerCase() : NOBODYS_EVENT;
}
const NOBODYS_EVENT = '00000000-0000-0000-0000-000000000000';

interface Stream {
  readonly deps: ApiDeps;
  readonly feed: EventFeed;
  readonly res: Response;
  readonly caller: SignedIn;
  readonly from: EventPlace;
}

/** Ends when the client goes, the access token expires, or the process is told to end. */
async function stream({ deps, feed, res, caller, from }: Stream): Promise<void> {
  const { subjectId, tokenExpiresAt } = caller;
  // Whoever went while their place was looked up: nothing would tell us a second time.
  if (res.destroyed) return;
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  // nginx would hold it back until a buffer is full.
  res.set({ 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' }).flushHeaders();
  res.write(`retry: ${STREAM_BEAT / 5}\n\n`);

  // A reader that is asked to read while it reads looks once more afterwards.
  let wanted = true;
  let wake: () => void = () => undefined;
  const end = () => gone.abort();
  const leave = feed.join({
    subjectId,
    end,
    wake: () => {
      wanted = true;
      wake();
    },
  });
  const beat = setInterval(() => res.write(': \n\n'), STREAM_BEAT);
  // Somebody who is signed out, or has lost the role, hears nothing beyond what the token allows.
  const expiry = setTimeout(end, Math.min(tokenExpiresAt.getTime() - Date.now(), LONGEST_TIMER));
  gone.signal.addEventListener('abort', () => wake());
  try {
    for (let place = from; !gone.signal.aborted; ) {
      if (!wanted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      wanted = false;
      const events = await read(deps, subjectId, place);
      // A full page: there is more; a failed one is read again after a while.
      if (events === null || events.length === FEED_PAGE) wanted = true;
      for (const { event, place: after } of events ?? []) {
        await written(res, sse(event.eventId, appEventBody(event)), gone.signal);
        place = after;
      }
      if (events === null) await pause(gone.signal);
    }
  } finally {
    leave();
    clearInterval(beat);
    clearTimeout(expiry);
    res.end();
  }
}

/** Milliseconds, when Postgres did not answer. */
const READ_AGAIN_AFTER = 2_000;
/** Node fires a timer at once whose time does not fit 31 bits. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Null when Postgres does not answer: the stream stays open, for it will again. */
async function read(deps: ApiDeps, subjectId: string, place: EventPlace) {
  try {
    return await eventsAfter(deps.pool, subjectId, place, FEED_PAGE);
  } catch (error) {
    deps.logger.warn({ route: '/events', error }, 'a stream could not be read');
    return null;
  }
}

function sse(id: string, body: AppEventBody): string {
  return `id: ${id}\ndata: ${JSON.stringify(body)}\n\n`;
}

/** Waits for a client that reads slowly, so that its events are not kept in memory; one that has stopped is cut off. */
async function written(res: Response, text: string, gone: AbortSignal): Promise<void> {
  if (gone.aborted || res.write(text)) return;
  const signal = AbortSignal.any([gone, AbortSignal.timeout(STREAM_PATIENCE)]);
  await once(res, 'drain', { signal }).catch(() => res.destroy());
}

async function pause(gone: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([gone, AbortSignal.timeout(READ_AGAIN_AFTER)]);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
