import { randomBytes, randomUUID } from 'node:crypto';
import type { VoiceAlertInput, VoiceAlertRecipient } from '../domain/voice-alert';

/** Somebody new, with a number and words of their own. */
export function alertRecipient(more: Partial<VoiceAlertRecipient> = {}): VoiceAlertRecipient {
  return {
    subjectId: randomUUID(),
    recordId: randomUUID(),
    ownsRecord: true,
    recipientToken: randomBytes(32).toString('hex'),
    country: 'US',
    language: 'en',
    organisationNumber: '+14155550100',
    content: { templateId: null, templateVersion: null, recordId: randomUUID() },
    ...more,
  };
}

/** An ordinary alert to two people, with the times of a real deployment; `more` replaces parts of it. */
export function voiceAlertInput(more: Partial<VoiceAlertInput> = {}): VoiceAlertInput {
  return {
    alertId: randomUUID(),
    requestedBy: randomUUID(),
    messageId: null,
    recipients: [alertRecipient(), alertRecipient()],
    kind: 'alert',
    messageClass: 'ordinary',
    urgency: 'normal',
    acknowledge: true,
    neutralFirst: true,
    attempts: 3,
    backoff: { firstMs: 30_000, factor: 2, longestMs: 600_000 },
    escalationDelayMs: 20_000,
    smsWhenExhausted: false,
    times: { ring: 30_000, providerPatience: 60_000, longestCall: 300_000 },
    requestHash: 'cd'.repeat(32),
    requestedAt: new Date().toISOString(),
    ...more,
  };
}
