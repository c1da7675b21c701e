import { createAppEventActivities } from './app-events';
import { createAlertActivities } from './alerts';
import { createAuditSealActivities } from './audit-seal';
import { createBuddyVerificationActivities } from './buddy-verification';
import { createCallAfterwardsActivities } from './call-afterwards';
import { createCostActivities } from './costs';
import { createCallQualityActivities } from './call-quality';
import { createCheckInTexts } from './check-in-texts';
import { createCheckInActivities } from './check-ins';
import type { ActivityDependencies } from './dependencies';
import { createDispatchActivities } from './dispatches';
import { createMentorCallActivities } from './mentor-calls';
import { createMentorQueueActivities } from './mentor-queue';
import { createMentorActivities } from './mentors';
import { createMessageBatchActivities } from './message-batches';
import { createMessageActivities } from './messages';
import { createRecordingDeletion } from './recording-deletion';
import { createRecordingActivities } from './recordings';
import { createRetentionActivities } from './retention';
import { createSendText } from './send-text';
import { createSendMail } from './send-mail';
import { createSweepActivities } from './sweeps';
import { createTextSweepActivities } from './text-sweeps';
import { createVoiceActivities } from './voice';
import { createWatchdogActivities } from './watchdog';
import { createWellbeingActivities } from './wellbeing-alerts';

export type { ActivityDependencies } from './dependencies';

/** Everything a workflow may ask for. Workflows import the type only. */
export function createActivities(deps: ActivityDependencies) {
  const mentors = createMentorActivities(deps);
  const recordingDeletion = createRecordingDeletion(deps);
  return {
    ...createMentorCallActivities(deps),
    ...mentors,
    ...createMentorQueueActivities(deps, mentors.reserveMentor),
    ...createCallAfterwardsActivities(deps),
    ...createAlertActivities(deps),
    ...createCheckInActivities(deps),
    ...createCheckInTexts(deps),
    ...createBuddyVerificationActivities(deps),
    ...createDispatchActivities(deps),
    ...createMessageBatchActivities(deps),
    ...createVoiceActivities(deps),
    ...createMessageActivities(deps),
    sendText: createSendText(deps),
    ...createSweepActivities(deps),
    ...createTextSweepActivities(deps),
    ...createCallQualityActivities(deps),
    sendMail: createSendMail(deps),
    ...createCostActivities(deps),
    ...createRetentionActivities(deps, { recordings: recordingDeletion.deleteOldRecordings }),
    ...createRecordingActivities(deps),
    deleteDueRecordings: recordingDeletion.deleteDueRecordings,
    ...createAuditSealActivities(deps),
    ...createAppEventActivities(deps),
    ...createWatchdogActivities(deps),
    ...createWellbeingActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
