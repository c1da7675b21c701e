import { z } from 'zod';
import { WHY_NOT } from '../domain/mentor-matching';
import { languageCode, specialtyName, time } from './shared-shapes';

const features = z
  .strictObject({
    languageRank: z
      .number()
      .meta({ description: 'The first wished language that is met, counted from the last wish.' }),
    specialties: z.number().meta({ description: 'How many of the topics.' }),
    sameCountry: z.number(),
    rested: z.number().meta({ description: 'From 0, just called, to 1, a day ago or never.' }),
    load: z.number().meta({ description: 'Current calls by places.' }),
  })
  .meta({ id: 'MatchFeatures', description: 'What the score was made from.' });

const reason = {
  askedFor: z.boolean(),
  score: z.number(),
  currentCalls: z.int(),
  lastCalledAt: time.nullable(),
  features,
};

const reasons = z
  .strictObject({
    scorer: z.strictObject({ name: z.enum(['default', 'learned']), version: z.int() }),
    counts: z
      .strictObject({ onShift: z.int(), free: z.int(), busy: z.int(), triedAlready: z.int() })
      .meta({ description: 'Of everybody who was switched on and on shift at that moment.' }),
    chosen: z
      .strictObject({
        ...reason,
        met: z.strictObject({ languages: z.array(languageCode), specialties: z.array(specialtyName) }),
      })
      .nullable(),
    others: z
      .array(z.strictObject({ mentorId: z.uuid(), why: z.enum(WHY_NOT), ...reason }))
      .meta({ description: 'The best twenty of the others, best first, and why each was not chosen.' }),
  })
  .meta({ id: 'MatchReasons' });

export const callMatches = z
  .strictObject({
    callId: z.uuid(),
    steps: z.array(
      z.strictObject({
        step: z.int(),
        mentorId: z.uuid().nullable().meta({ description: 'Null: nobody was found.' }),
        at: time,
        why: z.enum(['reserved', 'nobody-on-shift', 'all-busy']),
        times: z.int().meta({ description: 'How often it was looked without anybody being found; 1 for an offer.' }),
        result: z.string().nullable().meta({ description: 'How the offer ended; null while it lasts.' }),
        reasons: reasons.nullable().meta({ description: 'Null for calls from before they were kept like this.' }),
      }),
    ),
  })
  .meta({ id: 'CallMatches', description: 'Every time a mentor was looked for, in order.' });
