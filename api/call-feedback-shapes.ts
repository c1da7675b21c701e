import { z } from 'zod';
import { FEEDBACK_VIA, MOST_FEEDBACK_WORDS } from '../domain/feedback';
import { month, time } from './shared-shapes';

const rating = z.int().min(1).max(5).meta({ description: 'From 1, not good, to 5, very good.' });
const mean = z
  .number()
  .min(1)
  .max(5)
  .nullable()
  .meta({ description: 'From 1 to 5 with one decimal; null when the answers are too few to hide behind.' });

export const newFeedback = z
  .strictObject({
    rating,
    words: z
      .string()
      .trim()
      .min(1)
      .max(MOST_FEEDBACK_WORDS)
      .optional()
      .meta({ description: 'Sealed: only who wrote them can read them. Left out: none, also where there were some.' }),
  })
  .meta({ id: 'NewFeedback' });

export const feedbackShape = z
  .strictObject({
    callId: z.uuid(),
    rating,
    words: z.string().nullable(),
    via: z.enum(FEEDBACK_VIA).meta({ description: 'How it was said last: by key in the call, by text, or here.' }),
    givenAt: time,
    changeableUntil: time,
  })
  .meta({ id: 'Feedback', description: 'How a call was. Its user sees it, and nobody else but as part of a mean.' });

export const satisfactionShape = z
  .strictObject({
    months: z.array(
      z.strictObject({
        month,
        answers: z.int(),
        mean,
        ratings: z
          .array(z.int())
          .length(5)
          .nullable()
          .meta({ description: 'How many gave 1, 2, 3, 4 and 5; null when the answers are too few.' }),
      }),
    ),
  })
  .meta({ id: 'Satisfaction', description: 'By month, newest first; months without answers are left out.' });

export const mentorSatisfactionShape = z
  .strictObject({
    mentorId: z.uuid(),
    answers: z.int().nullable().meta({ description: 'Of the last year; null when they are too few.' }),
    mean,
  })
  .meta({ id: 'MentorSatisfaction' });
