import { randomUUID } from 'node:crypto';
import { closeCall, openCall, updateCall } from '../../../db/calls';
import { claimDueNotices, noteNotTold, noteTold } from '../../../db/incident-notices';
import { acknowledgeIncident, deleteOldIncidents, listIncidents, noteFindings } from '../../../db/incidents';
import { releaseSlot } from '../../../db/mentor-slots';
import { inTransaction } from '../../../db/pool';
import { stopLine } from '../../../db/provider-lines';
import { forgetRefusedRequests, noteRefusedRequest } from '../../../db/refused-requests';
import { createSubject } from '../../../db/subjects';
import {
  abandon,
  claim,
  ensureDispatch,
  giveBack,
  markLost,
  settleAccepted,
  settleRefused,
  settleUnknown,
} from '../../../db/dispatches';
import { watchdogFacts } from '../../../db/watchdog-facts';
import type { EndReason, Outcome } from '../../../domain/mentor-call';
import { type Finding, judge, type WatchdogLimits } from '../../../domain/watchdog-rules';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { addAlert, type AlertWanted } from '../wellbeing/alert-rows';
import { ALWAYS, callInput, liveCall, mentorWith, personWithNumber, reserveSlot, tokenHex } from './people';

const HOUR = 3_600_000;
const LIMITS: WatchdogLimits = {
  failurePercent: 5,
  failureCalls: 10,
  nobodyForMs: 600_000,
  userCalls: 2,
  shortCalls: 2,
  shortCallMs: 30_000,
  accounts: 2,
  targetAccounts: 2,
  providerErrors: 1,
};
const ROOMY = { perUser: 100, perTarget: 100 };
const CHANNELS = { emails: 2, webhook: true };
const FINDING: Finding = { kind: 'failure-rate', key: 'all', holdMs: 0, counts: { calls: 20, failed: 3 } };

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

type Ended = {
  outcome: Outcome;
  endReason: EndReason;
  durationSeconds?: number;
  mentorId?: string;
  token?: string;
  userId?: string;
};

async function call({ outcome, endReason, durationSeconds = 0, mentorId, token, userId }: Ended): Promise<string> {
  const somebody = await personWithNumber(database.app);
  const person = userId === undefined ? somebody : { ...somebody, userId };
  const input = callInput(person, { recipientToken: token ?? tokenHex() });
  await openCall(database.app, input, ROOMY);
  if (mentorId !== undefined) await updateCall(database.app, input.callId, { mentorId, bridgedAt: new Date() });
  await closeCall(database.app, { callId: input.callId, outcome, endReason, endedAt: new Date(), durationSeconds });
  return input.callId;
}

const facts = () => watchdogFacts(database.app, HOUR, LIMITS);
const look = (findings: readonly Finding[], calmMs = 0) =>
  noteFindings(database.app, findings, { calmMs, channels: CHANNELS });
const longAgo = (column: string) =>
  database.owner.query(`UPDATE incidents SET ${column} = ${column} - interval '1 day'`);

describe('what the watchdog counts', () => {
  test('a failure is any end but a conversation, a no, and a user who was not reached', async () => {
    await call({ outcome: 'completed', endReason: 'bridge-over' });
    await call({ outcome: 'cancelled', endReason: 'cancelled-by-user' });
    await call({ outcome: 'no-answer', endReason: 'user-not-reached' });
    await call({ outcome: 'fallback-completed', endReason: 'helpline-over' });
    await call({ outcome: 'failed', endReason: 'provider-refused' });
    await call({ outcome: 'failed', endReason: 'too-many-requests' });
    expect(await facts()).toMatchObject({ calls: { total: 5, failed: 2 }, hasRequests: true });
  });

  test('what is longer ago than the window is not looked at', async () => {
    await call({ outcome: 'failed', endReason: 'provider-refused' });
    await database.owner.query(
      `UPDATE call_logs SET opened_at = opened_at - interval '2 hours', ended_at = ended_at - interval '2 hours'`,
    );
    expect(await facts()).toMatchObject({ calls: { total: 0, failed: 0 }, hasRequests: false });
  });

  test('an alert is found while it waits for a human, and for a day when it has reached nobody', async () => {
    const waiting = { steps: [{ who: 'emergency', state: 'awaiting-human' }] } as const;
    const of = async (wanted: AlertWanted) =>
      addAlert(database.owner, await createSubject(database.app, 'system'), wanted);
    const [first, second] = [await of({ ...waiting, daysAgo: 2 }), await of(waiting)];
    await of({ steps: [{ who: 'buddies', state: 'under-way' }] });
    await of({ steps: [{ who: 'emergency', state: 'under-way' }] });
    const lost = [
      await of({ daysAgo: 0.9, end: ['closed', 'nobody-answered'] }),
      await of({ daysAgo: 0.8, end: ['closed', 'nobody-to-ask'] }),
      await of({ daysAgo: 0.7, end: ['closed', 'workflow-failed'] }),
    ];
    await of({ daysAgo: 2, end: ['closed', 'nobody-answered'] });
    await of({ daysAgo: 0.5, end: ['answered', 'answered'] });
    await of({ daysAgo: 0.5, end: ['closed', 'closed-by-staff'] });
    expect(await facts()).toMatchObject({
      alertsAwaitingHuman: [first, second].map((alertId) => ({ alertId, alerts: 2 })),
      alertsReachedNobody: lost.map((alertId) => ({ alertId, alerts: 3 })),
    });
  });

  test('mentors count from their windows, and only who is on and has a place can be rung', async () => {
    const on = await mentorWith(database.app, { windows: ALWAYS });
    await mentorWith(database.app, { windows: ALWAYS, available: false });
    await mentorWith(database.app, { windows: [] });
    expect((await facts()).mentors).toEqual({ scheduled: 2, free: 1 });
    const busyWith = await call({ outcome: 'completed', endReason: 'bridge-over' });
    await database.owner.query(
      'UPDATE mentor_slots SET call_id = $1, step = 1, lease_until = now() WHERE mentor_id = $2',
      [busyWith, on.mentorId],
    );
    expect((await facts()).mentors).toEqual({ scheduled: 2, free: 0 });
  });

  test('one user’s many requests and one number of several accounts are seen', async () => {
    const { userId } = await personWithNumber(database.app);
    const token = tokenHex();
    const ended = { outcome: 'completed', endReason: 'bridge-over' } as const;
    const first = await call({ ...ended, userId, token });
    await call({ ...ended, userId });
    await call({ ...ended, token });
    expect(await facts()).toMatchObject({
      userCalls: [{ userId, count: 2 }],
      sharedNumbers: [{ callId: first, accounts: 2 }],
    });
  });

  test('an account that is turned away counts among those that ask for one number, once it has been rung', async () => {
    const token = tokenHex();
    const other = async () =>
      noteRefusedRequest(database.app, await createSubject(database.app, 'user'), Buffer.from(token, 'hex'));
    await other();
    await other();
    expect((await facts()).sharedNumbers).toEqual([]);
    const callId = await call({ outcome: 'completed', endReason: 'bridge-over', token });
    expect((await facts()).sharedNumbers).toEqual([{ callId, accounts: 3 }]);
    await database.owner.query(
      "UPDATE refused_requests SET refused_at = refused_at - interval '25 hours' WHERE ctid = (SELECT min(ctid) FROM refused_requests)",
    );
    await forgetRefusedRequests(database.app);
    expect((await database.owner.query('SELECT FROM refused_requests')).rowCount).toBe(1);
  });

  test('short talks of one mentor are seen, also in a call that goes on with somebody else', async () => {
    const [hasty, patient] = [await mentorWith(database.app), await mentorWith(database.app)];
    const { callId } = await liveCall(database.app);
    const talked = async (step: number, mentorId: string, talkedSeconds: number) => {
      await reserveSlot(database.app, { callId, step, mentorId, leaseMs: HOUR });
      await releaseSlot(database.app, { callId, step, result: 'completed', talkedSeconds });
    };
    await talked(1, hasty.mentorId, 4);
    await talked(2, hasty.mentorId, 6);
    await talked(3, patient.mentorId, 1_800);
    await talked(4, patient.mentorId, 29);
    expect((await facts()).shortCalls).toEqual([{ mentorId: hasty.mentorId, count: 2 }]);
    await database.owner.query("UPDATE mentor_offers SET offered_at = offered_at - interval '2 hours' WHERE step = 1");
    expect((await facts()).shortCalls).toEqual([]);
  });

  test('a shared number goes on being named by the call that it was first found by', async () => {
    const token = tokenHex();
    const other = { outcome: 'completed', endReason: 'bridge-over', token } as const;
    const first = await call(other);
    await call(other);
    await look([{ kind: 'accounts-to-one-number', key: first, holdMs: 0, counts: { accounts: 2 } }]);
    await database.owner.query(`UPDATE call_logs SET opened_at = opened_at - interval '2 hours' WHERE call_id = $1`, [
      first,
    ]);
    await call(other);
    expect((await facts()).sharedNumbers).toEqual([{ callId: first, accounts: 2 }]);
  });

  test('a retention sweep without a whole run for two days is overdue', async () => {
    expect(await facts()).toMatchObject({ retentionStaleSince: null });
    await database.owner.query("UPDATE sweeps SET known_since = known_since - interval '3 days'");
    expect(await facts()).toMatchObject({ retentionStaleSince: expect.any(Date) });
  });

  test('codes of refusals and of callbacks are added up, and a stopped line is named', async () => {
    const dispatch = `INSERT INTO dispatches (dispatch_id, business_key, workflow_id, channel, state, sender, country, error_code, settled_at)
      VALUES ($1, $2, 'w', 'sms', 'refused', '+14155550100', 'US', '21408', now())`;
    await database.owner.query(dispatch, [randomUUID(), randomUUID()]);
    await inTransaction(database.app, (tx) => stopLine(tx, 'twilio', '20003'));
    expect(await facts()).toMatchObject({
      errorCodes: [{ code: 21_408, count: 1 }],
      stoppedLines: [{ line: 'twilio', code: '20003' }],
    });
  });
});

describe('acts without an answer', () => {
  /** An act that was tried once. @returns its id and the attempt */
  async function tried(channel: 'voice' | 'email' = 'voice', leaseMs = 60_000): Promise<[string, number]> {
    const dispatchId = randomUUID();
    const act = { dispatchId, businessKey: dispatchId, callId: null, workflowId: 'w', recipientToken: tokenHex() };
    await ensureDispatch(database.app, { ...act, channel, sender: '+14155550100', country: 'US' });
    const claimed = await claim(database.app, dispatchId, leaseMs);
    if (!('claimed' in claimed)) throw new Error('not claimed');
    return [dispatchId, claimed.claimed.attempt];
  }
  const refusal = (errorClass: string) => ({ code: '20500', class: errorClass });

  test.each<[string, (act: [string, number]) => Promise<unknown>]>([
    ['timed out', (act) => settleUnknown(database.app, ...act)],
    ['met too many requests, or no connection', (act) => giveBack(database.app, ...act)],
    ['were lost for good', (act) => markLost(database.app, ...act)],
    ['were refused by a server that failed', (act) => settleRefused(database.app, ...act, refusal('unknown'))],
    [
      'were given up when nobody answered',
      async ([id, attempt]) => {
        await giveBack(database.app, id, attempt);
        await abandon(database.app, id);
      },
    ],
  ])('are counted when they %s, while the window lasts', async (_how, end) => {
    await end(await tried());
    expect(await facts()).toMatchObject({ unanswered: 1 });
    await database.owner.query("UPDATE dispatches SET lease_until = lease_until - interval '2 hours'");
    expect(await facts()).toMatchObject({ unanswered: 0 });
  });

  test('are none that were answered, never tried, are under way, withdrawn just now, or are mail', async () => {
    await settleAccepted(database.app, (await tried())[0], `CA${randomUUID().replaceAll('-', '')}`);
    await settleRefused(database.app, ...(await tried()), refusal('bad-destination'));
    await tried();
    await abandon(database.app, (await tried())[0]);
    await settleUnknown(database.app, ...(await tried('email')));
    const never = { dispatchId: randomUUID(), businessKey: 'never', callId: null, workflowId: 'w' };
    const act = {
      ...never,
      recipientToken: tokenHex(),
      channel: 'voice',
      sender: '+14155550100',
      country: 'US',
    } as const;
    await ensureDispatch(database.app, act);
    await abandon(database.app, never.dispatchId);
    expect(await facts()).toMatchObject({ unanswered: 0 });
  });
});

describe('an incident', () => {
  test('is raised once however often it is found, and tells every channel once of its beginning and its end', async () => {
    expect(await look([FINDING])).toEqual({ raised: 1, closed: 0 });
    expect(await look([FINDING])).toEqual({ raised: 0, closed: 0 });
    expect(await look([])).toEqual({ raised: 0, closed: 0 });
    expect(await look([])).toEqual({ raised: 0, closed: 1 });
    const notices = await database.owner.query(
      'SELECT phase, channel, recipient FROM incident_notices ORDER BY 1, 2, 3',
    );
    expect(notices.rows.map(Object.values)).toEqual([
      ['firing', 'email', 1],
      ['firing', 'email', 2],
      ['firing', 'webhook', 1],
      ['resolved', 'email', 1],
      ['resolved', 'email', 2],
      ['resolved', 'webhook', 1],
    ]);
  });

  test('is one incident when many look at the same time', async () => {
    const noted = await Promise.all(Array.from({ length: 8 }, () => look([FINDING])));
    expect(noted.filter(({ raised }) => raised === 1)).toHaveLength(1);
    expect((await listIncidents(database.app, { limit: 10 })).rows).toHaveLength(1);
  });

  test('is another one when it comes again after its end', async () => {
    await look([FINDING]);
    await look([]);
    await look([]);
    expect(await look([FINDING])).toEqual({ raised: 1, closed: 0 });
    const { rows } = await listIncidents(database.app, { limit: 10 });
    expect(rows.map(({ closedAt }) => closedAt === null)).toEqual([true, false]);
  });

  test('that nobody was told of is in no list', async () => {
    await look([{ ...FINDING, holdMs: HOUR }]);
    expect((await listIncidents(database.app, { limit: 10 })).rows).toEqual([]);
    await longAgo('first_seen_at');
    expect(await look([{ ...FINDING, holdMs: HOUR }])).toEqual({ raised: 1, closed: 0 });
  });

  test('lists go on from their cursor, and only through what is open when that is asked', async () => {
    const keys = ['a', 'b', 'c'];
    await look(keys.map((key) => ({ ...FINDING, kind: 'provider-errors' as const, key })));
    await look([{ ...FINDING, kind: 'provider-errors', key: 'a' }]);
    await look([{ ...FINDING, kind: 'provider-errors', key: 'a' }]);
    const first = await listIncidents(database.app, { limit: 2 });
    const second = await listIncidents(database.app, { limit: 2, cursor: first.nextCursor });
    expect([...first.rows, ...second.rows].map(({ key }) => key).toSorted()).toEqual(keys);
    expect(second.nextCursor).toBeNull();
    expect((await listIncidents(database.app, { limit: 5, isOpen: true })).rows.map(({ key }) => key)).toEqual(['a']);
  });

  test('is acknowledged once, with an audit entry', async () => {
    await look([FINDING]);
    const [incident] = (await listIncidents(database.app, { limit: 1 })).rows;
    const staff = await createSubject(database.app, 'system');
    const first = await acknowledgeIncident(database.app, incident?.incidentId ?? '', staff);
    const again = await acknowledgeIncident(database.app, incident?.incidentId ?? '', staff);
    expect(again?.acknowledgedAt).toEqual(first?.acknowledgedAt);
    const entries = await database.owner.query(
      "SELECT actor FROM audit_entries WHERE action = 'incident.acknowledged'",
    );
    expect(entries.rows).toEqual([{ actor: staff }]);
    expect(await acknowledgeIncident(database.app, randomUUID(), staff)).toBeNull();
  });

  test('is deleted with its notices when it has been over for its time; one that goes on stays', async () => {
    await look([FINDING, { ...FINDING, kind: 'line-stopped', key: 'mail' }]);
    await look([FINDING]);
    await look([FINDING]);
    await longAgo('closed_at');
    const old = { olderThanMs: HOUR, limit: 10 };
    expect(await deleteOldIncidents(database.app, { ...old, isDryRun: true })).toMatchObject({ found: 1 });
    expect(await deleteOldIncidents(database.app, { ...old, isDryRun: false })).toMatchObject({ taken: 1, next: null });
    expect((await listIncidents(database.app, { limit: 10 })).rows.map(({ kind }) => kind)).toEqual(['failure-rate']);
    const left = await database.owner.query('SELECT count(*)::int AS count FROM incident_notices');
    expect(left.rows).toEqual([{ count: 3 }]);
  });
});

describe('a notice', () => {
  const due = (leaseMs = 60_000) => claimDueNotices(database.app, 10, leaseMs);

  test('is claimed by one of several, and comes due again when its worker dies', async () => {
    await look([FINDING]);
    const claims = await Promise.all([due(), due(), due()]);
    expect(claims.flat()).toHaveLength(3);
    await database.owner.query("UPDATE incident_notices SET next_attempt_at = next_attempt_at - interval '1 hour'");
    expect(await due()).toHaveLength(3);
  });

  test('of an end waits for the one of the beginning', async () => {
    await look([FINDING]);
    const began = await due();
    await look([]);
    await look([]);
    expect(await due()).toEqual([]);
    for (const notice of began) await noteTold(database.app, notice);
    expect((await due()).map(({ phase }) => phase)).toEqual(['resolved', 'resolved', 'resolved']);
  });

  test('of an end is none for those who were never told of the beginning, and is dropped', async () => {
    await look([FINDING]);
    const [untold, ...others] = await due();
    if (untold === undefined) throw new Error('Nothing is due');
    await noteNotTold(database.app, untold, 'not-configured', null);
    for (const notice of others) await noteTold(database.app, notice);
    await look([]);
    await look([]);
    const ends = await due();
    expect(ends.map(({ channel, recipient }) => [channel, recipient])).toEqual(
      others.map(({ channel, recipient }) => [channel, recipient]),
    );
    const { rows } = await database.owner.query(
      `SELECT channel, recipient FROM incident_notices WHERE phase = 'resolved' AND next_attempt_at IS NULL`,
    );
    expect(rows).toEqual([{ channel: untold.channel, recipient: untold.recipient }]);
  });

  test('that cannot be told is tried again, and given up after a day', async () => {
    await look([FINDING]);
    const [notice] = await due();
    if (notice === undefined) throw new Error('Nothing is due');
    await noteNotTold(database.app, notice, 'http-500', 0);
    expect(await due()).toMatchObject([{ channel: notice.channel, recipient: notice.recipient, attempts: 1 }]);
    await database.owner.query("UPDATE incident_notices SET noted_at = noted_at - interval '2 days'");
    await noteNotTold(database.app, notice, 'http-500', 0);
    expect(await due()).toEqual([]);
  });
});

test('of every alert that waits somebody is told once, also while another one waits, and when it is decided', async () => {
  const waiting = { steps: [{ who: 'emergency', state: 'awaiting-human' }] } as const;
  const add = async () => addAlert(database.owner, await createSubject(database.app, 'system'), waiting);
  const lookOnce = async () => {
    const found = judge(await facts(), LIMITS).filter(({ kind }) => kind.startsWith('alert-'));
    return await look(found);
  };
  const first = await add();
  expect(await lookOnce()).toEqual({ raised: 1, closed: 0 });
  await add();
  expect(await lookOnce()).toEqual({ raised: 1, closed: 0 });
  expect(await lookOnce()).toEqual({ raised: 0, closed: 0 });
  await database.owner.query(`UPDATE wellbeing_alert_steps SET state = 'under-way' WHERE alert_id = $1`, [first]);
  await lookOnce();
  expect(await lookOnce()).toEqual({ raised: 0, closed: 1 });
  const { rows } = await listIncidents(database.app, { limit: 10 });
  expect(rows.map(({ key, closedAt }) => [key === first, closedAt !== null])).toEqual([
    [false, false],
    [true, true],
  ]);
  expect((await listIncidents(database.app, { limit: 10, without: ['alert-awaits-human'] })).rows).toEqual([]);
  // However many there are: none is silent behind others, and none is said to be over because older ones have come.
  for (let more = 0; more < 24; more += 1) await add();
  expect(await lookOnce()).toEqual({ raised: 24, closed: 0 });
});
