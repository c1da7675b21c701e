import { timingSafeEqual } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { ApiError, internalError, notFound, tooManyRequests, unauthorized } from './api-errors';
import { listCalls } from './call-list';
import { type Fields, one, readDocument, readPlacedCall, readStatusCallback, readUrl } from './call-parameters';
import { callResource } from './call-resource';
import { pause } from './clock';
import type { Engine } from './engine';
import type { Leg } from './leg';
import type { Fault, FaultPlace } from './types';
import { rfc2822 } from './webhook-parameters';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Credentials {
  readonly accountSid: string;
  readonly authToken: string;
  /** API key SID → secret. */
  readonly apiKeys: Readonly<Record<string, string>>;
}

const VERSION = '/2010-04-01';
/** A request that hangs is cut off after this long, unless the fault says otherwise. */
const HANG_MS = 60_000;

/** Twilio's REST API, as much of it as there is: one account, its calls and its numbers. */
export function createRestApi(engine: Engine, credentials: Credentials): Router {
  const router = Router();
  const startedAt = new Date();
  const account = `${VERSION}/Accounts/${credentials.accountSid}`;
  const legOf = (req: Request): Leg => {
    const leg = engine.find(String(req.params.sid));
    if (!leg) throw notFound(req.path);
    return leg;
  };
  const resource = (leg: Leg) => callResource(leg, engine.accountSid, engine.clock);

  /** One route: credentials, fault plan, the work, the record, the answer. */
  const serve = (place: FaultPlace | null, work: (req: Request, fields: Fields) => Answer) => {
    return async (req: Request, res: Response) => {
      const form = fieldsOf(typeof req.body === 'string' ? req.body : '');
      const query = fieldsOf(req.originalUrl.split('?')[1] ?? '');
      const fields = req.method === 'GET' ? query : form;
      let fault: Fault | null = null;
      let answer: Answer;
      try {
        // First, as with Twilio: without credentials nothing is learnt, and no fault of a plan is used up.
        checkCredentials(req, credentials);
        fault = place ? engine.faults.take(place, { to: addresseeOf(engine, req, fields) }) : null;
        answer = withFault(fault, () => work(req, fields));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        answer = { status: error.status, body: error.body() };
      }
      if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
      if (fault?.kind === 'hang') await pause(fault.delayMs ?? HANG_MS);
      const path = req.originalUrl.split('?')[0] ?? '';
      const at = new Date().toISOString();
      // Headers are left out: they hold the credentials.
      engine.noteExchange({
        method: req.method,
        path,
        query,
        form,
        status: answer.status,
        answer: answer.body,
        fault: fault?.kind ?? null,
        at,
      });
      if (fault?.kind === 'reset' || fault?.kind === 'drop-response' || fault?.kind === 'hang') {
        res.socket?.destroy();
        return;
      }
      res.setHeader('Twilio-Request-Id', `RQ${crypto.randomUUID().replaceAll('-', '')}`);
      if (answer.status === 429) res.setHeader('Retry-After', String(Math.ceil((fault?.delayMs ?? 1_000) / 1000)));
      if (answer.status === 204) res.status(204).end();
      else res.status(answer.status).json(answer.body);
    };
  };

  router.get(
    `${account}.json`,
    serve('read', () => ({
      status: 200,
      body: {
        sid: credentials.accountSid,
        owner_account_sid: credentials.accountSid,
        friendly_name: 'Kindline simulator',
        status: 'active',
        type: 'Full',
        // Twilio shows it here. Nobody needs it twice.
        auth_token: null,
        date_created: rfc2822(startedAt),
        date_updated: rfc2822(startedAt),
        uri: `${account}.json`,
        subresource_uris: {
          calls: `${account}/Calls.json`,
          incoming_phone_numbers: `${account}/IncomingPhoneNumbers.json`,
        },
      },
    })),
  );
  router.post(
    `${account}/Calls.json`,
    serve('create', (_req, fields) => {
      const leg = engine.placeCall(readPlacedCall(fields, (number) => engine.ownsNumber(number)));
      return { status: 201, body: resource(leg) };
    }),
  );
  router.get(
    `${account}/Calls.json`,
    serve('list', (_req, fields) => {
      const page = listCalls(engine.all(true), fields, `${account}/Calls.json`);
      const start = page.page * page.pageSize;
      return {
        status: 200,
        body: {
          calls: page.calls.map(resource),
          page: page.page,
          page_size: page.pageSize,
          start,
          end: Math.max(start, start + page.calls.length - 1),
          uri: page.uri,
          first_page_uri: page.firstUri,
          next_page_uri: page.nextUri,
          previous_page_uri: page.previousUri,
        },
      };
    }),
  );
  router.get(
    `${account}/Calls/:sid.json`,
    serve('read', (req) => ({ status: 200, body: resource(legOf(req)) })),
  );
  router.post(
    `${account}/Calls/:sid.json`,
    serve('update', (req, fields) => {
      const leg = legOf(req);
      updateCall(leg, fields);
      return { status: 200, body: resource(leg) };
    }),
  );
  router.delete(
    `${account}/Calls/:sid.json`,
    serve('update', (req) => {
      const leg = legOf(req);
      if (!leg.isOver) throw new ApiError(409, 20009, 'Cannot delete this resource while the call is in progress');
      engine.forget(leg.sid);
      return { status: 204, body: null };
    }),
  );
  const numbers = `${account}/IncomingPhoneNumbers`;
  router.get(
    `${numbers}.json`,
    serve('list', (_req, fields) => {
      const found = engine.numbers.search(fields);
      // An account with more numbers than fit a page would need a simulator of its own.
      const page = { page: 0, page_size: 50, start: 0, end: Math.max(0, found.length - 1) };
      const uri = `${numbers}.json?PageSize=50&Page=0`;
      const uris = { uri, first_page_uri: uri, next_page_uri: null, previous_page_uri: null };
      return { status: 200, body: { incoming_phone_numbers: found, ...page, ...uris } };
    }),
  );
  const ofNumber = (req: Request, resource: unknown): Answer => {
    if (resource === null) throw notFound(req.path);
    return { status: 200, body: resource };
  };
  router.get(
    `${numbers}/:number.json`,
    serve('read', (req) => ofNumber(req, engine.numbers.read(String(req.params.number)))),
  );
  router.post(
    `${numbers}/:number.json`,
    serve('update', (req, fields) => ofNumber(req, engine.numbers.update(String(req.params.number), fields))),
  );
  // Another account, another resource or another version: all the same to somebody who may not know.
  router.use(
    VERSION,
    serve(null, (req) => {
      throw notFound(req.originalUrl.split('?')[0] ?? '');
    }),
  );
  return router;
}

/** Does the work, or not, or does it and says otherwise. @throws ApiError as the fault wants it */
function withFault(fault: Fault | null, work: () => Answer): Answer {
  switch (fault?.kind) {
    case 'error-500-before':
    case 'reset':
      throw internalError();
    case 'rate-limit':
      throw tooManyRequests();
    case 'unauthorized':
      throw unauthorized();
    case 'error-500-after':
      work();
      throw internalError();
    default:
      return work();
  }
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

/** @throws ApiError 401 unless the request has the account's token or one of its API keys */
function checkCredentials(req: Request, credentials: Credentials): void {
  const [scheme, encoded] = (req.headers.authorization ?? '').split(' ');
  const [user = '', ...rest] = Buffer.from(encoded ?? '', 'base64')
    .toString('utf8')
    .split(':');
  const expected = user === credentials.accountSid ? credentials.authToken : credentials.apiKeys[user];
  if (scheme !== 'Basic' || expected === undefined || !isSame(rest.join(':'), expected)) throw unauthorized();
}

/** In constant time, as a service should; this is an example to be read as well. */
function isSame(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The number a fault may be limited to. */
function addresseeOf(engine: Engine, req: Request, fields: Fields): string {
  const sid = req.params.sid;
  return (typeof sid === 'string' ? engine.find(sid)?.to : one(fields, 'To')) ?? '';
}

/** A form or query; a field that is repeated (StatusCallbackEvent) becomes a list. */
function fieldsOf(text: string): Fields {
  const fields: Record<string, string | readonly string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return fields;
}
