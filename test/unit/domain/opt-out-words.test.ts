import fc from 'fast-check';
import { optOutWord, optOutWordAskedFor } from '../../../domain/opt-out-words';

const STOP = ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'END', 'QUIT', 'CANCEL', 'REVOKE', 'OPTOUT'];
const START = ['START', 'YES', 'UNSTOP'];
const HELP = ['HELP', 'INFO'];
const ALL = [...STOP, ...START, ...HELP];

/** The same word in any mix of capitals, with blanks around it. */
const spelled = (words: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...words), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), blanks, blanks)
    .map(([word, isLow, before, after]) => {
      const mixed = Array.from(word, (letter, n) => (isLow[n] === true ? letter.toLowerCase() : letter)).join('');
      return `${before}${mixed}${after}`;
    });
const blanks = fc.constantFrom('', ' ', '\n', '\t ', '\u00a0', '\r\n');

test.each([
  ['stop', STOP],
  ['start', START],
  ['help', HELP],
] as const)('each word of %s is one in any case, with blanks around it', (intent, words) => {
  fc.assert(fc.property(spelled(words), (text) => optOutWord(text)?.intent === intent));
});

test('a word with anything else beside it is none', () => {
  const something = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.trim() !== '');
  const isWord = (text: string) => ALL.includes(text.trim().toUpperCase());
  fc.assert(
    fc.property(spelled(ALL), something, fc.boolean(), (word, other, isBefore) => {
      const text = isBefore ? other + word : word + other;
      // STOP and ALL make another of the words.
      return isWord(text) || optOutWord(text) === null;
    }),
  );
});

test('a text in which no word stands alone is none', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (text) => ALL.includes(text.trim().toUpperCase()) || optOutWord(text) === null,
    ),
  );
});

test.each([
  'please stop',
  'STOP ALL',
  'opt out',
  'unstoppable',
  'the end',
  'yes please',
  'Stop.',
  'help me',
  '',
  'S T O P',
])('%j is a sentence', (text) => expect(optOutWord(text)).toBeNull());

test('YES and START may be answers; STOP and UNSTOP never are', () => {
  expect(['YES', 'start', 'UNSTOP', 'STOP', 'end'].map((word) => optOutWord(word)?.mayBeAnAnswer)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('what Twilio took it for counts before the words', () => {
  expect(optOutWord('Arrêt', 'STOP')?.intent).toBe('stop');
  expect(optOutWord('ayuda', 'HELP')?.intent).toBe('help');
  expect(optOutWord('hello', 'nonsense')).toBeNull();
});

test('a text must not ask for a word that opts out or in', () => {
  expect(optOutWordAskedFor('Reply YES or NO.')).toBe('YES');
  expect(optOutWordAskedFor('Text CANCEL to cancel')).toBe('CANCEL');
  expect(optOutWordAskedFor('Responda QUIT')).toBe('QUIT');
  expect(optOutWordAskedFor('Reply STOP to opt out, HELP for help, START to start again')).toBeNull();
  expect(optOutWordAskedFor('At the end of the day, yes, we cancel. ENDORSED. ÉND')).toBeNull();
});
