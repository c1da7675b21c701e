import { legOfRecording } from '../db/recordings';
import { ProviderError } from '../providers/provider-error';
import type { ChannelActs } from './channel-acts';
import type { ActivityDependencies } from './dependencies';
import { isSince } from './reconcile';

type Deps = Pick<ActivityDependencies, 'recordings'>;

/** What a recording is for the dispatch rule: one of a leg, found by that leg's own list. */
export function recordingActs({ recordings }: Deps, callSid: string, send: ChannelActs['send']): ChannelActs {
  return {
    send,
    list: async (_to, dispatch) =>
      (await recordings.listOf(callSid))
        .filter(({ isAskedFor, dateCreated }) => isAskedFor && isSince(dispatch, dateCreated))
        .map(({ sid, dateCreated, status }) => ({ sid, dateCreated, isOver: status !== 'in-progress' })),
    undo: (sid) => discard(recordings, callSid, sid),
    otherSender: () => null,
    revealPurpose: 'dial',
  };
}

/** For whoever only looks what became of one; null where nobody knows its leg. */
export async function actsOfRecording(
  deps: Deps & Pick<ActivityDependencies, 'pool'>,
  recordingId: string,
): Promise<Pick<ChannelActs, 'list' | 'undo'> | null> {
  const leg = await legOfRecording(deps.pool, recordingId);
  return leg && recordingActs(deps, leg.callSid, () => Promise.reject(new Error('Nobody asks for it any more')));
}

/** Deletes a recording, also one that still goes on. May be repeated. */
export async function discard(
  recordings: ActivityDependencies['recordings'],
  callSid: string,
  sid: string,
): Promise<void> {
  try {
    await recordings.delete(sid);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.outcome !== 'refused') throw error;
    await recordings.stop(callSid, sid);
    await recordings.delete(sid);
  }
}
