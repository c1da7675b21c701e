import { timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import { ApiError, internalError, tooManyRequests, unauthorized } from './api-errors';
import type { Fields } from './call-parameters';
import { pause } from './clock';
import type { Engine } from './engine';
import type { Fault, FaultPlace } from './types';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Credentials {
  readonly accountSid: string;
  readonly authToken: string;
  /** API key SID → secret. */
  readonly apiKeys: Readonly<Record<string, string>>;
}

export interface RouteOptions {
  /** Where the plan of faults is asked; null: nowhere. */
  readonly place: FaultPlace | null;
  /** The number that a fault may be limited to. */
  readonly addressee?: (req: Request, fields: Fields) => string | undefined;
  /** @throws ApiError what is to be answered instead */
  readonly work: (req: Request, fields: Fields) => Answer;
}

export type Serve = (options: RouteOptions) => (req: Request, res: Response) => Promise<void>;

export const VERSION = '/2010-04-01';
/** A request that hangs is cut off after this long, unless the fault says otherwise. */
const HANG_MS = 60_000;

/** @returns what makes a route: credentials, fault plan, the work, the record, the answer */
export function createServe(engine: Engine, credentials: Credentials): Serve {
  return ({ place, addressee, work }) =>
    async (req, res) => {
      const form = fieldsOf(typeof req.body === 'string' ? req.body : '');
      const query = fieldsOf(req.originalUrl.split('?')[1] ?? '');
      const fields = req.method === 'GET' ? query : form;
      let fault: Fault | null = null;
      let answer: Answer;
      try {
        // First, as with Twilio: without credentials nothing is learnt, and no fault of a plan is used up.
        checkCredentials(req, credentials);
        fault = place ? engine.faults.take(place, { to: addressee?.(req, fields) ?? '' }) : null;
        answer = withFault(fault, () => work(req, fields));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        answer = { status: error.status, body: error.body() };
      }
      if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
      if (fault?.kind === 'hang') await pause(fault.delayMs ?? HANG_MS);
      // Headers are left out: they hold the credentials.
      engine.noteExchange({
        method: req.method,
        path: pathOf(req),
        query,
        form,
        status: answer.status,
        answer: answer.body,
        fault: fault?.kind ?? null,
        at: new Date().toISOString(),
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
}

/** As it was asked for, without the query. */
export function pathOf(req: Request): string {
  return req.originalUrl.split('?')[0] ?? '';
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

/** @throws ApiError 401 unless the request has the account's token or one of its API keys */
export function checkCredentials(req: Request, credentials: Credentials): void {
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

/** A form or query; a field that is repeated (StatusCallbackEvent) becomes a list. */
function fieldsOf(text: string): Fields {
  const fields: Record<string, string | readonly string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return fields;
}
