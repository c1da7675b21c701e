import type { Dispatch } from '../db/dispatches';
import { isTerminal } from '../domain/call-status';
import type { ProviderCall } from '../providers/twilio-voice';
import type { ChannelActs } from './channel-acts';
import type { ActivityDependencies } from './dependencies';
import { isSince } from './reconcile';

/** What every call has in common for the dispatch rule, whatever it is about. */
export function callActs(
  { voice, phoneNumbers }: Pick<ActivityDependencies, 'voice' | 'phoneNumbers'>,
  send: ChannelActs['send'],
): ChannelActs {
  return {
    send,
    list: async (to, dispatch) =>
      (await voice.listCallsTo(to))
        .filter((call) => couldBeOf(dispatch, call))
        .map(({ sid, dateCreated, status }) => ({ sid, dateCreated, isOver: isTerminal(status) })),
    undo: (sid) => voice.endCall(sid),
    otherSender: (from) => phoneNumbers.find((number) => number !== from) ?? null,
    revealPurpose: 'dial',
  };
}

/** The partial unique index on dispatches in doubt makes this unambiguous. */
export function couldBeOf(dispatch: Pick<Dispatch, 'createdAt' | 'sender'>, call: ProviderCall): boolean {
  return call.direction === 'outbound-api' && call.from === dispatch.sender && isSince(dispatch, call.dateCreated);
}
