import { escapeHtml, type Filled } from './templates';

/** What every e-mail leads to, where there is one. */
export interface MailLinks {
  readonly privacyPolicyUrl: string | null;
  /** The same as in its `List-Unsubscribe`, for whoever has a mail program without a button for that. */
  readonly unsubscribeUrl?: string | null;
}

const WORDS: Readonly<Record<string, { readonly privacy: string; readonly unsubscribe: string }>> = {
  en: { privacy: 'How we handle your data', unsubscribe: 'No more e-mail' },
  es: { privacy: 'Cómo tratamos sus datos', unsubscribe: 'No más correos' },
  fr: { privacy: 'Comment nous traitons vos données', unsubscribe: 'Plus de courriels' },
  hi: { privacy: 'हम आपका डेटा कैसे संभालते हैं', unsubscribe: 'अब और ई-मेल नहीं' },
};

/**
 * The HTML of an e-mail: our own few tags around words that are escaped already. No picture, style or script is
 * fetched from anywhere, so that nobody learns from it when it was read.
 */
export function mailDocument({ language, body, subject }: Filled, links: MailLinks): string {
  const title = subject === null ? '' : `<title>${escapeHtml(subject)}</title>`;
  const end = linesOf(language, links).map(
    ({ words, url }) => `<p><a href="${escapeHtml(url)}">${escapeHtml(words)}</a></p>`,
  );
  return [
    '<!doctype html>',
    `<html lang="${escapeHtml(language)}"><head><meta charset="utf-8">${title}</head><body>`,
    body,
    ...(end.length === 0 ? [] : [`<hr>${end.join('')}`]),
    '</body></html>',
  ].join('\n');
}

/** The same as plain text, for readers of mail that show no HTML. */
export function mailText({ language, body }: Filled, links: MailLinks): string {
  const end = linesOf(language, links).map(({ words, url }) => `${words}: ${url}`);
  return end.length === 0 ? body : `${body}\n\n--\n${end.join('\n')}`;
}

function linesOf(language: string, links: MailLinks): { words: string; url: string }[] {
  const words = WORDS[language] ?? WORDS['en'];
  return (['unsubscribe', 'privacy'] as const).flatMap((what) => {
    const url = what === 'privacy' ? links.privacyPolicyUrl : links.unsubscribeUrl;
    return url == null || words === undefined ? [] : [{ words: words[what], url }];
  });
}
