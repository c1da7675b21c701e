import { request as httpRequest, Agent as HttpAgent, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import { RequestClient } from 'twilio';
import TwilioResponse from 'twilio/lib/http/response';

/** What the Twilio package asks its HTTP client for. */
export type TwilioRequest = Parameters<RequestClient['request']>[0];

/** Thrown when a request got no answer; says whether any byte of it can have reached the provider. */
export class NoAnswer extends Error {
  constructor(readonly bytesMayHaveLeft: boolean) {
    super(bytesMayHaveLeft ? 'no answer to a request that was sent' : 'no connection: nothing was sent');
    this.name = 'NoAnswer';
  }
}

/** Thrown instead of the package's own error, for any answer that is not a success. */
export class RefusedAnswer extends Error {
  constructor(
    readonly status: number,
    readonly code: number | null,
    readonly requestId: string | null,
    readonly retryAfterMs: number | null,
  ) {
    super(`HTTP ${status}`);
    this.name = 'RefusedAnswer';
  }
}

export interface TwilioHttpOptions {
  /** From the first byte of the connection to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Where requests to api.twilio.com go instead, without a path; null for Twilio itself. */
  readonly apiBaseUrl: string | null;
}

/**
 * An idle connection is given up before its other end gives it up (Node closes after 5 s): a POST that meets a
 * closing connection is reset, and would have to count as perhaps sent.
 */
const POOL = { keepAlive: true, maxSockets: 64, scheduling: 'lifo', timeout: 4_000 } as const;

/**
 * The HTTP client under the `twilio` package. The package's own is axios: its errors hold the whole request
 * (numbers, URLs, the Authorization header), its timeout starts anew with every byte, and it cannot say
 * whether anything was sent. Nothing is retried here.
 */
export class TwilioHttp extends RequestClient {
  private readonly agents = {
    'http:': new HttpAgent(POOL),
    'https:': new HttpsAgent(POOL),
  };

  constructor(private readonly options: TwilioHttpOptions) {
    super({ timeout: options.timeoutMs, autoRetry: false });
  }

  /**
   * @throws {NoAnswer} the connection failed, broke or was too slow
   * @throws {RefusedAnswer} any status but 2xx, or an answer that is not JSON
   */
  override async request<T>(asked: TwilioRequest): Promise<TwilioResponse<T>> {
    const url = this.target(asked);
    const answer = await this.exchange(url, asked);
    const requestId = header(answer.headers, 'twilio-request-id');
    if (answer.statusCode < 200 || answer.statusCode > 299) {
      throw new RefusedAnswer(
        answer.statusCode,
        errorCode(answer.text),
        requestId,
        retryAfter(header(answer.headers, 'retry-after')),
      );
    }
    return new TwilioResponse(answer.statusCode, parseBody<T>(answer, requestId), answer.headers);
  }

  /** Closes idle connections, so that a process can end. */
  close(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }

  private target(asked: TwilioRequest): URL {
    const url = new URL(asked.uri);
    if (this.options.apiBaseUrl !== null) {
      const base = new URL(this.options.apiBaseUrl);
      url.protocol = base.protocol;
      url.host = base.host;
      url.port = base.port;
    }
    for (const [name, value] of Object.entries(asked.params ?? {})) url.searchParams.set(name, String(value));
    return url;
  }

  private exchange(url: URL, asked: TwilioRequest): Promise<Answer> {
    const body = asked.data ? formEncode(asked.data) : '';
    const secure = url.protocol === 'https:';
    const options: RequestOptions = {
      method: asked.method,
      agent: secure ? this.agents['https:'] : this.agents['http:'],
      headers: {
        Accept: 'application/json',
        'User-Agent': 'kindline',
        Authorization: `Basic ${Buffer.from(`${asked.username}:${asked.password}`).toString('base64')}`,
        ...(body ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
        'Content-Length': Buffer.byteLength(body),
      },
    };
    return new Promise((resolve, reject) => {
      // A connection taken from the pool counts as open: whether its peer still listens cannot be known.
      let connected = false;
      const request = (secure ? httpsRequest : httpRequest)(url, options);
      const deadline = setTimeout(() => request.destroy(new Error('deadline')), this.options.timeoutMs);
      const fail = () => {
        clearTimeout(deadline);
        reject(new NoAnswer(connected));
      };
      request.on('socket', (socket) => {
        if (!socket.connecting) connected = true;
        else socket.once(secure ? 'secureConnect' : 'connect', () => (connected = true));
      });
      request.on('error', fail);
      request.on('response', (response) => {
        collect(response).then((text) => {
          clearTimeout(deadline);
          resolve({ statusCode: response.statusCode ?? 0, headers: response.headers, text });
        }, fail);
      });
      request.end(body);
    });
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** A success that cannot be read tells no SID: the act may have happened, so it is not a refusal either. */
function parseBody<T>(answer: Answer, requestId: string | null): T {
  try {
    // A deletion answers with nothing at all.
    return JSON.parse(answer.text === '' ? '""' : answer.text);
  } catch {
    throw new RefusedAnswer(answer.statusCode, null, requestId, null);
  }
}

/** Only the number is taken from an error's body: its text may quote what was sent. */
function errorCode(text: string): number | null {
  try {
    const body: unknown = JSON.parse(text);
    const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : null;
    return typeof code === 'number' ? code : null;
  } catch {
    return null;
  }
}

function retryAfter(value: string | null): number | null {
  const seconds = value === null ? Number.NaN : Number(value);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function header(headers: IncomingMessage['headers'], name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' ? value : null;
}

/** Repeated parameters (`StatusCallbackEvent`) are sent once per value, as Twilio reads them. */
function formEncode(data: object): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(data)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) form.append(name, String(one));
  }
  return form.toString();
}
