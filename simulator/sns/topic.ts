import { createSign, type KeyObject, randomUUID } from 'node:crypto';
import { selfSigned } from './self-signed';

/** The topic that the simulator has; the account is nobody's. */
export const SNS_TOPIC = 'arn:aws:sns:eu-west-1:000000000000:kindline-mail';

/** Where AWS has its certificates, too: a name with 32 hex digits. */
const CERTIFICATE_PATH = `/SimpleNotificationService-${'a1'.repeat(16)}.pem`;

/** What AWS SNS posts, field by field. */
export type SnsFields = Record<string, string>;

/**
 * The key of an SNS that is not AWS's: signs messages as docs.aws.amazon.com/sns says under "verifying the signatures".
 * Written apart from the service's own reading of that page: two that must agree.
 */
export class SnsTopic {
  private readonly key: KeyObject;
  /** PEM. */
  readonly certificate: string;
  readonly certificatePath = CERTIFICATE_PATH;

  /** @param days how long the certificate is in force; negative: it is over */
  constructor(days = 365) {
    const made = selfSigned('sns.amazonaws.com', days);
    this.key = made.key;
    this.certificate = made.certificate;
  }

  /**
   * @param origin where the certificate is served
   * @param fields what is not as usual; without `Type` a notification
   * @param after changed behind the signature's back
   */
  signed(origin: string, fields: SnsFields, after: SnsFields = {}): SnsFields {
    const all: SnsFields = {
      Type: 'Notification',
      MessageId: randomUUID(),
      TopicArn: SNS_TOPIC,
      Timestamp: new Date().toISOString(),
      SignatureVersion: '2',
      SigningCertURL: origin + CERTIFICATE_PATH,
      ...fields,
    };
    const names =
      all['Type'] === 'Notification'
        ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
        : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
    const text = names.filter((name) => all[name] !== undefined).map((name) => `${name}\n${all[name]}\n`);
    const algorithm = all['SignatureVersion'] === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
    const signature = createSign(algorithm).update(text.join('')).sign(this.key, 'base64');
    return { ...all, Signature: signature, ...after };
  }
}
