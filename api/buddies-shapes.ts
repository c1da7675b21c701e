import { z } from 'zod';
import { isIanaZone } from '../domain/availability';
import { BUDDY_EVENTS, BUDDY_LANGUAGES, BUDDY_STATUSES, TELL_ME_BY } from '../domain/buddies';
import { countryCode, nextCursor, phoneNumber, time } from './shared-shapes';

/**
 * Letters of any script, with a dot only at the end of a word: a mail program makes a link of anything that looks like
 * one, and names stand in mails that strangers open.
 */
const NAME = /^[\p{L}\p{M}'’-]+\.?(?: [\p{L}\p{M}'’-]+\.?)*$/u;
export const personName = (longest: number) =>
  z
    .string()
    .trim()
    .max(longest)
    .regex(NAME, 'A name is expected here: letters, hyphens and apostrophes, no digits.')
    .meta({ description: 'Letters, hyphens and apostrophes.' });
const language = z.enum(BUDDY_LANGUAGES);

export const newProfile = z
  .strictObject({
    firstName: personName(40),
    language: language.default('en'),
    tellMeBy: z.enum(TELL_ME_BY).default('app').meta({
      description: 'How you hear what your buddies answer, besides the app. By text or e-mail once yours is verified.',
    }),
    timeZone: z.string().refine(isIanaZone, 'An IANA zone such as Europe/Madrid is expected here.').optional().meta({
      description: 'IANA, of the times on your pages. Left out: that of the organisation.',
    }),
  })
  .meta({ id: 'NewProfile' });

export const profileShape = z
  .strictObject({
    userId: z.uuid(),
    firstName: z.string(),
    language: z.string(),
    tellMeBy: z.enum(TELL_ME_BY),
    timeZone: z.string().nullable(),
    updatedAt: time,
  })
  .meta({ id: 'Profile' });

const rank = z.int().min(1).max(20).meta({ description: '1 is asked first; the others move.' });
const relationship = z.string().trim().min(1).max(100);
const email = z.string().max(500).meta({ description: 'One address, without a name beside it.' });

export const newBuddy = z
  .strictObject({
    name: personName(100),
    phoneNumber,
    email,
    relationship: relationship.optional(),
    rank: rank.optional(),
    language: language.default('en').meta({ description: 'In which they are written to.' }),
  })
  .meta({ id: 'NewBuddy' });

export const buddyChange = z
  .strictObject({
    name: personName(100).optional(),
    relationship: relationship.nullable().optional(),
    language: language.optional(),
    rank: rank.optional(),
    phoneNumber: phoneNumber.optional(),
    email: email.optional(),
  })
  .meta({ id: 'BuddyChange', description: 'What is left out stays. Number and address only before the first e-mail.' });

export const buddyOrder = z
  .strictObject({ buddyIds: z.array(z.uuid()).max(20) })
  .meta({ id: 'BuddyOrder', description: 'All of them, once each; the first is asked first.' });

export const buddyShape = z
  .strictObject({
    buddyId: z.uuid(),
    rank: z.int(),
    status: z.enum(BUDDY_STATUSES),
    name: z.string(),
    phoneNumber: z.string(),
    email: z.string(),
    relationship: z.string().nullable(),
    language: z.string(),
    country: countryCode.nullable(),
    invitations: z.strictObject({
      sent: z.int().meta({ description: 'E-mails that counted.' }),
      left: z.int(),
      nextAt: time.nullable().meta({ description: 'From when another one may go; null: now, or never.' }),
      lastSentAt: time.nullable(),
      linkExpiresAt: time.nullable().meta({ description: 'Until when the newest link can be answered.' }),
      renewalAskedAt: time.nullable().meta({ description: 'When they asked for a new link.' }),
    }),
    canBeAsked: z.boolean().meta({ description: 'Whether a check-in can reach them at all.' }),
    createdAt: time,
    verifiedAt: time.nullable(),
  })
  .meta({ id: 'Buddy' });

export const buddyList = z
  .strictObject({
    userId: z.uuid().meta({ description: 'Yours, for the requests that name it.' }),
    buddies: z.array(buddyShape),
    most: z.int().meta({ description: 'How many you can name.' }),
  })
  .meta({ id: 'BuddyList' });

export const sendVerification = z
  .strictObject({ buddyContactId: z.uuid(), userId: z.uuid().meta({ description: 'Your own.' }) })
  .meta({ id: 'SendVerification' });

export const verificationBegun = z
  .strictObject({
    state: z.literal('sending'),
    buddyContactId: z.uuid(),
    expiresAt: time.meta({ description: 'Until when the link can be answered.' }),
  })
  .meta({ id: 'VerificationBegun' });

export const buddyHistoryPage = z
  .strictObject({
    events: z.array(
      z.strictObject({
        event: z.enum(BUDDY_EVENTS),
        at: time,
        linkVersion: z.int().nullable().meta({ description: 'Of the link it was done by.' }),
      }),
    ),
    nextCursor,
  })
  .meta({ id: 'BuddyHistory' });
