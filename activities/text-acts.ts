import type { Dispatch } from '../db/dispatches';
import { isMessagingService, type ProviderMessage } from '../providers/twilio-messages';
import type { ChannelActs } from './channel-acts';
import type { ActivityDependencies } from './dependencies';
import { isSince } from './reconcile';

const OVER: ReadonlySet<string> = new Set([
  'delivered',
  'undelivered',
  'failed',
  'read',
  'canceled',
  'partially_delivered',
]);

/** Whether a text is where it can get, by Twilio's word for it. */
export function isTextOver(status: string): boolean {
  return OVER.has(status);
}

/**
 * What every text has in common for the dispatch rule.
 * @param words what it says; revealed only when the list has to be searched
 */
export function textActs(
  { messaging }: Pick<ActivityDependencies, 'messaging'>,
  words: () => Promise<string>,
  rest: Pick<ChannelActs, 'send' | 'prepare' | 'otherSender' | 'onRefused'>,
): ChannelActs {
  return {
    ...rest,
    list: async (to, dispatch) => {
      const listed = (await messaging.listMessagesTo(to)).filter((message) => couldBeText(dispatch, message));
      if (listed.length === 0) return [];
      const said = letters(await words());
      return listed
        .filter(({ body }) => letters(body) === said)
        .map(({ sid, dateCreated, status }) => ({ sid, dateCreated, isOver: isTextOver(status) }));
    },
    undo: null,
    revealPurpose: 'send',
  };
}

/**
 * By service or number. A text of a Messaging Service has no `from` until it is sent, and afterwards one that we did
 * not choose; a text of a number has no service.
 */
export function couldBeText(dispatch: Pick<Dispatch, 'createdAt' | 'sender'>, message: ProviderMessage): boolean {
  const { sender } = dispatch;
  const isOurs = isMessagingService(sender) ? message.messagingServiceSid === sender : message.from === sender;
  return isOurs && message.direction === 'outbound-api' && isSince(dispatch, message.dateCreated);
}

/** Letters and digits only: a service may write quotes, dashes and blanks in another way than we did (smart encoding). */
function letters(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, '');
}
