import type { Payload, PayloadCodec } from '@temporalio/common';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import type { Pool } from 'pg';
import type { CodecConfig } from '../config/codec';
import { appendAudit } from '../db/audit';
import { isEncrypted } from '../temporal/payload-codec';
import type { Logger } from '../vault/logger';
import { type Authenticate, ROLES } from './authentication';
import { hasOneOf } from './authorisation';
import { bareApp } from './bare-app';
import { onlyFrom, preflight } from './codec-origin';
import { asWire, payloadsIn } from './codec-payloads';
import { ADDRESS_SHARE, CODEC_BODY, PROBE_WITHIN } from './limits';
import { Problem, type ProblemSettings } from './problems';
import { contextOf } from './request-context';
import { requestRate } from './request-rate';
import { terminalErrorHandler, unknownAddress } from './terminal-error-handler';
import { within } from './unavailable';

/** Everything the codec server is made of; only `codec-main.ts` and tests make it. */
export interface CodecDeps {
  readonly config: CodecConfig;
  readonly logger: Logger;
  readonly pool: Pool;
  readonly codec: Pick<PayloadCodec, 'decode'>;
  /** Null: nobody is asked for a token, because only this machine can ask. */
  readonly authenticate: Authenticate | null;
}

/** Who asks when nobody has to sign in; stands in the audit entries. */
const LOCAL_OPERATOR = 'local-operator';

/**
 * Decodes payloads for Temporal's Web UI: `POST /decode`, for one page, one namespace and the roles that may. There is
 * no `/encode`: whoever could make payloads could put words into a workflow's mouth.
 */
export function createCodecServer(deps: CodecDeps): Express {
  const { config, logger } = deps;
  const app = bareApp(config.trustProxyHops, logger);

  app.get('/health', at('/health'), health(deps));
  const fromUi = onlyFrom(config.uiOrigin);
  app.options('/decode', at('/decode'), fromUi, preflight('POST'));
  app.post('/decode', at('/decode'), fromUi, ...decode(deps));

  const settings: ProblemSettings = { publicBaseUrl: config.apiUrl, crisisOverride: null, defaultCountry: 'US' };
  app.use(unknownAddress());
  app.use(terminalErrorHandler(settings, logger));
  return app;
}

/** The route as the log names it. */
function at(route: string): RequestHandler {
  return (_req, res, next) => {
    contextOf(res).route = route;
    next();
  };
}

/** Who asks, how often, and for which namespace is settled before a byte of the body is read. */
function decode({ config, logger, pool, codec, authenticate }: CodecDeps): RequestHandler[] {
  const addresses = requestRate(config.requestsPerMinute * ADDRESS_SHARE);
  const operators = requestRate(config.requestsPerMinute);
  const actors = new WeakMap<Request, string>();
  const may: RequestHandler = async (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    await addresses(req.ip ?? '');
    const actor = await operatorOf(req, authenticate, config.signIn?.roles ?? []);
    await operators(actor);
    if (req.headers['x-namespace'] !== config.namespace) throw new Problem('namespace-not-allowed');
    if (!req.is('application/json')) throw new Problem('unsupported-media-type');
    actors.set(req, actor);
    next();
  };
  const answer: RequestHandler = async (req, res) => {
    const actor = actors.get(req);
    if (actor === undefined) throw new Problem('token-required');
    const payloads = payloadsIn(req.body);
    const { requestId: objectId } = contextOf(res);
    const count = payloads.filter(isEncrypted).length;
    if (count > 0) {
      const plain = await opened(codec, payloads);
      // No entry, no plaintext: what cannot be accounted for is not shown.
      const outcome = plain === null ? 'refused' : 'done';
      await appendAudit(pool, { actor, action: 'payload.decoded', objectId, purpose: 'web-ui', outcome });
      const { namespace } = config;
      logger.info({ requestId: objectId, actor, namespace, count, outcome }, 'payloads decoded');
      if (plain === null) throw new Problem('payload-not-readable');
      res.json(asWire(plain));
    } else res.json(asWire(payloads));
  };
  return [may, express.json({ limit: CODEC_BODY, inflate: false, strict: true }), answer];
}

/** @throws {Problem} `token-required`, `token-invalid`, `role-not-allowed`, `sign-in-unavailable` */
async function operatorOf(req: Request, authenticate: Authenticate | null, roles: readonly string[]): Promise<string> {
  if (authenticate === null) return LOCAL_OPERATOR;
  const caller = await authenticate(req);
  const allowed = ROLES.filter((role) => roles.includes(role));
  if (!hasOneOf(caller, allowed)) throw new Problem('role-not-allowed');
  return caller.subjectId;
}

/**
 * All payloads of a request, or null when one that says it is ours was changed, or has a key that is gone: then none is
 * shown. What was never encrypted comes back as it is. The Web UI has it already and shows it whatever we answer, and
 * Temporal's SDK itself writes its notes about local activities in the clear; a worker of ours refuses such a payload.
 */
async function opened(codec: Pick<PayloadCodec, 'decode'>, payloads: Payload[]): Promise<Payload[] | null> {
  try {
    const plain = await codec.decode(payloads.filter(isEncrypted));
    return payloads.map((payload) => (isEncrypted(payload) ? (plain.shift() ?? payload) : payload));
  } catch {
    return null;
  }
}

/** 200 as long as it could decode and account for it. */
function health({ pool }: CodecDeps) {
  return async (_req: Request, res: Response): Promise<void> => {
    const isUp = await within(PROBE_WITHIN, pool.query('SELECT 1')).then(
      () => true,
      () => false,
    );
    res.set('Cache-Control', 'no-store').status(isUp ? 200 : 503);
    res.json({ status: isUp ? 'ok' : 'down', parts: { postgres: isUp ? 'up' : 'down' } });
  };
}
