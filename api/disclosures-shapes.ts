import { z } from 'zod';
import { DISCLOSURE_KINDS } from '../domain/disclosures';
import { SPOKEN_LANGUAGES } from '../domain/prompts';
import { countryCode, languageCode } from './shared-shapes';

export const disclosuresQuery = z.strictObject({
  language: z
    .enum(SPOKEN_LANGUAGES)
    .optional()
    .meta({ description: 'Only this one; all that calls can be held in when left out.' }),
  country: countryCode
    .optional()
    .meta({ description: 'Where the person is: whose emergency number is named. ISO 3166, two letters.' }),
});

const disclosureShape = z
  .strictObject({
    kind: z.enum(DISCLOSURE_KINDS),
    text: z.string(),
    isSpoken: z
      .boolean()
      .meta({ description: 'Whether it is also said in a call, after key 1 and before the search.' }),
  })
  .meta({ id: 'Disclosure' });

export const disclosuresShape = z
  .strictObject({
    languages: z.array(z.strictObject({ language: languageCode, disclosures: z.array(disclosureShape) })),
    privacyPolicyUrl: z.url().nullable().meta({ description: 'Where it says how to have data deleted.' }),
  })
  .meta({ id: 'Disclosures' });
