import type { z } from 'zod';
import { DISCLOSURE_KINDS, disclosureText } from '../domain/disclosures';
import { SPOKEN_LANGUAGES } from '../domain/prompts';
import { checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { disclosuresQuery, type disclosuresShape } from './disclosures-shapes';
import type { Routes } from './routes';

/** What people are told about the service before they agree to a call; public, as the texts that they agree to are. */
export function disclosures(routes: Routes, { config, promptsOf }: ApiDeps): void {
  const { spokenDisclosures, times } = config.mentorCall;
  // How long a conversation may last is always said: nobody should be surprised by its end.
  const spoken = new Set<string>(['duration', ...spokenDisclosures]);
  routes.open('GET /disclosures', (req, res) => {
    const { language: wanted, country = null } = checkedQuery(disclosuresQuery, req);
    const disclosed = { timeLimitSeconds: Math.round(times.maxDuration / 1_000), country, kept: config.retention };
    const answer: z.input<typeof disclosuresShape> = {
      languages: SPOKEN_LANGUAGES.filter((language) => wanted === undefined || language === wanted).map((language) => ({
        language,
        disclosures: DISCLOSURE_KINDS.map((kind) => ({
          kind,
          text: disclosureText(promptsOf(language), kind, disclosed),
          isSpoken: spoken.has(kind),
        })),
      })),
      privacyPolicyUrl: config.privacyPolicyUrl,
    };
    res.set('Cache-Control', 'public, max-age=300').json(answer);
  });
}
