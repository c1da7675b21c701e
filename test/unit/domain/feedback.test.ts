import { MOST_FEEDBACK_WORDS, readFeedback } from '../../../domain/feedback';

describe('an answer that comes by text', () => {
  it.each([
    ['4', 4, null],
    [' 5 ', 5, null],
    ['3!', 3, null],
    ['5 thank you', 5, 'thank you'],
    ['1\nnobody listened', 1, 'nobody listened'],
    ['2 - too short', 2, 'too short'],
    ['5.', 5, null],
    ['4, kind', 4, 'kind'],
  ])('%j is %i with %j', (text, rating, words) => {
    expect(readFeedback(text)).toEqual({ rating, words });
  });

  it.each(['', '0', '6', '10', '45', '5:30', '4.5', 'five', 'it was a 5', '-1'])('%j is none', (text) => {
    expect(readFeedback(text)).toBeNull();
  });

  it('keeps no more words than an app may send', () => {
    expect(readFeedback(`5 ${'x'.repeat(2_000)}`)?.words).toHaveLength(MOST_FEEDBACK_WORDS);
  });
});
