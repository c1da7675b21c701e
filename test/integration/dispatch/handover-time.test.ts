/** How long a message takes until the provider has it: told of those only that had to wait for nothing. */
import { randomUUID } from 'node:crypto';
import { type MetricMeter, noopMetricMeter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { createMessageActivities } from '../../../activities/messages';
import type { SendText } from '../../../activities/send-text';
import { openMessage } from '../../../db/messages';
import { resumeLine, stopLine } from '../../../db/provider-lines';
import { setSwitch } from '../../../db/switches';
import type { MessageInput } from '../../../domain/message';
import { messageInput } from '../../message-input';
import { DispatchWorld } from './dispatch-world';

let world: DispatchWorld;
beforeAll(async () => {
  world = await DispatchWorld.open();
});
afterAll(() => world.end());

const NAME = 'kindline_message_handover_seconds';
const SECOND = 1_000;

/** Somebody new, and the row of a text to them that was asked for three seconds ago. */
async function begun(more: Partial<MessageInput> = {}): Promise<SendText> {
  const { asked } = await world.somebodyToText('Your ride is here.', { zone: 'UTC' });
  const { messageId, subjectId, recordId, recipientToken, content } = asked;
  const requestedAt = new Date(Date.now() - 3 * SECOND).toISOString();
  const ids = { messageId, subjectId, requestedBy: subjectId, recordId, recipientToken, content, requestedAt };
  const input = messageInput({ ...ids, ownsRecord: false, ...more });
  await openMessage(world.db.app, input, { state: 'sending', reason: null, nextAttemptAt: null });
  return asked;
}

/** Sends it and notes so, or ends it at once: its receipt was faster. @returns the seconds that were told */
async function handedOver(asked: SendText, by: 'noteMessage' | 'closeMessage'): Promise<number[]> {
  const { sid } = await world.text(asked);
  const told: number[] = [];
  const createHistogram: MetricMeter['createHistogram'] = (name, ...kind) => ({
    ...noopMetricMeter.createHistogram(name, ...kind),
    record: (value) => void (name === NAME && told.push(value)),
  });
  const metricMeter = Object.assign(Object.create(noopMetricMeter) as MetricMeter, { createHistogram });
  const worker = new MockActivityEnvironment({}, { metricMeter });
  const { noteMessage, closeMessage } = createMessageActivities(world.deps);
  const { messageId } = asked;
  if (by === 'noteMessage') {
    const sent = { messageId, state: 'sent', reason: null, nextAttemptAt: null, sid, attempts: 1 } as const;
    await worker.run(noteMessage, sent);
    return told;
  }
  const none = { reason: null, errorCode: null, errorClass: null, fallbackAlertId: null };
  const end = { ...none, messageId, outcome: 'delivered', sid, segments: 1, attempts: 1 } as const;
  await worker.run(closeMessage, { ...end, endedAt: new Date().toISOString() });
  return told;
}

async function waits(asked: SendText, change: Partial<ActivityDependencies> = {}): Promise<void> {
  await expect(world.attemptText(asked, change).done).rejects.toMatchObject({ type: 'DispatchNotYet' });
}

/** It is night in UTC, for another hour. */
function night(): Partial<ActivityDependencies> {
  const now = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
  const quietHours = { from: (now + 1_440 - 60) % 1_440, until: (now + 60) % 1_440 };
  return { messages: { ...world.deps.messages, quietHours } };
}

const WAITS: readonly (readonly [string, (asked: SendText) => Promise<void>])[] = [
  ['for the day', (asked) => waits(asked, night())],
  [
    'for its recipient’s turn',
    async (asked) => {
      const { recordId, recipientToken, subjectId } = asked;
      const before = (await world.somebodyToText('The one before.', { recordId, recipientToken, subjectId })).asked;
      await world.text(before);
      await waits(asked, { recipientLimits: { ordinary: [{ count: 1, withinMs: 60 * SECOND }], safety: [] } });
    },
  ],
  [
    'for a line that Twilio has closed',
    async (asked) => {
      await stopLine(world.db.app, 'twilio', '20003');
      await waits(asked);
      await resumeLine(world.db.app, 'twilio');
    },
  ],
  [
    'for a channel that was switched off',
    async (asked) => {
      await setSwitch(world.db.app, 'sms', false, 'system');
      await waits(asked);
      await setSwitch(world.db.app, 'sms', true, 'system');
    },
  ],
];

describe.each(['noteMessage', 'closeMessage'] as const)('the time of a message, by %s', (by) => {
  it('is told where it had to wait for nothing', async () => {
    const [seconds, ...more] = await handedOver(await begun(), by);
    expect(seconds).toBeGreaterThanOrEqual(3);
    expect(more).toEqual([]);
  });

  it.each(WAITS)('is not told of one that waited %s', async (_what, wait) => {
    const asked = await begun();
    await wait(asked);
    expect(await handedOver(asked, by)).toEqual([]);
  });

  it('is not told of a row of a batch, which counts from the request for all of it', async () => {
    expect(await handedOver(await begun({ batchId: randomUUID(), batchRow: 9_000 }), by)).toEqual([]);
  });
});

it('is told where the provider turned it away at first: that is time until it has it', async () => {
  const asked = await begun();
  await world.sim.faults([{ on: 'create-message', kind: 'rate-limit', times: 1, delayMs: 50 }]);
  expect(await handedOver(asked, 'noteMessage')).toHaveLength(1);
});
