import type { z } from 'zod';
import { findHold, type LegalHold, liftHold, listHolds, placeHold } from '../db/legal-holds';
import { inTransaction } from '../db/pool';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest, madeOnce } from './idempotency';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import { type legalHoldPage, type legalHoldShape, legalHoldsQuery, newLegalHold } from './retention-shapes';
import type { Routes } from './routes';

/** Whose data must not leave, as admins say. */
export function legalHolds(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /legal-holds', async (req, res, caller) => {
    const asked = checkedBody(newLegalHold, req);
    const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, 'POST /legal-holds');
    let stood = false;
    const holdId = await madeOnce(deps.pool, request, async (tx) => {
      const placed = await placeHold(tx, { ...asked, actor: caller.subjectId });
      if (placed === null) {
        const detail = 'A person whose data is still held is expected here.';
        throw new Problem('not-found', { errors: [{ pointer: '#/subjectId', detail }] });
      }
      stood = !placed.isNew;
      return placed.hold.holdId;
    });
    const hold = await findHold(deps.pool, holdId);
    if (hold === null) throw new Problem('not-found');
    res.status(stood ? 200 : 201).json(shown(hold));
  });

  routes.signedIn('GET /legal-holds', async (req, res, caller) => {
    const { cursor, limit, standing, subjectId } = checkedQuery(legalHoldsQuery, req);
    const scope: CursorScope = ['GET /legal-holds', caller.subjectId, String(standing ?? ''), subjectId ?? ''];
    const place = { limit, cursor: checkedCursor(deps.tokenizer, scope, cursor) };
    const page = await listHolds(deps.pool, { standing, subjectId, ...place });
    const answer: z.input<typeof legalHoldPage> = {
      legalHolds: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('DELETE /legal-holds/:holdId', async (req, res, caller) => {
    const holdId = checkedId(req, 'holdId');
    const hold = await inTransaction(deps.pool, (tx) => liftHold(tx, holdId, caller.subjectId));
    if (hold === null) throw new Problem('not-found');
    res.json(shown(hold));
  });
}

function shown({ placedAt, liftedAt, ...hold }: LegalHold): z.input<typeof legalHoldShape> {
  return { ...hold, placedAt: placedAt.toISOString(), liftedAt: liftedAt?.toISOString() ?? null };
}
