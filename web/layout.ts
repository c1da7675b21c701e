import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page and the policy it must be sent with: without the policy's nonce its own style and script would not run. */
export interface Page {
  readonly html: string;
  /** Value of the `Content-Security-Policy` header. */
  readonly contentSecurityPolicy: string;
}

export interface PageParts {
  readonly title: string;
  /** Markup of the body; every value in it already went through `escapeHtml`. */
  readonly body: string;
  /** Names of files in `web/assets/`, after the shared style. */
  readonly styles?: readonly string[];
  readonly script?: string;
  /** Read by the script from `document.body.dataset.page`; JSON. */
  readonly data?: unknown;
  /** ISO 639-1; English when left out. */
  readonly language?: string;
  /** Whether a form of the page posts to the page's own address. */
  readonly postsToItself?: boolean;
  /** `PRIVACY_POLICY_URL`: at the end of every page. */
  readonly privacyPolicyUrl: string | null;
  /** Other origins the script asks; the page's own is always allowed. */
  readonly connectTo?: readonly string[];
}

/**
 * One self-contained page: no request to anybody for styles, fonts or code, and nothing inline runs without the nonce
 * of this very answer, so that markup smuggled into a text stays text.
 */
export function renderPage(parts: PageParts): Page {
  const nonce = randomBytes(16).toString('base64');
  const style = ['site.css', ...(parts.styles ?? [])].map(readAsset).join('\n');
  const data = parts.data === undefined ? '' : ` data-page="${escapeHtml(JSON.stringify(parts.data))}"`;
  const script = parts.script === undefined ? '' : `<script nonce="${nonce}">\n${readAsset(parts.script)}</script>`;
  const html = `<!doctype html>
<html lang="${escapeHtml(parts.language ?? 'en')}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(parts.title)}</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">
${style}</style>
</head>
<body${data}>
${parts.body}
${privacyLink(parts.privacyPolicyUrl, parts.language)}
${script}
</body>
</html>
`;
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    ["connect-src 'self'", ...(parts.connectTo ?? [])].join(' '),
    'img-src data:',
    "base-uri 'none'",
    parts.postsToItself === true ? "form-action 'self'" : "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, contentSecurityPolicy };
}

const PRIVACY: Readonly<Record<string, string>> = {
  en: 'How we handle your data',
  es: 'Cómo tratamos sus datos',
  fr: 'Comment nous traitons vos données',
  hi: 'हम आपका डेटा कैसे संभालते हैं',
};

/** What stands at the end of every page; nothing outside production, where there may be no policy yet. */
export function privacyLink(url: string | null, language = 'en'): string {
  if (url === null) return '';
  return `<footer><a href="${escapeHtml(url)}">${escapeHtml(PRIVACY[language] ?? PRIVACY['en'] ?? '')}</a></footer>`;
}

/** For text and for attribute values in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Styles and browser code lie beside this file; the build copies them beside the compiled one. */
export function assetFile(name: string): string {
  return join(__dirname, 'assets', name);
}

function readAsset(name: string): string {
  return readFileSync(assetFile(name), 'utf8');
}
