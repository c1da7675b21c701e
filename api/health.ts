import type { ApiDeps } from './deps';
import { PROBE_WITHIN } from './limits';
import type { Routes } from './routes';
import { within } from './unavailable';

/**
 * How the parts are. Always 200: TwiML is answered from memory with everything else down, and a load balancer that
 * took this process away then would take the helpline from the people on the phone.
 */
export function health(routes: Routes, deps: ApiDeps): void {
  routes.open('GET /health', async (_req, res) => {
    const [postgres, temporal] = await Promise.all([
      isUp(deps.pool.query('SELECT 1').then(() => true)),
      isUp(deps.temporalAnswers()),
    ]);
    const twilio = deps.twilio.state();
    const isWell = postgres === 'up' && temporal === 'up' && twilio === 'up';
    res.set('Cache-Control', 'no-store').json({
      status: isWell ? 'ok' : 'degraded',
      parts: { postgres, temporal, twilio },
      voiceEnabled: deps.config.voiceEnabled,
      standIns: deps.config.allowStandIns,
    });
  });
}

async function isUp(probe: Promise<boolean>): Promise<'up' | 'down'> {
  try {
    return (await within(PROBE_WITHIN, probe)) ? 'up' : 'down';
  } catch {
    return 'down';
  }
}
