import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { openTwilioMedia } from '../../../providers/twilio-media';

const SID = `RE${'1'.repeat(32)}`;
const SOUND = Buffer.from('not really a sound');

describe('the sound of a recording', () => {
  let server: Server;
  let answer: (req: IncomingMessage, res: ServerResponse) => void = () => undefined;
  const asked: { path: string; authorization: string | null }[] = [];
  beforeAll(async () => {
    server = createServer((req, res) => {
      asked.push({ path: req.url ?? '', authorization: req.headers.authorization ?? null });
      answer(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  beforeEach(() => {
    asked.length = 0;
  });

  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const account = () => ({
    accountSid: `AC${'2'.repeat(32)}`,
    authToken: 'the-token',
    apiKey: `SK${'3'.repeat(32)}`,
    apiSecret: 'the-secret',
    apiBaseUrl: base(),
  });
  const open = (signal = new AbortController().signal) =>
    openTwilioMedia(account(), SID, { httpTimeoutMs: 2_000, signal });
  const sends = (status: number, headers: Record<string, string> = {}) => {
    answer = (_req, res) => {
      res.writeHead(status, headers);
      res.end(status === 200 ? SOUND : '');
    };
  };

  it('is asked for with the account’s credentials, and comes with its type and length', async () => {
    sends(200, { 'Content-Type': 'audio/mpeg', 'Content-Length': String(SOUND.length) });
    const media = await open();
    expect(media).toMatchObject({ contentType: 'audio/mpeg', length: SOUND.length });
    expect(media && (await buffer(media.stream)).equals(SOUND)).toBe(true);
    const credentials = Buffer.from(`SK${'3'.repeat(32)}:the-secret`).toString('base64');
    expect(asked).toEqual([
      { path: `/2010-04-01/Accounts/AC${'2'.repeat(32)}/Recordings/${SID}.mp3`, authorization: `Basic ${credentials}` },
    ]);
  });

  it('is none when Twilio does not know it, and an error when it says anything else', async () => {
    sends(404);
    expect(await open()).toBeNull();
    for (const status of [401, 403, 500, 302]) {
      sends(status);
      await expect(open()).rejects.toMatchObject({ name: 'RefusedAnswer', status });
    }
  });

  it('is followed where Twilio keeps it, within the server, a few times only', async () => {
    answer = (req, res) => {
      if (req.url === '/elsewhere') res.end(SOUND);
      else res.writeHead(302, { Location: '/elsewhere' }).end();
    };
    const media = await open();
    expect(media && (await buffer(media.stream)).equals(SOUND)).toBe(true);
    sends(302, { Location: '/again' });
    await expect(open()).rejects.toMatchObject({ status: 310 });
  });

  it('is never followed to where it could be read on the way, nor with our credentials to anybody else', async () => {
    const other = createServer((req, res) => {
      asked.push({ path: `other:${req.url ?? ''}`, authorization: req.headers.authorization ?? null });
      res.end(SOUND);
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    sends(302, { Location: `http://127.0.0.1:${(other.address() as AddressInfo).port}/stolen` });
    await expect(open()).rejects.toMatchObject({ status: 302 });
    expect(asked.some(({ path }) => path.startsWith('other:'))).toBe(false);
    await new Promise((resolve) => other.close(resolve));
  });

  it('is not waited for longer than the limit, and is ended at Twilio when nobody listens any more', async () => {
    answer = () => undefined;
    await expect(open()).rejects.toMatchObject({ name: 'NoAnswer' });

    const ended = new Promise<void>((resolve) => {
      answer = (_req, res) => {
        res.on('close', () => resolve());
        res.writeHead(200, { 'Content-Type': 'audio/mpeg' });
        res.write(SOUND);
      };
    });
    const gone = new AbortController();
    const media = await open(gone.signal);
    media?.stream.on('error', () => undefined);
    gone.abort();
    await ended;
  });
});
