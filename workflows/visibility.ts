import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTE_NAMES } from '../domain/search-attribute-names';

const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.state, 'KEYWORD');
const SINCE = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.since, 'DATETIME');

/**
 * Sets `KindlineState` and `KindlineSince`, in one command and only where a human may have to look: each upsert is a
 * billed action.
 */
export function upsertState(state: 'helpline' | 'waiting' | 'running' | 'ended'): void {
  upsertSearchAttributes([
    { key: STATE, value: state },
    { key: SINCE, value: new Date() },
  ]);
}

/** A sentence for the Web UI. Operational words only; it needs a live worker to be seen. */
export function tell(sentence: string): void {
  setCurrentDetails(sentence);
}
