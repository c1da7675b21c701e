import { noteContactTold, type RegisteredContact } from '../db/registered-contacts';
import { isDestroyed } from '../domain/errors';
import { startBuddyMessage } from './buddy-messages';
import type { ActivityDependencies } from './dependencies';
import { contactLink, namesFor } from './wellbeing-asks';

/** Somebody who is named and cannot be told in this time is told no more (ms). */
const LIFETIME_MS = 3 * 24 * 3_600_000;

/** Tells somebody, once, that a user has named them: its link lets them refuse. May be repeated. */
export async function tellContactNamed(deps: ActivityDependencies, contact: RegisteredContact): Promise<void> {
  const { contactId, subjectId, phoneRecordId: recordId, phoneToken: token, country, language } = contact;
  if (token === null) return;
  const link = await contactLink(deps, contactId);
  try {
    await startBuddyMessage(deps, {
      messageId: contact.messageId,
      requestedBy: contact.userId,
      to: { subjectId, recordId, token, country, language },
      channel: 'sms',
      kind: 'invitation',
      template: 'buddy.contact-named',
      variables: await namesFor(deps, contact),
      link,
      notAfter: new Date(Date.now() + LIFETIME_MS),
    });
  } catch (error) {
    // One of them was erased meanwhile: nobody is told of anybody.
    if (!isDestroyed(error)) throw error;
  }
  await noteContactTold(deps.pool, contactId);
}
