import { callActs } from './call-acts';
import type { ActivityDependencies } from './dependencies';
import { runDispatch } from './dispatch-run';

/** Arguments of `placeCall`: ids and operational values only. */
export interface PlaceCall {
  readonly dispatchId: string;
  readonly businessKey: string;
  readonly callId: string;
  readonly workflowId: string;
  /** The vault record of the number to ring. */
  readonly recordId: string;
  /** Hex. */
  readonly recipientToken: string;
  readonly country: string;
  /** Our number that is shown. */
  readonly from: string;
  readonly language: string;
  readonly ringSeconds: number;
  /** Answering-machine detection before the first words. */
  readonly amd: boolean;
}

/** Rings the phone of somebody who asked for a mentor; `runDispatch` says what is promised, needed and thrown. */
export function createPlaceCall(deps: ActivityDependencies) {
  return ({ from, language, ringSeconds, amd, ...ids }: PlaceCall): Promise<{ sid: string }> => {
    const { callId, country } = ids;
    const act = {
      ...ids,
      sender: from,
      channel: 'voice',
      messageClass: 'ordinary',
      messageId: null,
      alertId: null,
      // They have just asked for it themselves.
      guard: null,
    } as const;
    const ring = (to: string, shown: string, dispatchId: string) =>
      deps.voice.createCall({
        to,
        from: shown,
        ringSeconds,
        url: deps.urls.greeting({ callId, dispatchId, language }),
        statusCallback: deps.urls.callStatus({ callId, leg: 'user', dispatchId }),
        fallbackUrl: deps.urls.fallback(country),
        detectMachine: amd,
      });
    return runDispatch(deps, act, callActs(deps, ring));
  };
}
