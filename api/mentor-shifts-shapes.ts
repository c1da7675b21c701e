import { z } from 'zod';
import { SKIPPED } from '../domain/calendar';
import { month, nextCursor, time } from './shared-shapes';

const localTime = z
  .string()
  .refine(isLocalTime, 'A time such as 2026-12-24T09:00, of a day that exists, is expected here.')
  .meta({ description: 'YYYY-MM-DDTHH:MM on the clock of the zone.', examples: ['2026-12-24T09:00'] });

/** JavaScript makes the second of March out of the 30th of February: so it is written again. */
function isLocalTime(text: string): boolean {
  if (!/^20\d\d-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d$/.test(text)) return false;
  const at = Date.parse(`${text}Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

const LONGEST_MS = 366 * 24 * 3_600_000;
const zone = z
  .string()
  .max(64)
  .meta({ description: 'A name of the IANA time zone database.', examples: ['America/New_York'] });
const kind = z
  .enum(['away', 'shift'])
  .meta({ description: 'Days away, or a shift beside the weekly hours. Being away goes before every shift.' });

export const newException = z
  .strictObject({
    kind,
    starts: localTime,
    ends: localTime,
    zone: zone.optional().meta({ description: 'Left out: the mentor’s own, whichever it is then.' }),
  })
  .refine(({ starts, ends }) => ends > starts, { path: ['ends'], message: 'A time after the start is expected here.' })
  .refine(({ starts, ends }) => !(Date.parse(`${ends}Z`) - Date.parse(`${starts}Z`) > LONGEST_MS), {
    path: ['ends'],
    message: 'A year after the start at most is expected here.',
  })
  .meta({ id: 'NewException' });

export const exceptionShape = z
  .strictObject({
    exceptionId: z.uuid(),
    kind,
    starts: localTime,
    ends: localTime,
    zone: zone.nullable().meta({ description: 'Null: the mentor’s own.' }),
    source: z
      .enum(['entered', 'imported'])
      .meta({ description: 'An import replaces what the one before has brought.' }),
  })
  .meta({ id: 'Exception' });

export const exceptionPage = z
  .strictObject({ exceptions: z.array(exceptionShape), nextCursor })
  .meta({ id: 'ExceptionPage' });

export const calendarImport = z
  .strictObject({
    calendar: z.string().min(1).max(300_000).meta({
      description: 'The text of an iCalendar file. Only DTSTART, DTEND, RRULE, EXDATE and TZID are read.',
    }),
    isDryRun: z.boolean().default(false).meta({ description: 'True: says what it would bring, and changes nothing.' }),
  })
  .meta({ id: 'CalendarImport' });

export const importResult = z
  .strictObject({
    isDryRun: z.boolean(),
    events: z.int().meta({ description: 'How many the calendar has.' }),
    skipped: z
      .partialRecord(z.enum(SKIPPED), z.int())
      .meta({ description: 'How many events gave no shift, by reason.' }),
    shifts: z.array(z.strictObject({ starts: localTime, ends: localTime, zone: zone.nullable() })),
    until: time.meta({ description: 'Shifts that start later are left for a later import.' }),
  })
  .meta({ id: 'ImportResult' });

export const coverageQuery = z.strictObject({
  month: month.meta({ description: 'A month, by the clock of the zone.', examples: ['2026-12'] }),
  zone: zone.default('UTC'),
  format: z.enum(['json', 'csv']).default('json').meta({ description: 'csv: the hours, one to a line.' }),
});

const moment = z.iso.datetime({ offset: true }).meta({ description: 'ISO 8601 with the offset of the zone.' });

export const coverageShape = z
  .strictObject({
    month: z.string(),
    zone,
    mentors: z.int().meta({ description: 'How many are counted, whether switched on or off now.' }),
    gaps: z
      .array(z.strictObject({ starts: moment, ends: moment, minutes: z.int() }))
      .meta({ description: 'When nobody is on shift.' }),
    gapMinutes: z.int(),
    hours: z
      .array(z.strictObject({ starts: moment, fewest: z.int(), most: z.int() }))
      .meta({ description: 'How many are on shift at least and at most, hour by hour.' }),
  })
  .meta({ id: 'Coverage' });
