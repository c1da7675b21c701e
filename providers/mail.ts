/** E-mail behind one interface, whoever carries it: a mail server by SMTP, or SES by its API. */
import type { SealedValue } from '../domain/sealed';

export interface Mail {
  /** With angle brackets. The same for the same act, however often it is sent: readers' programs show it once. */
  readonly messageId: string;
  /** Ours: `name@domain` or `Name <name@domain>`. */
  readonly from: string;
  readonly to: SealedValue<'email'>;
  readonly subject: SealedValue;
  readonly text: SealedValue;
  readonly html: SealedValue;
  /** Where the reader asks for no further ones (RFC 8058, one click); null where nobody could mean that. */
  readonly unsubscribeUrl: string | null;
  /** Ids that a carrier gives back with what it tells of the mail later. */
  readonly tags: { readonly dispatch: string; readonly message: string };
}

export interface MailProvider {
  /**
   * Hands over one mail. Nothing below repeats it.
   * @returns what the carrier calls it: SES's id, or the Message-ID
   * @throws ProviderError of the operation `send-mail`; `unknown` when it may have been taken
   */
  send(mail: Mail): Promise<{ readonly id: string }>;
  /** @throws ProviderError of the operation `probe` when mail could not be handed over now */
  probe(): Promise<void>;
  close(): void;
}

/** Headers of every mail of ours beyond those of its content. */
export function headersOf(mail: Mail): Record<string, string> {
  return {
    // RFC 3834: holiday notes and other answering programs leave it alone.
    'Auto-Submitted': 'auto-generated',
    ...(mail.unsubscribeUrl === null
      ? {}
      : {
          'List-Unsubscribe': `<${mail.unsubscribeUrl}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        }),
  };
}

/** What both carriers make the same message from. Nothing of it is ever read from a file or an address. */
export function composition(mail: Mail) {
  return {
    messageId: mail.messageId,
    from: mail.from,
    // As an object: a name and an address in one text would be taken apart, and could become two.
    to: { name: '', address: mail.to.expose() },
    subject: mail.subject.expose(),
    text: mail.text.expose(),
    html: mail.html.expose(),
    headers: headersOf(mail),
    disableFileAccess: true,
    disableUrlAccess: true,
  } as const;
}
