import type { Dispatch } from '../db/dispatches';
import type { ProviderError } from '../providers/provider-error';
import type { ActivityDependencies } from './dependencies';
import { logged } from './provider-log';

/** Something the provider lists that a dispatch may have made. */
export interface Earlier {
  readonly sid: string;
  readonly dateCreated: Date | null;
  /** Whether it has come to its end: of two, the one that goes on is kept. */
  readonly isOver: boolean;
}

/** What a channel does for the dispatch rule, which is the same for all of them (docs/dispatch.md). */
export interface ChannelActs {
  /**
   * The one request that must not happen twice.
   * @param to number or address, revealed for this request only
   * @throws {ProviderError}
   */
  send(to: string, from: string, dispatchId: string): Promise<{ sid: string }>;
  /**
   * What the dispatch may have made, by the provider's list of the recipient: only what can be its own. Null: there is
   * no list (e-mail).
   */
  readonly list: ((to: string, dispatch: Pick<Dispatch, 'createdAt' | 'sender'>) => Promise<Earlier[]>) | null;
  /** Ends one more than was intended, or one that is not wanted any more. Null: it cannot be taken back. */
  readonly undo: ((sid: string) => Promise<unknown>) | null;
  /**
   * What has to be at hand before the request, such as the words. Should it fail, nothing was sent.
   * @throws {RecordDestroyed | SubjectErased} when there is nothing to say any more
   */
  readonly prepare?: () => Promise<unknown>;
  /** Another sender of ours for somebody this one cannot reach, or null. */
  otherSender(from: string): string | null;
  readonly revealPurpose: 'dial' | 'send';
  /** The provider has refused for good. May be told twice. */
  readonly onRefused?: (error: ProviderError, from: string) => Promise<void>;
}

/** Ends what has to be ended, where that can be done. */
export async function undo(
  deps: Pick<ActivityDependencies, 'logger'>,
  by: Pick<ChannelActs, 'undo'>,
  dispatchId: string,
  sid: string,
): Promise<void> {
  const { undo: end } = by;
  if (end !== null) await logged(deps.logger, { dispatchId, callSid: sid }, () => end(sid));
}
