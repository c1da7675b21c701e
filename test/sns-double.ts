/**
 * AWS SNS as far as we hear from it: signs messages as AWS does, hands out the certificate, takes confirmations. Written
 * apart from the service's own reading of the rule: two that must agree.
 */
import { createSign, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { selfSigned } from './self-signed';

export const TOPIC = 'arn:aws:sns:eu-west-1:000000000000:kindline-mail';
const CERTIFICATE = `/SimpleNotificationService-${'a1'.repeat(16)}.pem`;

export type Fields = Record<string, string>;

export class SnsDouble {
  /** Queries of the confirmations it got. */
  readonly confirmed: URLSearchParams[] = [];
  /** How often the certificate was fetched. */
  fetched = 0;
  /** Answers nothing but 500 while set. */
  isDown = false;

  private constructor(
    private readonly server: Server,
    private readonly key: KeyObject,
    readonly url: string,
  ) {}

  static async start(days = 2): Promise<SnsDouble> {
    const { key, certificate } = selfSigned('sns.amazonaws.com', days);
    let double: SnsDouble | null = null;
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      if (double === null || double.isDown) response.writeHead(500).end();
      else if (url.pathname === CERTIFICATE) {
        double.fetched += 1;
        response.end(certificate);
      } else {
        double.confirmed.push(url.searchParams);
        response.end('<ConfirmSubscriptionResponse/>');
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    double = new SnsDouble(server, key, `http://127.0.0.1:${port}`);
    return double;
  }

  get certificateUrl(): string {
    return this.url + CERTIFICATE;
  }

  /** A notification, signed; `change` is applied before the signature, `after` behind its back. */
  notification(message: string, change: Fields = {}, after: Fields = {}): string {
    return this.signed({ Type: 'Notification', Message: message, ...change }, after);
  }

  signed(fields: Fields, after: Fields = {}): string {
    const all: Fields = {
      MessageId: randomUUID(),
      TopicArn: TOPIC,
      Timestamp: new Date().toISOString(),
      SignatureVersion: '2',
      SigningCertURL: this.certificateUrl,
      ...fields,
    };
    const names =
      all['Type'] === 'Notification'
        ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
        : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
    const text = names.filter((name) => all[name] !== undefined).map((name) => `${name}\n${all[name]}\n`);
    const algorithm = all['SignatureVersion'] === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
    const signature = createSign(algorithm).update(text.join('')).sign(this.key, 'base64');
    return JSON.stringify({ ...all, Signature: signature, ...after });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What SES publishes, with the addresses and words that come with it. */
export function sesEvent(type: string, sid: string, more: object = {}, dispatch?: string): string {
  return JSON.stringify({
    eventType: type,
    mail: {
      messageId: sid,
      destination: ['somebody@example.org'],
      commonHeaders: { subject: 'A message for you', to: ['somebody@example.org'] },
      tags: { 'ses:configuration-set': ['mail-events'], ...(dispatch === undefined ? {} : { dispatch: [dispatch] }) },
    },
    ...more,
  });
}

export const BOUNCE = {
  bounce: {
    bounceType: 'Permanent',
    bounceSubType: 'General',
    bouncedRecipients: [
      { emailAddress: 'somebody@example.org', status: '5.1.1', diagnosticCode: 'smtp; 550 no somebody' },
    ],
  },
};
