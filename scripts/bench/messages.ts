/** How fast texts go out through the whole service, how soon one is on its way, and how soon it is known to have arrived. */
import { setTimeout as delay } from 'node:timers/promises';
import twilio from 'twilio';
import { z } from 'zod';
import { loadConfig } from '../../config/config';
import { SimulatorClient, type TextEntry } from '../../simulator/client';
import type { HandsetScript } from '../../simulator/types';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { inTurns, percentile } from './rounds';
import { type BenchRow, rowOf } from './rows';

/** On both sides. */
const CONNECTIONS = 20;
const TEXTS_A_TURN = 300;
const ONE_AT_A_TIME = 60;
/** An idle stack: the one before is over. */
const BETWEEN_MS = 300;
const AT_ONCE = 100;
const PATIENCE_MS = 120_000;
const BODY = 'Your appointment is tomorrow at ten.';

export const messagesGroup: BenchGroup = { name: 'messages', run: { needs: 'ground', measure } };

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  const bench = await MessageBench.start(ground);
  const texts = isQuick ? 10 : TEXTS_A_TURN;
  // Signs in, loads what is loaded once, makes keys and prepared statements.
  await bench.throughTheService(isQuick ? 2 : 20);
  await bench.throughTheBareLoop(isQuick ? 2 : 20);
  const throughput = await inTurns(Math.min(rounds, isQuick ? 1 : 3), {
    ours: () => bench.throughTheService(texts),
    baseline: () => bench.throughTheBareLoop(texts),
  });
  const handedOver = await bench.oneAtATime(isQuick ? 3 : ONE_AT_A_TIME);
  const { refused, unplaced, failed } = await bench.allAtOnce(isQuick ? 10 : AT_ONCE);
  const known = await bench.untilDeliveryIsKnown();
  return [
    rowOf({ name: `texts sent, ${CONNECTIONS} connections`, unit: 'per second', ...throughput }),
    rowOf({
      name: 'a text accepted → handed to the provider, one at a time',
      unit: 'ms at the median',
      ours: percentile(handedOver, 50),
      target: { of: 'ours', is: '<', than: 100 },
    }),
    rowOf({
      name: 'a text accepted → handed to the provider, one at a time',
      unit: 'ms at the 95th percentile',
      ours: percentile(handedOver, 95),
      target: { of: 'ours', is: '<', than: 500 },
    }),
    rowOf({
      name: 'a text accepted → handed to the provider, one at a time',
      unit: 'ms at the 99th percentile',
      ours: percentile(handedOver, 99),
    }),
    rowOf({
      name: 'a text delivered → known to be delivered, all of this run',
      unit: 'ms at the 99th percentile',
      ours: percentile(known, 99),
      target: { of: 'ours', is: '<', than: 5_000 },
    }),
    ...Object.entries({
      'that were not accepted': refused,
      'that were never placed': unplaced,
      'that failed': failed,
    }).map(([unit, ours]) =>
      rowOf({
        name: `${isQuick ? 10 : AT_ONCE} requests at once for voice alerts and texts`,
        unit,
        ours,
        target: { of: 'ours', is: '≤', than: 0 },
      }),
    ),
  ];
}

/** One act towards one person may be in doubt at a time, so everybody is texted once a turn; ourselves we never text. */
function numbers(ours: readonly string[]): (count: number) => string[] {
  const areas = [206, 212, 213, 303, 305, 312, 404, 415, 503, 510, 512, 602, 617, 628, 702, 713, 718, 808, 917, 972];
  let next = 0;
  const another = (): string => {
    next += 1;
    const number = `+1${areas[Math.floor(next / 100) % areas.length]}55501${String(next % 100).padStart(2, '0')}`;
    return ours.includes(number) ? another() : number;
  };
  return (count) => Array.from({ length: count }, another);
}

const acceptedText = z.object({ messageId: z.uuid() });
const acceptedAlert = z.object({ alertId: z.uuid() });
const tally = z.object({ open: z.int(), unplaced: z.int(), failed: z.int() });
const ended = z.object({ sid: z.string(), ended_at: z.date() });

/** Of those ids. A message or an alert whose row is not there yet is open. */
const ENDS = `
  WITH ends AS (
    SELECT id, coalesce(m.live, a.live, true) AS is_open,
           coalesce(m.state = 'delivered', a.outcome IN ('heard', 'acknowledged'), false) AS is_well,
           EXISTS (SELECT FROM dispatches d WHERE d.sid IS NOT NULL AND (d.message_id = id OR d.alert_id = id)) AS is_placed
      FROM unnest($1::uuid[]) AS id LEFT JOIN messages m ON m.message_id = id LEFT JOIN voice_alerts a ON a.alert_id = id)
  SELECT count(*) FILTER (WHERE is_open)::int AS open, count(*) FILTER (WHERE NOT is_placed)::int AS unplaced,
         count(*) FILTER (WHERE NOT is_well)::int AS failed FROM ends`;

class MessageBench {
  private readonly some: (count: number) => string[];
  private readonly someOfTheLoop: (count: number) => string[];

  private constructor(
    private readonly ground: BenchGround,
    private readonly sim: SimulatorClient,
    private readonly token: string,
  ) {
    const ours = loadConfig(ground.env).twilio.phoneNumbers;
    this.some = numbers(ours);
    this.someOfTheLoop = numbers(ours);
  }

  static async start(ground: BenchGround): Promise<MessageBench> {
    const sim = new SimulatorClient(ground.stack.services.simulatorUrl);
    await sim.settings({ messagesPerSecond: 0, deliveredAfterMs: 50, sentAfterMs: 10 });
    return new MessageBench(ground, sim, await ground.tokenOf('staff'));
  }

  /** @returns texts a second, from the first request until the simulator has the last */
  async throughTheService(count: number): Promise<number> {
    const before = (await this.sent()).length;
    const began = Date.now();
    const requests = this.some(count).map((number) => () => this.text(number));
    await overConnections(requests, CONNECTIONS);
    const all = await this.until((texts) => texts.length >= before + count);
    const last = Math.max(...all.slice(-count).map(({ createdAt }) => Date.parse(createdAt)));
    return (count / (last - began)) * 1_000;
  }

  /** The `twilio` package alone, in a loop. */
  async throughTheBareLoop(count: number): Promise<number> {
    const { accountSid, authToken, phoneNumbers } = loadConfig(this.ground.env).twilio;
    const client = twilio(accountSid, authToken, { keepAlive: true, maxSockets: CONNECTIONS });
    client.api.baseUrl = this.ground.stack.services.simulatorUrl;
    const from = phoneNumbers[0] ?? '';
    const began = Date.now();
    const requests = this.someOfTheLoop(count).map((to) => () => client.messages.create({ to, from, body: BODY }));
    await overConnections(requests, CONNECTIONS);
    return (count / (Date.now() - began)) * 1_000;
  }

  /** @returns for each text how long after its 202 the simulator had it, ms; 0 when it was faster than the answer */
  async oneAtATime(count: number): Promise<number[]> {
    const acceptedAt = new Map<string, number>();
    for (const number of this.some(count)) {
      await this.text(number);
      acceptedAt.set(number, Date.now());
      await delay(BETWEEN_MS);
    }
    const handedOver = (texts: readonly TextEntry[]) => new Map(texts.map(({ to, createdAt }) => [to, createdAt]));
    const texts = handedOver(await this.until((all) => [...acceptedAt.keys()].every((to) => handedOver(all).has(to))));
    return [...acceptedAt].map(([to, at]) => Math.max(0, Date.parse(texts.get(to) ?? '') - at));
  }

  /**
   * Half of them voice alerts, all at the same instant, to phones that pick up and press the key. Waits until each is over.
   * @returns how many were not accepted; of the others, for how many the provider took nothing, and how many were not
   *   delivered or heard
   */
  async allAtOnce(count: number): Promise<{ refused: number; unplaced: number; failed: number }> {
    const people = this.some(count);
    await this.sim.settings({ wordMs: 2 });
    const hears: HandsetScript = { answerAfterMs: 50, keys: [{ when: 'greeting', press: '1', afterMs: 20 }] };
    for (const number of people.filter((_, at) => at % 2 === 1)) await this.sim.script(number, hears);
    const answers = await Promise.allSettled(
      people.map((number, at) => (at % 2 === 0 ? this.text(number) : this.alert(number))),
    );
    const ids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    for (const deadline = Date.now() + PATIENCE_MS; ; await delay(200)) {
      const { rows } = await this.ground.owner.query(ENDS, [ids]);
      const { open, ...ends } = tally.parse(rows[0]);
      // What is still under way by then has failed, too.
      if (open === 0 || Date.now() > deadline) return { refused: count - ids.length, ...ends };
    }
  }

  /** @returns for each text of the run that the simulator has delivered, how long until our row said so, ms */
  async untilDeliveryIsKnown(): Promise<number[]> {
    const texts = await this.until((all) => all.every(({ endedAt }) => endedAt !== null));
    const arrived = new Map(texts.map(({ sid, arrivedAt }) => [sid, Date.parse(arrivedAt ?? '')]));
    for (const deadline = Date.now() + PATIENCE_MS; ; await delay(200)) {
      const { rows } = await this.ground.owner.query('SELECT sid, ended_at FROM messages WHERE live');
      if (rows.length === 0) break;
      if (Date.now() > deadline) throw new Error(`${rows.length} texts were never known to have arrived`);
    }
    const { rows } = await this.ground.owner.query("SELECT sid, ended_at FROM messages WHERE state = 'delivered'");
    return rows.flatMap((row) => {
      const { sid, ended_at: endedAt } = ended.parse(row);
      const at = arrived.get(sid);
      // One that was sent after the simulator was asked.
      return at === undefined ? [] : [endedAt.valueOf() - at];
    });
  }

  private async text(phoneNumber: string): Promise<string> {
    return acceptedText.parse(await this.post('/messages', { recipient: { phoneNumber }, text: BODY })).messageId;
  }

  private async alert(phoneNumber: string): Promise<string> {
    const json = { recipients: [{ phoneNumber }], text: BODY, attempts: 1, acknowledge: false };
    return acceptedAlert.parse(await this.post('/alerts/voice', json)).alertId;
  }

  private async post(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`${this.ground.apiUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`${path} was answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  }

  /** Those of our service: the bare loop names no callback. */
  private async sent(): Promise<TextEntry[]> {
    return (await this.sim.messages()).filter(({ statusCallback }) => statusCallback !== null);
  }

  private async until(isEnough: (texts: readonly TextEntry[]) => boolean): Promise<TextEntry[]> {
    for (const deadline = Date.now() + PATIENCE_MS; ; await delay(250)) {
      const texts = await this.sent();
      if (isEnough(texts)) return texts.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
      if (Date.now() > deadline) throw new Error('texts that were accepted never reached the provider');
    }
  }
}

async function overConnections(requests: readonly (() => Promise<unknown>)[], connections: number): Promise<void> {
  let next = 0;
  const line = async () => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) await request();
  };
  await Promise.all(Array.from({ length: connections }, line));
}
