import { z } from 'zod';
import { nextCursor, time } from './shared-shapes';

export const newAccess = z
  .union([
    z.strictObject({ subjectId: z.uuid() }),
    z.strictObject({
      account: z
        .string()
        .min(1)
        .max(255)
        .meta({ description: 'The `sub` of their access tokens; only a keyed hash of it is kept.' }),
    }),
  ])
  .meta({ id: 'NewAccess', description: 'Somebody, by our id or by the name that the issuer gives them.' });

export const accessShape = z.strictObject({ subjectId: z.uuid(), addedAt: time }).meta({ id: 'Access' });

export const accessPage = z.strictObject({ access: z.array(accessShape), nextCursor }).meta({ id: 'AccessPage' });
