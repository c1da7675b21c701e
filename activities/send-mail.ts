import { keepUnsubscribeLink } from '../db/mail-links';
import { sendingGuard } from '../db/may-send';
import { SealedValue } from '../domain/sealed';
import type { MailProvider } from '../providers/mail';
import { ProviderError } from '../providers/provider-error';
import type { ServiceKey } from '../vault/service-keys';
import { linkHash, linkToken } from '../vault/link-tokens';
import type { ActivityDependencies } from './dependencies';
import { runDispatch } from './dispatch-run';
import { renderContent } from './render';
import type { SendText } from './send-text';

/** Arguments of `sendMail`: as for a text, but the sender is always `MAIL_FROM`. */
export type SendMail = Omit<SendText, 'sender' | 'urgency' | 'zone' | 'unreachedBy'>;

/** What e-mail needs beyond the rest. */
export interface MailParts {
  /** Null: none is configured, and the switch of the channel is off. */
  readonly provider: MailProvider | null;
  /** `MAIL_FROM`. */
  readonly from: string;
  /** The current service key `link`. */
  readonly linkKey: ServiceKey;
  /** Where readers reach `/unsubscribe`. */
  readonly publicBaseUrl: string;
}

/** Says nothing: a subject is read on locked screens, by whoever holds the phone. */
const NEUTRAL_SUBJECT: Readonly<Record<string, string>> = {
  en: 'A message for you',
  es: 'Un mensaje para usted',
  fr: 'Un message pour vous',
  hi: 'आपके लिए एक संदेश',
};

/**
 * Sends one e-mail; `runDispatch` says what is promised, needed and thrown. One whose outcome nobody can know is sent
 * again with the same Message-ID and the same link: mail programs show it once.
 *
 * @returns the carrier's id of it
 */
export function createSendMail(deps: ActivityDependencies) {
  return async ({ content, language, kind, subjectId, ...ids }: SendMail): Promise<{ sid: string }> => {
    const { messageId, messageClass, recipientToken } = ids;
    const { provider, from, linkKey, publicBaseUrl } = deps.mail;
    const act = {
      ...ids,
      sender: from,
      channel: 'email',
      callId: null,
      alertId: null,
      guard: sendingGuard({ subjectId, kind, channel: 'email', messageClass }),
    } as const;
    const unsubscribeUrl = async (): Promise<string | null> => {
      // Asked for by its reader a moment ago, or there would be none.
      if (kind === 'verification') return null;
      const token = linkToken(linkKey, 'unsubscribe', messageId);
      const hash = linkHash(token);
      if (hash === null) throw new TypeError('A link token of ours has its form');
      await keepUnsubscribeLink(deps.pool, hash, { messageId, recipientToken: Buffer.from(recipientToken, 'hex') });
      return `${publicBaseUrl}/unsubscribe/${token}`;
    };
    const write = async () => {
      const { pool, vault, privacyPolicyUrl } = deps;
      const own = { ownLinks: deps.mail, askingTimes: deps, unsubscribeUrl: await unsubscribeUrl() };
      const parts = { pool, vault, privacyPolicyUrl, ...own };
      const [text, html] = await Promise.all([
        renderContent(parts, content, language, 'mail-text'),
        renderContent(parts, content, language, 'html'),
      ]);
      return { text, html, unsubscribeUrl: parts.unsubscribeUrl };
    };
    let written: ReturnType<typeof write> | null = null;
    const words = () => (written ??= write());
    return await runDispatch(deps, act, {
      prepare: words,
      async send(to, sender, dispatchId) {
        if (provider === null) throw noCarrier();
        const { text, html, unsubscribeUrl: link } = await words();
        const { id } = await provider.send({
          messageId: messageIdOf(dispatchId, from),
          from: sender,
          to: SealedValue.of('email', to),
          subject: html.subject ?? SealedValue.of('text', NEUTRAL_SUBJECT[html.language] ?? 'A message for you'),
          text: text.value,
          html: html.value,
          unsubscribeUrl: link,
          tags: { dispatch: dispatchId, message: messageId },
        });
        return { sid: id };
      },
      list: null,
      undo: null,
      otherSender: () => null,
      revealPurpose: 'send',
    });
  };
}

/** From the act alone, so that every attempt has the same; the domain is the sender's, as mail filters expect. */
function messageIdOf(dispatchId: string, from: string): string {
  return `<${dispatchId}@${/@([\w.-]+)>?$/.exec(from)?.[1] ?? 'localhost'}>`;
}

function noCarrier(): ProviderError {
  const none = { status: null, code: null, requestId: null, retryAfterMs: null };
  return new ProviderError({ ...none, operation: 'send-mail', outcome: 'not-sent', class: 'retry' });
}
