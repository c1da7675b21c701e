import { randomUUID } from 'node:crypto';
import PostalMime from 'postal-mime';
import type { MailView } from '../mail-types';

/** A simulator may run for days. */
const KEPT = 1_000;

/** Every mail that was handed over, newest last. Nothing is passed on to anybody. */
export class Mailbox {
  private readonly mails: MailView[] = [];
  private readonly watchers = new Set<(mail: MailView) => void>();

  /** @param raw the whole mail as it came over the wire */
  async receive(raw: Buffer, envelope: MailView['envelope']): Promise<MailView> {
    const parsed = await PostalMime.parse(raw);
    const mail: MailView = {
      id: randomUUID(),
      receivedAt: new Date().toISOString(),
      envelope,
      from: parsed.from ? written(parsed.from) : '',
      to: (parsed.to ?? []).map(written).join(', '),
      subject: parsed.subject ?? '',
      messageId: parsed.messageId ?? '',
      text: parsed.text ?? null,
      html: parsed.html ?? null,
      headers: parsed.headers.map(({ key, value }) => ({ name: key, value })),
      attachments: parsed.attachments.map(({ filename, mimeType, content }) => ({
        filename,
        mimeType,
        size: typeof content === 'string' ? content.length : content.byteLength,
      })),
    };
    this.mails.push(mail);
    if (this.mails.length > KEPT) this.mails.shift();
    for (const watcher of this.watchers) watcher(mail);
    return mail;
  }

  /** Oldest first. */
  list(): readonly MailView[] {
    return [...this.mails];
  }

  find(id: string): MailView | null {
    return this.mails.find((mail) => mail.id === id) ?? null;
  }

  /** Calls back with every mail that comes. @returns how to stop */
  watch(watcher: (mail: MailView) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  restore(mails: readonly MailView[]): void {
    this.mails.push(...mails);
  }

  clear(): void {
    this.mails.length = 0;
  }
}

function written(address: PostalMime.Address): string {
  if (address.group !== undefined) return address.name;
  return address.name === '' ? address.address : `${address.name} <${address.address}>`;
}
