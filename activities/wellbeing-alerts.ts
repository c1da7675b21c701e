import {
  type AlertClosing,
  type BeginStep,
  beginWellbeingStep,
  closeWellbeingAlert,
  type EmergencyConfirmation,
  noteEmergencyConfirmed,
  noteWellbeingStep,
  openWellbeingAlert,
  type StepNote,
} from '../db/wellbeing-course';
import { noteAlertStarted } from '../db/wellbeing-sweeps';
import {
  type BegunStep,
  type OpenedAlert,
  REACHED_NOBODY,
  type WellbeingAlertInput,
  type WellbeingResult,
} from '../domain/wellbeing-alert';
import type { ActivityDependencies } from './dependencies';
import { endAsks, type EndAsks, startAsks, type StartAsks } from './wellbeing-asks';

/** Rows of wellbeing alerts, as local activities, and what an alert sets going and ends. */
export function createWellbeingActivities(deps: ActivityDependencies) {
  const { pool, logger } = deps;
  return {
    /** The first fact of an alert. */
    async openWellbeingAlert({ alertId }: WellbeingAlertInput): Promise<OpenedAlert | null> {
      await noteAlertStarted(pool, alertId);
      return await openWellbeingAlert(pool, alertId);
    },

    /** Chooses whom a step asks, of whoever can be asked at this moment; repeated, it gives the same. */
    beginWellbeingStep: (begun: BeginStep): Promise<BegunStep> =>
      beginWellbeingStep(pool, begun, deps.wellbeing.escalation),

    noteWellbeingStep: (note: StepNote): Promise<void> => noteWellbeingStep(pool, note),

    noteEmergencyConfirmed: (confirmed: EmergencyConfirmation): Promise<void> =>
      noteEmergencyConfirmed(pool, confirmed),

    /** The last fact. @returns how it has ended; null when it is gone. What has reached nobody is what an operator has to see. */
    async closeWellbeingAlert(closing: AlertClosing): Promise<WellbeingResult | null> {
      const { alertId } = closing;
      const closed = await closeWellbeingAlert(pool, closing);
      if (closed?.isNew === true && REACHED_NOBODY.some((reason) => reason === closed.endReason)) {
        const fields = { alertId, errorCode: 'wellbeing-alert-reached-nobody', reason: closed.endReason };
        logger.error(fields, 'a wellbeing alert has reached nobody');
      }
      return closed === null ? null : { state: closed.state, endReason: closed.endReason };
    },

    /** Starts what asks. @returns the asks that can never reach anybody */
    startWellbeingAsks: (asked: StartAsks): Promise<string[]> => startAsks(deps, asked),

    /** Ends what still asks, and tells those who were told before. */
    endWellbeingAsks: (ended: EndAsks): Promise<void> => endAsks(deps, ended),
  };
}
