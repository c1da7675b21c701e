import { openAlertLeg } from '../db/alerts';
import { sendingGuard } from '../db/may-send';
import type { MessageClass, MessageKind } from '../domain/message';
import type { AlertNight } from '../domain/voice-alert';
import { callActs } from './call-acts';
import type { ActivityDependencies } from './dependencies';
import { runDispatch } from './dispatch-run';
import { nightLeftMs, type Sleeper } from './night';

/** Arguments of `placeAlertCall`: ids and operational values only. */
export interface PlaceAlertCall {
  readonly alertId: string;
  /** Id of the leg's row in the call log and of its dispatch. */
  readonly legId: string;
  /** Which recipient, and which try at their phone; both from 1. */
  readonly position: number;
  readonly attempt: number;
  readonly businessKey: string;
  readonly workflowId: string;
  /** Who is rung. */
  readonly subjectId: string;
  /** The vault record of the number to ring. */
  readonly recordId: string;
  /** Hex. */
  readonly recipientToken: string;
  readonly country: string;
  readonly language: string;
  /** Our number that is shown. */
  readonly from: string;
  readonly kind: MessageKind;
  readonly messageClass: MessageClass;
  readonly neutralFirst: boolean;
  readonly ringSeconds: number;
  /** ISO 8601, of the alert. */
  readonly requestedAt: string;
  /** Of an alert that says a message: it must not ring at night, whatever it has waited for. */
  readonly night?: AlertNight;
}

/** A call as the night sees it. */
export function asSleeper(night: AlertNight): Sleeper {
  return { ...night, channel: 'voice' };
}

/** Rings the phone of a recipient of an alert; `runDispatch` says what is promised, needed and thrown. */
export function createPlaceAlertCall(deps: ActivityDependencies) {
  return async (asked: PlaceAlertCall): Promise<{ sid: string }> => {
    const { alertId, legId, businessKey, workflowId, recordId, recipientToken, country, language, messageClass } =
      asked;
    const { night } = asked;
    // Before the dispatch: whoever has to end a call finds the row of its number.
    await openAlertLeg(deps.pool, asked);
    const act = {
      dispatchId: legId,
      businessKey,
      workflowId,
      callId: legId,
      messageId: null,
      alertId,
      recordId,
      recipientToken,
      country,
      channel: 'voice',
      messageClass,
      sender: asked.from,
      guard: sendingGuard({ ...asked, channel: 'voice' }),
      holdMs: async () => (night === undefined ? 0 : await nightLeftMs(deps, asSleeper(night), new Date())),
    } as const;
    const ring = (to: string, shown: string, dispatchId: string) =>
      deps.voice.createCall({
        to,
        from: shown,
        ringSeconds: asked.ringSeconds,
        url: deps.urls.alert({ alertId, legId, dispatchId, language, neutralFirst: asked.neutralFirst }, 'greeting'),
        statusCallback: deps.urls.callStatus({ callId: legId, alertId, leg: 'recipient', dispatchId }),
        // The static document dials a helpline, and whoever is to hear an alert has not asked for one.
        fallbackUrl: null,
        detectMachine: false,
      });
    return runDispatch(deps, act, callActs(deps, ring));
  };
}
