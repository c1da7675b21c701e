import * as fc from 'fast-check';
import { CalendarUnreadable, readCalendar } from '../../../domain/calendar';
import { MARKED } from '../../marked-people';

const BETWEEN = { from: Date.parse('2026-11-01T00:00Z'), until: Date.parse('2027-11-01T00:00Z') };
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:1', ...lines, 'END:VEVENT'].join('\r\n');
const calendar = (...events: string[]) => ['BEGIN:VCALENDAR', 'VERSION:2.0', ...events, 'END:VCALENDAR'].join('\r\n');
const read = (...lines: string[]) => readCalendar(calendar(event(...lines)), 'America/New_York', BETWEEN);
const starts = (...lines: string[]) => read(...lines).shifts.map((shift) => shift.starts);

it.each<[string, string[], object]>([
  [
    'in a zone',
    ['DTSTART;TZID=Europe/Madrid:20261201T180000', 'DTEND;TZID=Europe/Madrid:20261201T200000'],
    { starts: '2026-12-01T18:00', ends: '2026-12-01T20:00', zone: 'Europe/Madrid' },
  ],
  [
    'in UTC',
    ['DTSTART:20261201T180000Z', 'DTEND:20261202T020000Z'],
    { starts: '2026-12-01T18:00', ends: '2026-12-02T02:00', zone: 'UTC' },
  ],
  [
    'on the clock of whoever reads it',
    ['DTSTART:20261201T180000', 'DTEND:20261201T200000'],
    { starts: '2026-12-01T18:00', ends: '2026-12-01T20:00', zone: null },
  ],
  [
    'that lasts the day',
    ['DTSTART;VALUE=DATE:20261201'],
    { starts: '2026-12-01T00:00', ends: '2026-12-02T00:00', zone: null },
  ],
  [
    'that ends in another zone',
    ['DTSTART;TZID=Europe/Madrid:20261201T180000', 'DTEND:20261201T190000Z'],
    { starts: '2026-12-01T18:00', ends: '2026-12-01T20:00', zone: 'Europe/Madrid' },
  ],
])('an event %s is a shift', (_how, lines, shift) => {
  expect(read(...lines)).toEqual({ shifts: [shift], events: 1, skipped: {} });
});

const NINE_TO_FIVE = ['DTSTART;TZID=America/New_York:20261102T090000', 'DTEND;TZID=America/New_York:20261102T170000'];

it('repeats as its rule says, without the days that are excluded, however they are written', () => {
  expect(
    starts(
      ...NINE_TO_FIVE,
      'RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261118T140000Z',
      'EXDATE;TZID=America/New_York:20261104T090000',
      'EXDATE:20261109T140000Z',
      'EXDATE;VALUE=DATE:20261111',
    ),
  ).toEqual(['2026-11-02T09:00', '2026-11-16T09:00', '2026-11-18T09:00']);
  expect(starts(...NINE_TO_FIVE, 'RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3')).toHaveLength(3);
  expect(starts(...NINE_TO_FIVE, 'RRULE:FREQ=MONTHLY;BYDAY=1MO;COUNT=2')).toEqual([
    '2026-11-02T09:00',
    '2026-12-07T09:00',
  ]);
});

it('keeps to the clock when clocks change', () => {
  const march = starts(...NINE_TO_FIVE, 'RRULE:FREQ=WEEKLY').filter((at) => at.startsWith('2027-03'));
  expect(march.every((at) => at.endsWith('T09:00'))).toBe(true);
});

it('takes what is still to come, of a rule that has run for years too', () => {
  const lines = ['DTSTART:20200106T090000Z', 'DTEND:20200106T100000Z', 'RRULE:FREQ=WEEKLY'];
  const found = starts(...lines);
  expect(found[0]).toBe('2026-11-02T09:00');
  expect(found).toHaveLength(52);
});

it('reads no line but those of the time: names, addresses and places are gone before anything parses them', () => {
  const lines = [
    `SUMMARY:${MARKED.mentorName}`,
    `ATTENDEE;CN="${MARKED.mentorName}":mailto:somebody@example.org`,
    `DESCRIPTION:${MARKED.userPhone}`,
    'BEGIN:VALARM',
    'DTSTART:20261230T090000Z',
    'END:VALARM',
    `DTSTART;X-NOTE="${MARKED.mentorName}";TZID=Europe/Madrid:20261201T180000`,
    'DTEND;TZID=Europe/Madrid:20261201T200000',
  ];
  const found = read(...lines);
  expect(found.shifts).toEqual([{ starts: '2026-12-01T18:00', ends: '2026-12-01T20:00', zone: 'Europe/Madrid' }]);
  expect(JSON.stringify(found)).not.toContain(MARKED.mentorName);
});

it.each([
  ['no-end', ['DTSTART:20261201T090000Z']],
  ['unreadable', ['DTEND:20261201T090000Z']],
  ['unreadable', ['DTSTART:20261301T090000Z', 'DTEND:20261301T100000Z']],
  ['unreadable', ['DTSTART:20261201T090000Z', 'DTEND:20261201T080000Z']],
  ['too-long', ['DTSTART:20261201T090000Z', 'DTEND:20270201T080000Z']],
  ['zone-unknown', ['DTSTART;TZID=W. Europe Standard Time:20261201T090000', 'DTEND:20261201T100000Z']],
  ['moved', ['DTSTART:20261201T090000Z', 'DTEND:20261201T100000Z', 'RECURRENCE-ID:20261130T090000Z']],
  ['rule-not-read', [...NINE_TO_FIVE, 'RRULE:FREQ=SECONDLY']],
  ['rule-not-read', [...NINE_TO_FIVE, 'RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30']],
  // Found never, and looked for without end.
  ['rule-not-read', [...NINE_TO_FIVE, 'RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU']],
  ['rule-not-read', [...NINE_TO_FIVE, 'RRULE:FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31']],
  ['endless', ['DTSTART:19900101T090000Z', 'DTEND:19900101T100000Z', 'RRULE:FREQ=DAILY']],
])('an event that cannot be read is left out and counted: %s', (why, lines) => {
  expect(read(...lines)).toEqual({ shifts: [], events: 1, skipped: { [why]: 1 } });
});

it('what is no calendar, or is larger than any rota, is refused', () => {
  expect(() => readCalendar('hello', 'UTC', BETWEEN)).toThrow(CalendarUnreadable);
  const one = event('DTSTART:20261201T090000Z', 'DTEND:20261201T100000Z');
  const many = calendar(...Array.from({ length: 1_001 }, () => one));
  expect(() => readCalendar(many, 'UTC', BETWEEN)).toThrow('too-many');
  const daily = event('DTSTART:20261101T090000Z', 'DTEND:20261101T093000Z', 'RRULE:FREQ=DAILY');
  const moved = (hour: number) => daily.replaceAll('T09', `T${String(hour).padStart(2, '0')}`);
  expect(() => readCalendar(calendar(moved(1), moved(2), moved(3)), 'UTC', BETWEEN)).toThrow('too-many');
});

it('any rule ends soon, and any text too', () => {
  const part = fc.constantFrom(
    'FREQ=DAILY',
    'FREQ=WEEKLY',
    'FREQ=MONTHLY',
    'FREQ=YEARLY',
    'FREQ=HOURLY',
    'INTERVAL=0',
    'INTERVAL=7',
    'INTERVAL=12',
    'BYDAY=5MO,TU',
    'BYDAY=-1SU',
    'BYMONTHDAY=31',
    'BYMONTHDAY=-28',
    'BYSETPOS=9',
    'BYMONTH=2',
    'COUNT=900',
    'COUNT=x',
    'UNTIL=20270101',
    'UNTIL=20270101T000000Z',
    'WKST=SU',
  );
  const rules = fc.array(part, { minLength: 1, maxLength: 4 });
  const start = fc.constantFrom('20261031T090000', '20240229T233000', '20261101T013000');
  fc.assert(
    fc.property(rules, start, (rule, at) => {
      try {
        const zone = ';TZID=America/New_York';
        const until = at.replace(/\d{4}$/, '4500');
        const { shifts } = read(`DTSTART${zone}:${at}`, `DTEND${zone}:${until}`, `RRULE:${rule.join(';')}`);
        for (const shift of shifts) expect(shift.ends > shift.starts).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(CalendarUnreadable);
      }
    }),
    { numRuns: 150 },
  );
});
