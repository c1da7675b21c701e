import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { type AppWebhook, type AppWebhookOptions, createAppWebhook } from '../../../providers/app-webhook';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const SECRET = newSecret();
const BODY = '{"type":"mentor-call.connected"}';

interface Heard {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let port: number;
let heard: Heard[] = [];
let answer: (res: ServerResponse) => void;
const opened: AppWebhook[] = [];

beforeAll(async () => {
  server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      heard.push({ path: req.url ?? '', headers: req.headers, body: Buffer.concat(chunks).toString() });
      answer(res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  heard = [];
  answer = (res) => res.writeHead(204).end();
});
afterEach(() => {
  for (const webhook of opened.splice(0)) webhook.close();
});

function webhook(more: Partial<AppWebhookOptions> = {}): AppWebhook {
  const url = `http://127.0.0.1:${port}/events?of=kindline`;
  const made = createAppWebhook({ url, secrets: [SECRET], timeoutMs: 2_000, mayBePrivate: true, ...more });
  opened.push(made);
  return made;
}

/** A resolver that knows one name, with the signature of node's own. */
function resolvesTo(...addresses: string[]): NonNullable<AppWebhookOptions['resolve']> {
  const resolve = (_name: string, _options: unknown, done: (error: null, found: unknown) => void) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  return resolve as unknown as NonNullable<AppWebhookOptions['resolve']>;
}

const tell = (by: AppWebhook, eventId: string = randomUUID()) => by.deliver({ eventId, body: BODY });

it('posts what the package of Standard Webhooks accepts, under the id of the event, to the very address', async () => {
  const eventId = randomUUID();
  expect(await tell(webhook(), eventId)).toEqual({ isDelivered: true });
  const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = heard;
  expect(path).toBe('/events?of=kindline');
  expect(headers['webhook-id']).toBe(eventId);
  expect(headers['content-type']).toBe('application/json');
  expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toEqual({
    type: 'mentor-call.connected',
  });
  expect(() => new Webhook(newSecret()).verify(body, headers as Record<string, string>)).toThrow();
  expect(() => new Webhook(SECRET).verify(`${body} `, headers as Record<string, string>)).toThrow();
});

it('signs with both secrets during a rotation, so that the app may know either', async () => {
  const second = newSecret();
  await tell(webhook({ secrets: [SECRET, second] }));
  const [{ headers, body } = { headers: {}, body: '' }] = heard;
  for (const secret of [SECRET, second]) {
    expect(() => new Webhook(secret).verify(body, headers as Record<string, string>)).not.toThrow();
  }
});

it.each([400, 404, 410, 500, 503])('takes an answer of %i for a failure', async (status) => {
  answer = (res) => res.writeHead(status).end('who cares');
  expect(await tell(webhook())).toEqual({ isDelivered: false, error: `http-${status}`, retryAfterMs: 0 });
});

it('follows no redirect: what is signed for one address is not sent to another', async () => {
  answer = (res) => res.writeHead(307, { location: `http://127.0.0.1:${port}/elsewhere` }).end();
  expect(await tell(webhook())).toMatchObject({ isDelivered: false, error: 'http-307' });
  expect(heard).toHaveLength(1);
});

it('comes again when the app says so', async () => {
  answer = (res) => res.writeHead(429, { 'retry-after': '120' }).end();
  expect(await tell(webhook())).toEqual({ isDelivered: false, error: 'http-429', retryAfterMs: 120_000 });
});

it('waits for a slow app no longer than it may take, and reads no long answer', async () => {
  answer = () => undefined;
  expect(await tell(webhook({ timeoutMs: 100 }))).toMatchObject({ isDelivered: false, error: 'timeout' });
  answer = (res) => res.writeHead(200).end('x'.repeat(1_000_000));
  expect(await tell(webhook())).toEqual({ isDelivered: true });
});

it('says in one word of ours that nobody answers, or that the other side is no TLS', async () => {
  expect(await tell(webhook({ url: 'http://127.0.0.1:1/' }))).toMatchObject({ error: 'no-connection' });
  expect(await tell(webhook({ url: `https://127.0.0.1:${port}/` }))).toMatchObject({ error: 'no-tls' });
});

describe('where private addresses are not allowed', () => {
  it.each(['127.0.0.1', '[::1]', '169.254.169.254', '10.0.0.1', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'nothing is sent to %s',
    async (host) => {
      const url = `http://${host}:${port}/`;
      expect(await tell(webhook({ url, mayBePrivate: false }))).toMatchObject({ error: 'private-address' });
      expect(heard).toEqual([]);
    },
  );

  it('nothing is sent to a name that leads to one', async () => {
    const url = `http://localhost:${port}/`;
    expect(await tell(webhook({ url, mayBePrivate: false }))).toMatchObject({ error: 'private-address' });
    expect(heard).toEqual([]);
  });

  it('nothing is sent when one of several addresses is private', async () => {
    const url = `http://app.example.org:${port}/`;
    const resolve = resolvesTo('93.184.215.14', '127.0.0.1');
    expect(await tell(webhook({ url, mayBePrivate: false, resolve }))).toMatchObject({ error: 'private-address' });
    expect(heard).toEqual([]);
  });

  it('a name that was public a moment ago gains nothing: the address that is connected to is the one that is judged', async () => {
    const url = `http://app.example.org:${port}/`;
    const answers = [['203.0.114.1'], ['127.0.0.1']];
    const asked: string[] = [];
    const resolve: NonNullable<AppWebhookOptions['resolve']> = ((name: string, options: never, done: never) => {
      asked.push(name);
      resolvesTo(...(answers.shift() ?? []))(name, options, done);
    }) as never;
    const rebinding = webhook({ url, mayBePrivate: false, resolve, timeoutMs: 200 });
    // The first address is nobody's: what matters is that the second look-up is judged anew.
    expect(await tell(rebinding)).toMatchObject({ isDelivered: false });
    expect(await tell(rebinding)).toMatchObject({ error: 'private-address' });
    expect(asked).toHaveLength(2);
    expect(heard).toEqual([]);
  });
});
