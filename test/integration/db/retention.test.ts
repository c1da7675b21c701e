import { randomBytes, randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createRetentionActivities, type SweptPart } from '../../../activities/retention';
import { closeAlert, openAlert, openAlertLeg } from '../../../db/alerts';
import { keepUnsubscribeLink } from '../../../db/mail-links';
import { eraseSubjectRows } from '../../../db/erasure';
import { inviteMentor, takeInvitation } from '../../../db/mentor-accounts';
import { addRows, noteStarted, rowsToStart } from '../../../db/message-batch-rows';
import { openBatch } from '../../../db/message-batches';
import { inTransaction } from '../../../db/pool';
import { storeEvent } from '../../../db/webhook-events';
import { RETENTION, type SweptKind } from '../../../domain/retention';
import type { Logger } from '../../../vault/logger';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { alertRecipient, voiceAlertInput } from '../../voice-alert-input';
import { mentorWith, personWithNumber } from './people';
import { NOWHERE } from './sweeps';

const DAYS_90 = 90 * 86_400_000;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const run = (kind: SweptKind, isDryRun: boolean, runId = randomUUID()): Promise<SweptPart> => {
  const logger = { info: () => undefined } as unknown as Logger;
  const deps = { pool: database.app, logger, retention: RETENTION, monotonicMs: () => performance.now() };
  const env = new MockActivityEnvironment({ workflowExecution: { workflowId: 'retention-sweep', runId } });
  const { sweepOld } = createRetentionActivities(deps, NOWHERE);
  return env.run<[{ kind: SweptKind; isDryRun: boolean }], SweptPart, typeof sweepOld>(sweepOld, { kind, isDryRun });
};
/** Counts first, and then does it: what a dry run says is what goes, and until then nothing has gone. */
const sweep = async (...kinds: readonly SweptKind[]): Promise<number> => {
  let taken = 0;
  for (const kind of kinds) {
    const would = await run(kind, true);
    const did = await run(kind, false);
    expect(did).toEqual(would);
    expect(did).toMatchObject({ kind, held: 0, taken: did.found, isOver: true });
    taken += did.taken;
  }
  return taken;
};
/** Lets a row look as if it were from just before or just after the time until which it is kept. */
const aged = (table: string, column: string, [key, id]: [string, unknown], ms: number) =>
  database.owner.query(`UPDATE ${table} SET ${column} = now() - $2 * interval '1 millisecond' WHERE ${key} = $1`, [
    id,
    ms,
  ]);
const left = async (table: string, key: string): Promise<unknown[]> =>
  (await database.owner.query(`SELECT ${key} AS id FROM ${table} ORDER BY 1`)).rows.map(({ id }) => id);

test('an event of Twilio’s goes after ninety days, handled or not, and no day before', async () => {
  const nothing = { dispatchId: null, callId: null, leg: null, step: null, sequence: null, errorCode: null };
  for (const [seenKey, ms, isHandled] of [
    ['old', DAYS_90 + 1_000, true],
    ['old and never handled', DAYS_90 + 1_000, false],
    ['young', DAYS_90 - 60_000, true],
  ] as const) {
    await storeEvent(
      database.app,
      { ...nothing, seenKey, type: 'message-status', sid: 'SM1', status: 'sent' },
      isHandled,
    );
    await aged('webhook_events', 'received_at', ['seen_key', seenKey], ms);
  }
  expect(await sweep('webhook-events')).toBe(2);
  expect(await left('webhook_events', 'seen_key')).toEqual(['young']);
  expect(await sweep('webhook-events')).toBe(0);
});

test('a voice alert goes ninety days after its end, with its recipients and their calls; one that runs stays', async () => {
  const begun = async () => {
    const { userId, recordId } = await personWithNumber(database.app);
    const content = { templateId: null, templateVersion: null, recordId };
    const recipient = alertRecipient({ subjectId: userId, recordId, content });
    const input = voiceAlertInput({ requestedBy: userId, recipients: [recipient] });
    await openAlert(database.app, input);
    const { alertId, requestedAt } = input;
    const leg = { alertId, legId: randomUUID(), position: 1, attempt: 1, from: '+14155550100', requestedAt };
    await openAlertLeg(database.app, { ...recipient, ...leg });
    return input.alertId;
  };
  const over = async (ms: number) => {
    const alertId = await begun();
    const endedAt = new Date(Date.now() - ms).toISOString();
    await closeAlert(database.app, {
      alertId,
      outcome: 'exhausted',
      endReason: 'nobody-reached',
      reached: null,
      endedAt,
    });
    return alertId;
  };
  const [old, young, live] = [await over(DAYS_90 + 1_000), await over(DAYS_90 - 60_000), await begun()];
  await aged('voice_alerts', 'opened_at', ['alert_id', live], 2 * DAYS_90);
  expect(await sweep('voice-alerts')).toBe(1);
  for (const table of ['voice_alerts', 'voice_alert_recipients', 'call_logs']) {
    expect(await left(table, 'alert_id')).toEqual([young, live].toSorted());
  }
  expect(old).not.toBe(young);
});

test('what a mentor has noted of a ring, and an invitation that counts no more, go after ninety days; the account stays', async () => {
  for (const ms of [DAYS_90 + 1_000, DAYS_90 - 60_000]) {
    const { mentorId, subjectId } = await mentorWith(database.app);
    await database.owner.query(
      `INSERT INTO mentor_ring_notes (mentor_id, rung_at, noted_at, seen_at, seen_by)
       SELECT $1, n, n, n, $2 FROM (SELECT now() - $3 * interval '1 millisecond' AS n) AS at`,
      [mentorId, subjectId, ms],
    );
    const invitation = { invitationId: randomUUID(), mentorId, codeHash: randomBytes(32) };
    await inTransaction(database.app, (tx) => inviteMentor(tx, invitation, subjectId));
    await inTransaction(database.app, (tx) => takeInvitation(tx, invitation.codeHash, subjectId));
    await aged('mentor_invitations', 'expires_at', ['mentor_id', mentorId], ms);
  }
  expect(await sweep('ring-notes', 'mentor-invitations')).toBe(2);
  for (const table of ['mentor_ring_notes', 'mentor_invitations'])
    expect(await left(table, 'mentor_id')).toHaveLength(1);
  expect(await left('mentors WHERE account_subject_id IS NOT NULL', 'mentor_id')).toHaveLength(2);
});

/** A batch of two rows to one saved number. */
async function batchOf({ userId, recordId }: { userId: string; recordId: string }): Promise<string> {
  const batchId = randomUUID();
  await openBatch(database.app, {
    batchId,
    requestedBy: userId,
    kind: 'update',
    messageClass: 'ordinary',
    channel: 'sms',
    language: 'en',
    templateId: null,
    templateVersion: null,
    contentRecordId: recordId,
    requestHash: 'x',
    zone: null,
    fallback: null,
    notBefore: null,
    notAfter: null,
  });
  const row = { problem: null, duplicateOf: null, givenRecordId: null, subjectId: userId, recordId };
  const to = { ownsRecord: false, token: randomBytes(32), tokenVersion: 1, country: 'US', language: 'en', zone: null };
  const rows = [1, 2].map((n) => ({ row: n, ...row, ...to }));
  await addRows(database.app, batchId, rows);
  return batchId;
}

test('nothing of a batch leads to somebody who was erased, and their rows that have not begun never do', async () => {
  const person = await personWithNumber(database.app);
  const batchId = await batchOf(person);
  await noteStarted(database.app, batchId, [1]);
  await inTransaction(database.app, (tx) => eraseSubjectRows(tx, person.userId, 'system'));
  const { rows } = await database.owner.query(
    'SELECT row, problem, recipient_token FROM message_batch_rows WHERE batch_id = $1 ORDER BY row',
    [batchId],
  );
  expect(rows).toEqual([
    { row: 1, problem: null, recipient_token: null },
    { row: 2, problem: 'expired', recipient_token: null },
  ]);
  expect(await rowsToStart(database.app, batchId, 10)).toEqual([]);
  await database.owner.query('DELETE FROM message_batch_rows; DELETE FROM message_batches');
});

test('a batch goes ninety days after its end, or after it came and nobody started it; so do the links in mail', async () => {
  const person = await personWithNumber(database.app);
  const batch = async (state: string, received: number, ended: number | null) => {
    const batchId = await batchOf(person);
    await database.owner.query('UPDATE message_batches SET state = $2 WHERE batch_id = $1', [batchId, state]);
    await aged('message_batches', 'received_at', ['batch_id', batchId], received);
    if (ended !== null) await aged('message_batches', 'ended_at', ['batch_id', batchId], ended);
    return batchId;
  };
  const old = DAYS_90 + 1_000;
  await batch('completed', 2 * DAYS_90, old);
  await batch('checked', old, null);
  await batch('receiving', old, null);
  const young = await batch('completed', 2 * DAYS_90, DAYS_90 - 60_000);
  const runs = await batch('sending', old, null);
  const paused = await batch('paused', old, null);
  const link = { messageId: randomUUID(), recipientToken: randomBytes(32) };
  const [oldLink, youngLink] = [randomBytes(32), randomBytes(32)];
  for (const hash of [oldLink, youngLink]) await keepUnsubscribeLink(database.app, hash, link);
  await aged('unsubscribe_links', 'made_at', ['link_hash', oldLink], old);
  // Three batches, and a link.
  expect(await sweep('messages', 'mail-links', 'message-batches')).toBe(4);
  expect(await left('message_batches', 'batch_id')).toEqual([young, runs, paused].toSorted());
  expect(new Set(await left('message_batch_rows', 'batch_id'))).toEqual(new Set([young, runs, paused]));
  expect(await left('unsubscribe_links', 'link_hash')).toEqual([youngLink]);
});

test('whom an act was for is forgotten after ninety days, unless its outcome is open; the act stays', async () => {
  const act = async (state: string, ms: number) => {
    const id = randomUUID();
    await database.owner.query(
      `INSERT INTO dispatches (dispatch_id, business_key, workflow_id, recipient_token, channel, state, sender, sid, country,
                               created_at)
       VALUES (($1::text)::uuid, $1::text, 'w', $2, 'sms', $3, '+14155550100', $1::text, 'US', now() - $4 * interval '1 millisecond')`,
      [id, randomBytes(32), state, ms],
    );
    return id;
  };
  const [old, lost] = [await act('accepted', DAYS_90 + 1_000), await act('lost', DAYS_90 + 1_000)];
  const kept = [await act('accepted', DAYS_90 - 60_000), await act('unknown', DAYS_90 + 1_000)];
  expect(await sweep('dispatches')).toBe(2);
  expect(await left('dispatches', 'dispatch_id')).toEqual([old, lost, ...kept].toSorted());
  const { rows } = await database.owner.query('SELECT dispatch_id FROM dispatches WHERE recipient_token IS NOT NULL');
  expect(rows.map((row) => row.dispatch_id).toSorted()).toEqual(kept.toSorted());
  expect(await sweep('dispatches')).toBe(0);
});
