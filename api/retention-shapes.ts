import { z } from 'zod';
import { LEGAL_HOLD_REASONS } from '../domain/legal-holds';
import { countryCode, listQuery, month, nextCursor, time } from './shared-shapes';

const reason = z
  .enum(LEGAL_HOLD_REASONS)
  .meta({ description: 'Why, in a word: free text about a person has no place here.' });

export const newLegalHold = z
  .strictObject({ subjectId: z.uuid().meta({ description: 'Whose data must stay.' }), reason })
  .meta({ id: 'NewLegalHold' });

export const legalHoldShape = z
  .strictObject({
    holdId: z.uuid(),
    subjectId: z.uuid(),
    reason,
    placedBy: z.uuid(),
    placedAt: time,
    liftedBy: z.uuid().nullable(),
    liftedAt: time.nullable().meta({ description: 'Null: it stands.' }),
  })
  .meta({ id: 'LegalHold' });

export const legalHoldsQuery = listQuery.extend({
  standing: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .meta({ description: 'Only those that stand, or only those that were lifted.' }),
  subjectId: z.uuid().optional(),
});

export const legalHoldPage = z
  .strictObject({ legalHolds: z.array(legalHoldShape), nextCursor })
  .meta({ id: 'LegalHoldPage' });

export const statisticsQuery = z.object({
  from: month.optional().meta({ description: 'The first month; left out: the eleventh before `to`.' }),
  to: month.optional().meta({ description: 'The last month; left out: this one.' }),
  country: countryCode.optional(),
});

const count = z.int().min(0);
const median = count.nullable().meta({ description: 'Seconds at the median; null where there was none.' });

export const statisticsShape = z
  .strictObject({
    months: z.array(
      z.strictObject({
        month,
        country: z.string().meta({ description: 'Of the phone that was rung, ISO 3166.' }),
        calls: count.meta({ description: 'Without those that were merged or over a limit.' }),
        completed: count.meta({ description: 'With a mentor.' }),
        helpline: count,
        cancelled: count,
        noAnswer: count,
        failed: count,
        secondsToAnswer: median,
        secondsToMentor: median,
        conversationSeconds: median,
        conversationSecondsInAll: count,
        mentorsRung: count,
      }),
    ),
  })
  .meta({ id: 'CallStatistics' });
