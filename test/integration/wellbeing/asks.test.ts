import { randomUUID } from 'node:crypto';
import type { WorkflowStartOptions } from '@temporalio/client';
import type { ActivityDependencies } from '../../../activities';
import { endAsks, startAsks } from '../../../activities/wellbeing-asks';
import { createWellbeingSweep } from '../../../activities/wellbeing-sweep';
import { wellbeingPass } from '../../../activities/wellbeing-watch';
import { beginWellbeingStep, openWellbeingAlert } from '../../../db/wellbeing-course';
import { takeScores } from '../../../db/wellbeing-scores';
import { createSubject } from '../../../db/subjects';
import { BUILT_IN_POLICY, type EscalationStep } from '../../../domain/escalation-policy';
import type { Ask } from '../../../domain/wellbeing-alert';
import { KINDLINE_COUNTRY, KINDLINE_SUBJECT } from '../../../temporal/search-attributes';
import type { OwnerState } from '../../../temporal/owners';
import { messageLinkToken } from '../../../vault/link-tokens';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { ApiUnderTest, type Who } from '../api/api-under-test';
import { addAlert } from './alert-rows';
import { buddyOf, scoreOf } from './circle';

const DAY = 24 * 3_600_000;
const RULES = { triggers: { low: 40, lowInARow: 3, drop: 20 }, alertSpacingMs: 3 * DAY, countForMs: 14 * DAY };
const LINK_KEY = { version: 1, key: Buffer.alloc(32, 7) };

interface Started {
  readonly type: string;
  readonly workflowId: string;
  readonly input: Record<string, unknown>;
}

/** Plays Temporal: remembers what was begun and told. */
class FakeTemporal {
  readonly started: Started[] = [];
  /** As each was found by. */
  readonly attributes: unknown[] = [];
  readonly told: { workflowId: string; what: string; with?: unknown[] }[] = [];
  /** Of whom nothing can be begun now. */
  readonly stuck = new Set<string>();
  onStart: () => Promise<unknown> = async () => undefined;
  isDown = false;
  /** So many words are lost. */
  deaf = 0;
  readonly workflowQueue = 'kindline';
  readonly workflow = {
    start: async (type: string, { workflowId, args, typedSearchAttributes }: WorkflowStartOptions) => {
      if (this.isDown || this.stuck.has(workflowId)) throw new Error('down');
      await this.onStart();
      this.started.push({ type, workflowId, input: args?.[0] ?? {} });
      this.attributes.push(typedSearchAttributes);
    },
    getHandle: (workflowId: string) => ({
      signal: async (what: string, ...args: unknown[]) =>
        void this.told.push({ workflowId, what, ...(args.length === 0 ? {} : { with: args }) }),
      executeUpdate: async (what: string) => {
        if (this.deaf > 0) {
          this.deaf -= 1;
          throw new Error('down');
        }
        this.told.push({ workflowId, what });
        return 'too-late';
      },
    }),
  };
  subjectAttribute(id: string): string {
    return id;
  }
  withDeadline<T>(_deadline: number, run: () => Promise<T>): Promise<T> {
    return run();
  }
}

let api: ApiUnderTest;
let temporal: FakeTemporal;
let deps: ActivityDependencies;
beforeAll(async () => {
  api = await ApiUnderTest.start({
    ESCALATION_WELLBEING_EMAIL: 'wellbeing@example.org',
    ESCALATION_WELLBEING_PHONE: '+14155550163',
    ESCALATION_ON_CALL_NUMBERS: '+14155550161,+14155550162',
  });
});
afterAll(() => api.stop());
beforeEach(() => {
  temporal = new FakeTemporal();
  const { config, pool, vault, tokenizer, logger } = api.deps;
  deps = {
    pool,
    vault,
    tokenizer,
    logger,
    temporal,
    retention: config.retention,
    buddies: config.buddies,
    wellbeing: config.wellbeing,
    voiceAlert: config.voiceAlert,
    phoneNumbers: config.twilio.phoneNumbers,
    mail: { provider: null, from: '', linkKey: LINK_KEY, publicBaseUrl: 'https://api.example.org' },
  } as unknown as ActivityDependencies;
});

const stepOf = (who: EscalationStep['who']): EscalationStep => {
  const found = BUILT_IN_POLICY.steps.find((step) => step.who === who);
  if (found === undefined) throw new Error('no such step');
  return found;
};
const asking = (userId: string, who: EscalationStep['who'], asks: Ask[]) => {
  const alertId = randomUUID();
  return { alertId, userId, days: 4, position: 1, step: stepOf(who), asks, reportsTo: `wellbeing-alert:${alertId}` };
};

/** An alert whose step asks the contact by this text. */
async function askingContact(userId: string, ask: Ask) {
  const steps = [{ who: 'registered-contact', state: 'under-way' }] as const;
  const alertId = await addAlert(api.database.owner, userId, { steps });
  const text =
    'UPDATE wellbeing_alert_steps SET begun_at = clock_timestamp(), ask_ids = ARRAY[$2::uuid] WHERE alert_id = $1';
  await api.database.owner.query(text, [alertId, ask.askId]);
  return { ...asking(userId, 'registered-contact', [ask]), alertId, reportsTo: `wellbeing-alert:${alertId}` };
}

async function userWithContact(): Promise<{ userId: string; contactId: string }> {
  const who: Who = { role: 'user', subject: randomUUID() };
  const json = { name: MARKED.otherMentorName, phoneNumber: MARKED.otherUserPhone };
  const { body } = await api.ask('PUT', '/api/users/me/registered-contact', { who, json });
  const { rows } = await api.database.owner.query('SELECT user_id FROM registered_contacts WHERE contact_id = $1', [
    body.contactId,
  ]);
  return { userId: rows[0].user_id, contactId: body.contactId };
}

test('buddies are asked by a check-in each, whose end is told to the alert, and whoever has gone is not', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const [able, gone] = [await buddyOf(deps, userId, 1), await buddyOf(deps, userId, 2, 'is_active = false')];
  const asks = [able, gone].map((buddyId): Ask => ({ askId: randomUUID(), by: 'check-in', buddyId }));
  const asked = asking(userId, 'buddies', asks);
  expect(await startAsks(deps, asked)).toEqual([asks[1]?.askId]);
  const { alertId, reportsTo } = asked;
  expect(temporal.attributes).toEqual([
    expect.arrayContaining([
      { key: KINDLINE_COUNTRY, value: 'US' },
      { key: KINDLINE_SUBJECT, value: userId },
    ]),
  ]);
  expect(temporal.started).toEqual([
    {
      type: 'checkIn',
      workflowId: `check-in:${asks[0]?.askId}`,
      input: expect.objectContaining({ buddyId: able, userId, alert: { alertId, days: 4 }, reportsTo }),
    },
  ]);
});

test('the contact is told once that they were named, and the same link opens their page', async () => {
  const { userId, contactId } = await userWithContact();
  expect(await wellbeingPass(deps)).toBe(1);
  expect(await wellbeingPass(deps)).toBe(0);
  const [told] = temporal.started;
  const link = { use: 'registered-contact', id: contactId, version: 1 } as const;
  expect(told).toMatchObject({ type: 'message', input: { channel: 'sms', kind: 'invitation', content: { link } } });
  const page = await api.fetch(`/contact/${messageLinkToken(LINK_KEY, link)}`, {});
  expect(page.status).toBe(200);
  const ask: Ask = { askId: randomUUID(), by: 'message', buddyId: null };
  expect(await startAsks(deps, await askingContact(userId, ask))).toEqual([]);
  expect(temporal.started[1]).toMatchObject({
    workflowId: `message:${ask.askId}`,
    input: { messageClass: 'safety', content: { link }, reportsTo: expect.stringContaining('wellbeing-alert:') },
  });
  const words = JSON.stringify(temporal.started);
  for (const secret of [MARKED.otherMentorName, MARKED.otherUserPhone, messageLinkToken(LINK_KEY, link)]) {
    expect(words).not.toContain(secret);
  }
});

test('the service gets a mail and those on call are rung, whose ends the alert hears', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const mail: Ask = { askId: randomUUID(), by: 'message', buddyId: null };
  const call: Ask = { askId: randomUUID(), by: 'call', buddyId: null };
  expect(await startAsks(deps, asking(userId, 'wellbeing-service', [mail]))).toEqual([]);
  expect(await startAsks(deps, asking(userId, 'on-call', [call]))).toEqual([]);
  expect(await startAsks(deps, asking(userId, 'emergency', [{ ...call, askId: randomUUID() }]))).toEqual([]);
  const [mailed, rung, emergency] = temporal.started;
  expect(mailed?.input).toMatchObject({ channel: 'email', country: 'ZZ', reportsTo: expect.any(String) });
  expect(rung).toMatchObject({ type: 'voiceAlert', workflowId: `voice-alert:${call.askId}` });
  expect(rung?.input).toMatchObject({ acknowledge: true, neutralFirst: true, messageClass: 'ordinary' });
  expect(rung?.input['recipients']).toHaveLength(2);
  expect(rung?.input['reportsTo']).toEqual(expect.stringContaining('wellbeing-alert:'));
  expect(emergency?.input).toMatchObject({ messageClass: 'safety', urgency: 'emergency' });
  expect(JSON.stringify(temporal.started)).not.toContain('example.org');
  expect(JSON.stringify(temporal.started)).not.toContain('+14155550161');
});

test.each([
  ['sms', 'message', { channel: 'sms', country: 'US', messageClass: 'safety' }],
  ['voice', 'voiceAlert', { acknowledge: true, neutralFirst: true, smsWhenExhausted: true }],
] as const)('the service is asked by %s where its step says so, at its own number', async (channel, type, input) => {
  const userId = await createSubject(api.deps.pool, 'system');
  const steps = [{ who: 'wellbeing-service', state: 'pending' }] as const;
  const alertId = await addAlert(api.database.owner, userId, { steps });
  const step = { ...stepOf('wellbeing-service'), channel };
  const wanted = { alertId, userId, position: 1, step, askedBuddyIds: [], askIds: [randomUUID()] };
  const begun = await beginWellbeingStep(api.deps.pool, wanted, api.deps.config.wellbeing.escalation);
  const asks = 'asks' in begun ? [...begun.asks] : [];
  expect(await startAsks(deps, { ...asking(userId, 'wellbeing-service', asks), alertId, step })).toEqual([]);
  expect(temporal.started).toMatchObject([{ type, input: { ...input, reportsTo: expect.any(String) } }]);
  const [asked] = temporal.started;
  const recipients = (asked?.input['recipients'] ?? [asked?.input]) as { recordId: string }[];
  const numbers = await Promise.all(
    recipients.map(async ({ recordId }) => {
      const value = await api.deps.vault.reveal({ recordId, purpose: 'send', actor: 'system' });
      return value.expose();
    }),
  );
  expect(numbers).toEqual(['+14155550163']);
});

test('whoever is asked when it is over is told: check-ins, calls, and by a message who had one', async () => {
  const { userId, contactId } = await userWithContact();
  await wellbeingPass(deps);
  temporal.started.splice(0);
  const [checkIn, call, text, mail] = Array.from({ length: 4 }, () => randomUUID());
  await askingContact(userId, { askId: text ?? '', by: 'message', buddyId: null });
  const asks = [
    { askId: checkIn ?? '', by: 'check-in', party: 'buddies', channel: 'sms', newsId: randomUUID() },
    { askId: call ?? '', by: 'call', party: 'on-call', channel: 'voice', newsId: randomUUID() },
    { askId: text ?? '', by: 'message', party: 'registered-contact', channel: 'sms', newsId: randomUUID() },
    { askId: mail ?? '', by: 'message', party: 'wellbeing-service', channel: 'email', newsId: randomUUID() },
  ] as const;
  await endAsks(deps, { alertId: randomUUID(), userId, isTold: true, asks });
  expect(temporal.told).toEqual(
    expect.arrayContaining([
      { workflowId: `check-in:${checkIn}`, what: 'ended' },
      { workflowId: `voice-alert:${call}`, what: 'cancel' },
      { workflowId: `message:${text}`, what: 'cancel' },
    ]),
  );
  const news = temporal.started.map(({ workflowId }) => workflowId);
  // Their page says how to get no more of them.
  expect(temporal.started.find(({ workflowId }) => workflowId === `message:${asks[2].newsId}`)?.input).toMatchObject({
    content: { link: { use: 'registered-contact', version: 1 } },
  });
  expect(news.toSorted()).toEqual([`message:${asks[2].newsId}`, `message:${asks[3].newsId}`].toSorted());
  temporal.started.splice(0);
  await endAsks(deps, { alertId: randomUUID(), userId, isTold: false, asks });
  expect(temporal.started).toEqual([]);
  // Whoever was named since knows of nothing that could be over.
  await api.database.owner.query('UPDATE registered_contacts SET named_at = clock_timestamp() WHERE contact_id = $1', [
    contactId,
  ]);
  await endAsks(deps, { alertId: randomUUID(), userId, isTold: true, asks: [asks[2]] });
  expect(temporal.started).toEqual([]);
});

test.each(['sms', 'email'] as const)(
  'the service hears that it is over over the channel it was asked over: %s',
  async (channel) => {
    const userId = await createSubject(api.deps.pool, 'system');
    const newsId = randomUUID();
    const ask = { askId: randomUUID(), by: 'message', party: 'wellbeing-service', channel, newsId } as const;
    await endAsks(deps, { alertId: randomUUID(), userId, isTold: true, asks: [ask] });
    expect(temporal.started).toMatchObject([{ workflowId: `message:${newsId}`, input: { channel } }]);
  },
);

test('one who cannot be asked now keeps nobody else from it, and is asked by the next try', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const asks = await Promise.all(
    [1, 2, 3].map(async (rank): Promise<Ask> => {
      const buddyId = await buddyOf(deps, userId, rank);
      return { askId: randomUUID(), by: 'check-in', buddyId };
    }),
  );
  const [first, second, third] = asks.map(({ askId }) => `check-in:${askId}`);
  temporal.stuck.add(first ?? '');
  const asked = asking(userId, 'buddies', asks);
  const failure = { type: 'AsksNotBegun', details: [asks[0]?.askId] };
  await expect(startAsks(deps, asked)).rejects.toMatchObject(failure);
  expect(temporal.started.map(({ workflowId }) => workflowId).toSorted()).toEqual([second, third].toSorted());
  expect(api.logLines.join('')).toContain(asks[0]?.askId);
  temporal.stuck.clear();
  expect(await startAsks(deps, asked)).toEqual([]);
  expect(temporal.started.map(({ workflowId }) => workflowId)).toContain(first);
});

test('a buddy can answer for as long as the alert can go on, however short the questions of users are', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const ask: Ask = { askId: randomUUID(), by: 'check-in', buddyId: await buddyOf(deps, userId, 1) };
  const asked = asking(userId, 'buddies', [ask]);
  await startAsks(deps, { ...asked, closesAfterMs: 3 * DAY });
  expect(temporal.started).toMatchObject([{ input: { closesAfterMs: 3 * DAY } }]);
  temporal.started.splice(0);
  // By an alert that was begun when none said so.
  await startAsks(deps, asked);
  expect(temporal.started).toMatchObject([{ input: { closesAfterMs: DAY } }]);
});

test('whoever was waited for in vain has not answered; of others no answer is waited for any more', async () => {
  const [userId, askId] = [await createSubject(api.deps.pool, 'system'), randomUUID()];
  const asks = [{ askId, by: 'check-in', party: 'buddies', channel: 'sms', newsId: randomUUID() }] as const;
  await endAsks(deps, { alertId: randomUUID(), userId, isTold: false, isInVain: true, asks });
  await endAsks(deps, { alertId: randomUUID(), userId, isTold: true, isInVain: false, asks });
  const ended = { workflowId: `check-in:${askId}`, what: 'ended' };
  expect(temporal.told).toEqual([{ ...ended, with: ['unanswered'] }, ended]);
});

test('a contact who refuses while their text is being begun is not asked by it, nor is one who was named since', async () => {
  const { userId, contactId } = await userWithContact();
  const ask: Ask = { askId: randomUUID(), by: 'message', buddyId: null };
  const refuse = 'UPDATE registered_contacts SET refused_at = now() WHERE contact_id = $1';
  temporal.onStart = () => api.database.owner.query(refuse, [contactId]);
  const asked = await askingContact(userId, ask);
  expect(await startAsks(deps, asked)).toEqual([ask.askId]);
  const cancel = { workflowId: `message:${ask.askId}`, what: 'cancel' };
  expect(temporal.told).toEqual([cancel]);
  // The try that began it may have been lost before it could withdraw it.
  expect(await startAsks(deps, asked)).toEqual([ask.askId]);
  expect(temporal.told).toEqual([cancel, cancel]);
  // Nor is whoever was named since.
  temporal.started.splice(0);
  temporal.onStart = async () => undefined;
  const later = 'UPDATE registered_contacts SET refused_at = NULL, named_at = clock_timestamp() WHERE contact_id = $1';
  await api.database.owner.query(later, [contactId]);
  expect(await startAsks(deps, asked)).toEqual([ask.askId]);
  expect(temporal.started).toEqual([]);
});

test('a try that comes back after the alert is over asks nobody', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const ask: Ask = { askId: randomUUID(), by: 'check-in', buddyId: await buddyOf(deps, userId, 1) };
  const alertId = await addAlert(api.database.owner, userId, { end: ['closed', 'closed-by-user'] });
  expect(await startAsks(deps, { ...asking(userId, 'buddies', [ask]), alertId })).toEqual([ask.askId]);
  expect(temporal.started).toEqual([]);
});

test.each([
  ['on-call', 'call', 'voice-alert'],
  ['wellbeing-service', 'message', 'message'],
] as const)(
  'what asks %s after the alert has ended is taken back: nothing was there to be ended',
  async (who, by, workflow) => {
    const userId = await createSubject(api.deps.pool, 'system');
    const ask: Ask = { askId: randomUUID(), by, buddyId: null };
    const alertId = await addAlert(api.database.owner, userId, {});
    temporal.onStart = () =>
      api.database.owner.query(
        `UPDATE wellbeing_alerts SET state = 'closed', end_reason = 'closed-by-user', ended_at = now() WHERE alert_id = $1`,
        [alertId],
      );
    expect(await startAsks(deps, { ...asking(userId, who, [ask]), alertId })).toEqual([ask.askId]);
    const cancel = { workflowId: `${workflow}:${ask.askId}`, what: 'cancel' };
    expect(temporal.told).toEqual([cancel]);
    // The try that began it may have been lost before it could take it back, and Temporal may be slow.
    temporal.deaf = 2;
    expect(await startAsks(deps, { ...asking(userId, who, [ask]), alertId })).toEqual([ask.askId]);
    expect(temporal.told).toEqual([cancel, cancel]);
    expect(temporal.started).toHaveLength(1);
  },
);

test('a due alert that nobody has begun is begun by the worker, also when its first try failed', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const { alerts } = await takeScores(api.deps.pool, [scoreOf(userId, 50, 1, { risk: 'high' })], RULES);
  const begun = () => temporal.started.filter(({ type }) => type === 'wellbeingAlert').map(({ input }) => input);
  // Whoever noted it begins it at once, and has five seconds for that: a pass that is held up for longer is made again.
  await eventually(async () => {
    temporal.started.length = 0;
    await api.database.owner.query(
      `UPDATE wellbeing_alerts SET due_at = now(), started_at = NULL WHERE alert_id = $1`,
      [alerts[0]?.alertId],
    );
    await wellbeingPass(deps);
    expect(begun()).toEqual([]);
  });
  await api.database.owner.query(`UPDATE wellbeing_alerts SET due_at = now() - interval '6 seconds'`);
  temporal.isDown = true;
  await wellbeingPass(deps);
  temporal.isDown = false;
  await wellbeingPass(deps);
  await wellbeingPass(deps);
  expect(begun()).toEqual([alerts[0]]);
});

test('an alert whose workflow is gone is closed by the sweep, and its check-ins end with it', async () => {
  const userId = await createSubject(api.deps.pool, 'system');
  const buddyId = await buddyOf(deps, userId, 1);
  const { alerts } = await takeScores(api.deps.pool, [scoreOf(userId, 50, 1, { risk: 'high' })], RULES);
  const alertId = alerts[0]?.alertId ?? '';
  await openWellbeingAlert(api.deps.pool, alertId);
  const askIds = [randomUUID(), randomUUID()];
  const begun = { alertId, userId, position: 1, step: stepOf('buddies'), askedBuddyIds: [], askIds };
  const step = await beginWellbeingStep(api.deps.pool, begun, api.deps.config.wellbeing.escalation);
  expect(step).toMatchObject({ asks: [{ askId: askIds[0], buddyId }] });
  const owners = new Map<string, OwnerState>([[`wellbeing-alert:${alertId}`, 'running']]);
  const sweep = createWellbeingSweep(deps, async (workflowId) => owners.get(workflowId) ?? 'running', 0);
  expect(await sweep()).toBe(0);
  owners.set(`wellbeing-alert:${alertId}`, 'stopped');
  expect(await sweep()).toBe(1);
  expect(await sweep()).toBe(0);
  expect(temporal.told).toEqual([{ workflowId: `check-in:${askIds[0]}`, what: 'ended' }]);
  const { rows } = await api.database.owner.query(
    `SELECT a.state, a.end_reason, a.counts, s.state AS step FROM wellbeing_alerts a JOIN wellbeing_alert_steps s USING (alert_id)
      WHERE alert_id = $1 AND position = 1`,
    [alertId],
  );
  expect(rows).toEqual([{ state: 'closed', end_reason: 'stopped-by-operator', counts: true, step: 'ended' }]);
  expect(api.logLines.join('')).toContain('wellbeing-alert-lost');
});
