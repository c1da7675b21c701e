import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { findCreation, lockCreation, rememberCreation } from '../db/idempotent-creations';
import { discardBatch, finishReceiving, findBatch, openBatch } from '../db/message-batches';
import { inTransaction } from '../db/pool';
import { findTemplate, type Template } from '../db/templates';
import { sealableWords } from '../domain/message-words';
import type { VariableValues } from '../domain/templates';
import type { Caller } from './authentication';
import { takeRows } from './batch-row-check';
import { checkedBody, checkedQuery } from './checked-input';
import { csvRecipients, type ReadRecipient } from './csv-recipients';
import type { ApiDeps } from './deps';
import { canonicalJson, idempotentRequest } from './idempotency';
import { csvQuery, newMessageBatch } from './message-batches-shapes';
import { refuseOptOutWord } from './message-requests';
import { checkZone } from './mentors';
import { Problem } from './problems';
import { refuseWhenOff } from './switches';

const ROUTE = 'POST /messages/bulk';
const DAY = 24 * 3_600_000;
const MOST_AHEAD = 7 * DAY;
const LONGEST = 30 * DAY;

/** A batch as it was asked for, however its recipients come. */
interface Asked {
  readonly common: Pick<
    ReturnType<(typeof newMessageBatch)['parse']>,
    | 'channel'
    | 'language'
    | 'kind'
    | 'messageClass'
    | 'notBefore'
    | 'notAfter'
    | 'zone'
    | 'fallback'
    | 'text'
    | 'template'
  >;
  readonly start: boolean;
  readonly recipients: AsyncIterable<ReadRecipient> | Iterable<ReadRecipient>;
  /** Keyed hash of all of it; to be asked after the last recipient. */
  readonly requestHash: () => string;
}

/**
 * Takes a batch: its rows judged and sealed as they are read, and nothing sent. Under one Idempotency-Key one batch is
 * made; an upload that broke off has made none and may come again.
 *
 * @returns the id of the batch, and whether it is to be started now
 * @throws {Problem}
 */
export async function requestBatch(
  deps: ApiDeps,
  req: Request,
  caller: Caller,
): Promise<{ batchId: string; start: boolean }> {
  const isCsv = req.is('text/csv') !== false;
  // No parser has read a CSV; what is hashed of it comes later.
  if (isCsv) req.body = {};
  const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, ROUTE);
  const asked = isCsv ? askedByCsv(deps, req, caller) : askedByJson(req, request.requestHash);
  const earlier = request.isRepeatable ? await findCreation(deps.pool, request.requestId) : null;
  if (earlier !== null) {
    for await (const _ of asked.recipients);
    if (earlier.requestHash !== asked.requestHash()) throw new Problem('idempotency-key-reused');
    return { batchId: earlier.objectId, start: asked.start };
  }

  const { common } = asked;
  await refuseWhenOff(deps, common.channel);
  const times = givenTimes(common);
  if (common.zone !== undefined) checkZone(common.zone);
  const template = await givenTemplate(deps, asked);
  const variables: VariableValues = common.template?.variables ?? {};
  const batchId = randomUUID();
  const requestedBy = caller.subjectId;
  const contentRecordId = await deps.vault.seal({
    subjectId: requestedBy,
    kind: 'text',
    value: sealableWords(common.text === undefined ? { variables } : { text: common.text }),
    expiresAt: new Date(Date.parse(times.notAfter) + deps.config.retention.messageBody),
  });
  const { channel, language, kind, messageClass } = common;
  await openBatch(deps.pool, {
    batchId,
    requestedBy,
    channel,
    language,
    kind,
    messageClass,
    contentRecordId,
    ...times,
    templateId: template?.templateId ?? null,
    templateVersion: template?.version ?? null,
    zone: common.zone ?? null,
    fallback: common.fallback ?? null,
    requestHash: request.requestHash,
  });
  try {
    await takeRows(deps, { batchId, requestedBy, channel, language, template, variables }, asked.recipients);
    const made = { requestHash: asked.requestHash(), objectId: batchId };
    return { batchId: await finished(deps, request, made), start: asked.start };
  } catch (error) {
    await discardBatch(deps.pool, batchId).catch(() => undefined);
    // Whoever still sends reads the answer only when somebody takes the rest; the server's own limit of time ends it.
    req.resume();
    throw error;
  }
}

/** In one transaction with what the key stands for from now on: of two uploads under one key the first one stays. */
async function finished(
  deps: ApiDeps,
  { requestId, isRepeatable }: { requestId: string; isRepeatable: boolean },
  made: { requestHash: string; objectId: string },
): Promise<string> {
  const batchId = made.objectId;
  const kept = await inTransaction(deps.pool, async (tx) => {
    if (isRepeatable) {
      await lockCreation(tx, requestId);
      const earlier = await findCreation(tx, requestId);
      if (earlier !== null && earlier.requestHash !== made.requestHash) throw new Problem('idempotency-key-reused');
      if (earlier !== null) return earlier.objectId;
      await rememberCreation(tx, requestId, made);
    }
    await finishReceiving(tx, batchId);
    return batchId;
  });
  if (kept !== batchId) await discardBatch(deps.pool, batchId);
  const batch = await findBatch(deps.pool, kept);
  if (batch?.rowCount === 0) throw new Problem('nothing-to-send');
  return kept;
}

function askedByJson(req: Request, requestHash: string): Asked {
  const { start, recipients, ...common } = checkedBody(newMessageBatch, req);
  if ((common.text === undefined) === (common.template === undefined)) {
    const detail = 'Exactly one of text and template is expected.';
    throw new Problem('invalid-body', { errors: [{ pointer: '#/text', detail }] });
  }
  refuseOptOutWord(common);
  refuseCallOfAddress(common);
  return { common, start, recipients, requestHash: () => requestHash };
}

/** @throws {Problem} `invalid-body` */
function refuseCallOfAddress({ channel, fallback }: Pick<Asked['common'], 'channel' | 'fallback'>): void {
  if (fallback === undefined || channel === 'sms') return;
  const detail = 'Only a text message can fall back to a call.';
  throw new Problem('invalid-body', { errors: [{ pointer: '#/fallback', detail }] });
}

function askedByCsv(deps: ApiDeps, req: Request, caller: Caller): Asked {
  const query = checkedQuery(csvQuery, req);
  const { start, template, version, ...common } = query;
  if (template === undefined) {
    const detail = 'The name of a template is expected here: a CSV holds its variables.';
    throw new Problem('invalid-query', { errors: [{ pointer: '#/template', detail }] });
  }
  refuseCallOfAddress(common);
  const { recipients, digest } = csvRecipients(req);
  const words = { name: template, variables: {}, ...(version === undefined ? {} : { version }) };
  return {
    common: { ...common, template: words },
    start: start === 'true',
    recipients,
    requestHash: () =>
      deps.tokenizer.keyedHash('csv', caller.subjectId, ROUTE, canonicalJson(query), digest()).toString('hex'),
  };
}

async function givenTemplate(deps: ApiDeps, { common }: Asked): Promise<Template | null> {
  if (common.template === undefined) return null;
  const template = await findTemplate(deps.pool, common.template.name, common.template.version ?? null);
  if (template === null) throw new Problem('template-unknown');
  return template;
}

/** A batch may wait for its start for days, and still go out at night and by number: a week is its time. */
function givenTimes({ notBefore, notAfter }: Asked['common']): { notBefore: string | null; notAfter: string } {
  const now = Date.now();
  const begin = Math.max(now, notBefore === undefined ? 0 : Date.parse(notBefore));
  const end = notAfter === undefined ? begin + MOST_AHEAD : Date.parse(notAfter);
  const wrong = (pointer: string, detail: string) => new Problem('invalid-body', { errors: [{ pointer, detail }] });
  if (begin > now + MOST_AHEAD) throw wrong('#/notBefore', 'A time within the next 7 days is expected here.');
  if (end <= begin || end > begin + LONGEST) {
    throw wrong('#/notAfter', 'A time after notBefore, in the future and within 30 days of it, is expected here.');
  }
  return { notBefore: notBefore ?? null, notAfter: new Date(end).toISOString() };
}
