import type { Fields } from './call-parameters';
import { resourceStatus } from './call-resource';
import type { Leg } from './leg';
import { isAsked, isInTime } from './listing';

/**
 * Calls filtered as Twilio does: one that is not yet dialled has no start time and is therefore in no list that
 * filters by it.
 * @throws ApiError 400 for a time that cannot be read
 */
export function filterCalls(legs: readonly Leg[], query: Fields): readonly Leg[] {
  return legs.filter(
    (leg) =>
      isAsked(query, 'To', leg.to) &&
      isAsked(query, 'From', leg.from) &&
      isAsked(query, 'Status', resourceStatus(leg)) &&
      isAsked(query, 'ParentCallSid', leg.parent?.sid ?? null) &&
      isInTime(query, 'StartTime', leg.dialledAt) &&
      isInTime(query, 'EndTime', leg.endedAt),
  );
}
