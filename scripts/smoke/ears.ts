import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { validateRequest } from 'twilio';
import { CommandError } from '../command-error';

/** What Twilio told us about the call (`call`) or the text (`message`). */
export interface Heard {
  readonly about: 'call' | 'message';
  readonly status: string;
  readonly errorCode: number | null;
  readonly isSigned: boolean;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Where Twilio reaches us during a smoke test. */
export interface Ears {
  readonly urls: { readonly voice: string; readonly call: string; readonly message: string };
  /** Asks ourselves by the public address. @throws CommandError when that does not lead here */
  findOurselves(): Promise<void>;
  close(): Promise<void>;
}

const WORDS = 'This is a test call of Kindline. Nothing else happens. Goodbye.';
const TWIML = `<?xml version="1.0" encoding="UTF-8"?><Response><Say>${WORDS}</Say></Response>`;
const FIND_OURSELVES_MS = 10_000;

/**
 * Listens for Twilio where the service otherwise does. Only what is signed counts; the path is not guessable.
 * @param options.publicUrl as Twilio calls it, without path and slash
 * @throws CommandError when the port is taken
 */
export async function openEars(options: {
  readonly port: number;
  readonly publicUrl: string;
  readonly authToken: string;
  readonly onHeard: (heard: Heard) => void;
}): Promise<Ears> {
  const { port, publicUrl, authToken, onHeard } = options;
  const secret = `/smoke/${randomBytes(12).toString('hex')}`;
  const at = (path: string) => `${publicUrl}${secret}/${path}`;
  const server = createServer((req, res) => {
    void (async () => {
      let body = '';
      for await (const part of req) body += String(part);
      const path = (req.url ?? '').replace(`${secret}/`, '');
      if (path === 'here') {
        res.end(secret);
        return;
      }
      if (path !== 'voice' && path !== 'call' && path !== 'message') {
        res.writeHead(404).end();
        return;
      }
      const params = Object.fromEntries(new URLSearchParams(body));
      const isSigned = validateRequest(authToken, String(req.headers['x-twilio-signature'] ?? ''), at(path), params);
      onHeard({
        about: path === 'message' ? 'message' : 'call',
        status: path === 'voice' ? 'asks for TwiML' : (params.MessageStatus ?? params.CallStatus ?? 'unknown'),
        errorCode: params.ErrorCode === undefined ? null : Number(params.ErrorCode),
        isSigned,
        at: Date.now(),
      });
      if (!isSigned) res.writeHead(403).end();
      else if (path === 'voice') res.writeHead(200, { 'Content-Type': 'text/xml' }).end(TWIML);
      else res.writeHead(204).end();
    })();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(
        new CommandError(
          `Port ${port} is taken, perhaps by the service itself. End it for a minute, or name another with --port and let the public address lead there.`,
        ),
      ),
    );
    server.listen(port, resolve);
  });
  return {
    urls: { voice: at('voice'), call: at('call'), message: at('message') },
    findOurselves: async () => {
      const answer = await fetch(at('here'), { signal: AbortSignal.timeout(FIND_OURSELVES_MS) }).then(
        (response) => response.text(),
        () => null,
      );
      if (answer === secret) return;
      throw new CommandError(
        `TWILIO_WEBHOOK_BASE_URL does not lead to port ${port} of this machine, so Twilio could not call back. Nothing was sent.`,
      );
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
