import nodemailer from 'nodemailer';
import { composition, type MailProvider } from './mail';
import { ProviderError, type ProviderOperation } from './provider-error';

export interface SmtpOptions {
  /** `smtp://user:password@host:587` or `smtps://…`. */
  readonly url: string;
  /** One mail, from connecting to the server's last word, ms. */
  readonly timeoutMs: number;
  /** Refuses a server that does not offer TLS: the password and the mail would be readable on the way. */
  readonly requireTls: boolean;
}

const CONNECTIONS = 5;
/** "Try again later" of a mail server: long enough to be no knocking. */
const AGAIN_AFTER_MS = 30_000;

export function createSmtpMail({ url, timeoutMs, requireTls }: SmtpOptions): MailProvider {
  const transport = nodemailer.createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS,
    // It would send again after a lost connection, and nobody would know.
    maxRequeues: 0,
    requireTLS: requireTls && !url.startsWith('smtps:'),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    logger: false,
  });
  const carried = async <T>(operation: ProviderOperation, work: () => Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('deadline')), timeoutMs);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      throw translated(operation, error);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    send: (mail) =>
      carried('send-mail', async () => {
        await transport.sendMail(composition(mail));
        // Without its brackets, as SES names its own.
        return { id: mail.messageId.replace(/^<|>$/g, '') };
      }),
    probe: () =>
      carried('probe', async () => {
        await transport.verify();
      }),
    close: () => transport.close(),
  };
}

/** What the answer means. Its text is dropped: mail servers quote the address they refuse. */
function translated(operation: ProviderOperation, error: unknown): ProviderError {
  const read = (field: string): unknown => Reflect.get(Object(error), field);
  const code = read('responseCode');
  const none = { operation, status: null, requestId: null, retryAfterMs: null };
  const answered = typeof code === 'number' ? code : null;
  // Wrong credentials are ours to mend: the line waits for it, and no mail is lost.
  if (read('code') === 'EAUTH' || read('code') === 'ENOAUTH') {
    return new ProviderError({ ...none, code: answered, outcome: 'refused', class: 'stop-line' });
  }
  if (answered !== null && answered >= 400 && answered < 500) {
    const facts = { ...none, code: answered, retryAfterMs: AGAIN_AFTER_MS };
    return new ProviderError({ ...facts, outcome: 'rate-limited', class: 'retry' });
  }
  if (answered !== null && answered >= 500) {
    return new ProviderError({ ...none, code: answered, outcome: 'refused', class: 'permanent' });
  }
  // The address itself cannot be spoken in SMTP: nodemailer asks nobody then.
  if (read('code') === 'EENVELOPE') {
    return new ProviderError({ ...none, code: null, outcome: 'refused', class: 'permanent' });
  }
  const neverConnected =
    read('syscall') === 'connect' || read('code') === 'EDNS' || read('timeoutType') === 'CONNECT_TIMEOUT';
  return new ProviderError({
    ...none,
    code: null,
    outcome: neverConnected ? 'not-sent' : 'unknown',
    class: neverConnected ? 'retry' : 'unknown',
  });
}
