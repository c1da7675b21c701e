import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { SnsMessage, SnsReader } from '../providers/sns-messages';
import type { Logger } from '../vault/logger';
import type { Authenticate, SignedIn } from './authentication';
import { checkRole, isCounted, type RouteName, type RoutesWith, RULES } from './authorisation';
import { isDeeperThan } from './json-depth';
import { FORM_BODY, JSON_BODY, JSON_DEPTH, SNS_BODY, WEBHOOK_BODY } from './limits';
import { beginLinkPage, beginPage, seeOther } from './page-answers';
import type { PageSessions, Visitor } from './page-sessions';
import { Problem } from './problems';
import type { RequestLimits } from './rate-limits';
import { contextOf } from './request-context';
import { readWebhook, type TwilioRequest, type TwilioVerifier } from './twilio-requests';

export type PublicHandler = (req: Request, res: Response) => void | Promise<void>;
export type SnsHandler = (message: SnsMessage, res: Response) => Promise<void>;
export type PageHandler = (req: Request, res: Response, visitor: Visitor) => Promise<void>;
export type SignedInHandler = (req: Request, res: Response, caller: SignedIn) => Promise<void>;
export type TwilioHandler = (asked: TwilioRequest, res: Response) => Promise<void>;

/** What a route reads beyond a small JSON body. */
export interface BodyWanted {
  /** Bytes of JSON at most. */
  readonly jsonLimit: number;
  /** Also taken: a body of this type, which the handler reads from the request as it arrives. */
  readonly streams?: 'text/csv';
}

/** The only way to mount a route: what must be proven before a handler runs comes from the table of rules. */
export interface Routes {
  open(name: RoutesWith<'public'>, handler: PublicHandler): void;
  signedIn(name: RoutesWith<'signed-in'>, handler: SignedInHandler, body?: BodyWanted): void;
  twilio(name: RoutesWith<'twilio'>, handler: TwilioHandler): void;
  sns(name: RoutesWith<'sns'>, handler: SnsHandler): void;
  /** A page behind a link, or what its button does. A GET changes nothing: scanners follow every link of a message. */
  link(name: RoutesWith<'link'>, handler: PublicHandler): void;
  /** A page of somebody who is signed in to it, or what its form does. */
  page(name: RoutesWith<'page'>, handler: PageHandler): void;
  /** @throws {Error} when a rule of the table has no route */
  complete(): void;
}

export function createRoutes(
  app: Express,
  authenticate: Authenticate,
  verifier: TwilioVerifier,
  limits: RequestLimits,
  snsReader: SnsReader,
  logger: Logger,
  sessions: PageSessions,
): Routes {
  const missing = new Set(Object.keys(RULES));
  const mount = (name: RouteName, handlers: RequestHandler[], onError: ErrorRequestHandler[] = []): void => {
    if (!missing.delete(name)) throw new Error(`${name} is mounted twice`);
    const [method = '', path = ''] = name.split(' ');
    const noteRoute: RequestHandler = (_req, res, next) => {
      contextOf(res).route = path;
      next();
    };
    const verb = method.toLowerCase();
    if (verb !== 'get' && verb !== 'post' && verb !== 'put' && verb !== 'patch' && verb !== 'delete') {
      throw new Error(`${method} is no method of ours`);
    }
    app[verb](path, noteRoute, ...handlers, ...onError);
  };

  return {
    open(name, handler) {
      mount(name, [
        async (req, res) => {
          if (isCounted(RULES[name])) await limits.ofAddress(req, res);
          await handler(req, res);
        },
      ]);
    },

    signedIn(name, handler, wanted) {
      const rule = RULES[name];
      const callers = new WeakMap<Request, SignedIn>();
      mount(name, [
        // Who asks is settled before a byte of the body is read.
        async (req, res, next) => {
          res.set('Cache-Control', 'no-store');
          // At the same time, and too many come before who they are: tokens are not tried out here.
          const [signedIn, counted] = await Promise.allSettled([authenticate(req), limits.ofAddress(req, res)]);
          if (counted.status === 'rejected') throw counted.reason;
          if (signedIn.status === 'rejected') throw signedIn.reason;
          const caller = signedIn.value;
          checkRole(rule, caller);
          await limits.ofCaller(caller, name, res);
          callers.set(req, caller);
          next();
        },
        onlyJson(wanted?.streams),
        // Leaves what is no JSON to the handler.
        express.json({ limit: wanted?.jsonLimit ?? JSON_BODY, inflate: false, strict: true }),
        notTooDeep,
        async (req, res) => {
          const caller = callers.get(req);
          if (caller === undefined) throw new Problem('token-required');
          await handler(req, res, caller);
        },
      ]);
    },

    twilio(name, handler) {
      const handlers: RequestHandler[] = [
        // The raw bytes: a signature is checked over what was sent, not over what a parser made of it.
        express.raw({ type: () => true, limit: WEBHOOK_BODY, inflate: false }),
        async (req, res) => {
          res.set('Cache-Control', 'no-store');
          const asked = readWebhook(req, verifier);
          // Empty: a forger learns nothing, not even which part was wrong.
          if (asked === null) res.status(403).end();
          else await handler(asked, res);
        },
      ];
      mount(name, handlers, [emptyAnswer]);
    },

    sns(name, handler) {
      const handlers: RequestHandler[] = [
        express.raw({ type: () => true, limit: SNS_BODY, inflate: false }),
        async (req, res) => {
          res.set('Cache-Control', 'no-store');
          try {
            const message = await snsReader.read(Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0));
            if (message === null) res.status(403).end();
            else await handler(message, res);
          } catch (error) {
            // SNS comes again, for an hour at least.
            logger.warn({ route: req.path, error }, 'a message of SNS could not be taken');
            res.status(503).end();
          }
        },
      ];
      mount(name, handlers, [emptyAnswer]);
    },

    link(name, handler) {
      mount(name, [
        async (req, res, next) => {
          beginLinkPage(res);
          await limits.ofAddress(req, res);
          next();
        },
        ...(name.startsWith('POST ') ? [formBody] : []),
        handler,
      ]);
    },

    page(name, handler) {
      const rule = RULES[name];
      const visitors = new WeakMap<Request, Visitor>();
      const isForm = name.startsWith('POST ');
      mount(name, [
        async (req, res, next) => {
          beginPage(res);
          await limits.ofAddress(req, res);
          if (isForm) sessions.checkSender(req);
          const visitor = await sessions.visitor(req);
          if (visitor === null && isForm) throw new Problem('session-over');
          // Whoever opens a page wants to be there, so they are led to the sign-in and back.
          if (visitor === null) return seeOther(res, `/sign-in?to=${encodeURIComponent(req.path)}`);
          contextOf(res).formToken = visitor.formToken;
          checkRole(rule, visitor);
          await limits.ofCaller(visitor, name, res);
          visitors.set(req, visitor);
          next();
        },
        ...(isForm ? [formBody] : []),
        async (req, res) => {
          const visitor = visitors.get(req);
          if (visitor === undefined) throw new Problem('session-over');
          if (isForm) sessions.checkForm(req, visitor);
          await handler(req, res, visitor);
        },
      ]);
    },

    complete() {
      if (missing.size > 0) throw new Error(`rules without a route: ${[...missing].join(', ')}`);
    },
  };
}

const formBody = express.urlencoded({ limit: FORM_BODY, inflate: false, extended: false, parameterLimit: 20 });

/** A body that is neither JSON nor what the route streams is refused instead of being ignored; so is a compressed one. */
function onlyJson(streams: BodyWanted['streams'] | undefined): RequestHandler {
  return (req, _res, next) => {
    const hasBody = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
    const isPlain = req.headers['content-encoding'] === undefined;
    const isTaken =
      Boolean(req.is('application/json')) || (streams !== undefined && isPlain && Boolean(req.is(streams)));
    next(hasBody && !isTaken ? new Problem('unsupported-media-type') : undefined);
  };
}

/** Before anything walks through the body: its hash does so even before its schema does. */
const notTooDeep: RequestHandler = (req, _res, next) => {
  const body: unknown = req.body;
  next(isDeeperThan(JSON_DEPTH, body) ? new Problem('invalid-body') : undefined);
};

/** Twilio, or somebody who pretends to be: no problem document, only the status. */
const emptyAnswer: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  if (res.headersSent || typeof status !== 'number' || status < 400 || status > 499) next(error);
  else res.status(status).end();
};
