import { escapeHtml, type Filled } from './templates';

const PRIVACY: Readonly<Record<string, string>> = {
  en: 'How we handle your data',
  es: 'Cómo tratamos sus datos',
};

/**
 * The HTML of an e-mail: our own few tags around words that are escaped already. No picture, style or script is
 * fetched from anywhere, so that nobody learns from it when it was read.
 */
export function mailDocument({ language, body, subject }: Filled, privacyPolicyUrl: string | null): string {
  const title = subject === null ? '' : `<title>${escapeHtml(subject)}</title>`;
  return [
    '<!doctype html>',
    `<html lang="${escapeHtml(language)}"><head><meta charset="utf-8">${title}</head><body>`,
    body,
    ...(privacyPolicyUrl === null
      ? []
      : [`<hr><p><a href="${escapeHtml(privacyPolicyUrl)}">${escapeHtml(privacyWords(language))}</a></p>`]),
    '</body></html>',
  ].join('\n');
}

/** The same as plain text, for readers of mail that show no HTML. */
export function mailText({ language, body }: Filled, privacyPolicyUrl: string | null): string {
  return privacyPolicyUrl === null ? body : `${body}\n\n--\n${privacyWords(language)}: ${privacyPolicyUrl}`;
}

function privacyWords(language: string): string {
  return PRIVACY[language] ?? 'How we handle your data';
}
