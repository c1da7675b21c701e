import { DISCLOSURE_KINDS, disclosureSentence, disclosureText, spokenMsBeforeDial } from '../../../domain/disclosures';
import { RETENTION } from '../../../domain/retention';
import { promptsFor, SPOKEN_LANGUAGES, sentencesBeforeDial, spokenMs } from '../../../domain/prompts';

const IN_US = { timeLimitSeconds: 3_600, country: 'US', kept: RETENTION };

/** Where each is told: all are shown by `GET /disclosures` and beside the consent; the limit is said on the line too. */
const TOLD = [
  ['monitoring', 'figures'],
  ['recording', 'both agreed'],
  ['duration', '60 minutes'],
  ['retention', '24 hours'],
  ['deletion', 'privacy notice'],
  ['not-therapists', 'not therapists'],
  ['emergency', 'call 911'],
] as const;

it('all that people must be told is on the list, each with its own words', () => {
  expect(TOLD.map(([kind]) => kind)).toEqual([...DISCLOSURE_KINDS]);
  for (const [kind, words] of TOLD) expect(disclosureText(promptsFor('en'), kind, IN_US)).toContain(words);
});

describe.each(SPOKEN_LANGUAGES)('in %s', (language) => {
  const prompts = promptsFor(language);

  it('each is a sentence, with the limit, the periods and the emergency number of the country in it', () => {
    const texts = DISCLOSURE_KINDS.map((kind) => disclosureText(prompts, kind, IN_US));
    for (const text of texts) expect(text).toMatch(/^\S.*[.।]$/u);
    const [, , duration, retention, , , emergency] = texts;
    expect(duration).toContain('60');
    expect(retention).toMatch(/24.*90/s);
    expect(emergency).toContain('911');
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('the periods are those that are configured, in the plural where they are several', () => {
    const told = (numberForOneCall: number, callLog: number) =>
      disclosureText(prompts, 'retention', { ...IN_US, kept: { numberForOneCall, callLog } });
    const HOUR = 3_600_000;
    expect(told(6 * HOUR, 240 * HOUR)).toMatch(/\b6\b.*\b10\b/s);
    // What is told is never less than what is kept.
    expect(told(5.5 * HOUR, 239 * HOUR)).toBe(told(6 * HOUR, 240 * HOUR));
    expect(told(HOUR, 240 * HOUR)).toContain(
      { en: '1 hour.', es: '1 hora.', fr: "dans l'heure.", hi: '1 घंटे' }[language] ?? 'words of this language',
    );
  });

  it('the number is said digit by digit, and none where the country is not known', () => {
    expect(disclosureSentence(prompts, 'emergency', IN_US)).toContain('9 1 1');
    expect(disclosureText(prompts, 'emergency', { ...IN_US, country: 'GB' })).toContain('999');
    expect(disclosureText(prompts, 'emergency', { ...IN_US, country: null })).not.toMatch(/\d|null/);
  });

  it.each(['first', 'turn', 'last'] as const)(
    'the limit is said before the first search, at a turn in the queue and before a last conversation, whatever else is: %s',
    (words) => {
      const limit = prompts.duration({ count: 60, unit: 'minute' });
      for (const mayBeRecorded of [false, true])
        expect(sentencesBeforeDial(prompts, words, 3_600, mayBeRecorded).join(' ')).toContain(limit);
    },
  );

  it('what is said before the first Dial has its time, and only that Dial waits for it', () => {
    const plain = spokenMsBeforeDial(prompts, [], IN_US);
    const told = spokenMsBeforeDial(prompts, ['emergency', 'recording'], IN_US);
    const said = (['emergency', 'recording'] as const).map((kind) => disclosureSentence(prompts, kind, IN_US));
    expect(plain.first).toBe(spokenMs(sentencesBeforeDial(prompts, 'first', 3_600).join(' ')));
    expect(spokenMsBeforeDial(prompts, [], { ...IN_US, mayBeRecorded: true }).first).toBeGreaterThan(plain.first);
    expect(told.first).toBe(plain.first + spokenMs(said[0] ?? '') + spokenMs(said[1] ?? ''));
    expect([told.again, told['still-looking']]).toEqual([plain.again, plain['still-looking']]);
  });
});
