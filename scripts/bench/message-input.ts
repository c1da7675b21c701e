import { randomUUID } from 'node:crypto';
import type { MessageInput } from '../../domain/message';

/** Input of a workflow, as large as that of an ordinary request; nobody is texted for it. */
export function messageInput(): MessageInput {
  return {
    messageId: randomUUID(),
    batchId: null,
    batchRow: null,
    requestedBy: randomUUID(),
    subjectId: randomUUID(),
    recordId: randomUUID(),
    ownsRecord: true,
    recipientToken: '00'.repeat(32),
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
    requestHash: '00'.repeat(32),
    requestedAt: new Date().toISOString(),
  };
}
