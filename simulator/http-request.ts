import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** `ct`: no connection could be made; `rt`: connected, but no (whole) answer in time. Twilio's own two words. */
export class HttpFailure extends Error {
  constructor(
    readonly phase: 'ct' | 'rt',
    reason: string,
  ) {
    super(reason);
    this.name = 'HttpFailure';
  }
}

/** Twilio refuses to read more than this of a document. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * One HTTP request with separate limits for connecting and for reading, on a connection of its own: a kept
 * connection to a service that was killed would look like a lost answer.
 * @throws HttpFailure
 */
export function sendHttp(options: {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly connectMs: number;
  readonly readMs: number;
}): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let connected = false;
    let timer: NodeJS.Timeout;
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new HttpFailure(connected ? 'rt' : 'ct', reason));
      request?.destroy();
    };
    const makeRequest = options.url.startsWith('https:') ? httpsRequest : httpRequest;
    let request: ClientRequest | null = null;
    timer = setTimeout(() => fail('no connection in time'), options.connectMs);
    try {
      request = makeRequest(options.url, { method: options.method, headers: options.headers, agent: false });
    } catch {
      fail('not a URL that can be requested');
      return;
    }
    request.on('socket', (socket) => {
      socket.once('connect', () => {
        connected = true;
        clearTimeout(timer);
        timer = setTimeout(() => fail('no answer in time'), options.readMs);
      });
    });
    request.on('error', () => fail(connected ? 'the connection broke' : 'no connection'));
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size <= MAX_BODY_BYTES) parts.push(part);
        else fail('the answer is too long');
      });
      response.on('error', () => fail('the connection broke'));
      response.on('end', () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          contentType: response.headers['content-type'] ?? '',
          body: Buffer.concat(parts).toString('utf8'),
        });
      });
      response.on('close', () => {
        if (!response.complete) fail('the connection broke');
      });
    });
    request.end(options.body ?? undefined);
  });
}
