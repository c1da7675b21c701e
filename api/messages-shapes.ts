import { z } from 'zod';
import { MESSAGE_CHANNELS, MESSAGE_KINDS, MESSAGE_REASONS, MESSAGE_STATES, type MessageKind } from '../domain/message';
import { countryCode, languageCode, listQuery, nextCursor, phoneNumber, time } from './shared-shapes';
import { templateName } from './templates-shapes';

/** The longest text Twilio takes. */
const LONGEST_TEXT = 1_600;

/**
 * `automatic` answers what somebody wrote, and `verification` is a code that somebody waits for: both go past quiet hours or
 * a refusal, so the service alone sends them.
 */
export const KINDS_TO_ASK_FOR = MESSAGE_KINDS.filter((kind) => kind !== 'automatic' && kind !== 'verification');

const recipientShape = z
  .strictObject({
    subjectId: z.uuid().optional().meta({ description: 'Somebody who saved a contact point; the newest one is used.' }),
    contactPointId: z.uuid().optional(),
    phoneNumber: phoneNumber.optional().meta({ description: 'Used for this message, then destroyed.' }),
    emailAddress: z.string().max(254).optional().meta({ description: 'Used for this message, then destroyed.' }),
  })
  .meta({
    description: 'Exactly one of them.',
    oneOf: [
      { required: ['subjectId'] },
      { required: ['contactPointId'] },
      { required: ['phoneNumber'] },
      { required: ['emailAddress'] },
    ],
  });

export const newMessage = z
  .strictObject({
    recipient: recipientShape,
    channel: z.enum(MESSAGE_CHANNELS).default('sms'),
    text: z.string().min(1).max(LONGEST_TEXT).optional().meta({ description: 'The words, as they are to be sent.' }),
    template: z
      .strictObject({
        name: templateName,
        version: z.int().positive().optional().meta({ description: 'Default: the newest one, from then on for good.' }),
        variables: z.record(z.string().max(60), z.union([z.string().max(LONGEST_TEXT), z.number()])).default({}),
      })
      .optional(),
    language: languageCode.default('en'),
    kind: z
      .enum(KINDS_TO_ASK_FOR)
      .default('update')
      .meta({ description: 'What it is about: people can refuse kinds.' }),
    messageClass: z
      .enum(['ordinary', 'safety'])
      .default('ordinary')
      .meta({ description: '`safety`: somebody may come to harm without it. For staff, admins and services.' }),
    priority: z.enum(['emergency', 'normal', 'bulk']).default('normal'),
    notBefore: time.optional().meta({ description: 'At most 30 days ahead.' }),
    notAfter: time.optional().meta({ description: 'It ends as expired then. Default: three days after it may go.' }),
    zone: z
      .string()
      .max(64)
      .optional()
      .meta({
        description: "The recipient's IANA zone, for quiet hours. Default: the one they have told us.",
        examples: ['America/Chicago'],
      }),
    fallback: z.literal('voice').optional().meta({ description: 'A call that says it when the text does not arrive.' }),
  })
  .meta({
    id: 'NewMessage',
    description: 'Exactly one of `text` and `template`.',
    oneOf: [{ required: ['text'] }, { required: ['template'] }],
  });

/** A code for a contact point, as the service itself asks for it. */
export const verificationMessage = newMessage.extend({ kind: z.literal('verification') });

/** What a request, or the service itself, says. */
export type GivenMessage = Omit<z.output<typeof newMessage>, 'kind'> & { readonly kind: MessageKind };

export const messageAccepted = z
  .strictObject({ success: z.literal(true), messageId: z.uuid(), state: z.literal('accepted') })
  .meta({ id: 'MessageAccepted', description: 'It will be sent: GET /messages/{messageId} tells how it goes.' });

const stateShape = z.enum(MESSAGE_STATES).meta({
  description:
    'accepted, waiting, sending and sent while it lives. Then it stays: delivered, unconfirmed (sent, and no receipt came), undelivered, failed, suppressed (the recipient does not want it), expired, cancelled, lost (nobody can know).',
});

/** A message as its sender and its recipient see it; its words and its number are shown to nobody. */
export const messageShape = z
  .strictObject({
    messageId: z.uuid(),
    batchId: z.uuid().nullable(),
    state: stateShape,
    reason: z.enum(MESSAGE_REASONS).nullable().meta({ description: 'Why it waits, or ended so.' }),
    channel: z.enum(MESSAGE_CHANNELS),
    kind: z.enum(MESSAGE_KINDS),
    messageClass: z.enum(['ordinary', 'safety']),
    priority: z.enum(['emergency', 'normal', 'bulk']),
    requestedBy: z.uuid(),
    subjectId: z.uuid().meta({ description: 'Who is to get it.' }),
    country: countryCode.meta({ description: 'Of the number; ZZ for an address.' }),
    language: languageCode,
    template: z.strictObject({ name: z.string(), version: z.int() }).nullable(),
    segments: z.int().nullable(),
    attempts: z.int().meta({ description: 'How often it was handed to the provider.' }),
    errorCode: z.string().nullable().meta({ description: "Twilio's, of the last try." }),
    errorClass: z.string().nullable(),
    sid: z.string().nullable().meta({ description: 'At the provider, of the last try.' }),
    fallback: z.literal('voice').nullable(),
    fallbackAlertId: z
      .uuid()
      .nullable()
      .meta({ description: 'The call that says it instead: GET /alerts/voice/{alertId}.' }),
    notBefore: time.nullable(),
    notAfter: time.nullable(),
    nextAttemptAt: time.nullable().meta({ description: 'While it waits: until when, as far as that is known.' }),
    requestedAt: time.nullable(),
    sentAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'Message' });

const attemptShape = z.strictObject({
  number: z.int(),
  state: z.string().meta({ description: 'ready, attempting, unknown, accepted, refused, lost or abandoned.' }),
  sid: z.string().nullable(),
  errorCode: z.string().nullable(),
  errorClass: z.string().nullable(),
  startedAt: time,
  settledAt: time.nullable(),
});

const receiptShape = z.strictObject({
  sid: z.string().nullable(),
  status: z.string().nullable().meta({ description: "The provider's word." }),
  errorCode: z.string().nullable(),
  receivedAt: time,
  copies: z.int().meta({ description: 'How often it came.' }),
});

/** One message with its history: every try, and everything the provider told, in the order in which it came. */
export const messageWithHistory = messageShape
  .extend({ tries: z.array(attemptShape), receipts: z.array(receiptShape) })
  .meta({ id: 'MessageWithHistory' });

export const messagePage = z.strictObject({ messages: z.array(messageShape), nextCursor }).meta({ id: 'MessagePage' });

export const messagesQuery = listQuery.extend({
  state: z.enum(MESSAGE_STATES).optional(),
  subjectId: z.uuid().optional().meta({ description: 'Who is to get it.' }),
  channel: z.enum(MESSAGE_CHANNELS).optional(),
  kind: z.enum(MESSAGE_KINDS).optional(),
  batchId: z.uuid().optional(),
  from: time.optional().meta({ description: 'Only those that were accepted then or later.' }),
  until: time.optional().meta({ description: 'Only those that were accepted then or earlier.' }),
});
