import type { KindlineClient } from './connection';
import { KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';

/** One workflow that is about somebody, as the list of workflows shows it: ids, operational words and times. */
export interface WorkflowOfSubject {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  /** Temporal's word: `RUNNING`, `COMPLETED`, … */
  readonly status: string;
  /** Our words; null for a workflow that has none. */
  readonly state: string | null;
  /** ISO 8601, since when the state is what it is. */
  readonly since: string | null;
  readonly started: string;
}

/**
 * Every workflow about a subject that the namespace still remembers, newest first. The subject is looked for by the
 * keyed token that stands in `KindlineSubject`, so only who has the service's keys can ask.
 *
 * @param subjectId a UUID
 * @param also ids of workflows that are about them and carry somebody else's token: words of ours and UUIDs
 */
export async function workflowsOfSubject(
  client: KindlineClient,
  subjectId: string,
  also: readonly string[] = [],
): Promise<WorkflowOfSubject[]> {
  // The token is base64url: nothing in it can end the quotes.
  const theirs = `${KINDLINE_SUBJECT.name} = '${client.subjectAttribute(subjectId)}'`;
  const named = also.map((workflowId) => `'${workflowId}'`).join(', ');
  const query = also.length === 0 ? theirs : `${theirs} OR WorkflowId IN (${named})`;
  const found: WorkflowOfSubject[] = [];
  for await (const run of client.workflow.list({ query })) {
    found.push({
      workflowId: run.workflowId,
      runId: run.runId,
      type: run.type,
      status: run.status.name,
      state: run.typedSearchAttributes.get(KINDLINE_STATE) ?? null,
      since: run.typedSearchAttributes.get(KINDLINE_SINCE)?.toISOString() ?? null,
      started: run.startTime.toISOString(),
    });
  }
  return found.toSorted((a, b) => b.started.localeCompare(a.started));
}
