import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { findEvent, listEvents, markHandled, noteFailedHandling, type StoredEvent } from '../db/webhook-events';
import { handleCallStatus } from './call-status';
import { handleMessageStatus } from './message-status';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import type { EventHandler } from './event-handlers';
import { handleInboundText } from './inbound-texts';
import { handleMailEvent } from './mail-events';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import { handleRecordingStatus } from './recording-status';
import type { Routes } from './routes';
import { eventsQuery, type replayShape, type webhookEventPage, type webhookEventShape } from './webhook-events-shapes';

/**
 * What to do with a stored event, by its type: the handler that its webhook has. An event holds ids and states only, so
 * one that needs more finds it in the vault, by the record ids in the event's payload.
 */
const HANDLERS: Readonly<Record<string, EventHandler>> = {
  'call-status': handleCallStatus,
  'inbound-text': handleInboundText,
  'mail-event': handleMailEvent,
  'message-status': handleMessageStatus,
  'recording-status': handleRecordingStatus,
};

/** Events of Twilio's, for whoever has to find out what became of one, and to hand it over again. */
export function webhookEvents(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /webhook-events', async (req, res, caller) => {
    const { cursor, limit, handled, failed, ...filter } = checkedQuery(eventsQuery, req);
    const { type, callId, messageId, alertId, sid, from, until } = filter;
    const asked = [handled, failed, type, callId, messageId, alertId, sid, from, until].map((value) => value ?? '');
    const scope: CursorScope = ['GET /webhook-events', caller.subjectId, ...asked];
    const page = await listEvents(deps.pool, {
      ...filter,
      failed: failed === 'true',
      handled: handled === undefined ? undefined : handled === 'true',
      limit,
      cursor: checkedCursor(deps.tokenizer, scope, cursor),
    });
    const answer: z.input<typeof webhookEventPage> = {
      webhookEvents: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('POST /webhook-events/:eventId/replay', async (req, res, caller) => {
    const eventId = checkedId(req, 'eventId');
    const event = await findEvent(deps.pool, eventId);
    if (event === null) throw new Problem('not-found');
    const handle = HANDLERS[event.type]?.(deps, event) ?? null;
    if (handle === null) throw new Problem('event-not-replayable');
    const entry = {
      actor: caller.subjectId,
      action: 'webhook-event.replayed',
      objectId: eventId,
      purpose: event.type,
    } as const;
    // Before it is handed over: there is never a replay without its entry.
    await appendAudit(deps.pool, { ...entry, outcome: 'done' });
    try {
      const answer: z.input<typeof replayShape> = { eventId, result: await handle() };
      await markHandled(deps.pool, event.seenKey);
      res.json(answer);
    } catch (error) {
      await appendAudit(deps.pool, { ...entry, outcome: 'failed' });
      await noteFailedHandling(deps.pool, event.seenKey, error instanceof Error ? error.name : 'Error');
      throw error;
    }
  });
}

function shown(event: StoredEvent): z.input<typeof webhookEventShape> {
  const { seenKey: _ours, receivedAt, handledAt, ...rest } = event;
  return { ...rest, receivedAt: receivedAt.toISOString(), handledAt: handledAt?.toISOString() ?? null };
}
