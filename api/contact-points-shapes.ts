import { z } from 'zod';
import { countryCode, nextCursor, phoneNumber, time } from './shared-shapes';

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
  })
  .meta({ id: 'ContactPoint' });

export const contactPointList = z
  .strictObject({ contactPoints: z.array(contactPointShape), nextCursor })
  .meta({ id: 'ContactPointList' });
