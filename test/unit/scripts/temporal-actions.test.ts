import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type History, historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { countActions } from '../../../scripts/bench/temporal-actions';

function recorded(name: string): History {
  const file = join(__dirname, '../../histories/mentorCall', `${name}.json`);
  return historyFromJSON(JSON.parse(readFileSync(file, 'utf8')));
}

describe('the actions of a run', () => {
  test('count each thing once, local activities of one task together, and a child as two', () => {
    const task = (id: number) => ({ markerName: 'core_local_activity', workflowTaskCompletedEventId: id });
    const history = {
      events: [
        { workflowExecutionStartedEventAttributes: {} },
        { markerRecordedEventAttributes: task(4) },
        { markerRecordedEventAttributes: task(4) },
        { markerRecordedEventAttributes: task(9) },
        { markerRecordedEventAttributes: { markerName: 'core_patch', workflowTaskCompletedEventId: 9 } },
        { timerStartedEventAttributes: {} },
        { timerFiredEventAttributes: {} },
        { startChildWorkflowExecutionInitiatedEventAttributes: {} },
      ],
    } as unknown as History;
    expect(countActions(history)).toBe(1 + 2 + 1 + 2);
  });

  test('count every retry of an activity', () => {
    const history = {
      events: [{ activityTaskScheduledEventAttributes: {} }, { activityTaskStartedEventAttributes: { attempt: 3 } }],
    } as unknown as History;
    expect(countActions(history)).toBe(3);
  });

  test('of a happy mentor call are at most 14, and its history has at most 60 events', () => {
    const history = recorded('bridged-and-completed');
    expect(history.events?.length).toBeLessThanOrEqual(60);
    expect(countActions(history)).toBeGreaterThan(5);
    expect(countActions(history)).toBeLessThanOrEqual(14);
  });
});
