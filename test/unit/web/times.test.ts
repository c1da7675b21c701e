import { clockIn, dayIn, lengthInWords, spanIn, timeIn } from '../../../web/times';

const at = (iso: string): Date => new Date(iso);

describe('times on pages', () => {
  it('are those of the zone, and say themselves to programs in UTC', () => {
    expect(timeIn('America/New_York', at('2026-12-01T02:05:00Z'))).toBe(
      '<time datetime="2026-12-01T02:05:00.000Z">Mon 30 Nov, 21:05</time>',
    );
    expect(dayIn('Asia/Kolkata', at('2026-11-30T20:00:00Z'))).toBe('Tue 1 Dec');
    expect(clockIn('UTC', at('2026-11-30T00:00:00Z'))).toBe('00:00');
  });

  it.each([
    ['2026-11-30T09:00Z', '2026-11-30T17:00Z', 'Mon 30 Nov, 09:00 to 17:00'],
    ['2026-11-30T22:00Z', '2026-12-01T06:00Z', 'Mon 30 Nov, 22:00 to Tue 1 Dec, 06:00'],
    ['2026-11-30T00:00Z', '2026-12-01T00:00Z', 'Mon 30 Nov, 00:00 to 24:00'],
  ])('from %s to %s are said as %s', (starts, ends, words) => {
    expect(spanIn('UTC', { starts: at(starts), ends: at(ends) })).toBe(words);
  });

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [1_400, '23 min'],
  ])('of %i seconds are %s', (seconds, words) => {
    expect(lengthInWords(seconds)).toBe(words);
  });
});
