import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { OUTCOMES } from '../../domain/mentor-call';
import type { LedgerEntry } from '../../simulator/client';
import { type KillStack, until } from './kill-stack';
import type { Blow, PlannedCall, RoundPlan } from './round-plan';

/** What one round has shown; `faults` empty means that every promise held. */
export interface RoundReport {
  readonly seed: number;
  readonly blow: Blow;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly rings: number;
  readonly fallbackStatic: number;
  readonly faults: readonly string[];
}

/** A lost answer may cost a lease and a settling time; nobody waits longer for their phone to ring. */
const LATEST_RING = 30_000;

interface Requested {
  readonly planned: PlannedCall;
  readonly callId: string;
  readonly token: string;
  readonly requestedAt: number;
}

/** Eight calls at once, one blow at the planned instant, then everything is counted. */
export async function runRound(
  kill: KillStack,
  plan: RoundPlan,
  mentorPhones: readonly string[],
): Promise<RoundReport> {
  await kill.sim.reset();
  await kill.sim.settings({ listLagMs: { seed: plan.seed, min: 0, max: plan.listLagMs } });
  await Promise.all([
    ...mentorPhones.map((phone, n) => kill.sim.script(phone, plan.mentorScripts[n] ?? {})),
    ...plan.calls.map((call) => kill.sim.script(call.userPhone, call.userScript)),
  ]);
  const [requested] = await Promise.all([
    Promise.all(plan.calls.map((call) => makeCall(kill, call))),
    strike(kill, plan.blow),
  ]);
  const outcomes = await Promise.all(requested.map((call) => waitForEnd(kill, call)));
  await until('all phones to be quiet', 60_000, async () => (await kill.sim.calls()).length === 0);
  const unhandled = await until('every event to be handled', 30_000, async () => {
    const [row] = await kill.rows('SELECT count(*)::int AS n FROM webhook_events WHERE handled_at IS NULL');
    return row?.['n'] === 0 ? 'none' : false;
  }).catch(() => 'some');
  const faults = await findFaults(kill, requested, mentorPhones);
  if (unhandled === 'some') faults.push('events stayed unhandled');
  const ledger = await kill.sim.ledger();
  return {
    seed: plan.seed,
    blow: plan.blow,
    outcomes: count(outcomes.map(({ status }) => status)),
    calls: requested.length,
    rings: ledger.filter((leg) => leg.ringingAt !== null).length,
    fallbackStatic: ledger.filter((leg) => leg.wentToFallback).length,
    faults,
  };
}

async function makeCall(kill: KillStack, planned: PlannedCall): Promise<Requested> {
  await delay(planned.requestAt);
  const token = await kill.token('user', randomUUID());
  const key = randomUUID();
  const requestedAt = Date.now();
  const body = {
    userPhoneNumber: planned.userPhone,
    consent: { textVersion: '1', language: 'en' },
    mayCallBack: planned.mayCallBack,
  };
  const answer = await until('the request to be taken', 90_000, () =>
    kill.request('POST', '/connect-mentor', token, body, key),
  );
  if (answer.status !== 202) throw new Error(`the request was refused: ${JSON.stringify(answer)}`);
  const callId = String(answer.json?.['callId']);
  if (planned.cancelAt !== null) {
    await delay(Math.max(0, planned.cancelAt - (Date.now() - requestedAt) - planned.requestAt));
    await until('the cancel to be taken', 90_000, () => kill.request('DELETE', `/mentor-calls/${callId}`, token));
  }
  return { planned, callId, token, requestedAt };
}

async function strike(kill: KillStack, { target, signal, at }: Blow): Promise<void> {
  await delay(at);
  kill.stack.kill(target, signal);
  if (signal === 'SIGSTOP') {
    await delay(5_000);
    kill.stack.kill(target, 'SIGCONT');
  } else {
    await kill.stack.restart(target);
  }
}

async function waitForEnd(kill: KillStack, { callId, token }: Requested): Promise<{ status: string; reason: string }> {
  const ends: readonly string[] = OUTCOMES;
  return until(`the end of call ${callId}`, 120_000, async () => {
    const answer = await kill.request('GET', `/mentor-calls/${callId}`, token);
    const status = String(answer?.json?.['status']);
    return ends.includes(status) && { status, reason: String(answer?.json?.['endReason']) };
  });
}

async function findFaults(kill: KillStack, calls: readonly Requested[], mentorPhones: readonly string[]) {
  const faults: string[] = [];
  const ledger = await kill.sim.ledger();
  const ids = calls.map(({ callId }) => callId);
  const dispatches = await kill.rows('SELECT * FROM dispatches WHERE call_id = ANY($1::uuid[])', [ids]);

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
  const known = new Set(dispatches.map((dispatch) => dispatch['sid']));
  for (const leg of ledger) {
    if (leg.direction === 'outbound-api' && !known.has(leg.sid))
      faults.push(`a phone rang without a dispatch: ${leg.sid}`);
  }
  for (const dial of await kill.sim.dials()) {
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
  faults.push(...(await leftOver(kill, ids)));
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

async function leftOver(kill: KillStack, ids: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  const slots = await kill.rows('SELECT count(*)::int AS n FROM mentor_slots WHERE call_id IS NOT NULL');
  if (slots[0]?.['n'] !== 0) faults.push(`${String(slots[0]?.['n'])} slots were leaked`);
  const rows = await kill.rows('SELECT call_id, live, outcome FROM call_logs WHERE call_id = ANY($1::uuid[])', [ids]);
  if (rows.length !== ids.length) faults.push(`${ids.length - rows.length} calls have no row`);
  for (const row of rows)
    if (row['live'] || !row['outcome']) faults.push(`call ${String(row['call_id'])} is still live`);
  return faults;
}

function count(values: readonly string[]): Record<string, number> {
  return values.reduce<Record<string, number>>((all, value) => ({ ...all, [value]: (all[value] ?? 0) + 1 }), {});
}
