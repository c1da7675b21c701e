export { appWebhook } from './app-webhook';
export { auditSeal } from './audit-seal';
export { callSweep } from './call-sweep';
export { message } from './message';
export { costSweep } from './cost-sweep';
export { mentorCall } from './mentor-call';
export { messageBatch } from './message-batch';
export { retentionSweep } from './retention-sweep';
