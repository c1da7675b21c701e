import { z } from 'zod';

/** Shapes that several routes have in common: what they validate with, and what the OpenAPI document is made from. */

/** Two letters of ISO 639-1. */
export const languageCode = z
  .string()
  .regex(/^[a-z]{2}$/, 'A language is expected here: two small letters, as en.')
  .meta({ description: 'A language: two letters of ISO 639-1.', examples: ['en'] });
/** A topic, as mentors and requests name it. */
export const specialtyName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'A topic is expected here, in small letters, digits and hyphens.')
  .meta({ description: 'A topic, in small letters, digits and hyphens.', examples: ['sleep'] });
/** Free in how it is written; what it may be is decided by `numberToRing`. */
export const phoneNumber = z
  .string()
  .max(64)
  .meta({ description: 'A mobile or fixed number with country code; blanks and hyphens do no harm.' });

export const countryCode = z
  .string()
  .regex(/^[A-Z]{2}$/, 'A country is expected here: two capital letters, as US.')
  .meta({ description: 'ISO 3166, two letters.', examples: ['US'] });
export const month = z
  .string()
  .regex(/^20\d\d-(?:0[1-9]|1[0-2])$/, 'A month is expected here, as 2026-11.')
  .meta({ description: 'A month, UTC.', examples: ['2026-11'] });
export const time = z.iso.datetime().meta({ description: 'ISO 8601, UTC.', examples: ['2026-11-21T15:04:05.678Z'] });

/** The query of every list. */
export const listQuery = z.strictObject({
  cursor: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'The `nextCursor` of an earlier answer to the same question.' }),
  limit: z.coerce.number().int().min(1).max(100).default(20).meta({ description: 'How many to a page at most.' }),
});

export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Give it back as `cursor` to get the next page; null on the last one.' });

const helpline = z
  .strictObject({
    operator: z.string(),
    source: z.string().meta({ description: "The operator's own page." }),
    checked: z.iso.date().meta({ description: 'When it was last compared with its source.' }),
    number: z.string().nullable().meta({ description: 'As people dial it; null when there is only the page.' }),
    dial: z.enum(['e164', 'short']),
    alternative: z.string().nullable().meta({ description: 'E.164 form of a short number, for other countries.' }),
    dialable: z.boolean().meta({ description: 'Whether the service may connect a call to it.' }),
  })
  .meta({ id: 'Helpline' });

/** Who else can help; in every problem and in every call that did not lead to a mentor. */
export const helplines = z
  .strictObject({
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .meta({ description: 'ISO 3166, or ZZ for a country we have no entry for.' }),
    crisis: helpline,
    second: helpline.nullable().meta({ description: 'Another one, should the first not answer.' }),
    emergency: helpline,
    psi: helpline.nullable().meta({ description: 'Postpartum Support International, where it can be reached.' }),
  })
  .meta({ id: 'Helplines', description: 'Who else can help, in the country of the caller. Show them.' });
