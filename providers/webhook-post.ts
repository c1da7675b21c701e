import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from './public-address';

/** What became of one attempt. */
export type Told =
  | { readonly isDelivered: true }
  | {
      readonly isDelivered: false;
      /** A word of ours: `http-500`, `timeout`, `no-connection`, `no-tls`, `private-address`. */
      readonly error: string;
      /** What the receiver asked for with `Retry-After`, ms; 0 when it did not. */
      readonly retryAfterMs: number;
    };

export interface WebhookPostOptions {
  readonly url: string;
  /** For the whole exchange, ms. */
  readonly timeoutMs: number;
  /** Whether the receiver may live on this machine or network. */
  readonly mayBePrivate: boolean;
  /** Of tests only: how names are resolved. */
  readonly resolve?: typeof lookUp;
}

export interface WebhookPost {
  /** One attempt; never throws. Delivered is what was answered with 2xx. */
  post(body: string, headers: Readonly<Record<string, string>>): Promise<Told>;
  /** Closes idle connections. */
  close(): void;
}

/** A receiver that is asleep gives connections up: fewer than its own proxy's. */
const POOL = { keepAlive: true, maxSockets: 16, timeout: 4_000 } as const;

/**
 * Posts JSON to one address of somebody else's. Redirects are answers like any other that is no success: what is meant for
 * one address is not sent to another.
 */
export function createWebhookPost(options: WebhookPostOptions): WebhookPost {
  const url = new URL(options.url);
  const isTls = url.protocol === 'https:';
  const agent = isTls ? new HttpsAgent(POOL) : new HttpAgent(POOL);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Node asks no resolver for what is an address already.
  const isForbidden = !options.mayBePrivate && isIP(host) !== 0 && !isPublicAddress(host);

  return {
    async post(body, own) {
      if (isForbidden) return failed('private-address');
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'kindline',
        ...own,
      };
      const lookup = lookupOf(options);
      const sending: RequestOptions = { method: 'POST', headers, agent, ...(lookup === null ? {} : { lookup }) };
      try {
        const answer = await posted({ isTls, url, body, sending, timeoutMs: options.timeoutMs });
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) return { isDelivered: true };
        return failed(`http-${status}`, retryAfterMs(answer.headers['retry-after']));
      } catch (error) {
        return failed(wordFor(error));
      }
    },
    close: () => agent.destroy(),
  };
}

interface Posting {
  readonly isTls: boolean;
  readonly url: URL;
  readonly body: string;
  readonly sending: RequestOptions;
  readonly timeoutMs: number;
}

/** The head of the answer; what follows it is thrown away unread. */
function posted({ isTls, url, body, sending, timeoutMs }: Posting): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = (isTls ? httpsRequest : httpRequest)(url, { ...sending, signal }, (answer) => {
      answer.on('error', () => undefined);
      // A short body lets the connection be used again; a long one costs it.
      let left = 16_384;
      answer.on('data', (chunk: Buffer) => {
        left -= chunk.length;
        if (left < 0) answer.destroy();
      });
      resolve(answer);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Thrown inside the resolver: the name leads to an address that nobody but us can reach. */
class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';
}

/**
 * A resolver that gives the socket only public addresses. It is the very answer that is connected to: a name that is
 * public when it is checked and private a moment later (DNS rebinding) gains nothing.
 */
function lookupOf({ mayBePrivate, resolve = lookUp }: WebhookPostOptions): RequestOptions['lookup'] | null {
  if (mayBePrivate) return null;
  return (hostname, asked, done) => {
    resolve(hostname, { ...asked, all: true }, (error, found) => {
      const addresses: LookupAddress[] = error === null ? found : [];
      const [first] = addresses;
      if (error !== null) return done(error, '', 0);
      // One private address among public ones is a trick, not an accident.
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        return done(new PrivateAddress(), '', 0);
      }
      if (asked.all === true) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
}

function failed(error: string, retryAfter = 0): Told {
  return { isDelivered: false, error, retryAfterMs: retryAfter };
}

/** Seconds only: a date in the header says little between two clocks. */
function retryAfterMs(header: string | undefined): number {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : 0;
}

/** Errors of sockets and certificates quote names and addresses: only a word of ours is kept. */
function wordFor(error: unknown): string {
  if (error instanceof PrivateAddress) return 'private-address';
  const of = (field: string): unknown => Reflect.get(Object(error), field);
  if (of('name') === 'AbortError' || of('name') === 'TimeoutError') return 'timeout';
  const code = of('code');
  return typeof code === 'string' && /CERT|TLS|SSL|VERIFY|EPROTO/.test(code) ? 'no-tls' : 'no-connection';
}
