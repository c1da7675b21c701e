import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { freePort } from '../../../scripts/ports';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { AppUser } from '../calls/people';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let stack: TestStack;
let app: Server;
const heard: Heard[] = [];
beforeAll(async () => {
  app = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    req.on('end', () => {
      heard.push({ headers: req.headers, body });
      res.writeHead(204).end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => app.listen(port, '127.0.0.1', resolve));
  const env = { APP_WEBHOOK_URL: `http://127.0.0.1:${port}/events`, APP_WEBHOOK_SECRET: SECRET };
  stack = await startStack({ env });
});
afterAll(async () => {
  await stack.stop();
  app.closeAllConnections();
  app.close();
});

it('tells the app of each state of a call, signed, and the one who asked for it the same by their stream', async () => {
  const user = new AppUser(stack, MARKED.userPhone);
  await user.start();
  await user.cancel();
  const sent = await eventually(() => {
    const bodies = heard.map(({ headers, body }) => {
      // Throws for what was not signed as the package of Standard Webhooks wants it.
      const verified = new Webhook(SECRET).verify(body, headers as Record<string, string>) as object;
      return { id: headers['webhook-id'], ...verified };
    });
    expect(bodies.length).toBeGreaterThanOrEqual(2);
    return bodies;
  });
  expect(sent).toMatchObject([
    { type: 'mentor-call.starting', data: { objectId: user.callId, state: 'starting' } },
    { type: 'mentor-call.cancelled', data: { objectId: user.callId, state: 'cancelled' } },
  ]);
  // The list passes nothing over, and so waits for whatever else is being written; the app may be told before.
  await eventually(async () => {
    const { body } = await stack.api('/events', {}, user.who);
    expect(body.events).toEqual(sent);
    const { appEvents } = (await stack.api(`/app-events?objectId=${user.callId}`, {}, { role: 'admin' })).body;
    expect(appEvents).toMatchObject([{ delivery: 'delivered' }, { delivery: 'delivered' }]);
  });
  expect(JSON.stringify(heard)).not.toContain(MARKED.userPhone.slice(1));
});

it('tells it again when an admin asks for it, under the same id', async () => {
  const [first] = heard;
  const eventId = String(first?.headers['webhook-id']);
  const path = `/app-events/${eventId}/resend`;
  expect((await stack.api(path, { method: 'POST' }, { role: 'admin' })).status).toBe(202);
  await eventually(() => {
    expect(heard.filter(({ headers }) => headers['webhook-id'] === eventId)).toHaveLength(2);
  });
  const [, again] = heard.filter(({ headers }) => headers['webhook-id'] === eventId);
  expect(again?.body).toBe(first?.body);
});

it('leaves no workflow open once the app has everything', async () => {
  await eventually(async () => {
    const { status } = await stack.temporal.workflow.getHandle('app-webhook').describe();
    expect(status.name).toBe('COMPLETED');
  });
});
