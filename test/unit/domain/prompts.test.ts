import {
  languageOfCountry,
  promptsFor,
  sentencesBeforeDial,
  SPOKEN_LANGUAGES,
  spokenDuration,
  spokenMs,
  spokenNumber,
} from '../../../domain/prompts';
import type { DialWords } from '../../../domain/mentor-call';
import { revealingWord } from '../../../domain/revealing-words';

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

const SPOKEN_TIMES: Readonly<Record<string, readonly string[]>> = {
  en: ['30 minutes', '1 minute', '20 seconds'],
  es: ['30 minutos', '1 minuto', '20 segundos'],
  fr: ['30 minutes', '1 minute', '20 secondes'],
  hi: ['30 मिनट', '1 मिनट', '20 सेकंड'],
};

describe.each([...SPOKEN_LANGUAGES])('prompts in %s', (language) => {
  it('tell nothing before key 1, and nothing to a stranger', () => {
    for (const text of heardByAnybody(language)) expect([text, revealingWord(text)]).toEqual([text, null]);
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
    const [thirty, one, seconds] = SPOKEN_TIMES[language] ?? [];
    expect(searching({ count: 30, unit: 'minute' })).toContain(` ${thirty} `);
    expect(searching({ count: 1, unit: 'minute' })).toContain(` ${one} `);
    expect(searching({ count: 20, unit: 'second' })).toContain(` ${seconds} `);
  });

  it('speak the limit also to whoever has waited, and name the keys of the queue', () => {
    const { yourTurn, offerWaiting, willRing } = promptsFor(language).confirmed;
    expect(yourTurn({ count: 30, unit: 'minute' })).toMatch(/\b30\b/);
    expect(offerWaiting).toMatch(/\b2\b.*\b0\b/);
    expect(willRing({ count: 20, unit: 'minute' }, '9 8 8')).toMatch(/\b20\b.*9 8 8/);
    expect(willRing({ count: 20, unit: 'minute' }, null)).not.toContain('null');
  });

  it('ask for a recording by keys 1 and 2, and say which it has become', () => {
    const { askMentorToRecord, mentorConnectedRecorded, mentorConnectedUnrecorded } = promptsFor(language).confirmed;
    expect(askMentorToRecord).toMatch(/\b1\b.*\b2\b/);
    expect(new Set([mentorConnectedRecorded, mentorConnectedUnrecorded]).size).toBe(2);
  });

  it('say before each new conversation that it may be recorded, and only where it may', () => {
    const prompts = promptsFor(language);
    const { mayBeRecorded } = prompts.confirmed;
    const said = (words: DialWords, may: boolean) =>
      sentencesBeforeDial(prompts, words, 3600, may).includes(mayBeRecorded);
    expect([said('first', true), said('again', true), said('still-looking', true)]).toEqual([true, true, false]);
    expect([said('first', false), said('again', false)]).toEqual([false, false]);
  });

  it('say a helpline that cannot be dialled digit by digit, with the emergency number', () => {
    const text = promptsFor(language).confirmed.callHelplineYourself('1 1 6', '9 9 9');
    expect(text).toContain('1 1 6');
    expect(text).toContain('9 9 9');
    expect(promptsFor(language).confirmed.callHelplineYourself(null, null)).not.toContain('null');
  });
});

describe('every language', () => {
  it('is one of the four that calls can be held in, and has every sentence of the others in words of its own', () => {
    expect(SPOKEN_LANGUAGES).toEqual(['en', 'es', 'fr', 'hi']);
    const en = promptsFor('en');
    for (const language of SPOKEN_LANGUAGES.filter((each) => each !== 'en')) {
      const prompts = promptsFor(language);
      for (const group of ['neutral', 'confirmed', 'disclosures'] as const) {
        expect(Object.keys(prompts[group])).toEqual(Object.keys(en[group]));
        const same = Object.entries(prompts[group]).filter(
          ([key, sentence]) => sentence === Reflect.get(en[group], key),
        );
        expect(same).toEqual([]);
      }
    }
  });

  it('is written in its own script', () => {
    expect(promptsFor('hi').confirmed.stillLooking).toMatch(/^[\p{Script=Devanagari}\s,।-]+$/u);
    expect(promptsFor('fr').confirmed.stillLooking).toMatch(/^[\p{Script=Latin}\s,.']+$/u);
  });
});

describe('choosing a language', () => {
  it.each([
    ['en', 'en-US'],
    ['es', 'es-US'],
    ['es-MX', 'es-US'],
    ['ES', 'es-US'],
    ['fr', 'fr-FR'],
    ['fr-CA', 'fr-FR'],
    ['hi', 'hi-IN'],
    ['de', 'en-US'],
    ['constructor', 'en-US'],
    ['', 'en-US'],
  ])('speaks for "%s" as %s', (language, spoken) => {
    expect(promptsFor(language).speech.language).toBe(spoken);
  });

  it('speaks what most people of a country understand where nobody chose', () => {
    const countries = ['ES', 'MX', 'FR', 'SN', 'IN', 'CA', 'US', null];
    expect(countries.map(languageOfCountry)).toEqual(['es', 'es', 'fr', 'fr', 'hi', 'en', 'en', 'en']);
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
  for (const words of ['first', 'again', 'still-looking', 'turn'] as const) {
    const text = sentencesBeforeDial(promptsFor(language), words, 3600).join(' ');
    // 150 words a minute is how Twilio's voices speak.
    expect(spokenMs(text)).toBeGreaterThanOrEqual((text.split(' ').length / 150) * 60_000);
  }
});
