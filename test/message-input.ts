import { randomBytes } from 'node:crypto';
import type { MessageInput } from '../domain/message';
import { messageInput as ordinaryInput } from '../scripts/bench/message-input';

/** An ordinary text to somebody new; `more` replaces parts of it. */
export function messageInput(more: Partial<MessageInput> = {}): MessageInput {
  return {
    ...ordinaryInput(),
    recipientToken: randomBytes(32).toString('hex'),
    requestHash: 'ab'.repeat(32),
    heedsLateDelivery: true,
    ...more,
  };
}
