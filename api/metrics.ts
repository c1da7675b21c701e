import { createServer, type Server } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Pool } from 'pg';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { countWaiting } from '../db/app-event-delivery';
import { countOptOuts } from '../db/opt-outs';
import { retentionFreshness } from '../db/retention-runs';
import { MESSAGE_CHANNELS } from '../domain/message';
import type { Logger } from '../vault/logger';
import { type Rule, RULES } from './authorisation';
import { SERVER_TIMEOUTS } from './limits';
import { addQualityMetrics } from './quality-metrics';
import { contextOf } from './request-context';

/** What the API counts. Labels are words of ours and route patterns: never an id, a token, a URL or a country. */
export interface ApiMetrics {
  /** Before all routes: counts each request when it is over. */
  readonly observe: RequestHandler;
  /** For Prometheus, with the media type it wants. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Seconds. A webhook has 100 ms, a request that starts something half a second. */
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const WEBHOOK_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 4];

/** Requests that make something go out, and what they go out by unless they say otherwise. */
const ACCEPTING: Readonly<Record<string, { readonly what: string; readonly channel: string }>> = {
  'POST /connect-mentor': { what: 'mentor-call', channel: 'voice' },
  'POST /messages': { what: 'message', channel: 'sms' },
  'POST /messages/bulk': { what: 'message-batch', channel: 'sms' },
  'POST /alerts/voice': { what: 'voice-alert', channel: 'voice' },
};
/** Of opt-outs, ms. */
const OPT_OUT_WINDOW = 24 * 3_600_000;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** By who calls: a kind of access that comes later must not become a webhook by itself. */
const WEBHOOKS: ReadonlySet<string> = new Set(
  Object.entries<Rule>(RULES).flatMap(([name, { access }]) => (access === 'twilio' || access === 'sns' ? [name] : [])),
);

export function createApiMetrics({ pool, logger }: { pool: Pool; logger: Logger }): ApiMetrics {
  const registry = new Registry();
  const registers = [registry];
  // The process itself: event loop lag, memory, garbage collection.
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'kindline_http_requests_total',
    help: 'Requests that are over, by route pattern, method and class of status; cut: the client went first.',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'kindline_http_request_duration_seconds',
    help: 'How long requests of apps and staff took; streams are not among them.',
    labelNames: ['route', 'method'],
    buckets: REQUEST_SECONDS,
    registers,
  });
  const webhookSeconds = new Histogram({
    name: 'kindline_webhook_duration_seconds',
    help: 'How long webhooks took, from the first byte to the answer.',
    labelNames: ['route'],
    buckets: WEBHOOK_SECONDS,
    registers,
  });
  const accepted = new Counter({
    name: 'kindline_requests_to_reach_somebody_total',
    help: 'Requests for calls, messages, alerts and batches, by channel and outcome; a repeat counts again.',
    labelNames: ['what', 'channel', 'outcome'],
    registers,
  });
  // Registered by being made.
  void new Gauge({
    name: 'kindline_app_events_waiting',
    help: 'Events of the last 24 hours that the app has not been told.',
    registers,
    async collect() {
      try {
        this.set(await countWaiting(pool));
      } catch (error) {
        logger.warn({ error }, 'waiting events could not be counted');
        this.set(Number.NaN);
      }
    },
  });

  addQualityMetrics(registry, { pool, logger });
  observeRetention(registry, pool, logger);
  observeOptOuts(registry, pool, logger);

  const note = (req: Request, res: Response): void => {
    const { route, startedAt } = contextOf(res);
    const method = METHODS.includes(req.method) ? req.method : 'other';
    const labels = { route: route ?? 'unknown', method };
    requests.inc({ ...labels, status: res.writableFinished ? `${Math.floor(res.statusCode / 100)}xx` : 'cut' });
    const took = (performance.now() - startedAt) / 1_000;
    const isStream = String(res.getHeader('content-type') ?? '').startsWith('text/event-stream');
    if (WEBHOOKS.has(`${method} ${route}`)) webhookSeconds.observe({ route: labels.route }, took);
    else if (!isStream) seconds.observe(labels, took);
    const asked = ACCEPTING[`${method} ${route}`];
    const outcome = outcomeOf(res.statusCode);
    if (asked !== undefined && outcome !== null)
      accepted.inc({ what: asked.what, channel: channelOf(req, asked.channel), outcome });
  };

  return {
    observe(req, res, next) {
      res.on('close', () => note(req, res));
      next();
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

/** Two numbers of one question: an alert rule needs the time, a dashboard the verdict. */
function observeRetention(registry: Registry, pool: Pool, logger: Logger): void {
  const registers = [registry];
  const stale = new Gauge({
    name: 'kindline_retention_stale',
    help: '1 when no run of the retention sweep has come to its end for two days.',
    registers,
  });
  void new Gauge({
    name: 'kindline_retention_last_success_timestamp_seconds',
    help: 'When a run of the retention sweep last came to its end; NaN: none has.',
    registers,
    async collect() {
      try {
        const { lastSuccessAt, staleSince } = await retentionFreshness(pool);
        this.set(lastSuccessAt === null ? Number.NaN : lastSuccessAt.getTime() / 1_000);
        stale.set(staleSince === null ? 0 : 1);
      } catch (error) {
        logger.warn({ error }, 'the last retention sweep could not be read');
        this.set(Number.NaN);
        stale.set(Number.NaN);
      }
    },
  });
}

function observeOptOuts(registry: Registry, pool: Pool, logger: Logger): void {
  void new Gauge({
    name: 'kindline_opt_outs',
    help: 'Of the last 24 hours: STOP by text, the unsubscribing from mails, and complaints about them.',
    labelNames: ['by'],
    registers: [registry],
    async collect() {
      const counts = await countOptOuts(pool, OPT_OUT_WINDOW).catch((error: unknown) => {
        logger.warn({ error }, 'opt-outs could not be counted');
        return { stop: Number.NaN, unsubscribe: Number.NaN, complaint: Number.NaN };
      });
      for (const [by, count] of Object.entries(counts)) this.set({ by }, count);
    },
  });
}

/** Null for who was never let in: that says nothing about what we do. */
function outcomeOf(status: number): string | null {
  if (status < 300) return 'accepted';
  if (status === 401 || status === 403) return null;
  if (status === 429) return 'limited';
  if (status < 500) return 'refused';
  return status === 503 ? 'unavailable' : 'failed';
}

/** Only a channel there is: the body is theirs, and a label must not be. */
function channelOf(req: Request, fallback: string): string {
  const body: unknown = req.body;
  const asked: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, 'channel') : null;
  return MESSAGE_CHANNELS.find((channel) => channel === asked) ?? fallback;
}

/**
 * Serves the metrics on a port of their own: the public port shows no stranger how much is going on.
 * @param port 0 takes a free one
 * @param host the address to listen on: this machine's own, or in a container all of it
 */
export function serveMetrics(metrics: ApiMetrics, port: number, host: string): Promise<Server> {
  const server = createServer(SERVER_TIMEOUTS, (req, res) => {
    if (req.url !== '/metrics' || req.method !== 'GET') {
      res.writeHead(404).end();
      return;
    }
    void metrics.text().then(
      (text) => res.writeHead(200, { 'Content-Type': metrics.contentType }).end(text),
      () => res.writeHead(500).end(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
