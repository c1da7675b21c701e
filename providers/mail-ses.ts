import { GetAccountCommand, SendEmailCommand, SESv2Client } from '@aws-sdk/client-sesv2';
import nodemailer from 'nodemailer';
import { awsAnswer, awsTimeouts, isAwsUnavailable } from './aws';
import { composition, type MailProvider } from './mail';
import { ProviderError, type ProviderOperation } from './provider-error';

export interface SesOptions {
  readonly region: string;
  /** Null: AWS itself. */
  readonly endpoint: string | null;
  /** Its events reach `POST /mail-events`, with our tags; null: none, and nothing is heard of a mail again. */
  readonly configurationSet: string | null;
  /** One request, ms. */
  readonly timeoutMs: number;
}

const AGAIN_AFTER_MS = 1_000;
/** About the mail itself; everything else that SES refuses is about our account: the line waits until it is mended. */
const ABOUT_THE_MAIL = /^(?:MessageRejected|BadRequestException)$/;

/**
 * SES by its API. It puts a Message-ID of its own on every mail (docs.aws.amazon.com/ses, "header fields"), so a mail of
 * unknown outcome that is sent again is a second one to its reader: docs/mail.md says so.
 */
export function createSesMail({ region, endpoint, configurationSet, timeoutMs }: SesOptions): MailProvider {
  const sesClient = new SESv2Client({
    region,
    ...(endpoint === null ? {} : { endpoint }),
    // Its own repeats would be second mails.
    maxAttempts: 1,
    requestHandler: { ...awsTimeouts(timeoutMs), requestTimeout: timeoutMs },
  });
  const transport = nodemailer.createTransport({ SES: { sesClient, SendEmailCommand } });
  return {
    send: (mail) =>
      carried('send-mail', async () => {
        const EmailTags = Object.entries(mail.tags).map(([Name, Value]) => ({ Name, Value }));
        const ConfigurationSetName = configurationSet ?? undefined;
        const sent = await transport.sendMail({ ...composition(mail), ses: { EmailTags, ConfigurationSetName } });
        // A success without an id cannot be told from a lost answer.
        if (typeof sent.response !== 'string' || sent.response === '') throw new Error('no id');
        return { id: sent.response };
      }),
    probe: () =>
      carried('probe', async () => {
        await sesClient.send(new GetAccountCommand({}));
      }),
    close: () => sesClient.destroy(),
  };
}

async function carried<T>(operation: ProviderOperation, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(operation, error);
  }
}

/** What the answer means. Its text is dropped: SES quotes addresses. */
function translated(operation: ProviderOperation, error: unknown): ProviderError {
  const { class: name, status, requestId } = awsAnswer(error);
  const facts = { operation, status, code: status, requestId, retryAfterMs: null };
  if (status === null) {
    const code: unknown = Reflect.get(Object(error), 'code');
    const neverConnected = code === 'ECONNREFUSED' || code === 'ENOTFOUND' || name === 'CredentialsProviderError';
    return neverConnected
      ? new ProviderError({ ...facts, outcome: 'not-sent', class: 'retry' })
      : new ProviderError({ ...facts, outcome: 'unknown', class: 'unknown' });
  }
  if (status >= 400 && status < 500 && status !== 408) {
    if (ABOUT_THE_MAIL.test(name)) return new ProviderError({ ...facts, outcome: 'refused', class: 'permanent' });
    if (isAwsUnavailable(error)) {
      return new ProviderError({ ...facts, outcome: 'rate-limited', class: 'retry', retryAfterMs: AGAIN_AFTER_MS });
    }
    return new ProviderError({ ...facts, outcome: 'refused', class: 'stop-line' });
  }
  return new ProviderError({ ...facts, outcome: 'unknown', class: 'unknown' });
}
