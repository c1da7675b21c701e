import type { Response } from 'express';
import type { z } from 'zod';
import { countRecentRequests, findLiveCall } from '../db/calls';
import { endVoiceIdentities, saveVoiceIdentity, type VoiceIdentity } from '../db/voice-identities';
import { currentAppConsentTexts, findAppConsentText } from '../domain/app-consent-texts';
import { languageOfCountry } from '../domain/prompts';
import type { SignedIn } from './authentication';
import { checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { refuseUnlisted } from './mentor-call-access';
import { turnedAway } from './mentor-call-requests';
import { Problem } from './problems';
import { contextOf } from './request-context';
import type { Routes } from './routes';
import { refuseWhenOff } from './switches';
import { type appConsentTextsShape, voiceTokenQuery, type voiceTokenShape } from './voice-token-shapes';

/** Signing a user's app in at Twilio, so that they can call from it, and out again. */
export function voiceToken(routes: Routes, deps: ApiDeps): void {
  routes.open('GET /consent-texts/app-call', (_req, res) => {
    const texts = currentAppConsentTexts().map(({ version: textVersion, language, text }) => {
      return { textVersion, language, text };
    });
    const answer: z.input<typeof appConsentTextsShape> = { job: 'app-call', texts };
    res.set('Cache-Control', 'public, max-age=300').json(answer);
  });

  routes.signedIn('GET /voice-token', async (req, res, caller) => {
    const asked = checkedQuery(voiceTokenQuery, req);
    const country = asked.country ?? deps.config.limits.allowedCountries[0] ?? 'US';
    contextOf(res).country = country;
    await refuseUnlisted(deps, caller);
    const who = { country, language: asked.language ?? languageOfCountry(country), consent: consentOf(asked) };
    await sendToken(deps, res, caller, who, asked.format === 'json');
  });

  // Twilio has no way to take a single token back; ours is to believe it no more.
  routes.signedIn('DELETE /voice-token', async (_req, res, caller) => {
    await endVoiceIdentities(deps.pool, caller.subjectId);
    res.status(204).end();
  });
}

/** @throws {Problem} `app-calls-unavailable`, or what POST /connect-mentor would refuse a call with */
async function sendToken(
  deps: ApiDeps,
  res: Response,
  { subjectId }: SignedIn,
  who: Pick<VoiceIdentity, 'country' | 'language' | 'consent'>,
  asJson: boolean,
): Promise<void> {
  if (deps.voiceTokens === null) throw new Problem('app-calls-unavailable');
  await refuseWhereHopeless(deps, subjectId);
  // One name for all of a person's devices, which nobody can trace back who has not this key and our table.
  const identity = deps.tokenizer.keyedHash('voice-identity', subjectId).toString('hex');
  const { token, expiresAt } = deps.voiceTokens.issue(identity);
  await saveVoiceIdentity(deps.pool, { identity, subjectId, ...who, expiresAt });
  if (!asJson) {
    res.type('text/plain').send(token);
    return;
  }
  const answer: z.input<typeof voiceTokenShape> = { token, identity, expiresAt: expiresAt.toISOString() };
  res.json(answer);
}

/** Told before the app rings rather than after; the workflow judges the call itself. */
async function refuseWhereHopeless(deps: ApiDeps, userId: string): Promise<void> {
  const { stopped } = await refuseWhenOff(deps, 'voice');
  if (stopped.some(({ line }) => line === 'twilio') || deps.twilio.state() === 'down') {
    throw new Problem('calls-unavailable');
  }
  // The SDK renews its token in the middle of a call, which must not be cut for it.
  if ((await findLiveCall(deps.pool, userId)) !== null) return;
  const { requestsPerUserPerHour: perUser, requestsPerTargetPerHour: perTarget } = deps.config.limits;
  const limited = await countRecentRequests(deps.pool, { userId, tokenHexes: [] }, { perUser, perTarget });
  if (limited !== null) throw await turnedAway(deps, userId, null, limited.retryAfterSeconds);
}

/** Given with the token, or else with the call. @throws {Problem} `consent-required` for a text that there is not */
function consentOf({ textVersion, language }: z.output<typeof voiceTokenQuery>): VoiceIdentity['consent'] {
  if (textVersion === undefined) return null;
  if (language !== undefined && findAppConsentText(textVersion, language) !== null) return { textVersion, language };
  const detail = 'The version of a text that was shown, and its language in language, are expected here.';
  throw new Problem('consent-required', { errors: [{ pointer: '#/textVersion', detail }] });
}
