import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { loadConfig } from '../../config/config';
import { verifyAuditTrail } from '../../db/audit-verifier';
import { currentConsentTexts } from '../../domain/consent-texts';
import { helplineNumbers, helplinesFor } from '../../domain/helplines';
import { OUTCOMES } from '../../domain/mentor-call';
import { withAuditTrail } from '../../scripts/audit-trail';
import type { LedgerEntry } from '../../simulator/client';
import { consent } from '../integration/calls/people';
import type { TestStack } from '../stack';
import { sendBatch } from './batches';
import { type Circle, goThroughBuddies } from './buddies';
import { buddiesNotAsked, buddyFaults } from './buddy-faults';
import { persistently, rows, until } from './kill-stack';
import { callFromApp, endedAppCalls, recordingsOf, waitedOf } from './call-kinds';
import { alertFaults, raiseAlert, sendText, textFaults } from './texts';
import type { Blow, PlannedCall, RoundPlan } from './round-plan';

/** What one round has shown; `faults` empty means that every promise held. */
export interface RoundReport {
  readonly seed: number;
  readonly blow: Blow;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly rings: number;
  /** Calls whose user's phone rang more than once: they were rung back. */
  readonly ringBacks: number;
  /** Calls that stood in the queue. */
  readonly waited: number;
  /** Conversations that Twilio has recorded. */
  readonly recorded: number;
  /** Calls from apps that reached the service. */
  readonly appCallsKnown: number;
  /** How many texts ended in which state. */
  readonly texts: Readonly<Record<string, number>>;
  /** How the check-in of a user went. */
  readonly checkIn: 'answered' | 'lost';
  /** Buddies whom the alert no longer asked, because another had been in touch first. */
  readonly notAsked: number;
  readonly fallbackStatic: number;
  /** When each stage of it was over, in seconds of the round. */
  readonly stages: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

/** A lost answer may cost a lease and a settling time; nobody waits longer for their phone to ring. */
const LATEST_RING = 30_000;

/** Of the United States, where all phones of a round are. */
const HELPLINES = helplineNumbers(helplinesFor('US'));

const RECORDED_CONSENT = {
  textVersion: currentConsentTexts(true)[0]?.version ?? '',
  language: 'en',
};

interface Requested {
  readonly planned: PlannedCall;
  readonly callId: string;
  readonly who: { readonly role: 'user'; readonly subject: string };
  readonly requestedAt: number;
}

/** Ten calls, eight texts, two alerts, a batch and three buddies at once, one blow at the planned instant, then everything is counted. */
export async function runRound(
  stack: TestStack,
  plan: RoundPlan,
  mentorPhones: readonly string[],
  circle: Circle,
): Promise<RoundReport> {
  const stages: Record<string, number> = {};
  const began = Date.now();
  const over = (stage: string) => {
    stages[stage] = (Date.now() - began) / 1_000;
  };
  const timed = async <T>(stage: string, work: Promise<T>): Promise<T> => {
    const done = await work;
    over(stage);
    return done;
  };
  await stack.sim.reset();
  await stack.sim.settings({ listLagMs: { seed: plan.seed, min: 0, max: plan.listLagMs } });
  await Promise.all([
    ...mentorPhones.map((phone, n) => stack.sim.script(phone, plan.mentorScripts[n] ?? {})),
    ...plan.calls.map((call) => stack.sim.script(call.userPhone, call.userScript)),
    ...plan.helplineScripts.map((script, n) => stack.sim.script(HELPLINES[n] ?? '', script)),
    ...plan.texts.map(({ phone, script }) => stack.sim.script(phone, { texts: script })),
    ...plan.alerts.flatMap(({ phones }) => phones.map(({ number, script }) => stack.sim.script(number, script))),
  ]);
  over('prepared');
  const [requested, appCalls, ownTexts, alerts, batch, buddies] = await Promise.all([
    timed('asked', Promise.all(plan.calls.map((call) => makeCall(stack, call)))),
    timed('app calls', Promise.all(plan.appCalls.map((call) => callFromApp(stack, call)))),
    timed('texts', Promise.all(plan.texts.map((text) => sendText(stack, text)))),
    timed('alerts', Promise.all(plan.alerts.map((alert) => raiseAlert(stack, alert)))),
    timed('batch', sendBatch(stack, plan.batch)),
    timed('buddies', goThroughBuddies(stack, plan.buddies, circle)),
    timed('struck', strike(stack, plan.blow)),
  ]);
  const texts = [...ownTexts, ...batch.texts];
  const outcomes = await timed('calls', Promise.all(requested.map((call) => waitForEnd(stack, call))));
  await until('all phones to be quiet', 60_000, async () => (await stack.sim.calls()).length === 0);
  const ofApps = await endedAppCalls(stack, appCalls);
  const unhandled = await eventsLeftUnhandled(stack);
  const ids = requested.map(({ callId }) => callId);
  const faults = await findFaults(stack, requested, mentorPhones);
  const recordings = await recordingsOf(stack, [...ids, ...ofApps.callIds]);
  faults.push(...ofApps.faults, ...recordings.faults);
  faults.push(...(await buddyFaults(stack, buddies, circle)));
  const others = { callIds: ids, userIds: buddies.userIds, from: new Date(began) };
  faults.push(...(await textFaults(stack, texts, others)), ...(await alertFaults(stack, alerts)), ...batch.faults);
  if (unhandled) faults.push('events stayed unhandled');
  const ledger = await stack.sim.ledger();
  over('checked');
  return {
    seed: plan.seed,
    blow: plan.blow,
    outcomes: count(outcomes),
    calls: requested.length + appCalls.length,
    rings: ledger.filter((leg) => leg.ringingAt !== null).length,
    ringBacks: requested.filter(({ planned: { userPhone } }) => {
      const rung = ledger.filter(
        ({ to, direction, ringingAt }) => to === userPhone && direction === 'outbound-api' && ringingAt !== null,
      );
      return rung.length > 1;
    }).length,
    waited: await waitedOf(stack, ids),
    recorded: recordings.recorded,
    appCallsKnown: ofApps.callIds.length,
    texts: count(texts.map(({ state }) => state)),
    checkIn: buddies.checkIn.end,
    notAsked: await buddiesNotAsked(stack, buddies.alert),
    fallbackStatic: ledger.filter((leg) => leg.wentToFallback).length,
    stages,
    faults,
  };
}

async function eventsLeftUnhandled(stack: TestStack): Promise<boolean> {
  const handled = async () => {
    const [row] = await rows(stack, 'SELECT count(*)::int AS n FROM webhook_events WHERE handled_at IS NULL');
    return row?.['n'] === 0;
  };
  return until('every event to be handled', 30_000, handled).then(
    () => false,
    () => true,
  );
}

async function makeCall(stack: TestStack, planned: PlannedCall): Promise<Requested> {
  await delay(planned.requestAt);
  const who = { role: 'user', subject: randomUUID() } as const;
  const requestedAt = Date.now();
  const json = {
    userPhoneNumber: planned.userPhone,
    consent: planned.recording ? RECORDED_CONSENT : consent(),
    mayCallBack: planned.mayCallBack,
    mayWait: planned.mayWait,
    recording: planned.recording,
  };
  const init = { json, headers: { 'Idempotency-Key': randomUUID() } };
  const answer = await persistently(stack, '/connect-mentor', init, who);
  if (answer.status !== 202) throw new Error(`the request was refused: ${JSON.stringify(answer)}`);
  const callId = String(answer.body['callId']);
  if (planned.cancelAt !== null) {
    await delay(Math.max(0, planned.cancelAt - planned.requestAt - (Date.now() - requestedAt)));
    await persistently(stack, `/mentor-calls/${callId}`, { method: 'DELETE' }, who);
  }
  return { planned, callId, who, requestedAt };
}

async function strike(stack: TestStack, { target, signal, at }: Blow): Promise<void> {
  await delay(at);
  stack.kill(target, signal);
  if (signal === 'SIGSTOP') {
    await delay(5_000);
    stack.kill(target, 'SIGCONT');
  } else {
    await stack.restart(target);
  }
}

async function waitForEnd(stack: TestStack, { callId, who }: Requested): Promise<string> {
  const ends: readonly string[] = OUTCOMES;
  let status = '';
  await until(`the end of call ${callId}`, 120_000, async () => {
    status = String((await persistently(stack, `/mentor-calls/${callId}`, {}, who)).body['status']);
    return ends.includes(status);
  });
  return status;
}

async function findFaults(stack: TestStack, calls: readonly Requested[], mentorPhones: readonly string[]) {
  const faults: string[] = [];
  const ledger = await stack.sim.ledger();
  const ids = calls.map(({ callId }) => callId);
  const dispatches = await rows(
    stack,
    `SELECT * FROM dispatches WHERE call_id = ANY($1::uuid[]) AND channel = 'voice'`,
    [ids],
  );

  for (const dispatch of dispatches) {
    const id = String(dispatch['dispatch_id']);
    const legs = ledger.filter((leg) => leg.direction === 'outbound-api' && leg.urls.some((url) => url.includes(id)));
    if (dispatch['state'] === 'accepted' && legs.length !== 1) faults.push(`${legs.length} rings for dispatch ${id}`);
    if (legs.length > 1) faults.push(`dispatch ${id} rang ${legs.length} times`);
    if (['ready', 'attempting', 'unknown'].includes(String(dispatch['state']))) {
      faults.push(`dispatch ${id} was left ${String(dispatch['state'])}`);
    }
    if (dispatch['doubled_count'] !== 0) faults.push(`dispatch ${id} counts as doubled`);
    if (legs.filter((leg) => leg.spoke).length > 1) faults.push(`two legs of dispatch ${id} spoke`);
  }
  const known = new Set((await rows(stack, 'SELECT sid FROM dispatches')).map((dispatch) => dispatch['sid']));
  for (const leg of ledger) {
    if (leg.direction === 'outbound-api' && !known.has(leg.sid))
      faults.push(`a phone rang without a dispatch: ${leg.sid}`);
  }
  for (const dial of await stack.sim.dials()) {
    if (!dial.moot && dial.childSids.length !== dial.numbers)
      faults.push(`a Dial rang ${dial.childSids.length} phones`);
  }
  for (const { planned, callId, requestedAt } of calls) {
    const ring = ledger.find((leg) => leg.to === planned.userPhone && leg.ringingAt !== null);
    if (ring?.ringingAt && Date.parse(ring.ringingAt) - requestedAt > LATEST_RING)
      faults.push(`call ${callId} rang late`);
    const rang = dispatches.some((dispatch) => dispatch['call_id'] === callId);
    if (!rang && planned.cancelAt === null) faults.push(`call ${callId} never rang`);
  }
  faults.push(...overlappingRings(ledger, mentorPhones));
  faults.push(...(await leftOver(stack, ids)));
  return faults;
}

/** A mentor takes one call at a time: two rings at once are a double booking. */
function overlappingRings(ledger: readonly LedgerEntry[], mentorPhones: readonly string[]): string[] {
  return mentorPhones.flatMap((phone) => {
    const rings = ledger.filter((leg) => leg.to === phone && leg.ringingAt !== null);
    return rings.flatMap((a, n) =>
      rings
        .slice(n + 1)
        .filter((b) => String(b.ringingAt) < String(a.endedAt) && String(a.ringingAt) < String(b.endedAt))
        .map(() => `one mentor was rung for two calls at once`),
    );
  });
}

/** Whatever was killed in the middle of chaining: every entry has its place, and the trail verifies. */
export async function auditFaults(stack: TestStack): Promise<string[]> {
  return withAuditTrail(loadConfig(stack.env), stack.workerUrl, async (trail) => {
    let report = await verifyAuditTrail(trail);
    await until('the audit chain to reach every entry', 60_000, async () => {
      report = await verifyAuditTrail(trail);
      return report.isWhole && report.waiting === 0 && report.horizon?.position === report.chained;
    }).catch(() => undefined);
    if (!report.isWhole) return [`the audit trail is not whole: ${JSON.stringify(report.fault)}`];
    return report.waiting === 0 ? [] : [`${report.waiting} audit entries were never chained`];
  });
}

async function leftOver(stack: TestStack, ids: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  const slots = await rows(stack, 'SELECT count(*)::int AS n FROM mentor_slots WHERE call_id IS NOT NULL');
  if (slots[0]?.['n'] !== 0) faults.push(`${String(slots[0]?.['n'])} slots were leaked`);
  const logged = await rows(stack, 'SELECT call_id, live, outcome FROM call_logs WHERE call_id = ANY($1::uuid[])', [
    ids,
  ]);
  if (logged.length !== ids.length) faults.push(`${ids.length - logged.length} calls have no row`);
  // A number may go over to the one text that a call ends with, and goes with that.
  const isGone = async () => (await numbersLeft(stack, ids)) === 0;
  await until('all numbers to be gone', 30_000, isGone).catch(() => undefined);
  const left = await numbersLeft(stack, ids);
  if (left > 0) faults.push(`${left} numbers outlived their call`);
  for (const row of logged)
    if (row['live'] || !row['outcome']) faults.push(`call ${String(row['call_id'])} is still live`);
  return faults;
}

async function numbersLeft(stack: TestStack, ids: readonly string[]): Promise<number> {
  const [row] = await rows(
    stack,
    `SELECT count(*)::int AS n FROM call_logs c JOIN vault_records r USING (record_id)
      WHERE c.call_id = ANY($1::uuid[]) AND c.number_is_for_this_call_only AND r.destroyed_at IS NULL`,
    [ids],
  );
  return Number(row?.['n']);
}

function count(values: readonly string[]): Record<string, number> {
  return values.reduce<Record<string, number>>((all, value) => ({ ...all, [value]: (all[value] ?? 0) + 1 }), {});
}
