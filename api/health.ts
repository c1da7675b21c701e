import { z } from 'zod';
import { type HealthFacts, healthFacts } from '../db/health-facts';
import { PROVIDER_LINES } from '../db/provider-lines';
import type { SweepFreshness } from '../db/retention-runs';
import type { SwitchName } from '../db/switches';
import type { ApiDeps } from './deps';
import { probePart } from './part-probe';
import type { PartReport } from './part-watch';
import type { Routes } from './routes';

const part = z.object({
  state: z.enum(['up', 'down', 'unknown']),
  /** When it was last asked; null: not yet. */
  checkedAt: z.iso.datetime().nullable(),
  ageSeconds: z.number().min(0).nullable(),
});

const sweep = z.object({
  /** When a run last came to its end; null: none has. */
  lastSuccessAt: z.iso.datetime().nullable(),
  /** Since when the next one has been overdue; null: it is not. */
  staleSince: z.iso.datetime().nullable(),
});

/** The body of `GET /health`. */
export const healthBody = z.object({
  status: z.enum(['ok', 'degraded']),
  parts: z.object({ postgres: part, temporal: part, kms: part, twilio: part }),
  /** Lines that a provider has closed to us (suspended, not authenticated); null: Postgres does not say. */
  stoppedLines: z
    .array(z.object({ line: z.enum(PROVIDER_LINES), since: z.iso.datetime(), code: z.string().nullable() }))
    .nullable(),
  /** Configured and switched on. While Postgres does not say, as configured. */
  voiceEnabled: z.boolean(),
  smsEnabled: z.boolean(),
  emailEnabled: z.boolean(),
  standIns: z.boolean(),
  /** What recurs and must not stop unnoticed; null: Postgres does not say. */
  sweeps: z.object({ retention: sweep }).nullable(),
});

/** The body of `GET /health/ready`, with 200 when `because` is empty and 503 otherwise. */
export const readyBody = z.object({
  status: z.enum(['ready', 'not-ready']),
  because: z.array(z.enum(['postgres', 'temporal', 'draining'])),
});

type PartBody = z.output<typeof part>;

/**
 * `GET /health` says how the parts are, and is always 200: TwiML is answered from memory with everything else down,
 * and whoever took this process away then would take the helpline from the people on the phone.
 *
 * `GET /health/ready` is for balancers: whether new requests should be sent here rather than to another process.
 */
export function health(routes: Routes, deps: ApiDeps): void {
  let facts: HealthFacts | null = null;
  const postgres = probePart(async () => {
    facts = null;
    facts = await healthFacts(deps.pool);
    return true;
  });
  const temporal = probePart(() => deps.temporalAnswers());

  routes.open('GET /health', async (_req, res) => {
    const [ofPostgres, ofTemporal] = await Promise.all([postgres.report(), temporal.report()]);
    const parts = {
      postgres: inBody(ofPostgres),
      temporal: inBody(ofTemporal),
      kms: inBody(deps.kms.report()),
      twilio: inBody(deps.twilio.report()),
    };
    const known = facts?.obstacles ?? null;
    const sweeping = facts?.retention ?? null;
    const isOn = (name: SwitchName) => deps.config.enabled[name] && known?.switchedOff.includes(name) !== true;
    const isWell =
      Object.values(parts).every(({ state }) => state !== 'down') &&
      (known === null || known.stopped.length === 0) &&
      sweeping?.staleSince == null;
    const body: z.output<typeof healthBody> = {
      status: isWell ? 'ok' : 'degraded',
      parts,
      stoppedLines: known?.stopped.map((line) => ({ ...line, since: line.since.toISOString() })) ?? null,
      voiceEnabled: isOn('voice'),
      smsEnabled: isOn('sms'),
      emailEnabled: isOn('email'),
      standIns: deps.config.allowStandIns,
      sweeps: sweeping === null ? null : { retention: fresh(sweeping) },
    };
    res.set('Cache-Control', 'no-store').json(body);
  });

  routes.open('GET /health/ready', async (_req, res) => {
    const asked = await Promise.all([postgres.report(), temporal.report()]);
    const because: z.output<typeof readyBody>['because'] = [];
    if (asked[0].state === 'down') because.push('postgres');
    if (asked[1].state === 'down') because.push('temporal');
    if (deps.isDraining()) because.push('draining');
    const body: z.output<typeof readyBody> = { status: because.length === 0 ? 'ready' : 'not-ready', because };
    res
      .status(because.length === 0 ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json(body);
  });
}

function fresh({ lastSuccessAt, staleSince }: SweepFreshness): z.output<typeof sweep> {
  return { lastSuccessAt: lastSuccessAt?.toISOString() ?? null, staleSince: staleSince?.toISOString() ?? null };
}

function inBody({ state, checkedAt }: PartReport): PartBody {
  const ageSeconds = checkedAt === null ? null : Math.max(0, Math.round((Date.now() - checkedAt.getTime()) / 1_000));
  return { state, checkedAt: checkedAt === null ? null : checkedAt.toISOString(), ageSeconds };
}
