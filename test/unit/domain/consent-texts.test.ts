import { createHash } from 'node:crypto';
import { currentConsentTexts, findConsentText } from '../../../domain/consent-texts';
import { SPOKEN_LANGUAGES } from '../../../domain/prompts';

/** What people have agreed to. A text that changes is a new version with a new line here; no line ever changes. */
const AGREED_TO: Record<string, string> = {
  'mentor-call 2026-11 en': '6f6b5285b7662a27',
  'mentor-call 2026-11 es': '135046330e9f7ea9',
};

describe('consent texts', () => {
  it('exist in every language that we speak', () => {
    expect(currentConsentTexts().map(({ language }) => language)).toEqual([...SPOKEN_LANGUAGES]);
  });

  it('never change once published', () => {
    const published = currentConsentTexts().map(({ job, version, language, text }) => [
      `${job} ${version} ${language}`,
      createHash('sha256').update(text).digest('hex').slice(0, 16),
    ]);
    expect(Object.fromEntries(published)).toEqual(AGREED_TO);
  });

  it('are found by version and language, and otherwise not', () => {
    expect(findConsentText('2026-11', 'es')?.text).toContain('mentor');
    expect(findConsentText('2026-11', 'fr')).toBeNull();
    expect(findConsentText('2025-01', 'en')).toBeNull();
  });
});
