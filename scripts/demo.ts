/**
 * `npm run demo`: starts everything, lets two simulated phones have one masked call, tells its story, and searches
 * everything that was stored for the numbers of the two. `--json`: one JSON object on stdout instead of the story.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client as TemporalClient, Connection, ScheduleOverlapPolicy } from '@temporalio/client';
import { Pool } from 'pg';
import { loadConfig } from '../config/config';
import type { AuditReport } from '../db/audit-report';
import { verifyAuditTrail } from '../db/audit-verifier';
import { AUDIT_SEAL_SCHEDULE } from '../temporal/schedule-ids';
import { withAuditTrail } from './audit-trail';
import { CommandError, runCommand } from './command-error';
import { DemoApp, type DemoCall, MENTOR_NAME, MENTOR_PHONE, USER_PHONE } from './demo-call';
import { tellStory } from './demo-story';
import { freeStackPorts } from './ports';
import { progress } from './project';
import { removeRun, runDir } from './run-dirs';
import { type Finding, searchFiles, searchTables } from './sealed-data-search';
import { ORGANISATION_NUMBERS } from './services';
import { Stack } from './stack';
import { stopSignal } from './stop-signal';

/** What `--json` prints. */
export interface DemoReport {
  readonly callId: string;
  readonly workflowId: string;
  readonly outcome: string;
  readonly timeline: DemoCall['timeline'];
  readonly organisationNumbers: readonly string[];
  readonly numbersSeenByUser: readonly string[];
  readonly numbersSeenByMentor: readonly string[];
  readonly historyEvents: number;
  readonly sealedDataFound: number;
  readonly auditVerified: boolean;
  readonly durationMs: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const asked = stopSignal();
  const stateDir = await runDir('demo');
  const ports = await freeStackPorts();
  const stack = await Stack.start({
    stateDir,
    ports,
    durable: false,
    cancel: asked,
    onDeath: (name, how) => progress(`${name} ended by itself: ${how}.`),
  });
  const stop = stopWhenAsked(stack, asked);
  let isGood = false;
  try {
    const began = Date.now();
    const call = await makeDemoCall(stack);
    const report = await reportOn(stack, call, Date.now() - began);
    isGood = isAsPromised(report);
    if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else process.stdout.write(tellStory(call, report));
  } finally {
    await stop();
    if (isGood) removeRun(stateDir);
    else progress(`What the parts wrote is in ${join(stateDir, 'logs')}.`);
  }
  return isGood ? 0 : 1;
}

/** Two phones that act by themselves: both answer and press 1, and the user hangs up after a while. */
async function makeDemoCall(stack: Stack): Promise<DemoCall> {
  const app = new DemoApp(stack.services);
  progress('A mentor signs up; two phones are switched on.');
  await app.addMentor(MENTOR_NAME, MENTOR_PHONE);
  await app.simulator.addHandset(USER_PHONE, 'user');
  await app.simulator.addHandset(MENTOR_PHONE, 'mentor');
  await app.simulator.script(USER_PHONE, {
    answerAfterMs: 800,
    keys: [{ when: 'greeting', press: '1', afterMs: 400 }],
    hangUp: { after: 'bridged', ms: 2_000 },
  });
  await app.simulator.script(MENTOR_PHONE, {
    answerAfterMs: 800,
    keys: [{ when: 'whisper', press: '1', afterMs: 400 }],
  });
  progress('The app asks for a mentor …');
  return app.makeCall();
}

async function reportOn(stack: Stack, call: DemoCall, durationMs: number): Promise<DemoReport> {
  progress('Searching tables, database files, Temporal and logs for the two numbers …');
  const findings = await searchEverything(stack);
  for (const { place, spelling } of findings)
    progress(`Found something that should be sealed, ${spelling}, in ${place}.`);
  const workflowId = `mentor-call:${call.callId}`;
  return {
    callId: call.callId,
    workflowId,
    outcome: call.outcome,
    timeline: call.timeline,
    organisationNumbers: ORGANISATION_NUMBERS,
    numbersSeenByUser: call.numbersSeenByUser,
    numbersSeenByMentor: call.numbersSeenByMentor,
    historyEvents: await countHistoryEvents(stack, workflowId),
    sealedDataFound: findings.length,
    auditVerified: await verifyAudit(stack, call.callId),
    durationMs,
  };
}

async function searchEverything(stack: Stack): Promise<Finding[]> {
  const { database } = stack;
  if (database === null) throw new CommandError('The demo has a database of its own.');
  const values = [USER_PHONE, MENTOR_PHONE, MENTOR_NAME];
  return [
    ...(await searchTables(database.superuserUrl, values)),
    ...searchFiles(database.dataDir, values),
    // Temporal's database with its write-ahead log, the logs of all parts, keys.
    ...searchFiles(stack.options.stateDir, values).filter(({ place }) => !place.startsWith(database.dataDir)),
  ];
}

async function countHistoryEvents(stack: Stack, workflowId: string): Promise<number> {
  const history = await withTemporal(stack, (client) => client.workflow.getHandle(workflowId).fetchHistory());
  return history.events?.length ?? 0;
}

async function withTemporal<T>(stack: Stack, use: (client: TemporalClient) => Promise<T>): Promise<T> {
  const { address, namespace } = stack.temporalAddress;
  const connection = await Connection.connect({ address });
  try {
    return await use(new TemporalClient({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

/**
 * The whole trail is chained, seen by a checkpoint and as it was written, and every step of this call that must leave
 * an entry has left one: the request, the ring, both numbers that were dialled, the number that is gone, and the end.
 */
async function verifyAudit(stack: Stack, callId: string): Promise<boolean> {
  const report = await sealedTrail(stack);
  const pool = new Pool({ connectionString: stack.database?.ownerUrl, max: 1 });
  try {
    const { rows } = await pool.query<{ step: string; entries: number }>(
      `SELECT step, (SELECT count(*)::int FROM audit_entries e WHERE e.action = step AND e.object_id = object) AS entries
         FROM call_logs c JOIN mentors m USING (mentor_id) JOIN dispatches d USING (call_id),
              LATERAL (VALUES ('mentor-call.requested', c.call_id), ('dispatch.accepted', d.dispatch_id),
                              ('record.revealed', c.record_id), ('record.revealed', m.phone_record_id),
                              ('record.destroyed', c.record_id), ('mentor-call.closed', c.call_id)) AS steps(step, id),
              LATERAL (SELECT id::text AS object) AS named
        WHERE c.call_id = $1`,
      [callId],
    );
    const isComplete = rows.length === 6 && rows.every(({ entries }) => entries > 0);
    return isComplete && report.isWhole && isSeen(report);
  } finally {
    await pool.end();
  }
}

/** How long the chain may take to reach the last entry: the schedule is not waited for, but asked to run now. */
const SEAL_PATIENCE_MS = 20_000;

async function sealedTrail(stack: Stack): Promise<AuditReport> {
  await withTemporal(stack, (client) =>
    client.schedule.getHandle(AUDIT_SEAL_SCHEDULE).trigger(ScheduleOverlapPolicy.BUFFER_ONE),
  );
  const { environment, options } = stack.services;
  const deadline = Date.now() + SEAL_PATIENCE_MS;
  return withAuditTrail(loadConfig(environment), options.database.workerUrl, async (trail) => {
    for (;;) {
      const report = await verifyAuditTrail(trail);
      if (isSeen(report) || Date.now() > deadline) return report;
      await delay(100);
    }
  });
}

/** Every entry has its place, and a checkpoint has seen it. */
function isSeen({ chained, waiting, horizon }: AuditReport): boolean {
  return waiting === 0 && chained > 0 && horizon?.position === chained;
}

function isAsPromised(report: DemoReport): boolean {
  const ours = new Set(report.organisationNumbers);
  const seen = [...report.numbersSeenByUser, ...report.numbersSeenByMentor];
  const isMasked = seen.length >= 2 && seen.every((number) => ours.has(number));
  return report.outcome === 'completed' && isMasked && report.sealedDataFound === 0 && report.auditVerified;
}

function stopWhenAsked(stack: Stack, asked: AbortSignal): () => Promise<void> {
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= stack.stop();
    return stopping;
  };
  asked.addEventListener('abort', () => void stop().then(() => process.exit(130)));
  return stop;
}

void runCommand(main);
