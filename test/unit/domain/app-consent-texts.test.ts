import { createHash } from 'node:crypto';
import { appConsentTextFor, currentAppConsentTexts, findAppConsentText } from '../../../domain/app-consent-texts';
import { SPOKEN_LANGUAGES } from '../../../domain/prompts';

/** What people have agreed to. A text that changes is a new version with a new line here; no line ever changes. */
const AGREED_TO: Record<string, string> = {
  'app-call app-2026-11 en': '732137a8a47be551',
  'app-call app-2026-11 es': '60ee0e6b832e66fa',
  'app-call app-2026-11 fr': 'bb2dac332058928d',
  'app-call app-2026-11 hi': '7e0c967ddcf2ab0f',
};

describe('consent texts of calls from the app', () => {
  it('exist in every language that we speak', () => {
    expect(currentAppConsentTexts().map(({ language }) => language)).toEqual(
      expect.arrayContaining([...SPOKEN_LANGUAGES]),
    );
  });

  it('never change once published', () => {
    const published = currentAppConsentTexts().map(({ job, version, language, text }) => [
      `${job} ${version} ${language}`,
      createHash('sha256').update(text).digest('hex').slice(0, 16),
    ]);
    expect(Object.fromEntries(published)).toEqual(AGREED_TO);
  });

  it('are found by version and language, beside those of calls to a phone, and otherwise not', () => {
    expect(findAppConsentText('app-2026-11', 'es')?.job).toBe('app-call');
    expect(findAppConsentText('2026-11', 'es')?.job).toBe('mentor-call');
    expect(findAppConsentText('app-2026-11', 'de')).toBeNull();
    expect(findAppConsentText('app-2025-01', 'en')).toBeNull();
  });

  it('are spoken in the language of the caller, or in English', () => {
    expect(appConsentTextFor('es')?.language).toBe('es');
    expect(appConsentTextFor('de')?.language).toBe('en');
  });
});
