import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { listRows } from '../db/message-batch-rows';
import {
  countMessages,
  countOpen,
  countProblems,
  findBatch,
  listBatches,
  type MessageBatch,
} from '../db/message-batches';
import type { MessageState } from '../domain/message';
import type { Caller } from './authentication';
import { checkOwner, hasOneOf, type RouteName } from './authorisation';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { BATCH_BODY } from './limits';
import { requestBatch } from './message-batch-requests';
import { type batchRowPage, type messageBatchPage, type messageBatchShape, rowsQuery } from './message-batches-shapes';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';
import { refuseWhenOff } from './switches';

/** Messages to many: given, checked, started by a second request, followed, and stopped. */
export function messageBatches(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(
    'POST /messages/bulk',
    async (req, res, caller) => {
      const { batchId, start } = await requestBatch(deps, req, caller);
      const batch = await found(deps, batchId);
      const isFlawless = batch.readyCount === batch.rowCount;
      if (start && isFlawless && batch.state === 'checked') await begin(deps, batch, caller);
      res
        .status(201)
        .set('Location', `/messages/bulk/${batchId}`)
        .json(await shown(deps, batchId));
    },
    { jsonLimit: BATCH_BODY, streams: 'text/csv' },
  );

  routes.signedIn('GET /messages/bulk', async (req, res, caller) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /messages/bulk', caller.subjectId];
    const isAdmin = hasOneOf(caller, ['admin']);
    if (isAdmin) await noteRead(deps, caller, 'all');
    const page = await listBatches(deps.pool, {
      requestedBy: isAdmin ? null : caller.subjectId,
      cursor: checkedCursor(deps.tokenizer, scope, cursor),
      limit,
    });
    const answer: z.input<typeof messageBatchPage> = {
      messageBatches: page.rows.map(listed),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /messages/bulk/:batchId', async (req, res, caller) => {
    const { batchId } = await own(deps, 'GET /messages/bulk/:batchId', checkedId(req, 'batchId'), caller);
    res.json(await shown(deps, batchId));
  });

  routes.signedIn('GET /messages/bulk/:batchId/rows', async (req, res, caller) => {
    const route = 'GET /messages/bulk/:batchId/rows';
    const { batchId } = await own(deps, route, checkedId(req, 'batchId'), caller);
    const { cursor, limit, state } = checkedQuery(rowsQuery, req);
    const scope: CursorScope = [route, caller.subjectId, batchId, state ?? 'all'];
    const afterRow = Number(checkedCursor(deps.tokenizer, scope, cursor) ?? 0);
    const rows = await listRows(deps.pool, batchId, { state: state ?? null, afterRow, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    const answer: z.input<typeof batchRowPage> = {
      rows: page,
      nextCursor: signedCursor(deps.tokenizer, scope, last === undefined ? null : String(last.row)),
    };
    res.json(answer);
  });

  routes.signedIn('POST /messages/bulk/:batchId/start', async (req, res, caller) => {
    const batch = await own(deps, 'POST /messages/bulk/:batchId/start', checkedId(req, 'batchId'), caller);
    // A second time it finds itself started: the same answer.
    if (batch.state === 'checked') await begin(deps, batch, caller);
    else if (batch.endedAt !== null) throw new Problem('batch-over');
    res.status(202).json(await shown(deps, batch.batchId));
  });

  for (const what of ['pause', 'resume', 'cancel'] as const) {
    const route = `POST /messages/bulk/:batchId/${what}` as const;
    routes.signedIn(route, async (req, res, caller) => {
      const batch = await own(deps, route, checkedId(req, 'batchId'), caller);
      const { batchId, requestedBy } = batch;
      // One that was never started is cancelled by its workflow too, which begins with that.
      if (what === 'cancel' && batch.state === 'checked') {
        await deps.batches.start({ batchId, requestedBy, isCancelled: true });
      }
      if (batch.endedAt === null) await noteAsked(deps, caller, batchId, what);
      // What the workflow has taken and still works on shows in the batch when it is done.
      const state = batch.endedAt === null ? await deps.batches.tell(batchId, what) : 'over';
      const isWanted = what === 'cancel' && batch.state === 'cancelled';
      if (state === 'over' && !isWanted && !(await isNow(deps, batchId, what))) throw new Problem('batch-over');
      res.status(202).json(await shown(deps, batchId));
    });
  }
}

/** A batch that was cancelled at this very moment is what was wished. */
async function isNow(deps: ApiDeps, batchId: string, what: 'pause' | 'resume' | 'cancel'): Promise<boolean> {
  return what === 'cancel' && (await found(deps, batchId)).state === 'cancelled';
}

async function begin(deps: ApiDeps, batch: MessageBatch, caller: Caller): Promise<void> {
  const { batchId, requestedBy, channel, readyCount } = batch;
  if (readyCount === 0) throw new Problem('nothing-to-send');
  await refuseWhenOff(deps, channel);
  await noteAsked(deps, caller, batchId, 'start');
  await deps.batches.start({ batchId, requestedBy });
}

async function own(deps: ApiDeps, route: RouteName, batchId: string, caller: Caller): Promise<MessageBatch> {
  const batch = await findBatch(deps.pool, batchId);
  const isThere = batch !== null && batch.state !== 'receiving' && batch.state !== 'discarded';
  checkOwner(route, caller, isThere ? batch.requestedBy : null);
  if (batch === null) throw new Problem('not-found');
  if (batch.requestedBy !== caller.subjectId) await noteRead(deps, caller, batchId);
  return batch;
}

async function found(deps: ApiDeps, batchId: string): Promise<MessageBatch> {
  const batch = await findBatch(deps.pool, batchId);
  if (batch === null) throw new Problem('not-found');
  return batch;
}

function listed(batch: MessageBatch) {
  return {
    batchId: batch.batchId,
    state: batch.state,
    requestedBy: batch.requestedBy,
    channel: batch.channel,
    kind: batch.kind,
    messageClass: batch.messageClass,
    language: batch.language,
    recipients: {
      total: batch.rowCount,
      ready: batch.readyCount,
      duplicate: batch.duplicateCount,
      invalid: batch.invalidCount,
    },
    receivedAt: batch.receivedAt.toISOString(),
    startedAt: batch.startedAt?.toISOString() ?? null,
    endedAt: batch.endedAt?.toISOString() ?? null,
  };
}

/** Counted from the rows and messages themselves, each time. */
async function shown(deps: ApiDeps, batchId: string): Promise<z.input<typeof messageBatchShape>> {
  const batch = await found(deps, batchId);
  const messages = await countMessages(deps.pool, batchId);
  const { started, open, left } = await countOpen(deps.pool, batchId);
  const known = Object.values(messages).reduce((sum, count) => sum + count, 0);
  // Handed to Temporal, and its own first step has not run.
  const accepted = (messages.accepted ?? 0) + Math.max(0, started - known);
  const counts: Partial<Record<MessageState, number>> = accepted > 0 ? { ...messages, accepted } : messages;
  return {
    ...listed(batch),
    problems: await countProblems(deps.pool, batchId),
    notStarted: left,
    messages: counts,
    estimatedEndAt: estimatedEnd(batch, started - open, open + left),
  };
}

/** As fast as so far. */
function estimatedEnd(batch: MessageBatch, over: number, toCome: number): string | null {
  if (batch.state !== 'sending' || batch.startedAt === null || over <= 0) return null;
  const elapsed = Date.now() - batch.startedAt.valueOf();
  return new Date(Date.now() + (elapsed / over) * toCome).toISOString();
}

/** Admins may look at anybody's batch; that they did is kept. */
async function noteRead(deps: ApiDeps, caller: Caller, objectId: string): Promise<void> {
  const entry = { actor: caller.subjectId, action: 'message-batch.read', objectId, outcome: 'done' } as const;
  await appendAudit(deps.pool, entry);
}

/** Who wished it, before it is done: what is done is the workflow's entry, and names nobody. */
async function noteAsked(
  deps: ApiDeps,
  caller: Caller,
  objectId: string,
  what: 'start' | 'pause' | 'resume' | 'cancel',
): Promise<void> {
  const entry = { actor: caller.subjectId, action: `message-batch.${what}-asked`, objectId, outcome: 'done' } as const;
  await appendAudit(deps.pool, entry);
}
