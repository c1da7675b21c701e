import type { Operation } from './openapi-operations';
import { newRegisteredContact, registeredContactShape } from './registered-contact-shapes';

const CONTACT = {
  contactId: '5f0c3a0e-8b1f-4c52-9d64-2f6f0c9b7a10',
  state: 'agreed',
  name: 'Alex',
  country: 'US',
  language: 'en',
  namedAt: '2026-11-21T15:04:05.678Z',
  toldAt: '2026-11-21T15:04:07.010Z',
} satisfies Record<keyof typeof registeredContactShape.shape, unknown>;

const ONE = {
  description: 'Whom you have named.',
  content: { 'application/json': registeredContactShape },
  example: CONTACT,
} as const;

const PAGE = { 'text/html': null } as const;

/** The person whom a user names to be asked when no buddy answers, and that person's own page. */
export const REGISTERED_CONTACT_OPERATIONS = {
  'PUT /api/users/me/registered-contact': {
    id: 'nameRegisteredContact',
    tag: 'Wellbeing',
    summary: 'Names whom to ask when no buddy answers',
    description:
      'They are told by text, once, and can refuse. The same number again changes name and language only; another one takes the place of the one before.',
    body: {
      schema: newRegisteredContact,
      examples: { 'a sister': { name: 'Alex Example', phoneNumber: '+14155550177', language: 'en' } },
    },
    answers: { 200: ONE },
    problems: [
      'phone-number-invalid',
      'phone-number-not-allowed',
      'country-not-allowed',
      'contact-has-refused',
      'too-many-requests',
    ],
  },
  'GET /api/users/me/registered-contact': {
    id: 'getRegisteredContact',
    tag: 'Wellbeing',
    summary: 'Whom you have named',
    answers: { 200: ONE },
    problems: ['not-found'],
  },
  'DELETE /api/users/me/registered-contact': {
    id: 'removeRegisteredContact',
    tag: 'Wellbeing',
    summary: 'Takes the name back',
    description: 'Their name and number are destroyed, and the link they have opens nothing any more.',
    answers: { 204: { description: 'There is none any more.' } },
    problems: ['not-found'],
  },
  'GET /contact/:token': {
    id: 'contactPage',
    tag: 'Pages',
    summary: 'The page of somebody who was named',
    answers: {
      200: { description: 'What they can say and do.', content: PAGE },
      404: { description: 'The link opens nothing (any more).', content: PAGE },
    },
  },
  'POST /contact/:token': {
    id: 'contactActs',
    tag: 'Pages',
    summary: 'What they say or do there',
    description: '`do`: agree, refuse, answer (with `response`), see, erase.',
    answers: {
      200: { description: 'Done, or how things stand.', content: PAGE },
      404: { description: 'The link opens nothing (any more).', content: PAGE },
    },
  },
} as const satisfies Partial<Record<string, Operation>>;
