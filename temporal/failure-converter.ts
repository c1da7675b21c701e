import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Temporal keeps an error's message and stack in plain text unless told otherwise; with this they are payloads and
 * pass the codec. Loaded by path, by the client, the worker and the workflow bundle alike, so it may import nothing
 * that a workflow may not.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
