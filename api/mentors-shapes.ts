import { z } from 'zod';
import { secondsOfDay } from '../domain/availability';
import { countryCode, languageCode, nextCursor, phoneNumber, specialtyName } from './shared-shapes';

const timeOfDay = z
  .string()
  .refine((time) => secondsOfDay(time) !== null, 'A time of day such as 09:00 is expected here.')
  .meta({ description: 'HH:MM on the clock of the zone, from 00:00 to 23:59.', examples: ['09:00'] });

const windowShape = z
  .strictObject({
    weekday: z.int().min(1).max(7).meta({ description: '1 is Monday, 7 is Sunday.' }),
    starts: timeOfDay,
    ends: timeOfDay,
  })
  .meta({ id: 'Window', description: 'When a mentor can be rung. An end at or before the start is on the next day.' });

const windows = z.array(windowShape).max(50);

const changeable = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}]*$/u, 'A name is expected here, on one line.')
    .meta({ description: 'Sealed; shown to admins, each look audited.' }),
  phoneNumber,
  specialties: z.array(specialtyName).max(20),
  languages: z.array(languageCode).min(1).max(10),
  zone: z
    .string()
    .max(64)
    .meta({ description: 'A name of the IANA time zone database.', examples: ['America/New_York'] }),
  available: z.boolean().meta({ description: 'False: not rung at all, whatever the windows say.' }),
  maxConcurrentCalls: z.int().min(1).max(20),
};

export const newMentor = z
  .strictObject({
    ...changeable,
    specialties: changeable.specialties.default([]),
    available: changeable.available.default(true),
    maxConcurrentCalls: changeable.maxConcurrentCalls.default(1),
    windows: windows.default([]),
  })
  .meta({ id: 'NewMentor' });

export const mentorChange = z
  .strictObject(changeable)
  .partial()
  .meta({ id: 'MentorChange', description: 'What is left out stays.' });

export const newWindows = z.strictObject({ windows }).meta({ id: 'Windows', description: 'The whole list.' });

export const newAvailability = z
  .strictObject({ available: changeable.available })
  .meta({ id: 'Availability', description: 'Counts for the next call that looks for a mentor, and ends none.' });

/** As admins see a mentor. A number never leaves. */
export const mentorShape = z
  .strictObject({
    mentorId: z.uuid(),
    name: z.string(),
    country: countryCode,
    specialties: z.array(specialtyName),
    languages: z.array(languageCode),
    zone: z.string(),
    available: z.boolean(),
    maxConcurrentCalls: z.int(),
    currentCalls: z.int(),
    windows: z.array(windowShape),
  })
  .meta({ id: 'Mentor' });

export const mentorPage = z.strictObject({ mentors: z.array(mentorShape), nextCursor }).meta({ id: 'MentorPage' });
