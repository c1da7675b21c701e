import { z } from 'zod';
import { MESSAGE_KINDS, type MessageKind } from '../domain/message';
import {
  ALERT_END_REASONS,
  ALERT_LEG_OUTCOMES,
  ALERT_LIVE_STATES,
  ALERT_OUTCOMES,
  ALERT_STATES,
} from '../domain/voice-alert';
import { KINDS_TO_ASK_FOR, newMessage } from './messages-shapes';
import { countryCode, languageCode, listQuery, nextCursor, phoneNumber, time } from './shared-shapes';

/** More would ring for hours. */
const MOST_RECIPIENTS = 20;
const HOUR_IN_SECONDS = 3_600;

const { text, template, language, messageClass } = newMessage.shape;

const recipient = z
  .strictObject({
    subjectId: z.uuid().optional().meta({ description: 'Somebody who saved a number; the newest one is rung.' }),
    contactPointId: z.uuid().optional(),
    phoneNumber: phoneNumber.optional().meta({ description: 'Rung for this alert, then destroyed.' }),
    language: languageCode.optional().meta({ description: "Default: the alert's." }),
  })
  .meta({
    description: 'Exactly one of `subjectId`, `contactPointId` and `phoneNumber`.',
    oneOf: [{ required: ['subjectId'] }, { required: ['contactPointId'] }, { required: ['phoneNumber'] }],
  });

export const newVoiceAlert = z
  .strictObject({
    recipients: z
      .array(recipient)
      .min(1)
      .max(MOST_RECIPIENTS)
      .meta({ description: 'Rung one after the other, in this order, until one has pressed the key.' }),
    text,
    template,
    language,
    kind: z.enum(KINDS_TO_ASK_FOR).default('alert').meta({ description: 'What it is about: people can refuse kinds.' }),
    messageClass,
    urgency: z
      .enum(['emergency', 'normal'])
      .default('normal')
      .meta({ description: '`emergency` goes before everything else that waits.' }),
    acknowledge: z.boolean().default(true).meta({
      description: 'Whether a key after the message is asked for. Without it, who pressed 1 to hear it has heard it.',
    }),
    neutralFirst: z.boolean().default(true).meta({
      description: 'Whether the message waits for a key: before it only neutral words are said, to whoever picks up.',
    }),
    attempts: z
      .int()
      .min(1)
      .max(10)
      .optional()
      .meta({ description: 'How often each phone is rung at most. Default: ALERT_ATTEMPTS.' }),
    retryAfterSeconds: z
      .int()
      .min(1)
      .max(HOUR_IN_SECONDS)
      .optional()
      .meta({ description: 'Before the second try; then twice as long each time. Default: ALERT_RETRY_AFTER.' }),
    escalationDelaySeconds: z
      .int()
      .min(0)
      .max(HOUR_IN_SECONDS)
      .optional()
      .meta({ description: "From one recipient's last try to the next recipient. Default: ALERT_ESCALATION_DELAY." }),
    smsWhenExhausted: z
      .boolean()
      .default(false)
      .meta({ description: 'Whether everybody gets it as a text when nobody pressed the key.' }),
  })
  .meta({
    id: 'NewVoiceAlert',
    description: 'Exactly one of `text` and `template`.',
    oneOf: [{ required: ['text'] }, { required: ['template'] }],
  });

/** A code for a contact point that is to be spoken, as the service itself asks for it. */
export const verificationAlert = newVoiceAlert.extend({ kind: z.literal('verification') });

/** What a request, or the service itself, says. */
export type GivenAlert = Omit<z.output<typeof newVoiceAlert>, 'kind'> & { readonly kind: MessageKind };

export const alertAccepted = z
  .strictObject({ success: z.literal(true), alertId: z.uuid(), state: z.literal('starting') })
  .meta({ id: 'VoiceAlertAccepted', description: 'Phones will ring: GET /alerts/voice/{alertId} tells how it goes.' });

export const alertShape = z
  .strictObject({
    alertId: z.uuid(),
    state: z.enum(ALERT_STATES).meta({
      description: `While it lives: ${ALERT_LIVE_STATES.join(', ')}. Then it stays: ${ALERT_OUTCOMES.join(', ')}.`,
    }),
    endReason: z.enum(ALERT_END_REASONS).nullable(),
    requestedBy: z.uuid(),
    messageId: z.uuid().nullable().meta({ description: 'The message that did not arrive, and is said by this alert.' }),
    kind: z.enum(MESSAGE_KINDS).nullable(),
    urgency: z.enum(['emergency', 'normal', 'bulk']).nullable(),
    acknowledge: z.boolean().nullable(),
    position: z.int().nullable().meta({ description: 'Whose phone is rung, or was the last; from 1.' }),
    reached: z
      .strictObject({ position: z.int(), at: time })
      .nullable()
      .meta({ description: 'Who acknowledged or heard it, and when.' }),
    requestedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'VoiceAlert' });

const outcome = z.enum(ALERT_LEG_OUTCOMES);

/** One alert with whom it rings, and every call it has placed. Numbers and words are shown to nobody. */
export const alertWithCalls = alertShape
  .extend({
    recipients: z.array(
      z.strictObject({
        position: z.int(),
        subjectId: z.uuid(),
        country: countryCode,
        language: languageCode,
        lastOutcome: outcome.nullable().meta({ description: 'Of the last call to this phone.' }),
        textMessageId: z
          .uuid()
          .nullable()
          .meta({ description: 'The text sent in the end: GET /messages/{messageId}.' }),
      }),
    ),
    calls: z.array(
      z.strictObject({
        callId: z.uuid(),
        position: z.int(),
        attempt: z.int(),
        status: z.enum(['ringing', ...ALERT_LEG_OUTCOMES]),
        callSid: z.string().nullable(),
        startedAt: time,
        answeredAt: time.nullable().meta({ description: 'When a key was pressed; a voicemail presses none.' }),
        endedAt: time.nullable(),
      }),
    ),
  })
  .meta({ id: 'VoiceAlertWithCalls' });

export const alertPage = z
  .strictObject({ voiceAlerts: z.array(alertShape), nextCursor })
  .meta({ id: 'VoiceAlertPage' });

export const alertsQuery = listQuery.extend({ state: z.enum(ALERT_STATES).optional() });
