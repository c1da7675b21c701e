import { z } from 'zod';
import { END_REASONS, LIVE_STATUSES, OUTCOMES } from '../domain/mentor-call';
import { countryCode, helplines, languageCode, nextCursor, phoneNumber, specialtyName, time } from './shared-shapes';

/** Which words were shown and agreed to. */
export const consentShape = z
  .strictObject({ textVersion: z.string().max(40), language: z.string().max(20) })
  .meta({ id: 'Consent', description: 'The text of GET /consent-texts/mentor-call that was shown and agreed to.' });

export const connectMentorRequest = z
  .strictObject({
    userPhoneNumber: phoneNumber.optional().meta({ description: 'Rung for this call, then destroyed.' }),
    contactPointId: z.uuid().optional().meta({ description: 'A saved number to ring instead.' }),
    preferences: z
      .strictObject({
        languages: z.array(languageCode).max(10).optional(),
        specialties: z.array(specialtyName).max(10).optional(),
        mentorId: z.uuid().optional().meta({ description: 'A mentor one has talked to before; staff may name any.' }),
      })
      .optional(),
    consent: consentShape,
    recording: z
      .boolean()
      .optional()
      .meta({ description: 'True: recorded if the mentor agrees too. `consent` must name a text that says so.' }),
    mayCallBack: z.boolean().optional().meta({ description: 'Whether we may ring again when the call drops.' }),
    mayWait: z.boolean().optional().meta({
      description:
        'Whether to offer, when all mentors are talking, to ring again as soon as one is free. Without it: a helpline at once.',
    }),
  })
  .meta({
    id: 'ConnectMentorRequest',
    description: 'Exactly one of `userPhoneNumber` and `contactPointId`.',
    oneOf: [{ required: ['userPhoneNumber'] }, { required: ['contactPointId'] }],
  });

export const callAccepted = z
  .strictObject({
    success: z.literal(true),
    callId: z.uuid(),
    status: z.literal('starting'),
    callSid: z.null(),
  })
  .meta({ id: 'CallAccepted', description: 'The call will be placed: GET /mentor-calls/{callId} tells how it goes.' });

/** A call as its user sees it. Which mentor it was is an id and nothing more. */
export const mentorCallShape = z
  .strictObject({
    callId: z.uuid(),
    status: z
      .enum([...LIVE_STATUSES, ...OUTCOMES])
      .meta({ description: `While it lives: ${LIVE_STATUSES.join(', ')}. Then it stays: ${OUTCOMES.join(', ')}.` }),
    endReason: z.enum(END_REASONS).nullable(),
    callSid: z.string().nullable().meta({ description: "Twilio's name of the user's leg, once it was accepted." }),
    organisationNumber: z.string().nullable().meta({ description: 'The number of ours that the phone shows.' }),
    country: countryCode.nullable(),
    language: languageCode.nullable(),
    mentorId: z.uuid().nullable(),
    requestedMentor: z
      .enum(['pending', 'connected', 'not-free'])
      .optional()
      .meta({ description: 'What became of preferences.mentorId.' }),
    mergedFrom: z.uuid().optional().meta({ description: 'The id asked for: it was merged into this live call.' }),
    waiting: z
      .strictObject({
        position: z.int().min(1).meta({ description: '1: the next free mentor is theirs.' }),
        since: time,
        until: time.meta({ description: 'Then we give up: status no-answer, endReason waited-in-vain.' }),
      })
      .optional()
      .meta({ description: 'There while the status is waiting: the phone rings again when a mentor is free.' }),
    requestedAt: time.nullable(),
    answeredAt: time.nullable(),
    bridgedAt: time.nullable(),
    endedAt: time.nullable(),
    durationSeconds: z.int().nullable().meta({ description: 'Of the conversation.' }),
    helplines: helplines.optional().meta({ description: 'There when the call is over and led to no mentor.' }),
  })
  .meta({ id: 'MentorCall' });

export const mentorCallPage = z
  .strictObject({ mentorCalls: z.array(mentorCallShape), nextCursor })
  .meta({ id: 'MentorCallPage' });

export const consentTextsQuery = z.object({
  recording: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`true`: the texts for a call that may be recorded; none while recording is off.' }),
});

export const consentTextsShape = z
  .strictObject({
    job: z.literal('mentor-call'),
    texts: z.array(z.strictObject({ textVersion: z.string(), language: languageCode, text: z.string() })),
  })
  .meta({ id: 'ConsentTexts' });
