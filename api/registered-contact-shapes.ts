import { z } from 'zod';
import { CONTACT_STATES } from '../db/registered-contacts';
import { BUDDY_LANGUAGES } from '../domain/buddies';
import { personName } from './buddies-shapes';
import { countryCode, languageCode, phoneNumber, time } from './shared-shapes';

export const newRegisteredContact = z
  .strictObject({
    name: personName(80).meta({ description: 'Letters, hyphens and apostrophes. Sealed; texts say its first word.' }),
    phoneNumber: phoneNumber.meta({ description: 'Sealed. They are told by text, once, that you have named them.' }),
    language: z.enum(BUDDY_LANGUAGES).default('en').meta({ description: 'In which they are written to.' }),
  })
  .meta({ id: 'NewRegisteredContact' });

export const registeredContactShape = z
  .strictObject({
    contactId: z.uuid(),
    state: z.enum(CONTACT_STATES).meta({
      description: '`refused`, `opted-out`: they are not asked. `named`: they have not answered, and are asked.',
    }),
    name: z.string().nullable().meta({ description: 'As you gave it; null when they have had it erased.' }),
    country: countryCode,
    language: languageCode,
    namedAt: time,
    toldAt: time.nullable().meta({ description: 'When the text that tells them was begun.' }),
  })
  .meta({ id: 'RegisteredContact' });
