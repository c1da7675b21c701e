import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MARKED } from '../marked-people';
import type { TestStack } from '../stack';
import { OPTED_OUT, persistently } from './kill-stack';
import type { PlannedBatch } from './round-plan';
import { type EndedText, endOf, STAFF } from './texts';

/** What became of a batch, and of each text it has begun. */
export interface EndedBatch {
  readonly texts: readonly EndedText[];
  readonly faults: readonly string[];
}

interface Row {
  readonly row: number;
  readonly state: string;
  readonly messageId: string | null;
}

/**
 * Gives a list on which one has opted out and one stands twice, starts it and waits for its end: everybody else has got
 * one text, and the counts say so.
 */
export async function sendBatch(stack: TestStack, planned: PlannedBatch): Promise<EndedBatch> {
  await delay(planned.requestAt);
  const listed = [...planned.phones, OPTED_OUT, planned.phones.at(-1) ?? ''];
  const batchId = await given(stack, listed);
  const path = `/messages/bulk/${batchId}`;
  const answer = await persistently(stack, `${path}/start`, { json: {} }, STAFF);
  // Its first answer may have been lost, and the batch be over by now.
  if (answer.status !== 202 && answer.body['code'] !== 'batch-over')
    throw new Error(`the batch was not started: ${JSON.stringify(answer)}`);
  const state = await endOf(stack, path, ['completed', 'cancelled']);
  const { body: counted } = await persistently(stack, path, {}, STAFF);
  const rows = (await persistently(stack, `${path}/rows`, {}, STAFF)).body['rows'] as Row[];

  const texts = rows.flatMap(({ row, messageId, state: ended }): EndedText[] => {
    const phone = listed[row - 1] ?? '';
    const wanted = phone === OPTED_OUT ? 'suppressed' : 'delivered';
    return messageId === null ? [] : [{ phone, messageClass: 'ordinary', wanted, messageId, state: ended }];
  });
  const faults = [
    ...countFaults(counted, texts, listed.length),
    ...(state === 'completed' ? [] : [`it ended ${state}`]),
  ];
  if (rows.length !== listed.length || rows.at(-1)?.state !== 'duplicate' || texts.length !== listed.length - 1)
    faults.push(`its rows are ${rows.map((row) => row.state).join(', ')}`);
  return { texts, faults: faults.map((fault) => `batch ${batchId}: ${fault}`) };
}

async function given(stack: TestStack, listed: readonly string[]): Promise<string> {
  const json = { recipients: listed.map((phone) => ({ phone })), text: MARKED.messageWords };
  const init = { json, headers: { 'Idempotency-Key': randomUUID() } };
  const answer = await persistently(stack, '/messages/bulk', init, STAFF);
  if (answer.status !== 201) throw new Error(`the batch was refused: ${JSON.stringify(answer)}`);
  return String(answer.body['batchId']);
}

/** Every row is counted once, by what became of it. */
function countFaults(counted: Record<string, unknown>, texts: readonly EndedText[], total: number): string[] {
  const messages: Record<string, number> = {};
  for (const { state } of texts) messages[state] = (messages[state] ?? 0) + 1;
  const shown = { recipients: counted['recipients'], notStarted: counted['notStarted'], messages: counted['messages'] };
  const wanted = { recipients: { total, ready: total - 1, duplicate: 1, invalid: 0 }, notStarted: 0, messages };
  return isDeepStrictEqual(shown, wanted) ? [] : [`it counts ${JSON.stringify(shown)}, not ${JSON.stringify(wanted)}`];
}
