import { z } from 'zod';
import { countryCode, nextCursor, phoneNumber, time } from './shared-shapes';

export const newContactPoint = z
  .strictObject({ kind: z.literal('phone').default('phone'), phoneNumber })
  .meta({ id: 'NewContactPoint' });

/** What a person is told of a number they saved: never the number. */
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
