import { countSegments } from '../../../domain/segments';

const counted = (text: string) => {
  const { encoding, segments } = countSegments(text);
  return `${segments} ${encoding}`;
};

describe('the number of segments', () => {
  test.each([
    ['nothing', '', '0 gsm-7'],
    ['one letter', 'a', '1 gsm-7'],
    ['160 letters', 'a'.repeat(160), '1 gsm-7'],
    ['161 letters', 'a'.repeat(161), '2 gsm-7'],
    ['306 letters', 'a'.repeat(306), '2 gsm-7'],
    ['307 letters', 'a'.repeat(307), '3 gsm-7'],
    ['1600 letters, the longest text', 'a'.repeat(1600), '11 gsm-7'],
    ['letters of the alphabet of GSM', 'ñéàüÄÖ¿¡@£Δ\n', '1 gsm-7'],
    ['80 euro signs, two septets each', '€'.repeat(80), '1 gsm-7'],
    ['81 euro signs', '€'.repeat(81), '2 gsm-7'],
    ['an escape at the end of a segment, which moves to the next', `${'a'.repeat(152)}€${'a'.repeat(152)}`, '3 gsm-7'],
    ['70 letters of which one is not', `á${'a'.repeat(69)}`, '1 ucs-2'],
    ['71 letters of which one is not', `á${'a'.repeat(70)}`, '2 ucs-2'],
    ['134 letters of which one is not', `á${'a'.repeat(133)}`, '2 ucs-2'],
    ['135 letters of which one is not', `á${'a'.repeat(134)}`, '3 ucs-2'],
    ['35 emoji', '😀'.repeat(35), '1 ucs-2'],
    ['36 emoji', '😀'.repeat(36), '2 ucs-2'],
    ['an emoji at the end of a segment, which moves to the next', `${'ж'.repeat(66)}😀${'ж'.repeat(66)}`, '3 ucs-2'],
    ['a tab, which has no place in the alphabet', 'a\tb', '1 ucs-2'],
    ['typographic quotes', '“hello”', '1 ucs-2'],
    ['the no-break space that formats leave in times', '3:04\u202fPM', '1 ucs-2'],
  ])('of %s', (_what, text, expected) => {
    expect(counted(text)).toBe(expected);
  });

  test('is never less for a longer text, and never more than its letters', () => {
    for (let length = 1; length < 700; length += 1) {
      for (const letter of ['a', '€', 'ж', '😀']) {
        const text = letter.repeat(length);
        const { segments, characters } = countSegments(text);
        expect(segments).toBeLessThanOrEqual(length);
        expect(segments).toBeGreaterThanOrEqual(countSegments(letter.repeat(length - 1)).segments);
        expect(characters).toBeGreaterThanOrEqual(length);
      }
    }
  });
});
