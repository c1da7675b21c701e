import {
  languageOfCountry,
  promptsFor,
  SPOKEN_LANGUAGES,
  spokenDuration,
  spokenMs,
  spokenNumber,
  wordsBeforeDial,
} from '../../../domain/prompts';

/**
 * Words that tell a listener what this is about. Stems, so that every form of a word is found; both languages are
 * checked against both lists. To be made longer, never shorter.
 */
const REVEALING = `
  mentor buddy buddies student parent mother baby birth postpartum pregnan depress anxi mental health wellbeing
  well-being care therap counsel psych doctor help support crisis suicid emergency hotline lifeline danger
  abuse violen shelter safe police alert survey listen volunteer clinic hospital kindline tutor estudiante
  madre padre bebé parto embaraz depresi ansiedad salud bienestar terap consej psic médic ayuda apoyo
  emergencia peligro abuso maltrato refugio segur policía alerta encuesta escuchar voluntari clínica
`
  .trim()
  .split(/\s+/)
  .concat('talk to a', 'línea de');

/** Everything that can be heard before key 1, or by somebody who only calls our number back. */
function heardByAnybody(language: string): string[] {
  const { neutral } = promptsFor(language);
  return [
    neutral.greeting(null),
    neutral.greetingAgain(null),
    neutral.whisper(null),
    neutral.alert(null),
    neutral.alertAgain(null),
    neutral.goodbye,
    neutral.oneMoment,
    neutral.inboundMentor,
    neutral.inboundStranger(null),
    neutral.inboundStranger('9 8 8'),
  ];
}

describe.each([...SPOKEN_LANGUAGES])('prompts in %s', (language) => {
  it('tell nothing before key 1, and nothing to a stranger', () => {
    for (const text of heardByAnybody(language)) {
      for (const word of REVEALING) expect(text.toLowerCase()).not.toContain(word);
    }
  });

  it('cover every neutral sentence there is', () => {
    expect(Object.keys(promptsFor(language).neutral)).toHaveLength(9);
  });

  it('name the organisation only when it has chosen a name to be greeted with', () => {
    const { neutral } = promptsFor(language);
    for (const say of [neutral.greeting, neutral.greetingAgain, neutral.whisper, neutral.alert, neutral.alertAgain]) {
      expect(say('Harbour')).toContain('Harbour');
      expect(say(null)).not.toContain('null');
    }
  });

  it('ask for key 1 in the first words', () => {
    const { neutral } = promptsFor(language);
    for (const say of [neutral.greeting, neutral.greetingAgain, neutral.whisper, neutral.alert])
      expect(say(null)).toMatch(/\b1\b/);
  });

  it('speak the limit before the search, in minutes or seconds', () => {
    const { searching } = promptsFor(language).confirmed;
    expect(searching({ count: 30, unit: 'minute' })).toMatch(/\b30 minut(e|o)s\b/);
    expect(searching({ count: 1, unit: 'minute' })).toMatch(/\b1 minut(e|o)\b/);
    expect(searching({ count: 20, unit: 'second' })).toMatch(/\b20 se(c|g)(o|u)ndo?s\b/);
  });

  it('say a helpline that cannot be dialled digit by digit, with the emergency number', () => {
    const text = promptsFor(language).confirmed.callHelplineYourself('1 1 6', '9 9 9');
    expect(text).toContain('1 1 6');
    expect(text).toContain('9 9 9');
    expect(promptsFor(language).confirmed.callHelplineYourself(null, null)).not.toContain('null');
  });
});

describe('choosing a language', () => {
  it.each([
    ['en', 'en-US'],
    ['es', 'es-US'],
    ['es-MX', 'es-US'],
    ['ES', 'es-US'],
    ['fr', 'en-US'],
    ['constructor', 'en-US'],
    ['', 'en-US'],
  ])('speaks for "%s" as %s', (language, spoken) => {
    expect(promptsFor(language).speech.language).toBe(spoken);
  });

  it('greets Spain and Mexico in Spanish where nobody chose', () => {
    expect(['ES', 'MX', 'US', null].map(languageOfCountry)).toEqual(['es', 'es', 'en', 'en']);
  });
});

it('the very first words are those of the promise', () => {
  expect(promptsFor('en').neutral.greeting(null)).toBe('Hello, this is the call you asked for. To go on, press 1.');
});

it('numbers are spoken digit by digit, durations rounded down', () => {
  expect(spokenNumber('+1 800')).toBe('1 8 0 0');
  expect(spokenDuration(119)).toEqual({ count: 1, unit: 'minute' });
  expect(spokenDuration(59)).toEqual({ count: 59, unit: 'second' });
});

it.each(SPOKEN_LANGUAGES)('the words before a Dial are given the time a slow voice needs, in %s', (language) => {
  for (const words of ['first', 'again', 'still-looking'] as const) {
    const text = wordsBeforeDial(promptsFor(language), words, 3600);
    // 150 words a minute is how Twilio's voices speak.
    expect(spokenMs(text)).toBeGreaterThanOrEqual((text.split(' ').length / 150) * 60_000);
  }
});
