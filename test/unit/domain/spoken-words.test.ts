import { promptsFor, spokenMs } from '../../../domain/prompts';
import { PromptsError, readPrompts } from '../../../domain/spoken-words';

const AUDIO = 'https://static.example.org/searching-fr.mp3';
const read = (languages: unknown) => readPrompts(JSON.stringify(languages));

/** What is wrong with a file, line by line. */
function faultsOf(languages: unknown): readonly string[] {
  try {
    read(languages);
  } catch (error) {
    if (error instanceof PromptsError) return error.faults;
    throw error;
  }
  return [];
}

describe('words of the organisation', () => {
  it('stand in place of ours, and what is not given stays', () => {
    const promptsOf = read({ en: { neutral: { goodbye: 'Take it easy.' } } });
    expect(promptsOf('en').neutral.goodbye).toBe('Take it easy.');
    expect(promptsOf('en-GB').neutral.goodbye).toBe('Take it easy.');
    expect(promptsOf('en').neutral.oneMoment).toBe(promptsFor('en').neutral.oneMoment);
    expect(promptsOf('es')).toBe(promptsFor('es'));
    expect(promptsOf('de')).toBe(promptsOf('en'));
  });

  it('have the same gaps filled, and say nothing in square brackets when there is nothing to say', () => {
    const promptsOf = read({
      fr: {
        neutral: { greeting: 'Bonjour[, ici {from}]. Voici votre appel. Appuyez sur 1.' },
        confirmed: {
          searching: 'Vous aurez {limit}.',
          callHelplineYourself: 'Impossible.[ Appelez le {line}.][ Sinon le {emergency}.]',
        },
        disclosures: { retention: 'Effacé après {hours} heures, ou {days} jours.' },
      },
    });
    const { neutral, confirmed, disclosures } = promptsOf('fr');
    expect(neutral.greeting('Phare')).toBe('Bonjour, ici Phare. Voici votre appel. Appuyez sur 1.');
    expect(neutral.greeting(null)).toBe('Bonjour. Voici votre appel. Appuyez sur 1.');
    expect(confirmed.searching({ count: 1, unit: 'minute' })).toBe('Vous aurez 1 minute.');
    expect(confirmed.callHelplineYourself('3 1 1 4', null)).toBe('Impossible. Appelez le 3 1 1 4.');
    expect(disclosures.retention({ hours: 24, days: 90 })).toBe('Effacé après 24 heures, ou 90 jours.');
  });

  it('may have another voice of the same language', () => {
    const voice = { voice: 'Polly.Gabrielle-Neural', language: 'fr-CA' };
    expect(read({ fr: { voice } })('fr').speech).toEqual(voice);
    expect(faultsOf({ fr: { voice: { ...voice, language: 'en-CA' } } })).toEqual([
      'fr.voice.language: expected a voice that speaks this language, such as fr-FR',
    ]);
  });

  it('may be recordings, which last as long as the file says', () => {
    const promptsOf = read({ fr: { confirmed: { searching: { play: AUDIO, seconds: 9.5 } } } });
    const prompts = promptsOf('fr');
    const sentence = prompts.confirmed.searching({ count: 60, unit: 'minute' });
    expect(sentence).toBe(AUDIO);
    expect(spokenMs(sentence, prompts)).toBe(9_500);
    expect(spokenMs('un deux trois', prompts)).toBe(spokenMs('un deux trois'));
  });
});

describe('a file is refused, by the key of what is wrong with it, when', () => {
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['a language is none of ours', { de: {} }, 'de: expected one of en, es, fr, hi'],
    ['there is no such sentence', { en: { neutral: { hi: 'Hi.' } } }, 'en.neutral.hi: there is no such sentence'],
    [
      'a name is one that objects have of themselves',
      { en: { neutral: { constructor: 'Hi.' } } },
      'en.neutral.constructor: there is no such sentence',
    ],
    [
      'a gap is missing',
      { en: { confirmed: { searching: 'Please wait.' } } },
      'en.confirmed.searching: expected the gaps {limit}, and no others',
    ],
    [
      'a gap that may be empty leaves half a sentence',
      { en: { neutral: { whisper: 'A call from {from}. To take it, press 1.' } } },
      'en.neutral.whisper: expected the gaps [… {from} …], and no others',
    ],
    [
      'a gap has no name that we fill',
      { en: { neutral: { goodbye: 'Goodbye, {userName}.' } } },
      'en.neutral.goodbye: expected a sentence without { } and [ ]',
    ],
    [
      'brackets are left open',
      { en: { neutral: { goodbye: 'Goodbye [for now.' } } },
      'en.neutral.goodbye: expected a sentence without { } and [ ]',
    ],
    [
      'the key to press is not named',
      { es: { neutral: { greeting: 'Hola[, {from}]. Oprima una tecla.' } } },
      'es.neutral.greeting: expected the key 1 to be named',
    ],
    [
      'one of two keys is not named',
      { en: { confirmed: { offerReconnect: 'To go on, press 1.' } } },
      'en.confirmed.offerReconnect: expected the key 0 to be named',
    ],
    [
      'what anybody may hear tells what the call is about',
      { en: { neutral: { goodbye: 'Goodbye from your mentor.' } } },
      'en.neutral.goodbye: anybody may hear it, and “mentor” tells what the call is about',
    ],
    [
      'it tells that in another language',
      { en: { neutral: { goodbye: 'Goodbye. Bienestar!' } } },
      'en.neutral.goodbye: anybody may hear it, and “bienestar” tells what the call is about',
    ],
    [
      'a recording would have to say a number of one country',
      { hi: { confirmed: { helplineNotReached: { play: AUDIO, seconds: 3 } } } },
      'hi.confirmed.helplineNotReached: expected a text, because its numbers differ from call to call',
    ],
    [
      'what is also shown is a recording',
      { hi: { disclosures: { deletion: { play: AUDIO, seconds: 3 } } } },
      'hi.disclosures.deletion: expected a text, because it is shown too',
    ],
  ];

  it.each(cases)('%s', (_, languages, fault) => {
    expect(faultsOf(languages)).toEqual([fault]);
  });

  it.each([
    ['http', { play: 'http://static.example.org/a.mp3', seconds: 3 }],
    ['no address', { play: '/a.mp3', seconds: 3 }],
    ['no length', { play: AUDIO }],
    ['no time at all', { play: AUDIO, seconds: 0 }],
    ['an empty sentence', '  '],
    ['a long one', 'a '.repeat(400)],
    ['a line break', 'Good\nbye.'],
    ['tags', 'Goodbye.<break/>'],
    ['an address that is not said to be played', AUDIO],
  ])('a sentence is not one: %s', (_, sentence) => {
    expect(faultsOf({ en: { neutral: { goodbye: sentence } } })).toEqual([
      expect.stringMatching(/^en\.neutral\.goodbye\S*: expected a text of at most 600 characters, or \{"play"/),
    ]);
  });

  it.each([
    ['a voice has no language', { fr: { voice: { voice: 'Polly.Lea' } } }, /^fr\.voice\.language: expected voice and/],
    ['a group is none', { fr: { spoken: {} } }, /^fr: expected for each language voice/],
    ['it is a list', [], /^the file: expected for each language voice/],
  ])('%s', (_, languages, fault) => {
    expect(faultsOf(languages)).toEqual([expect.stringMatching(fault)]);
  });

  it('a text is no JSON, without quoting it', () => {
    expect(() => readPrompts('{"en": "+14155550142')).toThrow(new PromptsError(['expected JSON']));
  });

  it('several things are wrong: all are named at once', () => {
    const wrong = { de: {}, en: { neutral: { goodbye: 'Help!', oneMoment: 'One {moment}.' } } };
    expect(faultsOf(wrong)).toHaveLength(3);
  });
});

it('our own sentences with their gaps written out would be taken', () => {
  const { neutral, confirmed } = promptsFor('en');
  const own = {
    neutral: { greeting: neutral.greeting(null).replace('this is', 'this is[ {from} with]'), goodbye: neutral.goodbye },
    confirmed: {
      offerMoreTime: confirmed.offerMoreTime,
      alertKeys: '[To confirm, press {acknowledge}. ]Again: {again}.',
    },
    fallback: promptsFor('en').fallback,
  };
  const prompts = read({ en: own })('en');
  expect(prompts.neutral.greeting('Harbour')).toBe(neutral.greeting('Harbour'));
  expect(prompts.confirmed.alertKeys({ acknowledge: null, again: '2' })).toBe('Again: 2.');
});
