import { createHash } from 'node:crypto';
import { currentConsentTexts, findConsentText } from '../../../domain/consent-texts';
import { RETENTION } from '../../../domain/retention';
import { SPOKEN_LANGUAGES } from '../../../domain/prompts';

/** What people have agreed to. A text that changes is a new version with a new line here; no line ever changes. */
const AGREED_TO: Record<string, string> = {
  'mentor-call 2026-11 en': '6f6b5285b7662a27',
  'mentor-call 2026-11 es': '135046330e9f7ea9',
  'mentor-call 2026-11 fr': '07ac5c9e6fdc99c6',
  'mentor-call 2026-11 hi': 'c0ec59593af42e07',
  'mentor-call 2026-11-recording en': '092185978a73ed37',
  'mentor-call 2026-11-recording es': '2b06777a80d22b28',
  'mentor-call 2026-11-recording fr': '01517bf34bafa6e7',
  'mentor-call 2026-11-recording hi': 'f2a73e45896c7aee',
};

describe('consent texts', () => {
  it.each([false, true])(
    'exist in every language that we speak, for a call that may be recorded: %s',
    (forRecording) => {
      const texts = currentConsentTexts(forRecording);
      expect(texts.map(({ language }) => language)).toEqual([...SPOKEN_LANGUAGES]);
      expect(texts.every(({ allowsRecording }) => allowsRecording === forRecording)).toBe(true);
    },
  );

  it('promise the time for which recordings are kept', () => {
    const days = RETENTION.recording / (24 * 3_600_000);
    for (const { text } of currentConsentTexts(true)) expect(text).toMatch(new RegExp(`\\b${days} (d[aí]|jours|दिन)`));
  });

  it('never change once published', () => {
    const published = [...currentConsentTexts(), ...currentConsentTexts(true)].map(
      ({ job, version, language, text }) => [
        `${job} ${version} ${language}`,
        createHash('sha256').update(text).digest('hex').slice(0, 16),
      ],
    );
    expect(Object.fromEntries(published)).toEqual(AGREED_TO);
  });

  it('are found by version and language, and otherwise not', () => {
    expect(findConsentText('2026-11', 'es')?.text).toContain('mentor');
    expect(findConsentText('2026-11', 'de')).toBeNull();
    expect(findConsentText('2025-01', 'en')).toBeNull();
  });
});
