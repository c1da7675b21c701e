import { type Request, Router } from 'express';
import { ApiError, notFound } from '../api-errors';
import { type Fields, one } from '../call-parameters';
import type { Engine } from '../engine';
import { isAsked, isInTime, pageOf } from '../listing';
import type { Serve } from '../rest-route';
import type { Text } from './text';
import { readPlacedText } from './text-parameters';
import { textResource } from './text-resource';

/** `…/Messages`: create, list, read, redact, delete. @param account path of the account */
export function createTextsApi(engine: Engine, serve: Serve, account: string): Router {
  const router = Router();
  const { texts } = engine;
  const list = `${account}/Messages.json`;
  const each = `${account}/Messages/:sid.json`;
  const textOf = (req: Request): Text => {
    const text = texts.find(String(req.params.sid));
    if (!text) throw notFound(req.path);
    return text;
  };
  const resource = (text: Text) => textResource(text, engine.accountSid, engine.clock, engine.settings.priceAfterMs);
  const addressee = (req: Request) => texts.find(String(req.params.sid))?.to;
  const asked = (_req: Request, fields: Fields) => one(fields, 'To');

  router.post(
    list,
    serve({
      place: 'create-message',
      addressee: asked,
      work: (_req, fields) => ({ status: 201, body: resource(texts.place(readPlacedText(fields))) }),
    }),
  );
  router.get(
    list,
    serve({
      place: 'list-messages',
      addressee: asked,
      work: (_req, fields) => {
        const page = pageOf(texts.listed().filter(isWanted(fields)), fields, list);
        return { status: 200, body: { messages: page.items.map(resource), ...page.envelope } };
      },
    }),
  );
  router.get(
    each,
    serve({ place: 'read-message', addressee, work: (req) => ({ status: 200, body: resource(textOf(req)) }) }),
  );
  router.post(
    each,
    serve({
      place: 'update-message',
      addressee,
      work: (req, fields) => {
        const text = textOf(req);
        update(text, fields);
        return { status: 200, body: resource(text) };
      },
    }),
  );
  router.delete(
    each,
    serve({
      place: 'update-message',
      addressee,
      work: (req) => {
        const text = textOf(req);
        if (!text.isOver && text.isUnsent) {
          throw new ApiError(409, 20009, 'Cannot delete this resource before it is complete');
        }
        texts.forget(text.sid);
        return { status: 204, body: null };
      },
    }),
  );
  return router;
}

/** A message that is not sent yet has no `date_sent`, and a service's no `from`: neither filter finds it. */
function isWanted(query: Fields): (text: Text) => boolean {
  return (text) =>
    isAsked(query, 'To', text.to) &&
    isAsked(query, 'From', text.from) &&
    isInTime(query, 'DateSent', text.direction === 'inbound' ? text.createdAt : text.sentAt);
}

/** An empty `Body` redacts; nothing else can be changed. @throws ApiError 400 */
function update(text: Text, fields: Fields): void {
  const [body, status] = [one(fields, 'Body'), one(fields, 'Status')];
  if (status !== undefined) throw new ApiError(400, 30409, 'Only a scheduled message can be canceled');
  if (body === undefined) return;
  if (body !== '') throw new ApiError(400, 20001, 'Body can only be made empty');
  if (text.isUnsent) throw new ApiError(400, 20009, 'Cannot redact this resource before it is complete');
  text.redact();
}
