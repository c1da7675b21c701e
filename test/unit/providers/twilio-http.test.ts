import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTwilioMessages, type MessagingProvider, type NewMessage } from '../../../providers/twilio-messages';

const SID = `SM${'0a'.repeat(16)}`;
const text: NewMessage = {
  to: '+14155550123',
  sender: '+14155550100',
  body: 'Your ride is here.',
  statusCallback: 'https://calls.example.org/message-status?message=1&dispatch=2',
};

describe('a connection to Twilio', () => {
  let server: Server;
  let messaging: MessagingProvider;
  let seen: string[];
  let connections: number;
  let answer: (response: ServerResponse) => void;

  beforeEach(async () => {
    [seen, connections] = [[], 0];
    answer = (response) => json(response, 201, { sid: SID, status: 'queued', num_segments: '1' });
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        seen.push(`${request.method} ${request.url?.replace(/AC0+/, 'AC')} ${body}`);
        answer(response);
      });
    });
    server.on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const account = { accountSid: `AC${'0'.repeat(32)}`, authToken: 'secret', apiKey: null, apiSecret: null };
    const apiBaseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    messaging = createTwilioMessages({ ...account, apiBaseUrl }, { httpTimeoutMs: 2_000 });
  });
  afterEach(async () => {
    messaging.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('is kept and used again: a hundred texts, one after another, go over one', async () => {
    for (let nth = 0; nth < 100; nth += 1) await messaging.createMessage(text);
    expect(seen).toHaveLength(100);
    expect(connections).toBe(1);
  });

  test('is opened for each of those that go at the same time, and no more for the next ones', async () => {
    answer = (response) => setTimeout(() => json(response, 201, { sid: SID, num_segments: '1' }), 20);
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => messaging.createMessage(text)));
    }
    expect(seen).toHaveLength(30);
    expect(connections).toBe(10);
  });

  test('that was refused serves the next request: an answer is an answer', async () => {
    answer = (response) => json(response, 400, { code: 21610, status: 400 });
    for (let nth = 0; nth < 3; nth += 1) {
      await expect(messaging.createMessage(text)).rejects.toMatchObject({ class: 'opted-out', code: 21610 });
    }
    expect(connections).toBe(1);
  });

  test('on which an answer trickles in has one deadline, which no byte moves', async () => {
    answer = (response) => {
      response.writeHead(201, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(drip));
    };
    const began = performance.now();
    await expect(messaging.createMessage(text)).rejects.toMatchObject({ outcome: 'unknown' });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('is asked for a text by a number or by a service, never by both', async () => {
    await messaging.createMessage(text);
    await messaging.createMessage({ ...text, sender: `MG${'1'.repeat(32)}` });
    const [byNumber, byService] = seen.map((line) => new URLSearchParams(line.split(' ')[2]));
    expect(Object.fromEntries(byNumber!)).toEqual({
      To: text.to,
      From: text.sender,
      Body: text.body,
      StatusCallback: text.statusCallback,
    });
    expect(byService!.get('MessagingServiceSid')).toBe(`MG${'1'.repeat(32)}`);
    expect(byService!.has('From')).toBe(false);
  });

  test.each([
    ['active', true],
    ['suspended', false],
    ['closed', false],
  ])('to an account that is %s', async (status, isActive) => {
    answer = (response) => json(response, 200, { sid: 'AC', status });
    expect(await messaging.probe()).toEqual({ isActive });
    expect(seen[0]).toMatch(/^GET \/2010-04-01\/Accounts\/AC\.json/);
  });

  test('says what became of a text and what it cost, as far as Twilio knows', async () => {
    answer = (response) =>
      json(response, 200, {
        sid: SID,
        status: 'undelivered',
        error_code: 30003,
        num_segments: '2',
        price: '-0.01660',
        price_unit: 'USD',
      });
    expect(await messaging.readMessage(SID)).toEqual({
      status: 'undelivered',
      errorCode: 30003,
      segments: 2,
      price: { micro: 16_600, currency: 'USD' },
    });
    answer = (response) => json(response, 200, { sid: SID, status: 'accepted', num_segments: '0', price: null });
    expect(await messaging.readMessage(SID)).toEqual({
      status: 'accepted',
      errorCode: null,
      segments: null,
      price: null,
    });
    answer = (response) => json(response, 404, { code: 20404, status: 404 });
    expect(await messaging.readMessage(SID)).toBeNull();
    await messaging.redactMessage(SID);
    await messaging.deleteMessage(SID);
  });
});

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
