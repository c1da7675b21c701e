import { createHmac } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { SEARCH_ATTRIBUTE_NAMES } from '../domain/search-attribute-names';
import type { ServiceKeys } from '../vault/service-keys';

export const KINDLINE_STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.state, 'KEYWORD');
export const KINDLINE_SUBJECT = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.subject, 'KEYWORD');
export const KINDLINE_COUNTRY = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.country, 'KEYWORD');

/** Temporal's wire number for the type KEYWORD (`IndexedValueType`). */
const KEYWORD = 2;
const ALREADY_EXISTS = 6;

/**
 * What stands in `KindlineSubject`: Temporal never encrypts search attributes and keeps them until retention, so a
 * plain subject id would tell a reader of its store who had what. Keyed by the codec's oldest live key, so that a
 * rotation does not hide running workflows before the old key is gone.
 */
export function subjectAttribute(keys: ServiceKeys, subjectId: string): string {
  const oldest = keys.all('payload-codec').at(-1) ?? keys.current('payload-codec');
  return createHmac('sha256', oldest.key).update(`search-attribute/subject/${subjectId}`).digest('base64url');
}

/**
 * Registers our search attributes where they are missing; may run in many processes at once. Needed before the
 * first workflow: a run that upserts an unregistered one hangs.
 */
export async function registerSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<void> {
  const known = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTE_NAMES).filter((name) => !(name in (known.customAttributes ?? {})));
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  } catch (error) {
    if (grpcCode(error) !== ALREADY_EXISTS) throw error;
  }
}

function grpcCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
