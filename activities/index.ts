import { createAppEventActivities } from './app-events';
import { createAlertActivities } from './alerts';
import { createAuditSealActivities } from './audit-seal';
import { createCostActivities } from './costs';
import type { ActivityDependencies } from './dependencies';
import { createDispatchActivities } from './dispatches';
import { createMentorCallActivities } from './mentor-calls';
import { createMentorActivities } from './mentors';
import { createMessageBatchActivities } from './message-batches';
import { createMessageActivities } from './messages';
import { createRetentionActivities } from './retention';
import { createSendText } from './send-text';
import { createSendMail } from './send-mail';
import { createSweepActivities } from './sweeps';
import { createTextSweepActivities } from './text-sweeps';
import { createVoiceActivities } from './voice';

export type { ActivityDependencies } from './dependencies';

/** Everything a workflow may ask for. Workflows import the type only. */
export function createActivities(deps: ActivityDependencies) {
  return {
    ...createMentorCallActivities(deps),
    ...createMentorActivities(deps),
    ...createAlertActivities(deps),
    ...createDispatchActivities(deps),
    ...createMessageBatchActivities(deps),
    ...createVoiceActivities(deps),
    ...createMessageActivities(deps),
    sendText: createSendText(deps),
    ...createSweepActivities(deps),
    ...createTextSweepActivities(deps),
    sendMail: createSendMail(deps),
    ...createCostActivities(deps),
    ...createRetentionActivities(deps),
    ...createAuditSealActivities(deps),
    ...createAppEventActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
