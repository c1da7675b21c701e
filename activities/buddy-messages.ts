/** What buddies, and users because of them, are sent: each a message of its own, with the wishes and limits of any other. */
import { findTemplate } from '../db/templates';
import type { MessageChannel, MessageClass, MessageContent, MessageInput, MessageKind } from '../domain/message';
import type { MessageLink } from '../domain/message-links';
import { sealableWords } from '../domain/message-words';
import type { VariableValues } from '../domain/templates';
import { startMessage } from '../temporal/messages';
import type { ActivityDependencies } from './dependencies';

export type BuddyMessageParts = Pick<
  ActivityDependencies,
  'pool' | 'vault' | 'temporal' | 'tokenizer' | 'retention' | 'buddies'
>;

/** Whom a message goes to. */
export interface Addressee {
  readonly subjectId: string;
  /** Vault record of the number or address. */
  readonly recordId: string;
  readonly token: Buffer;
  /** ISO 3166 of a number; null for an address. */
  readonly country: string | null;
  /** ISO 639-1. */
  readonly language: string;
}

export interface BuddyMessage {
  /** Made by the workflow: a repeated attempt starts no second message. */
  readonly messageId: string;
  /** Subject id of the user it is sent for. */
  readonly requestedBy: string;
  readonly to: Addressee;
  readonly channel: MessageChannel;
  readonly kind: MessageKind;
  /** Left out: `ordinary`. */
  readonly messageClass?: MessageClass;
  readonly template: string;
  readonly variables: VariableValues;
  readonly link?: MessageLink;
  /** Later than this it is better not sent. */
  readonly notAfter: Date;
  /** Hears how it goes. */
  readonly reportsTo?: string;
  /** One of ours that must be used: an answer has to come back to where it was asked. */
  readonly sender?: string;
}

/**
 * Seals the words under the key of whom they are for, and starts the message. May be repeated.
 * @throws {SubjectErased} when whoever it is for was erased
 */
export async function startBuddyMessage(parts: BuddyMessageParts, asked: BuddyMessage): Promise<void> {
  await startMessage(parts.temporal, await messageOf(parts, asked));
}

async function messageOf(
  { pool, vault, tokenizer, retention }: BuddyMessageParts,
  asked: BuddyMessage,
): Promise<MessageInput> {
  const template = await findTemplate(pool, asked.template, null);
  if (template === null) throw new Error('A built-in template is missing');
  const { to, link, reportsTo, messageClass = 'ordinary' } = asked;
  const recordId = await vault.seal({
    subjectId: to.subjectId,
    kind: 'text',
    value: sealableWords({ variables: asked.variables }),
    expiresAt: new Date(asked.notAfter.valueOf() + retention.messageBody),
  });
  const content: MessageContent = {
    templateId: template.templateId,
    templateVersion: template.version,
    recordId,
    ...(link === undefined ? {} : { link }),
  };
  return {
    messageId: asked.messageId,
    batchId: null,
    batchRow: null,
    requestedBy: asked.requestedBy,
    subjectId: to.subjectId,
    recordId: to.recordId,
    ownsRecord: false,
    recipientToken: to.token.toString('hex'),
    country: to.country ?? 'ZZ',
    channel: asked.channel,
    kind: asked.kind,
    messageClass,
    urgency: messageClass === 'safety' ? 'emergency' : 'normal',
    language: to.language,
    content,
    notBefore: null,
    notAfter: asked.notAfter.toISOString(),
    zone: null,
    fallback: null,
    sender: asked.sender ?? null,
    requestHash: tokenizer.keyedHash('request', 'buddy-message', asked.messageId).toString('hex'),
    requestedAt: new Date().toISOString(),
    ...(reportsTo === undefined ? {} : { reportsTo }),
  };
}
