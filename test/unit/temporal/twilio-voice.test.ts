import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { ProviderError } from '../../../providers/provider-error';
import { createTwilioVoice, type NewCall, type VoiceProvider } from '../../../providers/twilio-voice';

const SID = `CA${'0a'.repeat(16)}`;
const AUTH_TOKEN = 'a-secret-that-must-not-show';
const call: NewCall = {
  to: '+14155550123',
  from: '+14155550100',
  ringSeconds: 30,
  url: 'https://calls.example.org/twiml/connect-mentor?call=1',
  statusCallback: 'https://calls.example.org/call-status?call=1',
  fallbackUrl: 'https://static.example.org/US.xml',
  detectMachine: false,
};

/** A line to a server that answers as told, on a port of its own. */
async function lineTo(answer: (response: ServerResponse, body: string) => void) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${body}`);
      answer(response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const voice = voiceAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { voice, server, seen };
}

function voiceAt(apiBaseUrl: string, httpTimeoutMs = 2_000): VoiceProvider {
  const config = {
    accountSid: `AC${'0'.repeat(32)}`,
    authToken: AUTH_TOKEN,
    apiKey: null,
    apiSecret: null,
    apiBaseUrl,
  };
  return createTwilioVoice(config, { httpTimeoutMs });
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'twilio-request-id': 'RQ1', ...headers });
  response.end(JSON.stringify(body));
}

const quoting = (code: number) => ({ code, message: `The number ${call.to} is bad`, more_info: call.url, status: 400 });

async function failureOf(act: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await act.then(
    () => null,
    (caught: unknown) => caught,
  );
  if (!(error instanceof ProviderError)) throw new Error(`expected a ProviderError, got ${String(error)}`);
  return error;
}

describe('a call asked for at Twilio', () => {
  const open: { server?: Server; voice: VoiceProvider }[] = [];
  const line = async (answer: Parameters<typeof lineTo>[0]) => {
    const made = await lineTo(answer);
    open.push(made);
    return made;
  };
  afterEach(async () => {
    for (const { server, voice } of open.splice(0)) {
      voice.close();
      server?.closeAllConnections();
      await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
    }
  });

  it('is sent once, with every callback, the fallback document and the caller id', async () => {
    const { voice, seen } = await line((response) => json(response, 201, { sid: SID, status: 'queued' }));
    expect(await voice.createCall(call)).toEqual({ sid: SID });
    expect(seen).toHaveLength(1);
    const sent = new URLSearchParams(seen[0]!.split(' ')[2]);
    expect(Object.fromEntries(sent)).toMatchObject({
      To: call.to,
      From: call.from,
      Timeout: '30',
      FallbackUrl: call.fallbackUrl,
      FallbackMethod: 'GET',
    });
    expect(sent.getAll('StatusCallbackEvent')).toEqual(['initiated', 'ringing', 'answered', 'completed']);
  });

  it.each([
    ['refused with the class of its code', 400, 21211, 'refused', 'bad-destination'],
    ['refused when another sender may do', 400, 21606, 'refused', 'other-sender'],
    ['refused when we are not let in', 401, 20003, 'refused', 'stop-line'],
    ['rate-limited', 429, 20429, 'rate-limited', 'retry'],
    ['unknown after a server error', 500, 20500, 'unknown', 'unknown'],
    ['unknown after a request timeout', 408, 20408, 'unknown', 'unknown'],
  ] as const)('is %s (HTTP %i, code %i)', async (_title, status, code, outcome, errorClass) => {
    const { voice, seen } = await line((response) => json(response, status, quoting(code)));
    const error = await failureOf(voice.createCall(call));
    expect(error.facts()).toMatchObject({ operation: 'create-call', outcome, status, code, class: errorClass });
    expect(error.requestId).toBe('RQ1');
    expect(seen).toHaveLength(1);
  });

  it('waits as long as Retry-After says when it was rate-limited', async () => {
    const { voice } = await line((response) => json(response, 429, quoting(20429), { 'retry-after': '3' }));
    expect((await failureOf(voice.createCall(call))).retryAfterMs).toBe(3000);
  });

  it.each([
    ['the connection is reset', (response: ServerResponse) => response.socket?.destroy()],
    ['no answer comes in time', () => undefined],
    ['the answer never ends', (response: ServerResponse) => void response.writeHead(201).write('{')],
    ['the answer is not JSON', (response: ServerResponse) => void response.writeHead(201).end('<html>')],
    ['the answer names no call', (response: ServerResponse) => json(response, 201, {})],
    ['a proxy answers 404 without a code of Twilio', (response: ServerResponse) => void response.writeHead(404).end()],
  ])('has an unknown outcome when %s', async (_title, answer) => {
    const { voice, seen } = await line(answer);
    expect(await failureOf(voice.createCall(call))).toMatchObject({ outcome: 'unknown' });
    expect(seen).toHaveLength(1);
  });

  it('was not sent when nobody listens or the host is not known', async () => {
    const { voice, server } = await line(() => undefined);
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    open.push({ voice: voiceAt('http://kindline.invalid', 3_000) });
    const unknownHost = open.at(-1)!.voice;
    expect(port).toBeGreaterThan(0);
    expect(await failureOf(voice.createCall(call))).toMatchObject({ outcome: 'not-sent' });
    expect(await failureOf(unknownHost.createCall(call))).toMatchObject({ outcome: 'not-sent' });
  });

  it('never leaves a number, a URL or a credential in its error, however deep one looks', async () => {
    const answers: Parameters<typeof lineTo>[0][] = [
      (response) => json(response, 400, quoting(21211)),
      (response) => json(response, 500, quoting(20500)),
      (response) => void response.socket?.destroy(),
      (response) => void response.writeHead(201).end(`not json, but ${call.to}`),
      () => undefined,
    ];
    for (const answer of answers) {
      const { voice } = await line(answer);
      const error = await failureOf(voice.createCall(call));
      const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error) + String(error.stack);
      expect(shown).not.toMatch(/555|example\.org|Basic|a-secret|Authorization|127\.0\.0\.1/);
      expect(error.cause).toBeUndefined();
    }
  });
});

describe('a call that is ended at Twilio', () => {
  it.each([
    ['has ended by itself', 400, 21220, 'completed'],
    ['Twilio does not know', 404, 20404, 'unknown'],
  ])('is no error when it %s', async (_title, status, code, expected) => {
    const { voice, server } = await lineTo((response) => json(response, status, quoting(code)));
    expect(await voice.endCall(SID)).toEqual({ status: expected });
    voice.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
