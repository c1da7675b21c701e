import fc from 'fast-check';
import { BUDDY_LANGUAGES } from '../../../domain/buddies';
import { BUDDY_NEWS, buddyNews } from '../../../domain/buddy-news';
import { firstName, firstNameForText, plainFirstName } from '../../../domain/first-name';
import { countSegments } from '../../../domain/segments';

test.each([
  ['Ana María López', 'Ana'],
  ['  Zoë  Smith ', 'Zoë'],
  ['Jean-Luc', 'Jean-Luc'],
  ['', ''],
])('the first name of "%s" is "%s"', (name, first) => {
  expect(firstName(name)).toBe(first);
});

test.each([
  ['José', 'user', 'José'],
  ['Zoë', 'user', 'Zoe'],
  ['João', 'user', 'Joao'],
  ['Łukasz', 'user', 'your friend'],
  ['प्रिया', 'user', 'your friend'],
  ['प्रिया', 'buddy', 'there'],
] as const)('in a text %s as %s is "%s"', (name, whose, written) => {
  expect(firstNameForText(name, 'en', whose)).toBe(written);
});

test('whatever somebody is called, a text with the name stays in the cheap alphabet, and the name short', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...BUDDY_LANGUAGES), (name, language) => {
      for (const whose of ['user', 'buddy'] as const) {
        const written = firstNameForText(name, language, whose);
        expect(countSegments(written)).toMatchObject({ encoding: 'gsm-7', segments: 1 });
        expect(written.length).toBeLessThanOrEqual(20);
      }
    }),
  );
});

describe.each(BUDDY_LANGUAGES)('news in %s', (language) => {
  test('of a buddy whose name the cheap alphabet cannot write say that it is somebody on the list', () => {
    const name = plainFirstName('प्रिया');
    const first = { en: 'Somebody on your list has agreed', es: 'Una persona de su lista ha aceptado' }[language];
    expect(buddyNews('accepted', name, language)).toContain(first);
    const within = { en: 'did not reach somebody on your list.', es: 'no ha llegado a una persona de su lista.' }[
      language
    ];
    expect(buddyNews('undeliverable', name, language)).toContain(within);
  });

  test.each(BUDDY_NEWS)('of %s is one line of the cheap alphabet and names the buddy', (news) => {
    const sentence = buddyNews(news, 'Maximilian-Alexander', language);
    expect(sentence).toContain('Maximilian-Alexander');
    expect(sentence.length).toBeLessThanOrEqual(160);
    expect(countSegments(sentence).encoding).toBe('gsm-7');
  });
});
