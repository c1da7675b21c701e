import { randomBytes, randomUUID } from 'node:crypto';
import type { MessageInput } from '../domain/message';

/** An ordinary text to somebody new; `more` replaces parts of it. */
export function messageInput(more: Partial<MessageInput> = {}): MessageInput {
  return {
    messageId: randomUUID(),
    batchId: null,
    batchRow: null,
    requestedBy: randomUUID(),
    subjectId: randomUUID(),
    recordId: randomUUID(),
    ownsRecord: true,
    recipientToken: randomBytes(32).toString('hex'),
    country: 'US',
    channel: 'sms',
    kind: 'update',
    messageClass: 'ordinary',
    urgency: 'normal',
    language: 'en',
    content: { templateId: null, templateVersion: null, recordId: randomUUID() },
    notBefore: null,
    notAfter: null,
    fallback: null,
    zone: null,
    sender: null,
    requestHash: 'ab'.repeat(32),
    requestedAt: new Date().toISOString(),
    heedsLateDelivery: true,
    ...more,
  };
}
