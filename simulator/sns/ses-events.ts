/** What SES publishes of a mail, with the addresses and words that come with it. */

/** The events that SES has, by the word they are asked for. */
export const SES_EVENTS = {
  delivery: { eventType: 'Delivery' },
  bounce: {
    eventType: 'Bounce',
    bounce: {
      bounceType: 'Permanent',
      bounceSubType: 'General',
      bouncedRecipients: [
        { emailAddress: 'somebody@example.org', status: '5.1.1', diagnosticCode: 'smtp; 550 no somebody' },
      ],
    },
  },
  'soft-bounce': {
    eventType: 'Bounce',
    bounce: {
      bounceType: 'Transient',
      bounceSubType: 'MailboxFull',
      bouncedRecipients: [{ emailAddress: 'somebody@example.org', status: '4.2.2' }],
    },
  },
  complaint: { eventType: 'Complaint', complaint: { complaintFeedbackType: 'abuse' } },
  reject: { eventType: 'Reject', reject: { reason: 'Bad content' } },
  'rendering-failure': { eventType: 'Rendering Failure' },
} as const satisfies Readonly<Record<string, { readonly eventType: string; readonly [more: string]: unknown }>>;

export type SesEvent = keyof typeof SES_EVENTS;

/**
 * The message of a notification.
 * @param sid SES's id of the mail
 * @param dispatch our own, when it comes back as a tag
 */
export function sesEvent(event: { readonly eventType: string }, sid: string, dispatch?: string): string {
  return JSON.stringify({
    ...event,
    mail: {
      messageId: sid,
      destination: ['somebody@example.org'],
      commonHeaders: { subject: 'A message for you', to: ['somebody@example.org'] },
      tags: { 'ses:configuration-set': ['mail-events'], ...(dispatch === undefined ? {} : { dispatch: [dispatch] }) },
    },
  });
}
