import type { z } from 'zod';
import { resendEvent } from '../db/app-event-delivery';
import { listAppEvents } from '../db/app-event-lists';
import type { AppEventRow } from '../db/app-event-rows';
import { appendAudit } from '../db/audit';
import { inTransaction } from '../db/pool';
import { type appEventPage, type appEventShape, appEventsQuery } from './app-events-shapes';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';

/** What the app was told, for whoever has to find out why it does not know something, and to tell it again. */
export function appEvents(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /app-events', async (req, res, caller) => {
    const { cursor, limit, ...filter } = checkedQuery(appEventsQuery, req);
    const { delivery, type, subjectId, objectId, from, until } = filter;
    const asked = [delivery, type, subjectId, objectId, from, until].map((value) => value ?? '');
    const scope: CursorScope = ['GET /app-events', caller.subjectId, ...asked];
    const place = { limit, cursor: checkedCursor(deps.tokenizer, scope, cursor) };
    const page = await listAppEvents(deps.pool, { ...filter, ...place });
    const answer: z.input<typeof appEventPage> = {
      appEvents: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('POST /app-events/:eventId/resend', async (req, res, caller) => {
    const eventId = checkedId(req, 'eventId');
    const event = await inTransaction(deps.pool, async (tx) => {
      const due = await resendEvent(tx, eventId);
      if (due === null) throw new Problem('not-found');
      const { subjectId: actor } = caller;
      await appendAudit(tx, {
        actor,
        action: 'app-event.resent',
        objectId: eventId,
        purpose: due.type,
        outcome: 'done',
      });
      return due;
    });
    res.status(202).json(shown(event));
  });
}

function shown({
  happenedAt,
  nextAttemptAt,
  giveUpAt,
  deliveredAt,
  ...rest
}: AppEventRow): z.input<typeof appEventShape> {
  return {
    ...rest,
    happenedAt: happenedAt.toISOString(),
    nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
    giveUpAt: giveUpAt.toISOString(),
    deliveredAt: deliveredAt?.toISOString() ?? null,
  };
}
