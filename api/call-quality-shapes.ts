import { z } from 'zod';
import { ENDED_FIRST, legInsights } from '../domain/call-quality';
import { time } from './shared-shapes';

const milliseconds = (description: string) =>
  z
    .int()
    .nullable()
    .meta({ description: `${description} (ms).` });

export const callQualityShape = z
  .strictObject({
    callId: z.uuid(),
    quality: z
      .strictObject({
        endedAt: time,
        msToAnswer: milliseconds('From the request until the user picked up'),
        msToMentor: milliseconds('From the user’s key 1 to the mentor’s'),
        mentorsRung: z.int(),
        bridgeSeconds: z.int().meta({ description: 'All conversations of the call together.' }),
        reconnections: z.int().meta({ description: 'How often a mentor was rung after a conversation of this call.' }),
        ringBacks: z.int().meta({ description: 'How often the user was rung again.' }),
        linesLost: z
          .int()
          .meta({ description: 'Lines that somebody had answered and that ended as failed at Twilio.' }),
        endedFirst: z.enum(ENDED_FIRST).nullable().meta({
          description:
            'Whose line ended first; null when that is not known. A goodbye cannot be told from a lost line.',
        }),
        userPostDialDelayMs: milliseconds('From dialling until the phone rang, to the second'),
        mentorPostDialDelayMs: milliseconds('The same, of the mentor they talked with, or who was rung last'),
        userSipCode: z.int().nullable(),
        mentorSipCode: z.int().nullable(),
        insights: z
          .strictObject({ user: legInsights.nullable(), mentor: legInsights.nullable() })
          .meta({ description: 'What Twilio’s Voice Insights measured, half an hour later, where it is on.' }),
        insightsDueAt: time.nullable().meta({ description: 'When they are looked for; null: not any more.' }),
      })
      .nullable()
      .meta({ description: 'Null while the call goes on, and until its last callbacks have come.' }),
  })
  .meta({ id: 'CallQuality' });
