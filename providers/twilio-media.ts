import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { credentialsOf, type TwilioAccount } from './twilio-client';
import { NoAnswer, RefusedAnswer } from './twilio-http';

/** Sound as it comes from the provider. */
export interface Media {
  readonly stream: Readable;
  readonly contentType: string;
  /** Bytes; null when the provider does not say. */
  readonly length: number | null;
}

/** Twilio's own media may stand elsewhere and be pointed to; more hops than this lead nowhere. */
const MOST_REDIRECTS = 2;

/**
 * The sound of a recording, headers first; nothing of it is kept here. The credentials go to Twilio alone: where it
 * redirects to a store of its own, that address is signed by itself.
 *
 * @param options `httpTimeoutMs`: until the headers are there; the sound itself may take as long as its hearer
 * @returns null when there is no such recording
 * @throws {NoAnswer | RefusedAnswer}
 */
export async function openTwilioMedia(
  account: TwilioAccount,
  sid: string,
  options: { readonly httpTimeoutMs: number; readonly signal: AbortSignal },
): Promise<Media | null> {
  let url = new URL(mediaUrl(account, sid));
  const { origin } = url;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const authorization = url.origin === origin ? { Authorization: basic(account) } : {};
    const answer = await headersOf(url, authorization, options);
    const status = answer.statusCode ?? 0;
    if (status === 200) return asMedia(answer);
    answer.destroy();
    if (status === 404) return null;
    const next = status >= 300 && status < 400 ? redirected(url, answer.headers.location) : null;
    if (next === null) throw new RefusedAnswer(status, null, null, null);
    url = next;
  }
  throw new RefusedAnswer(310, null, null, null);
}

/** The address of the sound, smaller than the WAV that Twilio gives without an ending. */
export function mediaUrl({ apiBaseUrl, accountSid }: Pick<TwilioAccount, 'apiBaseUrl' | 'accountSid'>, sid: string) {
  return `${apiBaseUrl ?? 'https://api.twilio.com'}/2010-04-01/Accounts/${accountSid}/Recordings/${sid}.mp3`;
}

/** Only from encrypted to encrypted, or within the server that we were given. */
function redirected(from: URL, location: string | undefined): URL | null {
  if (location === undefined || !URL.canParse(location, from.href)) return null;
  const to = new URL(location, from);
  return to.protocol === 'https:' || to.origin === from.origin ? to : null;
}

function basic(account: TwilioAccount): string {
  const { username, password } = credentialsOf(account);
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function headersOf(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { httpTimeoutMs, signal }: { readonly httpTimeoutMs: number; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
    // A connection of its own: it is open for as long as somebody listens.
    const request = ask(url, { agent: false, signal, headers: { 'User-Agent': 'kindline', ...headers } });
    const deadline = setTimeout(() => request.destroy(new Error('deadline')), httpTimeoutMs);
    request.on('response', (answer) => {
      clearTimeout(deadline);
      resolve(answer);
    });
    request.on('error', () => {
      clearTimeout(deadline);
      reject(new NoAnswer(true));
    });
    request.end();
  });
}

function asMedia(answer: IncomingMessage): Media {
  const length = Number(answer.headers['content-length'] ?? Number.NaN);
  return {
    stream: answer,
    contentType: answer.headers['content-type'] ?? 'audio/mpeg',
    length: Number.isSafeInteger(length) ? length : null,
  };
}
