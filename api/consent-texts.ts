import type { z } from 'zod';
import { currentConsentTexts } from '../domain/consent-texts';
import type { consentTextsShape } from './mentor-calls-shapes';
import type { Routes } from './routes';

/** The words to agree to before a call; public, because they are shown before anybody signs in. */
export function consentTexts(routes: Routes): void {
  routes.open('GET /consent-texts/mentor-call', (_req, res) => {
    const texts = currentConsentTexts().map(({ version, language, text }) => ({
      textVersion: version,
      language,
      text,
    }));
    const answer: z.input<typeof consentTextsShape> = { job: 'mentor-call', texts };
    res.set('Cache-Control', 'public, max-age=300').json(answer);
  });
}
