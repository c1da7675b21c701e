/** The words of a message, an e-mail or a call: said by the API while a phone asks, and by the worker when it sends. */
import { pinnedTemplate } from './templates';
import type { Vault } from './vault-records';
import type { Db } from './query';
import { buddyLanguage } from '../domain/buddies';
import { type AskingTimes, invitationTimes } from '../domain/invitation-times';
import type { MessageContent } from '../domain/message';
import { readWords } from '../domain/message-words';
import { addressesOf, type MessageLink, pageAddresses } from '../domain/message-links';
import { SealedValue } from '../domain/sealed';
import { countSegments } from '../domain/segments';
import { fill, type Filled, formOfText, languageFor, type TemplateBody } from '../domain/templates';
import { mailDocument, type MailLinks, mailText } from '../domain/mail-document';
import { messageLinkToken } from '../vault/link-tokens';
import type { ServiceKey } from '../vault/service-keys';

/** The links stand at the end of every e-mail: to `PRIVACY_POLICY_URL`, and to its own way of being the last one. */
export interface RenderParts extends MailLinks {
  readonly pool: Db;
  readonly vault: Pick<Vault, 'reveal'>;
  /** For words that show a link of their reader's own; null where they are only spoken, which no link survives. */
  readonly ownLinks: OwnLinks | null;
  /** For an invitation, which names them as they are configured when it leaves: whoever began it need not know of them. */
  readonly askingTimes?: AskingTimes;
}

export interface OwnLinks {
  /** The current service key `link`. */
  readonly linkKey: ServiceKey;
  /** `PUBLIC_BASE_URL`. */
  readonly publicBaseUrl: string;
}

/**
 * `text`: an SMS. `speech`: what a call says. `html`: the whole document of an e-mail, `mail-text` its plain
 * alternative, both with their links.
 */
export type RenderedForm = 'text' | 'speech' | 'html' | 'mail-text';

export interface Rendered {
  readonly value: SealedValue<'text'>;
  /** Of an e-mail, when the template has one. */
  readonly subject?: SealedValue<'text'>;
  /** As an SMS. */
  readonly segments: number;
  /** The language it came out in: the template may not have the one asked for. */
  readonly language: string;
}

/**
 * The words of a message, in the version it was begun with, whatever has become of the template since.
 *
 * @param language ISO 639-1; the template's nearest
 * @throws {RecordDestroyed} {SubjectErased} when what was to be said is gone
 * @throws {VariablesDoNotFit}
 */
export async function renderContent(
  { pool, vault, ownLinks, askingTimes, ...links }: RenderParts,
  content: MessageContent,
  language: string,
  form: RenderedForm,
): Promise<Rendered> {
  const { recordId, templateId, templateVersion } = content;
  const words = readWords(await vault.reveal({ recordId, purpose: 'send', actor: 'system' }));
  const template =
    templateId === null || templateVersion === null ? null : await pinnedTemplate(pool, templateId, templateVersion);
  const written = form === 'mail-text' ? 'text' : form;
  let filled: Filled;
  if ('text' in words) filled = { language, body: formOfText(words.text, language, written), subject: null };
  else if (template === null) throw new TypeError('A message with variables names a template');
  else {
    const chosen = languageFor(template, language);
    const values = {
      ...timesIn(template, askingTimes, chosen),
      ...words.variables,
      ...addresses(content.link, ownLinks),
      ...pagesIn(template, ownLinks),
    };
    filled = fill(template, chosen, values, form);
  }
  const body =
    form === 'html' ? mailDocument(filled, links) : form === 'mail-text' ? mailText(filled, links) : filled.body;
  return {
    value: SealedValue.of('text', body),
    ...(filled.subject === null ? {} : { subject: SealedValue.of('text', filled.subject) }),
    segments: form === 'text' ? countSegments(body).segments : 0,
    language: filled.language,
  };
}

/** Those that the template has: a version that was made before them names none. */
function timesIn({ variables }: TemplateBody, times: AskingTimes | undefined, language: string) {
  if (times === undefined) return {};
  const named = Object.entries(invitationTimes(times, buddyLanguage(language)));
  return Object.fromEntries(named.filter(([name]) => Object.hasOwn(variables, name)));
}

function pagesIn({ variables }: TemplateBody, own: OwnLinks | null): Readonly<Record<string, string>> {
  const pages = Object.entries(pageAddresses(own?.publicBaseUrl ?? NOWHERE));
  return Object.fromEntries(pages.filter(([name]) => variables[name]?.type === 'link'));
}

/** Spoken, it is "a link". */
const NOWHERE = 'https://example.invalid';

function addresses(link: MessageLink | undefined, own: OwnLinks | null): Readonly<Record<string, string>> {
  if (link === undefined) return {};
  if (own === null) return addressesOf(link.use, NOWHERE, '-');
  return addressesOf(link.use, own.publicBaseUrl, messageLinkToken(own.linkKey, link));
}
