/** What SES tells of a mail of ours, in its words and in ours. */
import { z } from 'zod';

const word = z.string().regex(/^[A-Za-z][\w -]{0,40}$/);
const tag = z.array(z.string()).optional();

/**
 * As published by a configuration set, or as sent for an identity; only what is used. Addresses, subjects and what mail
 * servers said are in it too, and are left where they are.
 */
const ses = z.looseObject({
  eventType: word.optional(),
  notificationType: word.optional(),
  mail: z.looseObject({
    messageId: z.string().regex(/^[\w.@-]{1,120}$/),
    tags: z.looseObject({ dispatch: tag }).optional(),
  }),
  bounce: z
    .looseObject({
      bounceType: word,
      bounceSubType: word.optional(),
      bouncedRecipients: z.array(z.looseObject({ status: z.string().optional() })).optional(),
    })
    .optional(),
  complaint: z.looseObject({ complaintFeedbackType: word.nullish() }).optional(),
});

export interface MailEvent {
  /** SES's id of the mail. */
  readonly sid: string;
  /** Our id of the act, when it came back; to be checked like anything from outside. */
  readonly dispatch: string | null;
  /** In small letters: `bounce`, `complaint`, `delivery`, `reject`, … */
  readonly type: string;
  /** What the message learns; null: nothing of its course. */
  readonly receipt: 'delivered' | 'undelivered' | 'failed' | null;
  /** An enhanced status code (RFC 3463), e.g. `5.1.1`. */
  readonly code: string | null;
  /** Why the address is not written to any more. */
  readonly blocks: 'bounced' | 'complained' | null;
  /** The carrier's own words for it. */
  readonly detail: string | null;
}

/** @returns null for what is no event of a mail */
export function readMailEvent(message: string): MailEvent | null {
  let given: unknown;
  try {
    given = JSON.parse(message);
  } catch {
    return null;
  }
  const read = ses.safeParse(given);
  const name = read.success ? (read.data.eventType ?? read.data.notificationType) : undefined;
  if (!read.success || name === undefined) return null;
  const { mail, bounce, complaint } = read.data;
  const type = name.toLowerCase().replaceAll(' ', '-');
  const code = bounce?.bouncedRecipients?.[0]?.status ?? '';
  return {
    sid: mail.messageId,
    dispatch: mail.tags?.dispatch?.[0] ?? null,
    type,
    receipt: receiptOf(type),
    code: /^[245]\.\d{1,3}\.\d{1,3}$/.test(code) ? code : null,
    // A mailbox that is full, or a server that is away, may be there tomorrow.
    blocks: type === 'complaint' ? 'complained' : bounce?.bounceType === 'Permanent' ? 'bounced' : null,
    detail: bounce?.bounceSubType ?? complaint?.complaintFeedbackType ?? null,
  };
}

function receiptOf(type: string): MailEvent['receipt'] {
  if (type === 'delivery') return 'delivered';
  // A bounce of either kind is SES's last word on a mail.
  if (type === 'bounce') return 'undelivered';
  return type === 'reject' || type === 'rendering-failure' ? 'failed' : null;
}
