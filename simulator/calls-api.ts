import { type Request, Router } from 'express';
import { ApiError, notFound } from './api-errors';
import { filterCalls } from './call-list';
import { type Fields, one, readDocument, readPlacedCall, readStatusCallback, readUrl } from './call-parameters';
import { callResource } from './call-resource';
import type { Engine } from './engine';
import type { Leg } from './leg';
import { pageOf } from './listing';
import type { Serve } from './rest-route';

/** `…/Calls`: create, list, read, update, delete. @param account path of the account */
export function createCallsApi(engine: Engine, serve: Serve, account: string): Router {
  const router = Router();
  const list = `${account}/Calls.json`;
  const each = `${account}/Calls/:sid.json`;
  const legOf = (req: Request): Leg => {
    const leg = engine.find(String(req.params.sid));
    if (!leg) throw notFound(req.path);
    return leg;
  };
  const resource = (leg: Leg) => callResource(leg, engine.accountSid, engine.clock, engine.settings.priceAfterMs);
  const addressee = (req: Request) => engine.find(String(req.params.sid))?.to;
  const asked = (_req: Request, fields: Fields) => one(fields, 'To');

  router.post(
    list,
    serve({
      place: 'create',
      addressee: asked,
      work: (_req, fields) => {
        const leg = engine.placeCall(readPlacedCall(fields, (number) => engine.canCall(number)));
        return { status: 201, body: resource(leg) };
      },
    }),
  );
  router.get(
    list,
    serve({
      place: 'list',
      addressee: asked,
      work: (_req, fields) => {
        const page = pageOf(filterCalls(engine.all(true), fields), fields, list);
        return { status: 200, body: { calls: page.items.map(resource), ...page.envelope } };
      },
    }),
  );
  router.get(each, serve({ place: 'read', addressee, work: (req) => ({ status: 200, body: resource(legOf(req)) }) }));
  router.post(
    each,
    serve({
      place: 'update',
      addressee,
      work: (req, fields) => {
        const leg = legOf(req);
        updateCall(leg, fields);
        return { status: 200, body: resource(leg) };
      },
    }),
  );
  router.delete(
    each,
    serve({
      place: 'update',
      addressee,
      work: (req) => {
        const leg = legOf(req);
        if (!leg.isOver) throw new ApiError(409, 20009, 'Cannot delete this resource while the call is in progress');
        engine.forget(leg.sid);
        return { status: 204, body: null };
      },
    }),
  );
  return router;
}

/**
 * `Status=completed` ends a call in any state, `canceled` only one that nobody has answered; a call that is
 * over stays as it is. New TwiML needs a call in progress.
 * @throws ApiError 400
 */
function updateCall(leg: Leg, fields: Fields): void {
  const status = one(fields, 'Status');
  const document = readDocument(fields);
  const statusCallback = readStatusCallback(fields);
  const fallback = readUrl(fields, 'FallbackUrl', 'FallbackMethod');
  if (status !== undefined && status !== 'completed' && status !== 'canceled') {
    throw new ApiError(400, 21218, `Invalid Status: must be 'canceled' or 'completed'`);
  }
  if (document && !status && !leg.isUp) {
    throw new ApiError(400, 21220, 'Invalid call state. Call is not in-progress. Cannot redirect.');
  }
  if (statusCallback) {
    leg.statusCallback = statusCallback;
    leg.urls.add(statusCallback.url);
  }
  if (fallback) leg.fallback = fallback;
  if (status === 'completed') leg.end(leg.isUp ? 'completed' : 'canceled');
  else if (status === 'canceled' && !leg.isUp) leg.end('canceled');
  else if (document) leg.redirect(document);
}
