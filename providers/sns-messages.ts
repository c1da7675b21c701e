/**
 * Messages that AWS SNS posts to us. Anybody on the internet can post, and anybody can have a topic of their own signed
 * by AWS: a message counts when its signature is right, the certificate comes from AWS itself, and the topic is ours.
 */
import { createVerify, X509Certificate } from 'node:crypto';
import { z } from 'zod';

const SHAPE = z.looseObject({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  MessageId: z.string().max(100),
  TopicArn: z.string().max(400),
  Message: z.string(),
  Timestamp: z.string().max(40),
  Subject: z.string().optional(),
  SubscribeURL: z.string().optional(),
  Token: z.string().max(2_000).optional(),
  SignatureVersion: z.enum(['1', '2']),
  Signature: z.string().max(2_000),
  SigningCertURL: z.string().max(400),
});
type Posted = z.output<typeof SHAPE>;

export interface SnsMessage {
  readonly type: Posted['Type'];
  /** The same in every repeat; part of what is signed. */
  readonly messageId: string;
  readonly message: string;
  /** Null but for a confirmation: tells SNS that we want what the topic says. */
  readonly confirm: (() => Promise<void>) | null;
}

export interface SnsReader {
  /**
   * @returns null for whatever is not signed by AWS for a topic of ours
   * @throws Error when the certificate cannot be had now: the message may be right, and SNS comes again
   */
  read(body: Buffer): Promise<SnsMessage | null>;
}

export interface SnsOptions {
  /** ARNs; empty: nothing is believed. */
  readonly topics: readonly string[];
  /** An origin that stands for AWS, in tests; null: AWS itself. */
  readonly standIn: string | null;
  /** For tests. */
  readonly now?: () => Date;
}

const FETCH_WITHIN_MS = 3_000;
const LARGEST_CERTIFICATE = 20_000;
const MOST_CERTIFICATES = 20;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[\da-f]{32}\.pem$/i;

export function createSnsReader({ topics, standIn, now = () => new Date() }: SnsOptions): SnsReader {
  const certificates = new Map<string, Promise<X509Certificate>>();
  const certificate = (url: string): Promise<X509Certificate> => {
    const known = certificates.get(url);
    if (known !== undefined) return known;
    if (certificates.size >= MOST_CERTIFICATES) certificates.clear();
    const fetched = fetchCertificate(url);
    certificates.set(url, fetched);
    // What could not be fetched is fetched again; only a whole certificate is kept.
    fetched.catch(() => certificates.delete(url));
    return fetched;
  };
  return {
    async read(body) {
      const posted = parsed(body);
      // The topic first: whatever is not ours makes us fetch nothing.
      if (posted === null || !topics.includes(posted.TopicArn)) return null;
      const origin = standIn ?? originOf(posted.TopicArn);
      const url = certificateUrl(posted.SigningCertURL, origin);
      if (url === null) return null;
      const cert = await certificate(url);
      const isInForce = new Date(cert.validFrom) <= now() && now() <= new Date(cert.validTo);
      if (!isInForce || !isSignedBy(cert, posted)) return null;
      const { Type: type, MessageId: messageId, Message: message } = posted;
      return { type, messageId, message, confirm: confirmation(posted, origin) };
    },
  };
}

function parsed(body: Buffer): Posted | null {
  try {
    const result = SHAPE.safeParse(JSON.parse(body.toString('utf8')));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

/** The region of the topic and no other: a certificate of any other host of Amazon's would be somebody's website. */
function originOf(topicArn: string): string {
  const [, partition = '', , region = ''] = topicArn.split(':');
  return `https://sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

function certificateUrl(given: string, origin: string): string | null {
  if (!URL.canParse(given)) return null;
  const { origin: from, pathname, search, username, hash } = new URL(given);
  if (from !== origin || search + username + hash !== '' || !CERTIFICATE_PATH.test(pathname)) return null;
  return origin + pathname;
}

async function fetchCertificate(url: string): Promise<X509Certificate> {
  const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_WITHIN_MS) });
  if (answer.status !== 200) throw new Error('The certificate of SNS is not there');
  const pem = await answer.text();
  if (pem.length > LARGEST_CERTIFICATE) throw new Error('The certificate of SNS is too large');
  return new X509Certificate(pem);
}

/** docs.aws.amazon.com/sns, "verifying the signatures": names and values, each on a line, in this order. */
const SIGNED = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
  UnsubscribeConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
} as const satisfies Record<Posted['Type'], readonly (keyof Posted)[]>;

function isSignedBy(certificate: X509Certificate, posted: Posted): boolean {
  const verify = createVerify(posted.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256');
  for (const name of SIGNED[posted.Type]) {
    const value = posted[name];
    if (value !== undefined) verify.update(`${name}\n${value}\n`);
  }
  return verify.verify(certificate.publicKey, posted.Signature, 'base64');
}

/** By an address we make ourselves: the one in the message would let whoever wrote it send us anywhere. */
function confirmation({ Type, TopicArn, Token }: Posted, origin: string): (() => Promise<void>) | null {
  if (Type !== 'SubscriptionConfirmation' || Token === undefined) return null;
  const query = new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn, Token });
  return async () => {
    const signal = AbortSignal.timeout(FETCH_WITHIN_MS);
    const answer = await fetch(`${origin}/?${query.toString()}`, { redirect: 'error', signal });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error('SNS did not take the confirmation');
  };
}
