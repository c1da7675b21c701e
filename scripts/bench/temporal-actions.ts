import type { History } from '@temporalio/common/lib/proto-utils';

type HistoryEvent = NonNullable<History['events']>[number];

/**
 * How many actions Temporal Cloud would bill for a run, counted from its history: 1 each for the start, an activity and
 * each of its retries, a timer, a signal, an update, an upsert of search attributes or memo, continuing as new; 2 for a
 * child; 1 for all local activities of one workflow task. Not in a history, and therefore not counted: heartbeats,
 * queries, updates that were refused.
 */
export function countActions(history: History): number {
  const events = history.events ?? [];
  const tasksWithLocalActivities = new Set(
    events.flatMap(({ markerRecordedEventAttributes: marker }) =>
      marker?.markerName === 'core_local_activity' ? [String(marker.workflowTaskCompletedEventId)] : [],
    ),
  );
  return events.reduce((sum, event) => sum + actionsOf(event), tasksWithLocalActivities.size);
}

function actionsOf(event: HistoryEvent): number {
  const retries = Math.max(0, (event.activityTaskStartedEventAttributes?.attempt ?? 1) - 1);
  if (retries > 0) return retries;
  if (event.startChildWorkflowExecutionInitiatedEventAttributes != null) return 2;
  const costsOne = [
    event.workflowExecutionStartedEventAttributes,
    event.activityTaskScheduledEventAttributes,
    event.timerStartedEventAttributes,
    event.workflowExecutionSignaledEventAttributes,
    event.workflowExecutionUpdateAcceptedEventAttributes,
    event.upsertWorkflowSearchAttributesEventAttributes,
    event.workflowPropertiesModifiedEventAttributes,
    event.workflowExecutionContinuedAsNewEventAttributes,
  ];
  return costsOne.some((attributes) => attributes != null) ? 1 : 0;
}
