import { z } from 'zod';
import { countryCode, languageCode, nextCursor, phoneNumber, time } from './shared-shapes';

export const newContactPoint = z
  .strictObject({
    kind: z.enum(['phone', 'email']).optional().meta({ description: 'As the field that is given says.' }),
    phoneNumber: phoneNumber.optional(),
    emailAddress: z.string().max(500).optional(),
  })
  .meta({
    id: 'NewContactPoint',
    description: 'Exactly one of phoneNumber and emailAddress.',
    oneOf: [{ required: ['phoneNumber'] }, { required: ['emailAddress'] }],
  });

/** What a person is told of a number or address they saved: never the value. */
export const contactPointShape = z
  .strictObject({
    contactPointId: z.uuid(),
    kind: z.enum(['phone', 'email']),
    country: countryCode.nullable(),
    createdAt: time,
    verifiedAt: time.nullable().meta({ description: 'When a code that was sent there came back.' }),
    unreachable: z
      .strictObject({
        since: time,
        code: z.string().meta({ description: 'Of twilio.com/docs/api/errors, e.g. `21211`.' }),
      })
      .nullable()
      .meta({
        description:
          'When Twilio first said that there is no such number. Another point of the person is written to before this one; verifying it, or saving it once more, ends it.',
      }),
  })
  .meta({ id: 'ContactPoint' });

export const contactPointList = z
  .strictObject({ contactPoints: z.array(contactPointShape), nextCursor })
  .meta({ id: 'ContactPointList' });

export const verification = z
  .strictObject({
    code: z
      .string()
      .regex(/^\d{6}$/, 'The six digits of the code are expected here.')
      .optional()
      .meta({
        description: 'The six digits that were sent. Without it a new code is sent, and no earlier one counts.',
      }),
    channel: z
      .enum(['sms', 'voice', 'email'])
      .optional()
      .meta({ description: 'How a new code is sent. Default: `sms` to a number; to an address only `email`.' }),
    language: languageCode.default('en'),
  })
  .meta({ id: 'Verification' });

export const verificationSent = z
  .strictObject({
    contactPointId: z.uuid(),
    channel: z.enum(['sms', 'voice', 'email']),
    messageId: z
      .uuid()
      .nullable()
      .meta({ description: 'GET /messages/{messageId} tells how it goes; null for a call.' }),
    expiresAt: time,
  })
  .meta({ id: 'VerificationSent' });
