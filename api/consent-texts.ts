import type { z } from 'zod';
import { currentConsentTexts } from '../domain/consent-texts';
import { checkedQuery } from './checked-input';
import { consentTextsQuery, type consentTextsShape } from './mentor-calls-shapes';
import type { Routes } from './routes';

/**
 * The words to agree to before a call; public, because they are shown before anybody signs in.
 * @param mayRecord `CALL_RECORDING`: without it there are no words for what is not done
 */
export function consentTexts(routes: Routes, mayRecord: boolean): void {
  routes.open('GET /consent-texts/mentor-call', (req, res) => {
    const forRecording = checkedQuery(consentTextsQuery, req).recording === 'true';
    const shown = forRecording && !mayRecord ? [] : currentConsentTexts(forRecording);
    const texts = shown.map(({ version, language, text }) => ({ textVersion: version, language, text }));
    const answer: z.input<typeof consentTextsShape> = { job: 'mentor-call', texts };
    res.set('Cache-Control', 'public, max-age=300').json(answer);
  });
}
