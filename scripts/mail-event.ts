import { z } from 'zod';
import { type SesEvent, SES_EVENTS, sesEvent } from '../simulator/sns/ses-events';
import { CommandError } from './command-error';

/** The last word of its path. */
export const MAIL_EVENTS = 'mail-events';

const EVENTS = Object.keys(SES_EVENTS).join(', ');
const isEvent = (word: string): word is SesEvent => Object.hasOwn(SES_EVENTS, word);
const USAGE = `${MAIL_EVENTS} takes --param mail=MESSAGE-ID (of the mailbox page) and --param event=… (${EVENTS}).`;

/**
 * What SES would publish of a mail through SNS. Only AWS has AWS's key: the message is signed by the simulator's SNS,
 * which nobody believes but the service of `npm start`.
 * @param simulator its address
 * @param given `mail`: the Message-ID, with or without its brackets; `event`: default `delivery`
 * @throws CommandError when that makes no sense, or the simulator does not answer
 */
export async function signedMailEvent(
  simulator: string,
  given: Readonly<Record<string, string>>,
  isTampered: boolean,
): Promise<RequestInit> {
  const { mail = '', event = 'delivery', ...others } = given;
  const id = mail.replace(/^<|>$/g, '');
  if (!/^[\w.@-]{1,120}$/.test(id) || !isEvent(event) || Object.keys(others).length > 0) throw new CommandError(USAGE);
  // Our own mails carry the id of their dispatch; SES gives it back as a tag.
  const [dispatch = ''] = id.split('@');
  const message = sesEvent(SES_EVENTS[event], id, z.uuid().safeParse(dispatch).success ? dispatch : undefined);
  const signed = await fetch(`${simulator}/simulator/sns-messages`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ Message: message }),
  }).catch(() => {
    throw new CommandError('The simulator does not answer, whose key signs what AWS would tell.');
  });
  const fields = z.record(z.string(), z.string()).parse(await signed.json());
  // As AWS sends it: JSON that calls itself text.
  const headers = { 'Content-Type': 'text/plain; charset=UTF-8' };
  return { headers, body: JSON.stringify({ ...fields, ...(isTampered ? { Message: `${message} ` } : {}) }) };
}
