/** An alert and the check-in it asks by, both as they run: it can be answered until the alert ends, and is ended by it. */
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Activities } from '../../activities';
import { CHECK_IN, type CheckInTaken, checkInWorkflowId } from '../../domain/buddies';
import { BUILT_IN_POLICY, type EscalationPolicy } from '../../domain/escalation-policy';
import { wellbeingAlertWorkflowId } from '../../domain/wellbeing-alert';
import type { checkIn, wellbeingAlert } from '../../workflows';
import { CheckInWorld } from './check-in-rig';
import { recordHistory } from './record-history';
import { type SkippingStage, startSkippingStage, untilSo } from './time-skipping';
import { HOUR } from './wellbeing-alert-rig';

type Asked = Parameters<Activities['startWellbeingAsks']>[0];

let stage: SkippingStage;
let policy: EscalationPolicy;
/** What was asked of the buddy, who is the only one that any step can ask. */
let asked: Asked | null;
let checkIns: CheckInWorld;
const doubles = (env: TestWorkflowEnvironment) => ({
  openWellbeingAlert: async () => ({ policy, days: 3 }),
  beginWellbeingStep: async ({ position, askIds }: Parameters<Activities['beginWellbeingStep']>[0]) =>
    position === 1
      ? { asks: [{ askId: askIds[0] ?? '', by: 'check-in', buddyId: randomUUID() }] }
      : { skipped: 'not-configured' },
  noteWellbeingStep: async () => undefined,
  closeWellbeingAlert: async () => null,
  startWellbeingAsks: async (asks: Asked) => {
    const {
      asks: [ask],
      userId,
      alertId,
      days,
      closesAfterMs = 0,
      reportsTo,
    } = asks;
    const requestId = ask?.askId ?? '';
    const input = { requestId, buddyId: ask?.buddyId ?? '', userId, alert: { alertId, days }, reportsTo };
    await env.client.workflow.start<typeof checkIn>(CHECK_IN.workflow, {
      workflowId: checkInWorkflowId(requestId),
      taskQueue: 'kindline',
      args: [{ ...input, reminderAfterMs: null, closesAfterMs }],
    });
    asked = asks;
    return [];
  },
  endWellbeingAsks: async ({ isInVain, asks }: Parameters<Activities['endWellbeingAsks']>[0]) => {
    for (const { askId } of asks) {
      await checkInOf(env, askId).signal<['unanswered'?]>(CHECK_IN.ended, ...(isInVain ? ['unanswered' as const] : []));
    }
  },
  ...checkInDoubles(),
});

/** Of whichever check-in runs now: one at a time. */
function checkInDoubles(): object {
  const names = Object.keys(new CheckInWorld().activities) as (keyof CheckInWorld['activities'])[];
  const now = (name: (typeof names)[number]) =>
    checkIns.activities[name] as unknown as (a: unknown) => Promise<unknown>;
  return Object.fromEntries(names.map((name) => [name, (argument: unknown) => now(name)(argument)]));
}

const checkInOf = (env: TestWorkflowEnvironment, requestId: string) =>
  env.client.workflow.getHandle<typeof checkIn>(checkInWorkflowId(requestId));

beforeAll(async () => {
  stage = await startSkippingStage([], doubles);
});
afterAll(() => stage.stop());
beforeEach(() => {
  policy = BUILT_IN_POLICY;
  asked = null;
  checkIns = new CheckInWorld();
});

async function begun() {
  const { env } = stage;
  const alertId = randomUUID();
  const alert = await env.client.workflow.start<typeof wellbeingAlert>('wellbeingAlert', {
    workflowId: wellbeingAlertWorkflowId(alertId),
    taskQueue: 'kindline',
    args: [{ alertId, userId: randomUUID() }],
  });
  await untilSo(
    () => checkIns.texts.length > 0,
    () => checkIns.done,
    alert,
  );
  const question = checkInOf(env, asked?.asks[0]?.askId ?? '');
  const answers = async (response: 'called'): Promise<CheckInTaken> => {
    const validUntil = (await env.currentTimeMs()) + 60_000;
    return await question.executeUpdate<CheckInTaken, [object]>(CHECK_IN.respond, {
      args: [{ response, noteRecordId: null, validUntil }],
    });
  };
  return { alert, question, answers };
}

it.each([
  ['25 hours after the text', 25 * HOUR, BUILT_IN_POLICY],
  [
    'in the last hours of a week that the policy waits',
    (7 * 24 - 3) * HOUR,
    { ...BUILT_IN_POLICY, closesAfterMinutes: 7 * 24 * 60 },
  ],
])('hears the buddy who answers %s', async (_when, after, waiting) => {
  policy = waiting;
  const { alert, question, answers } = await begun();
  await stage.env.sleep(after);
  expect(await answers('called')).toBe('taken');
  expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
  expect(await question.result()).toEqual({ state: 'answered', response: 'called' });
});

it('ends a question that nobody has answered when it ends itself, and not before', async () => {
  const { alert, question } = await begun();
  await stage.env.sleep(25 * HOUR);
  expect(checkIns.closed).toEqual([]);
  expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-answered' });
  expect(await question.result()).toEqual({ state: 'unanswered', response: null });
  await recordHistory(question, 'checkIn', 'unanswered-until-its-alert-ended');
});
