import { closeCall, liveCalls, recordOfCall, type CallRow } from '../db/calls';
import { abandon, overdueDispatches, type Dispatch } from '../db/dispatches';
import { leaveQueue, waitingCalls } from '../db/mentor-queue';
import { freeDeadSlots } from '../db/mentor-slots';
import { callsToDeleteAtTwilio, noteDeletedAtTwilio, openLegs, type OpenLeg } from '../db/open-legs';
import { deleteOldVoiceIdentities } from '../db/voice-identities';
import { markHandled, storeEvent } from '../db/webhook-events';
import { isTerminal } from '../domain/call-status';
import { RecordDestroyed } from '../domain/errors';
import { mentorCallWorkflowId } from '../domain/mentor-call';
import { signalLegEnded } from '../temporal/mentor-calls';
import { ownerState, type OwnerState } from '../temporal/owners';
import { signalAlertLegEnded } from '../temporal/voice-alerts';
import { createAlertSweep } from './alert-sweep';
import { createBatchSweep } from './batch-sweep';
import { callActs } from './call-acts';
import type { ActivityDependencies } from './dependencies';
import { withdraw } from './dispatch-outcome';
import { isAbandoned } from './failures';
import { logged } from './provider-log';
import { offerPlacesAfter } from './queue-offers';
import { actsOfRecording } from './recording-acts';
import { countWhere, createWalk, inTurn, SWEEP_BATCH, sweepPart } from './sweep-part';
import { createWellbeingSweep } from './wellbeing-sweep';
import { wentToFallback } from './voice';

/** A row younger than this is left alone: its workflow may just be starting or ending (ms). */
const SETTLED_AFTER = 5_000;
/** A user's leg that has said nothing for this long is asked after: longer than any phone rings (ms). */
const SILENT_AFTER = 90_000;
const SIGNAL_WITHIN = 2_000;

/**
 * The parts of the call sweep. Each walks its rows, may be repeated and run beside itself, and returns how many of them
 * it has mended: where nothing has died, that is 0 but for what is deleted in its time.
 */
export function createSweepActivities(deps: ActivityDependencies) {
  const { pool, voice, vault, temporal, logger } = deps;
  const owner = (workflowId: string): Promise<OwnerState> => ownerState(temporal, workflowId);
  const part = (sweep: string, mend: () => Promise<number>) => sweepPart(logger, sweep, mend);
  const walkSilentLegs = createWalk<OpenLeg>((limit, after) => openLegs(pool, SILENT_AFTER, limit, after));
  const walkLegs = createWalk<OpenLeg>((limit, after) => openLegs(pool, SETTLED_AFTER, limit, after));
  const walkDoubtful = createWalk<Dispatch>((limit, after) => overdueDispatches(pool, SETTLED_AFTER, limit, after));
  const walkCalls = createWalk<CallRow>((limit, after) => liveCalls(pool, SETTLED_AFTER, limit, after));
  const closeAlerts = createAlertSweep(deps, owner, SETTLED_AFTER);
  const closeBatches = createBatchSweep(deps, owner, SETTLED_AFTER);
  const closeWellbeing = createWellbeingSweep(deps, owner, SETTLED_AFTER);
  const walkOldCalls = createWalk<{ callSid: string }>((limit, after) =>
    callsToDeleteAtTwilio(pool, deps.callRetentionMs, limit, after),
  );

  return {
    /** A user's leg that is over, although we never heard so: Twilio's word is stored and told like any event. */
    askSilentLegs: part('ask-silent-legs', () =>
      walkSilentLegs(async (leg) => {
        if ((await owner(leg.workflowId)) !== 'running') return false;
        const call = await logged(logger, { callSid: leg.callSid }, () => voice.readCall(leg.callSid));
        const status = call?.status ?? 'completed';
        if (isTerminal(status)) await tellEnd(deps, leg, status);
        return isTerminal(status);
      }),
    ),

    /** Phones that ring, or may still, for a workflow that is not running: ended. Only calls in our own tables. */
    endOrphanedCalls: part('end-orphaned-calls', () => {
      const endLeg = async (leg: OpenLeg): Promise<boolean> => {
        if ((await owner(leg.workflowId)) === 'running') return false;
        const { status } = await logged(logger, { callSid: leg.callSid }, () => voice.endCall(leg.callSid));
        await tellEnd(deps, leg, isTerminal(status) ? status : 'completed');
        return true;
      };
      return inTurn(
        () => walkLegs(endLeg),
        () => walkDoubtful((dispatch) => endDoubtful(deps, dispatch, owner)),
      );
    }),

    /**
     * Rows that say a call, an alert of either kind or a batch is live while its workflow is gone (terminated, failed): closed, with all they hold.
     */
    closeDeadCalls: part('close-dead-calls', () => {
      const close = async (call: CallRow): Promise<boolean> => {
        const state = await owner(call.workflowId);
        if (state === 'running') return false;
        return closeCall(pool, await deadCallsEnd(deps, call, state));
      };
      return inTurn(() => walkCalls(close), closeAlerts, closeBatches, closeWellbeing);
    }),

    /** Places of mentors, and places in the queue, whose call's workflow is not running. */
    freeDeadSlots: part('free-dead-slots', async () => {
      const isRunning = async (callId: string) => (await owner(mentorCallWorkflowId(callId))) === 'running';
      const mended = await inTurn(
        async () => (await freeDeadSlots(pool, isRunning)).length,
        async () =>
          countWhere(
            await waitingCalls(pool),
            async (callId) => !(await isRunning(callId)) && leaveQueue(pool, callId),
          ),
      );
      if (mended > 0) await offerPlacesAfter(deps);
      return mended;
    }),

    /** Numbers given for one call, at the latest when their time is over; and who could call from the app. */
    destroyExpiredNumbers: part('destroy-expired-numbers', () =>
      inTurn(
        () => vault.destroyExpired(SWEEP_BATCH),
        () => deleteOldVoiceIdentities(pool),
      ),
    ),

    /** Twilio's own records of our calls, which hold both numbers, after `TWILIO_CALL_RETENTION`. */
    deleteOldTwilioCalls: part('delete-old-twilio-calls', () =>
      walkOldCalls(async ({ callSid }) => {
        // A leg whose callbacks were all lost is known to Twilio only.
        const children = await logged(logger, { callSid }, () => voice.listChildCalls(callSid));
        for (const sid of [...children.map((child) => child.sid), callSid]) {
          await logged(logger, { callSid: sid }, () => voice.deleteCall(sid));
          await noteDeletedAtTwilio(pool, sid);
        }
        return true;
      }),
    ),
  };
}

/** The same path as a callback's: stored first, then told; a workflow that is over has nothing to learn. */
async function tellEnd(deps: ActivityDependencies, leg: OpenLeg, status: string): Promise<void> {
  const { callSid, callId, dispatchId, alertId } = leg;
  const seenKey = `asked:${callSid}:${status}`;
  await storeEvent(deps.pool, {
    seenKey,
    type: 'asked',
    sid: callSid,
    dispatchId,
    callId,
    alertId,
    leg: alertId === null ? 'user' : 'recipient',
    step: null,
    status,
    sequence: null,
    errorCode: null,
  });
  const event = { seenKey, callSid, status, dispatchId, errorCode: null };
  if (alertId === null) await signalLegEnded(deps.temporal, callId, event, SIGNAL_WITHIN);
  else await signalAlertLegEnded(deps.temporal, alertId, event, SIGNAL_WITHIN);
  await markHandled(deps.pool, seenKey);
}

/** A dispatch in doubt blocks all others to that person; without a workflow nobody would ever settle it. */
async function endDoubtful(
  deps: ActivityDependencies,
  dispatch: Dispatch,
  owner: (workflowId: string) => Promise<OwnerState>,
): Promise<boolean> {
  if ((await owner(dispatch.workflowId)) === 'running') return false;
  const abandoned = await abandon(deps.pool, dispatch.dispatchId);
  if (abandoned === null) return false;
  const recordId = dispatch.callId === null ? null : await recordOfCall(deps.pool, dispatch.callId);
  const recording = dispatch.channel === 'recording' ? await actsOfRecording(deps, dispatch.dispatchId) : null;
  const reveal = async (): Promise<string> => {
    // Found by its leg.
    if (recording !== null) return '';
    if (recordId === null) throw new RecordDestroyed();
    return (await deps.vault.reveal({ recordId, purpose: 'reconcile', actor: 'system' })).expose();
  };
  try {
    // A text cannot be taken back, so there is nothing to look for.
    const by = recording ?? (dispatch.channel === 'voice' ? callActs(deps, never) : { list: null, undo: null });
    await withdraw(deps, by, abandoned, null, reveal);
    return false;
  } catch (error) {
    if (isAbandoned(error)) return true;
    throw error;
  }
}

const never = (): Promise<never> => Promise.reject(new Error('A sweep sends nothing'));

async function deadCallsEnd(deps: ActivityDependencies, call: CallRow, state: OwnerState) {
  const { callId, callSid } = call;
  const end = { callId, endedAt: new Date(), durationSeconds: 0 };
  // Should Twilio not tell, the call is closed all the same: while its row is live its user can ask for no other.
  if (callSid !== null && (await wentToFallback(deps, callSid).catch(() => false))) {
    return { ...end, outcome: 'fallback-completed', endReason: 'fallback-static' } as const;
  }
  if (state === 'stopped') return { ...end, outcome: 'cancelled', endReason: 'stopped-by-operator' } as const;
  // The workflow failed or timed out; to the user it is as if we could not be reached.
  return { ...end, outcome: 'failed', endReason: 'provider-unavailable' } as const;
}
