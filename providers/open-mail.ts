import type { Config } from '../config/config';
import type { MailProvider } from './mail';
import { createSesMail } from './mail-ses';
import { createSmtpMail } from './mail-smtp';

/** The carrier that is configured; null where there is none, and nobody can be written to. */
export function openMail(mail: Config['mail'], timeoutMs: number): MailProvider | null {
  if (mail === null) return null;
  return mail.carrier === 'ses'
    ? createSesMail({ ...mail.ses, timeoutMs })
    : createSmtpMail({ ...mail.smtp, timeoutMs });
}
