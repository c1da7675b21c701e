/** What the worker counts of messages, alerts and lines, as whoever scrapes it sees it. */
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ env: { LINE_PROBE_INTERVAL: '1s', ALERT_RETRY_AFTER: '1s' } });
  await stack.sim.settings({ wordMs: 2, deliveredAfterMs: 1_000 });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  await stack.sim.faults([]);
});

const staff = { role: 'staff' } as const;

async function asked(path: string, json: object): Promise<void> {
  const { status } = await stack.api(path, { json }, staff);
  expect(status).toBe(202);
}
const text = (phoneNumber: string, more: object = {}) =>
  asked('/messages', { recipient: { phoneNumber }, text: MARKED.messageWords, ...more });
const alert = (phoneNumber: string) =>
  asked('/alerts/voice', {
    recipients: [{ phoneNumber }],
    text: MARKED.messageWords,
    attempts: 1,
    acknowledge: false,
  });

/** The sum of all series of that name with these labels. */
async function scraped(name: string, labels: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${stack.env.METRICS_PORT}/metrics`);
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  const fitting = lines.filter((line) => wanted.every((label) => line.includes(label)));
  return fitting.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
/** Waits until it says so. @returns how much it says */
const shows = (name: string, labels: Record<string, string>, value: number): Promise<number> =>
  eventually(async () => {
    const seen = await scraped(name, labels);
    if (seen !== value) throw new Error(`${name} of ${JSON.stringify(labels)} is ${seen}, not ${value}`);
    return seen;
  });

const SMS = { channel: 'sms' };

it('tells how messages ended, how soon the provider had them, and how soon their receipts came', async () => {
  const slow = '+14155550170';
  await stack.sim.faults([{ on: 'create-message', kind: 'late', delayMs: 600, to: slow }]);
  await text(slow);
  await text('+14155550171');
  // It waits because that was asked for: no time of ours.
  await text('+14155550172', { notBefore: new Date(Date.now() + 15_000).toISOString() });
  await stack.sim.script('+14155550173', { texts: { outcome: 'undelivered', errorCode: 30007 } });
  await text('+14155550173');
  await shows('kindline_messages_ended', { ...SMS, outcome: 'delivered' }, 3);
  await shows('kindline_messages_ended', { ...SMS, outcome: 'undelivered' }, 1);
  // Something that no further try can mend.
  await shows('kindline_sending_needs_a_human', { class: 'blocked' }, 1);
  await shows('kindline_dispatches', { ...SMS, class: 'ordinary', outcome: 'accepted' }, 4);
  await shows('kindline_message_handover_seconds_count', SMS, 3);
  await shows('kindline_message_receipt_seconds_count', SMS, 4);
  const { rows } = await stack.pool.query(
    `SELECT extract(epoch FROM sum(sent_at - requested_at) FILTER (WHERE not_before IS NULL))::float8 AS handover,
            extract(epoch FROM sum(ended_at - sent_at))::float8 AS receipts FROM messages`,
  );
  expect(await scraped('kindline_message_handover_seconds_sum', SMS)).toBeCloseTo(rows[0].handover);
  expect(await scraped('kindline_message_receipt_seconds_sum', SMS)).toBeCloseTo(rows[0].receipts);
  // Buckets of our own: those of the SDK are of milliseconds.
  expect(await scraped('kindline_message_handover_seconds_bucket', { ...SMS, le: '0.5' })).toBeLessThanOrEqual(2);
  expect(await scraped('kindline_message_handover_seconds_bucket', { ...SMS, le: '300' })).toBe(3);
  expect(await scraped('kindline_message_receipt_seconds_bucket', { ...SMS, le: '43200' })).toBe(4);
});

it('tells of lines that were stopped', async () => {
  await stack.sim.faults([{ on: 'create-message', kind: 'unauthorized' }]);
  await text('+14155550174');
  expect(await shows('kindline_lines_stopped', { line: 'twilio' }, 1)).toBe(1);
});

it('tells of whom a STOP has kept from being texted', async () => {
  const phone = '+14155550175';
  await stack.sim.sendText({ from: phone, to: ORGANISATION_NUMBERS[0], body: 'Stop' });
  await eventually(async () => {
    expect((await stack.pool.query('SELECT FROM opt_outs WHERE lifted_at IS NULL')).rowCount).toBe(1);
  });
  await text(phone);
  await shows('kindline_messages_ended', { ...SMS, outcome: 'suppressed' }, 1);
  await shows('kindline_dispatches', { ...SMS, outcome: 'suppressed' }, 1);
  const ofTheApi = await fetch(`http://127.0.0.1:${stack.env.API_METRICS_PORT}/metrics`);
  expect(await ofTheApi.text()).toContain('\nkindline_opt_outs{by="stop"} 1\n');
});

it('tells how voice alerts ended', async () => {
  const [hears, busy] = ['+14155550176', '+14155550177'];
  await stack.sim.script(hears, { answerAfterMs: 50, keys: [{ when: 'greeting', press: '1', afterMs: 20 }] });
  await stack.sim.script(busy, { outcome: 'busy' });
  await alert(hears);
  await alert(busy);
  await shows('kindline_voice_alerts_ended', { outcome: 'heard' }, 1);
  await shows('kindline_voice_alerts_ended', { outcome: 'exhausted' }, 1);
  expect(await shows('kindline_dispatches', { channel: 'voice', outcome: 'accepted' }, 2)).toBe(2);
});
