import { lastStatus } from '../db/webhook-events';
import { HELPLINE_COUNTRIES, helplinesFor } from '../domain/helplines';
import type { ActivityDependencies } from './dependencies';
import { createPlaceAlertCall } from './place-alert-call';
import { createPlaceCall } from './place-call';
import { logged } from './provider-log';

/** Activities of the queue `voice`: everything that speaks to the voice provider on behalf of one call. */
export function createVoiceActivities(deps: ActivityDependencies) {
  const { voice, logger } = deps;
  return {
    placeCall: createPlaceCall(deps),
    placeAlertCall: createPlaceAlertCall(deps),

    /** Twilio's own word on a leg; `unknown` when it has no such call (any more). */
    async readCall({ sid }: { sid: string }): Promise<{ status: string }> {
      const call = await logged(logger, { callSid: sid }, () => voice.readCall(sid));
      return { status: call?.status ?? 'unknown' };
    },

    /** Hangs up or cancels; a leg that is over already is fine. */
    async endCall({ sid }: { sid: string }): Promise<{ status: string }> {
      return logged(logger, { callSid: sid }, () => voice.endCall(sid));
    },

    wentToFallback: async ({ sid }: { callId: string; sid: string }): Promise<{ fallback: boolean }> => ({
      fallback: await wentToFallback(deps, sid),
    }),
  };
}

/**
 * Whether Twilio left us for the static fallback document during this call. That document dials the helpline
 * without a callback of ours, so a helpline leg we have never heard of can only come from there.
 */
export async function wentToFallback(
  deps: Pick<ActivityDependencies, 'pool' | 'voice' | 'logger' | 'crisisOverride'>,
  sid: string,
): Promise<boolean> {
  const numbers = helplineNumbers(deps.crisisOverride);
  const children = await logged(deps.logger, { callSid: sid }, () => deps.voice.listChildCalls(sid));
  for (const child of children) {
    if (numbers.has(child.to) && (await lastStatus(deps.pool, child.sid)) === null) return true;
  }
  return false;
}

function helplineNumbers(override: string | null): ReadonlySet<string> {
  const lines = HELPLINE_COUNTRIES.map((country) => helplinesFor(country, override).crisis);
  return new Set(lines.flatMap((line) => [line.number, line.alternative]).filter((number) => number !== null));
}
