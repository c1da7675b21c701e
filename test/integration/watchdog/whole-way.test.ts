import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createSubject } from '../../../db/subjects';
import { freePort } from '../../../scripts/ports';
import { eventually, startStack, type TestStack } from '../../stack';

const ON_CALL = 'on-call@kindline.example';
const ROOT = join(__dirname, '..', '..', '..');

interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly status: string; readonly alerts: readonly { readonly fingerprint: string }[] };
}

let stack: TestStack;
let receiver: Server;
let isDown = true;
const heard: Heard[] = [];
let url: string;
beforeAll(async () => {
  receiver = createServer((req, res) => {
    void text(req).then((body) => {
      if (isDown) return res.writeHead(503).end();
      heard.push({ headers: req.headers, body: JSON.parse(body) });
      return res.writeHead(200).end();
    });
  });
  const port = await freePort();
  receiver.listen(port, '127.0.0.1');
  await once(receiver, 'listening');
  url = `http://127.0.0.1:${port}/alerts`;
  stack = await startStack({
    env: {
      ALERT_WEBHOOK_URL: url,
      ALERT_WEBHOOK_TOKEN: 'a-token-of-the-receiver',
      ALERT_EMAILS: ON_CALL,
      WATCHDOG_INTERVAL: '1s',
      WATCHDOG_CALM: '1s',
      LINE_PROBE_INTERVAL: '4s',
      RETENTION_MESSAGE_BODY: '2d',
    },
  });
});
afterAll(async () => {
  await stack.stop();
  receiver.closeAllConnections();
  receiver.close();
});

it('tells a stopped line once through every channel, and that it is over, also when the receiver was down', async () => {
  // No probe finds it well again before the receiver was asked.
  await stack.pool.query(
    `INSERT INTO provider_lines (line, stopped_at, probed_at, code) VALUES ('twilio', now(), now() + interval '15 seconds', '20003')
     ON CONFLICT (line) DO UPDATE SET stopped_at = now(), probed_at = excluded.probed_at, code = '20003'`,
  );
  await eventually(async () => {
    const { rows } = await stack.pool.query(
      "SELECT attempts FROM incident_notices WHERE channel = 'webhook' AND phase = 'firing'",
    );
    expect(rows[0]?.attempts).toBeGreaterThanOrEqual(1);
  });
  isDown = false;
  await stack.pool.query('UPDATE incident_notices SET next_attempt_at = now() WHERE next_attempt_at > now()');
  await eventually(() => {
    expect(heard.map(({ body }) => body.status)).toEqual(['firing', 'resolved']);
  });
  const [began, over] = heard;
  expect(over?.body.alerts[0]?.fingerprint).toBe(began?.body.alerts[0]?.fingerprint);
  expect(began?.headers.authorization).toBe('Bearer a-token-of-the-receiver');

  await eventually(async () => {
    const mails = await stack.sim.mailbox(ON_CALL);
    expect(mails.map(({ subject }) => subject).toSorted()).toEqual(['Kindline needs you', 'Kindline: it is over']);
  });
  // The mail may be sent for a day, and its words are kept for as long as is configured from then on.
  const { rows } = await stack.pool.query(
    `SELECT DISTINCT round(extract(epoch FROM expires_at - created_at) / 86400)::int AS days FROM vault_records
      WHERE kind = 'text' AND expires_at IS NOT NULL`,
  );
  expect(rows).toEqual([{ days: 3 }]);
  await eventually(async () => {
    const { incidents } = (await stack.api('/incidents', {}, { role: 'staff' })).body;
    const stopped = incidents.filter(({ kind }: { kind: string }) => kind === 'line-stopped');
    expect(stopped).toMatchObject([{ state: 'over', about: { what: 'line', id: 'twilio' } }]);
    expect(stopped[0].notices.map(({ state }: { state: string }) => state)).toEqual(Array(4).fill('told'));
  });
});

it('forgets in its next look whom the limits turned away more than a day ago', async () => {
  const [old, recent] = [await createSubject(stack.pool, 'user'), await createSubject(stack.pool, 'user')];
  await stack.pool.query(
    `INSERT INTO refused_requests (subject_id, refused_at) VALUES ($1, now() - interval '25 hours'), ($2, now())`,
    [old, recent],
  );
  await eventually(async () => {
    const { rows } = await stack.pool.query('SELECT subject_id FROM refused_requests');
    expect(rows).toEqual([{ subject_id: recent }]);
  });
});

it('tries every channel when it is asked to, and says which one did not take it', async () => {
  const before = heard.length;
  const run = async () => {
    const child = spawn(process.execPath, ['dist/scripts/alert.js', '--test', '--json'], {
      cwd: ROOT,
      // The environment describes a deployment by itself.
      env: { ...process.env, ...stack.env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    return { code, ...JSON.parse(printed) };
  };
  expect(await run()).toEqual({
    code: 0,
    tried: [
      { channel: 'webhook', error: null },
      { channel: 'e-mail 1', error: null },
    ],
  });
  expect(heard.slice(before).map(({ body }) => body.status)).toEqual(['firing', 'resolved']);
  expect((await stack.sim.mailbox(ON_CALL)).at(-1)?.subject).toBe('Kindline: a test');
  isDown = true;
  expect(await run()).toMatchObject({ code: 1, tried: [{ channel: 'webhook', error: 'http-503' }, { error: null }] });
});
