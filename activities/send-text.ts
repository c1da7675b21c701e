import type { MessageClass, MessageContent, MessageKind } from '../domain/message';

/** Arguments of `sendText` (and, without a sender, of `sendMail`): ids and operational values only. */
export interface SendText {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly messageId: string;
  readonly workflowId: string;
  /** The vault record of the number or address. */
  readonly recordId: string;
  /** Hex. */
  readonly recipientToken: string;
  readonly country: string;
  /** One of ours that must be used; null: the Messaging Service, else our number that fits the country. */
  readonly sender: string | null;
  readonly content: MessageContent;
  readonly language: string;
  readonly kind: MessageKind;
  readonly messageClass: MessageClass;
  /** Who is to get it: what they have refused is looked up in the claiming statement. */
  readonly subjectId: string;
}
