import { createHmac } from 'node:crypto';
import type { Connection } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { KindlineError } from '../domain/errors';
import { SEARCH_ATTRIBUTE_NAMES } from '../domain/search-attribute-names';
import type { ServiceKeys } from '../vault/service-keys';

export const KINDLINE_STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.state, 'KEYWORD');
export const KINDLINE_SINCE = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.since, 'DATETIME');
export const KINDLINE_SUBJECT = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.subject, 'KEYWORD');
export const KINDLINE_COUNTRY = defineSearchAttributeKey(SEARCH_ATTRIBUTE_NAMES.country, 'KEYWORD');

/** Temporal's wire numbers for the types (`IndexedValueType`). */
const KEYWORD = 2;
const DATETIME = 6;
/** Type by name, as the server is told. */
export const SEARCH_ATTRIBUTE_TYPES: Readonly<Record<string, number>> = {
  [SEARCH_ATTRIBUTE_NAMES.state]: KEYWORD,
  [SEARCH_ATTRIBUTE_NAMES.since]: DATETIME,
  [SEARCH_ATTRIBUTE_NAMES.subject]: KEYWORD,
  [SEARCH_ATTRIBUTE_NAMES.country]: KEYWORD,
};
const ALREADY_EXISTS = 6;
/** Each process that registers at the same moment can make us look once more. */
const TRIES = 5;

/**
 * What stands in `KindlineSubject`: Temporal never encrypts search attributes and keeps them until retention, so a
 * plain subject id would tell a reader of its store who had what. Keyed by the codec's oldest live key, so that a
 * rotation does not hide running workflows before the old key is gone.
 */
export function subjectAttribute(keys: ServiceKeys, subjectId: string): string {
  const oldest = keys.all('payload-codec').at(-1) ?? keys.current('payload-codec');
  return createHmac('sha256', oldest.key).update(`search-attribute/subject/${subjectId}`).digest('base64url');
}

/** Thrown when a name of ours means something else in the namespace: it must be renamed there by hand. */
export class SearchAttributeTaken extends KindlineError {
  override readonly name = 'SearchAttributeTaken';

  constructor() {
    super('search-attribute-taken', 'A search attribute of this name has another type in the namespace');
  }
}

/**
 * Registers our search attributes where they are missing, also in a namespace that an older version prepared; may
 * run in many processes at once. Needed before the first workflow: a run that upserts an unregistered one hangs.
 *
 * @throws SearchAttributeTaken
 */
export async function registerSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const missing = await missingAttributes(connection, namespace);
    if (missing.length === 0) return;
    try {
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map((name) => [name, SEARCH_ATTRIBUTE_TYPES[name] ?? KEYWORD])),
      });
      return;
    } catch (error) {
      // Somebody was faster with one of them; the server then adds none of ours.
      if (grpcCode(error) !== ALREADY_EXISTS || attempt >= TRIES) throw error;
    }
  }
}

async function missingAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const known = new Map<string, number>(Object.entries(customAttributes ?? {}));
  const wanted = Object.entries(SEARCH_ATTRIBUTE_TYPES);
  if (wanted.some(([name, type]) => (known.get(name) ?? type) !== type)) throw new SearchAttributeTaken();
  return wanted.map(([name]) => name).filter((name) => !known.has(name));
}

function grpcCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
