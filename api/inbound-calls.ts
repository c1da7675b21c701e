import { findLiveCallByToken } from '../db/calls';
import { findMentorByToken } from '../db/mentors';
import { parsePhoneNumber } from '../domain/phone-number';
import { languageOfCountry } from '../domain/prompts';
import { greetingTwiml, inboundTwiml } from '../domain/twiml';
import type { ApiDeps } from './deps';
import { LOOK_UP_WITHIN } from './limits';
import type { Routes } from './routes';
import { countryOnTheLine, sendTwiml, twimlContext } from './twiml-questions';
import { within } from './unavailable';
import { CALLED_IN } from './webhook-query';

type WhoCalls = 'stranger' | 'mentor' | { readonly callId: string; readonly language: string };

/**
 * Calls to our own numbers: somebody rings back what they missed. A user with a live request is put into it, behind
 * the same neutral words and key 1 as a call of ours, because the caller's number can be forged and anybody may hold
 * the phone. Nobody is told that we know them.
 */
export function inboundCalls(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /twiml/inbound', async (asked, res) => {
    const country = countryOnTheLine(deps, asked);
    const who = await whoCalls(deps, asked.field('From') ?? '');
    if (typeof who === 'object') {
      // The greeting's own action goes on as for a call of ours; the dispatch id says that none made this leg.
      const ctx = twimlContext(deps, { ...who, dispatchId: CALLED_IN, country });
      return sendTwiml(res, greetingTwiml(ctx, 1));
    }
    const language = languageOfCountry(country);
    const { crisisOverride } = deps.config.helplines;
    const { promptsOf } = deps;
    sendTwiml(res, inboundTwiml(who, { language, country, crisisOverride, promptsOf }));
  });
}

/** By token, never by number; whoever cannot be looked up is a stranger. */
async function whoCalls(deps: ApiDeps, from: string): Promise<WhoCalls> {
  try {
    // Withheld and invalid numbers end here.
    const { e164 } = parsePhoneNumber(from);
    return await within(LOOK_UP_WITHIN, lookUp(deps, deps.tokenizer.candidates(e164)));
  } catch {
    return 'stranger';
  }
}

async function lookUp({ pool }: ApiDeps, tokens: Buffer[]): Promise<WhoCalls> {
  const call = await findLiveCallByToken(pool, tokens);
  if (call !== null) return { callId: call.callId, language: call.language };
  return (await findMentorByToken(pool, tokens)) === null ? 'stranger' : 'mentor';
}
