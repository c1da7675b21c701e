import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';

/** What is known about a request while it is answered; nothing here is sealed data. */
export interface RequestContext {
  /** Ours, never the client's: a header of theirs could carry anything into our logs. */
  readonly requestId: string;
  readonly startedAt: number;
  /** The route's pattern once one matched; URLs themselves are never logged. */
  route: string | null;
  /** ISO country of the caller, as soon as something tells it; decides which helplines an answer names. */
  country: string | null;
  /** Whether a person reads the answer: then a problem is a page too. */
  isPage: boolean;
  /** Of a page that a link in a message leads to: its reader has no account, and nowhere else to go. */
  isLinkPage: boolean;
  /** Of who is signed in to the pages: whoever is here with the wrong account can sign out. */
  formToken: string | null;
}

const contexts = new WeakMap<Response, RequestContext>();

/** The context of the request that `res` answers; made when first asked for. */
export function contextOf(res: Response): RequestContext {
  let context = contexts.get(res);
  if (context === undefined) {
    context = {
      requestId: randomUUID(),
      startedAt: performance.now(),
      route: null,
      country: null,
      isPage: false,
      isLinkPage: false,
      formToken: null,
    };
    contexts.set(res, context);
  }
  return context;
}

/** A country named by the browser's language (`en-GB`), for callers of whom nothing better is known. */
export function countryOfLanguages(req: Request): string | null {
  const header = req.headers['accept-language'] ?? '';
  return /^[A-Za-z]{2,3}(?:-[A-Za-z]{4})?-([A-Za-z]{2})\b/.exec(header)?.[1]?.toUpperCase() ?? null;
}
