/** What things cost: noted from real rows, priced by a provider that is told what to say, read over HTTP. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { createCostActivities } from '../../../activities/costs';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { ensureDispatch } from '../../../db/dispatches';
import { noteTextCosts } from '../../../db/cost-items';
import { storeEvent } from '../../../db/webhook-events';
import { ProviderError, type ProviderErrorFacts } from '../../../providers/provider-error';
import { ApiUnderTest, newCallSid } from './api-under-test';

Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });

const ADMIN = { role: 'admin' } as const;
let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const prices = new Map<string, object | null | Error>();
const asked: string[] = [];
const say = async (sid: string): Promise<never> => {
  asked.push(sid);
  const answer = prices.get(sid);
  if (answer instanceof Error) throw answer;
  return (answer ?? null) as never;
};

/** Runs one part of the sweep, as Temporal would. */
function run(part: 'noteCosts' | 'readPrices' | 'watchBudget'): Promise<number | null> {
  const { pool, logger } = api.deps;
  const provider = { readCall: say, readMessage: say };
  const deps = { pool, logger, phoneNumbers: ['+14155550100', '+442079460100'], voice: provider, messaging: provider };
  const activities = createCostActivities(deps as unknown as ActivityDependencies);
  return new MockActivityEnvironment().run(activities[part]);
}

const sql = async (text: string, values: unknown[] = []) => (await api.database.owner.query(text, values)).rows;

/** A text or call that the provider has taken. */
async function accepted(channel: 'sms' | 'voice' | 'email', country: string, at = 'now()') {
  const [dispatchId, sid] = [randomUUID(), `SM${randomUUID().replaceAll('-', '')}`];
  await ensureDispatch(api.deps.pool, {
    dispatchId,
    businessKey: dispatchId,
    callId: null,
    messageId: null,
    alertId: null,
    workflowId: 'message:x',
    recipientToken: Buffer.alloc(32, randomUUID()).toString('hex'),
    channel,
    messageClass: 'ordinary',
    sender: '+14155550100',
    country,
  });
  await sql(`UPDATE dispatches SET state = 'accepted', sid = $2, settled_at = ${at} WHERE dispatch_id = $1`, [
    dispatchId,
    sid,
  ]);
  return { dispatchId, sid };
}

const none = { callId: null, leg: null, step: null, sequence: null, errorCode: null, dispatchId: null };
async function leg(events: Readonly<Record<string, number>>, more: object = {}): Promise<string> {
  const sid = newCallSid();
  for (const [status, secondsAgo] of Object.entries(events)) {
    const seenKey = `${sid}:${status}`;
    await storeEvent(api.deps.pool, { ...none, leg: 'user', ...more, type: 'call-status', seenKey, sid, status });
    await sql(`UPDATE webhook_events SET received_at = now() - $2 * interval '1 second' WHERE seen_key = $1`, [
      seenKey,
      secondsAgo,
    ]);
  }
  return sid;
}

/** A text to a number of ours. @param country of who sent it */
async function received(to: string, country: string | null): Promise<string> {
  const sid = `SM${randomUUID().replaceAll('-', '')}`;
  await sql(`INSERT INTO inbound_texts (seen_key, message_sid, country, our_number) VALUES ($1, $1, $2, $3)`, [
    sid,
    country,
    to,
  ]);
  return sid;
}
const costOf = async (item: string) => (await sql('SELECT * FROM costs WHERE item = $1', [item]))[0];
const month = new Date().toISOString().slice(0, 7);

describe('the cost sweep', () => {
  test('notes each text once, by segment and country; a mail and what was not taken cost nothing here', async () => {
    const texts = [await accepted('sms', 'US'), await accepted('sms', 'GB'), await accepted('sms', 'FR')];
    const mail = await accepted('email', 'ZZ');
    const first = await run('noteCosts');
    expect(first).toBeGreaterThanOrEqual(3);
    expect(await run('noteCosts')).toBe(0);
    const amounts = await Promise.all(texts.map(async ({ sid }) => Number((await costOf(sid)).amount_micro)));
    expect(amounts).toEqual([8_300, 55_000, 150_000]);
    expect(await costOf(texts[0]?.sid ?? '')).toMatchObject({
      kind: 'sms',
      units: 1,
      is_estimate: true,
      price_source: 'estimate-2026-11',
    });
    expect(await costOf(mail.sid)).toBeUndefined();
  });

  test('notes a text that had left before it was withdrawn, and a second one that nobody intended', async () => {
    const withdrawn = await accepted('sms', 'US');
    const doubled = await accepted('sms', 'US');
    const never = await accepted('sms', 'US');
    await sql(`UPDATE dispatches SET state = 'abandoned' WHERE dispatch_id = $1`, [withdrawn.dispatchId]);
    await sql(`UPDATE dispatches SET state = 'abandoned', sid = NULL WHERE dispatch_id = $1`, [never.dispatchId]);
    const second = `SM${randomUUID().replaceAll('-', '')}`;
    await sql(`UPDATE dispatches SET other_sids = ARRAY[$2], doubled_count = 1 WHERE dispatch_id = $1`, [
      doubled.dispatchId,
      second,
    ]);
    await run('noteCosts');
    for (const sid of [withdrawn.sid, doubled.sid, second]) expect(await costOf(sid)).toMatchObject({ kind: 'sms' });
    expect(await costOf(never.sid)).toBeUndefined();
  });

  test('finds what was committed late, and goes on where a full batch ended', async () => {
    await run('noteCosts');
    const late = await accepted('sms', 'US', `now() - interval '5 minutes'`);
    for (let n = 0; n < 4; n += 1) await accepted('sms', 'US');
    const made: number[] = [];
    for (let n = 0; n < 4; n += 1) made.push(await noteTextCosts(api.deps.pool, 2));
    expect(made).toEqual([2, 2, 1, 0]);
    expect(await costOf(late.sid)).toBeDefined();
  });

  test('two at once note nothing twice', async () => {
    for (let n = 0; n < 10; n += 1) await accepted('sms', 'US');
    const made = await Promise.all([1, 2, 3].map(() => noteTextCosts(api.deps.pool, 100)));
    expect(made.reduce((a, b) => a + b, 0)).toBe(10);
  });

  test('notes texts to our numbers, once, by the country of the number; the price is Twilio’s as soon as it says', async () => {
    const texts = [
      await received('+14155550100', 'GB'),
      await received('+442079460100', 'US'),
      await received('+14155550177', 'FR'),
      await received('+14155550177', null),
    ];
    expect(await run('noteCosts')).toBeGreaterThanOrEqual(4);
    expect(await run('noteCosts')).toBe(0);
    const costs = await Promise.all(texts.map(costOf));
    expect(costs.map(({ country, amount_micro: micro }) => [country, Number(micro)])).toEqual([
      ['US', 8_300],
      ['GB', 10_000],
      ['FR', 50_000],
      ['ZZ', 50_000],
    ]);
    expect(costs[0]).toMatchObject({ kind: 'sms', units: 1, is_estimate: true, price_source: 'estimate-2026-11' });
    const [text = ''] = texts;
    await sql(`UPDATE costs SET next_look_at = CASE WHEN item = $1 THEN now() - interval '1 day' END`, [text]);
    prices.set(text, { price: { micro: 16_600, currency: 'USD' }, segments: 2 });
    expect(await run('readPrices')).toBe(1);
    expect(await costOf(text)).toMatchObject({ is_estimate: false, amount_micro: '16600', units: 2 });
  });

  test('what was texted to us is in GET /costs and in what the budget is held against', async () => {
    await sql('DELETE FROM costs');
    await sql('DELETE FROM inbound_texts');
    await sql(`UPDATE cost_marks SET noted_until = 'infinity' WHERE source <> 'inbound-texts'`);
    await received('+14155550100', 'US');
    await run('noteCosts');
    const { body } = await api.ask('GET', '/costs?kind=sms', { who: ADMIN });
    expect(body.costs).toMatchObject([
      { country: 'US', count: 1, units: 1, amountMicro: 8_300, estimatedMicro: 8_300 },
    ]);
    expect(body.budget.spentMicro).toBe(8_300 + 1_150_000 + 1_500_000);
  });

  test('notes legs by the minutes begun; one that nobody picked up is none; a call to us has its own price', async () => {
    const call = await accepted('voice', 'GB');
    const talked = await leg({ ringing: 200, 'in-progress': 190, completed: 65 }, { dispatchId: call.dispatchId });
    const calledIn = await leg({ 'in-progress': 40, completed: 30 });
    const missed = await leg({ ringing: 30, 'no-answer': 10 });
    // Its end was never told, and asked for.
    const askedFor = await leg({ 'in-progress': 100, completed: 10 });
    await sql(`UPDATE webhook_events SET type = 'asked' WHERE sid = $1 AND status = 'completed'`, [askedFor]);
    await run('noteCosts');
    expect(await costOf(askedFor)).toMatchObject({ kind: 'voice', units: 2 });
    expect(await costOf(talked)).toMatchObject({ kind: 'voice', country: 'GB', units: 3, amount_micro: '105000' });
    expect(await costOf(calledIn)).toMatchObject({ country: 'ZZ', units: 1, amount_micro: '50000' });
    expect(await costOf(missed)).toBeUndefined();
  });

  test('notes our own numbers once a month', async () => {
    await run('noteCosts');
    await run('noteCosts');
    const numbers = await sql(`SELECT item, country, amount_micro::int AS micro FROM costs WHERE kind = 'number'`);
    expect(numbers).toEqual(
      expect.arrayContaining([
        { item: `number:+14155550100:${month}`, country: 'US', micro: 1_150_000 },
        { item: `number:+442079460100:${month}`, country: 'GB', micro: 1_500_000 },
      ]),
    );
    expect(numbers).toHaveLength(2);
  });
});

describe('the provider’s own price', () => {
  const due = (sid: string) => sql(`UPDATE costs SET next_look_at = now() - interval '1 day' WHERE item = $1`, [sid]);
  beforeEach(async () => {
    await run('noteCosts');
    await sql('UPDATE costs SET next_look_at = NULL');
    asked.length = 0;
  });

  test('takes the place of the estimate, with its segments and minutes', async () => {
    const text = await accepted('sms', 'US');
    const call = await leg({ 'in-progress': 100, completed: 90 });
    await run('noteCosts');
    for (const sid of [text.sid, call]) await due(sid);
    prices.set(text.sid, { price: { micro: 25_500, currency: 'USD' }, segments: 3 });
    prices.set(call, { price: { micro: 17_000, currency: 'EUR' }, durationSeconds: 61 });
    expect(await run('readPrices')).toBe(2);
    const priced = { is_estimate: false, price_source: 'twilio', next_look_at: null };
    expect(await costOf(text.sid)).toMatchObject({ ...priced, amount_micro: '25500', units: 3 });
    expect(await costOf(call)).toMatchObject({ ...priced, amount_micro: '17000', currency: 'EUR', units: 2 });
    expect(await run('readPrices')).toBe(0);
  });

  test('is asked for again, ever later, and in the end the estimate stays', async () => {
    const { sid } = await accepted('sms', 'US');
    await run('noteCosts');
    prices.set(sid, { price: null, segments: 1 });
    const waits: (number | null)[] = [];
    for (let look = 0; look < 5; look += 1) {
      await due(sid);
      expect(await run('readPrices')).toBe(0);
      const { next_look_at: next } = await costOf(sid);
      waits.push(next === null ? null : Math.round((next.valueOf() - Date.now()) / 3_600_000));
    }
    expect(waits).toEqual([1, 6, 24, 72, null]);
    expect(await costOf(sid)).toMatchObject({ is_estimate: true, amount_micro: '8300' });
  });

  test('of what is gone at the provider is not asked for again', async () => {
    const { sid } = await accepted('sms', 'US');
    await run('noteCosts');
    await due(sid);
    await run('readPrices');
    expect(await costOf(sid)).toMatchObject({ next_look_at: null, is_estimate: true });
  });

  const failing = (facts: Partial<ProviderErrorFacts>) =>
    new ProviderError({
      operation: 'read-message',
      status: null,
      code: null,
      requestId: null,
      retryAfterMs: null,
      outcome: 'unknown',
      class: 'unknown',
      ...facts,
    });
  /** Texts whose prices are due, in this order. */
  async function dueTexts(count: number): Promise<string[]> {
    const sids: string[] = [];
    for (let n = 0; n < count; n += 1) sids.push((await accepted('sms', 'US')).sid);
    await run('noteCosts');
    for (const [n, sid] of sids.entries()) {
      await sql(`UPDATE costs SET next_look_at = now() - $2 * interval '1 hour' WHERE item = $1`, [sid, count - n]);
    }
    return sids;
  }

  test.each([
    ['asks us to wait', { outcome: 'rate-limited', class: 'retry', status: 429, code: 20429 }],
    ['does not know our account any more', { outcome: 'refused', class: 'stop-line', status: 401, code: 20003 }],
    ['cannot be reached, or its circuit is open', { outcome: 'not-sent', class: 'retry' }],
  ] as const)('is left for the next run when the provider %s', async (_what, facts) => {
    const [first = '', second = ''] = await dueTexts(2);
    prices.set(first, failing(facts));
    prices.set(second, { price: { micro: 7_900, currency: 'USD' }, segments: 1 });
    expect(await run('readPrices')).toBe(0);
    expect(asked).toEqual([first]);
    expect((await costOf(first)).looks).toBe(0);
  });

  test('of one text that gives an error keeps no other from its own; it is asked for later, as if there were none yet', async () => {
    const [refused = '', broken = '', fine = ''] = await dueTexts(3);
    prices.set(refused, failing({ outcome: 'refused', class: 'permanent', status: 400, code: 20001 }));
    prices.set(broken, failing({ status: 500, code: 20500 }));
    prices.set(fine, { price: { micro: 7_900, currency: 'USD' }, segments: 1 });
    expect(await run('readPrices')).toBe(1);
    expect(await costOf(fine)).toMatchObject({ is_estimate: false, amount_micro: '7900' });
    for (const sid of [refused, broken]) {
      const { looks, next_look_at: next, is_estimate: isEstimate } = await costOf(sid);
      expect([looks, isEstimate, next > new Date()]).toEqual([1, true, true]);
    }
    asked.length = 0;
    await run('readPrices');
    expect(asked).toEqual([]);
  });

  test('is not asked for once more when three in a row have failed: then it is not the texts', async () => {
    const sids = await dueTexts(5);
    for (const sid of sids) prices.set(sid, failing({ status: 503 }));
    expect(await run('readPrices')).toBe(0);
    expect(asked).toEqual(sids.slice(0, 3));
  });
});

describe('GET /costs', () => {
  test('adds up by month, kind, country and currency, and says how much is estimated', async () => {
    await sql(`DELETE FROM costs`);
    const row = (item: string, kind: string, country: string, at: string, micro: number, estimate: boolean) =>
      sql(
        `INSERT INTO costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at)
         VALUES ($1, $2, $3, $4::date, 2, $5, 'USD', $6, 'x', $4::date)`,
        [item, kind, country, at, micro, estimate],
      );
    await row('a', 'sms', 'US', '2026-10-01', 16_600, true);
    await row('b', 'sms', 'US', '2026-10-01', 15_000, false);
    await row('c', 'sms', 'GB', '2026-10-01', 110_000, false);
    await row('d', 'recording', 'US', '2026-09-01', 5_000, false);
    const { status, body } = await api.ask('GET', '/costs?from=2026-09&to=2026-10', { who: ADMIN });
    expect(status).toBe(200);
    const sms = { month: '2026-10', kind: 'sms', currency: 'USD' };
    expect(body.costs).toEqual([
      { ...sms, country: 'GB', count: 1, units: 2, amountMicro: 110_000, estimatedMicro: 0 },
      { ...sms, country: 'US', count: 2, units: 4, amountMicro: 31_600, estimatedMicro: 16_600 },
      expect.objectContaining({ month: '2026-09', kind: 'recording', amountMicro: 5_000 }),
    ]);
    expect(body.totals).toEqual([
      { month: '2026-10', currency: 'USD', amountMicro: 141_600, estimatedMicro: 16_600 },
      { month: '2026-09', currency: 'USD', amountMicro: 5_000, estimatedMicro: 0 },
    ]);
    const one = await api.ask('GET', '/costs?from=2026-09&to=2026-10&kind=sms&country=GB', { who: ADMIN });
    expect(one.body.costs).toHaveLength(1);
  });

  test.each([
    'from=2026-13',
    'from=2026-9',
    'from=2026-11&to=2026-10',
    'from=2020-01&to=2026-10',
    'kind=mail',
    'country=usa',
  ])('refuses %s', async (query) => {
    const answer = await api.ask('GET', `/costs?${query}`, { who: ADMIN });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
  });
});

describe('the budget', () => {
  const put = (json: object, etag = '*') =>
    api.ask('PUT', '/costs/budget', { who: ADMIN, json, raw: { headers: { 'If-Match': etag } } });
  const spend = (item: string, micro: number) =>
    sql(
      `INSERT INTO costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at)
       VALUES ($1, 'sms', 'US', date_trunc('month', now() AT TIME ZONE 'UTC'), 1, $2, 'USD', true, 'x', now())`,
      [item, micro],
    );
  const warnings = () => sql(`SELECT object_id FROM app_events WHERE type = 'cost-budget.warning'`);
  beforeEach(() => sql('DELETE FROM costs'));

  test('is none at first; is set by the version it was read in; a stale one is refused', async () => {
    const { headers, body } = await api.ask('GET', '/costs/budget', { who: ADMIN });
    expect(body).toMatchObject({ amountMicro: null, usedPercent: null, isWarned: false });
    const etag = headers.get('etag') ?? '';
    const set = await put({ amountMicro: 1_000_000, currency: 'USD' }, etag);
    expect(set).toMatchObject({ status: 200, body: { amountMicro: 1_000_000, warnAtPercent: 80 } });
    expect((await put({ amountMicro: 2, currency: 'USD' }, etag)).status).toBe(412);
    const missing = await api.ask('PUT', '/costs/budget', { who: ADMIN, json: { amountMicro: 2, currency: 'USD' } });
    expect(missing.status).toBe(428);
  });

  test('warns once a month, when its share is reached: in the answer, the log and as an event', async () => {
    await put({ amountMicro: 1_000_000, currency: 'USD', warnAtPercent: 80 });
    const before = (await warnings()).length;
    await spend('most', 790_000);
    expect(await run('watchBudget')).toBe(79);
    expect(await warnings()).toHaveLength(before);
    await spend('more', 20_000);
    for (let n = 0; n < 3; n += 1) expect(await run('watchBudget')).toBe(81);
    expect(await warnings()).toHaveLength(before + 1);
    const said = api.logLines.filter((line) => line.includes('the budget of this month'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('"percent":81');
    const { body } = await api.ask('GET', '/costs', { who: ADMIN });
    expect(body.budget).toMatchObject({ spentMicro: 810_000, usedPercent: 81, isWarned: true });
    expect(body.budget.warnedAt).not.toBeNull();
    // The next month is another warning, and another event.
    await sql(`UPDATE cost_budget SET warned_month = warned_month - interval '1 month'`);
    await run('watchBudget');
    expect(new Set((await warnings()).map(({ object_id: id }) => id)).size).toBe(before + 2);
  });

  test('of another currency is not held against dollars', async () => {
    await put({ amountMicro: 100, currency: 'EUR' });
    await spend('dollars', 1_000_000);
    expect(await run('watchBudget')).toBe(0);
  });

  test.each([
    [{ amountMicro: 0, currency: 'USD' }],
    [{ amountMicro: 1.5, currency: 'USD' }],
    [{ amountMicro: 5, currency: 'dollars' }],
    [{ amountMicro: 5, currency: 'USD', warnAtPercent: 101 }],
    [{ currency: 'USD' }],
    [{ amountMicro: 5, currency: 'USD', more: 1 }],
  ])('refuses %j', async (json) => {
    expect(await put(json)).toMatchObject({ status: 400, body: { code: 'invalid-body' } });
  });
});
