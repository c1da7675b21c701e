import { legRecipient } from '../db/call-recipients';
import { closeCall, destroyCallNumber, openCall, updateCall, type CallEnd, type CallPatch } from '../db/calls';
import { readPreferences } from '../db/preferences';
import type { MentorCallInput } from '../domain/mentor-call';
import type { ActivityDependencies } from './dependencies';
import { offerPlacesAfter } from './queue-offers';

/** What the first activity of a call finds. */
export type OpenedCall =
  /** `refusesSurveyCalls`: the user wants no question of the kind "how was it" by a call. */
  | { readonly state: 'opened'; readonly refusesSurveyCalls?: boolean }
  | { readonly state: 'merged'; readonly mergedInto: string }
  | { readonly state: 'limited'; readonly which: 'user' | 'target' };

/** As they come out of a workflow: times are ISO 8601. */
export type CallNote = { readonly callId: string } & { readonly [F in keyof CallPatch]?: Exclude<CallPatch[F], Date> };
export type CallClosing = Omit<CallEnd, 'endedAt' | 'actor'> & { readonly endedAt: string };

/** Local activities on the row of a call. */
export function createMentorCallActivities(deps: ActivityDependencies) {
  const { pool, limits, callLog } = deps;
  return {
    /** The first fact of a call. The loser of two requests of one user, or one too many, is told so; nobody rings. */
    async openCall(input: MentorCallInput): Promise<OpenedCall> {
      const opened = await openCall(pool, input, limits);
      if (opened.state === 'limited') return { state: 'limited', which: opened.which };
      // The winner has its own copy of the number; this one has served.
      if (opened.state === 'merged') await destroyCallNumber(pool, input.callId);
      if (opened.state === 'merged' || !input.feedback?.byKey) return opened;
      const { preferences } = await readPreferences(pool, input.userId);
      const refusal = preferences.find(({ channel, kind }) => channel === 'voice' && kind === 'survey');
      return refusal?.allowed === false ? { ...opened, refusesSurveyCalls: true } : opened;
    },

    /** What the app sees while the call goes on; a call that is over does not change any more. */
    async noteCall({ callId, ...patch }: CallNote): Promise<void> {
      await updateCall(pool, callId, patch);
    },

    /** The last facts, the places and the number, in one transaction; may be repeated. */
    async closeCall(closing: CallClosing): Promise<void> {
      if (!(await closeCall(pool, closing))) return;
      const leg = { callId: closing.callId, leg: 'user', step: null, dispatchId: null } as const;
      callLog.note({ callId: closing.callId, status: closing.outcome, ...(await legRecipient(pool, leg)) });
      await offerPlacesAfter(deps);
    },

    /** Destroys a number that was kept beyond `closeCall`, to ask Twilio what became of an attempt. */
    async destroyCallNumber({ callId }: { callId: string }): Promise<void> {
      await destroyCallNumber(pool, callId);
    },
  };
}
