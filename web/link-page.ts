import { escapeHtml, type Page, renderPage } from './layout';
import type { Tone } from './components';

/** Languages of the pages behind links. */
export const LINK_LANGUAGES = ['en', 'es'] as const;
export type LinkLanguage = (typeof LINK_LANGUAGES)[number];

export interface LinkPage {
  readonly title: string;
  readonly language: LinkLanguage;
  /** Markup, of the parts below and of `components.ts`. */
  readonly content: readonly string[];
  readonly privacyPolicyUrl: string | null;
}

/**
 * A page that a link in a message leads to: readable on a phone and by a screen reader, without any script, and with
 * nothing on it that tells a bystander more than its words.
 */
export function renderLinkPage({ title, language, content, privacyPolicyUrl }: LinkPage): Page {
  const body = `<main>
<section class="card">
<h1>${escapeHtml(title)}</h1>
${content.join('\n')}
</section>
</main>`;
  return renderPage({ title, body, language, styles: ['components.css'], privacyPolicyUrl, postsToItself: true });
}

export interface LinkForm {
  /** Path and query; what the page itself has where it is left out. */
  readonly action?: string;
  /** Markup of what can be filled in. */
  readonly inputs?: readonly string[];
  readonly fields?: Readonly<Record<string, string>>;
  readonly button: string;
  readonly look?: 'quiet' | 'stop';
}

/** A button that does something: always a form that is posted, so that whatever follows links does nothing. */
export function linkForm({ action, inputs = [], fields = {}, button, look }: LinkForm): string {
  const hidden = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const where = action === undefined ? '' : ` action="${escapeHtml(action)}"`;
  const style = look === undefined ? '' : ` class="${look}"`;
  return `<form method="post"${where}>
${[...hidden, ...inputs].join('\n')}
<button type="submit"${style}>${escapeHtml(button)}</button>
</form>`;
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}

/** One of several, none of them chosen yet. */
export function choices(name: string, legend: string, options: readonly Choice[]): string {
  const each = options.map(
    ({ value, text }) =>
      `<label class="choice"><input type="radio" name="${escapeHtml(name)}" value="${escapeHtml(value)}" required> ${escapeHtml(text)}</label>`,
  );
  return `<fieldset>\n<legend>${escapeHtml(legend)}</legend>\n${each.join('\n')}\n</fieldset>`;
}

/** Words of their own, as long as they like up to a limit. */
export function textBox(name: string, label: string, maxLength: number): string {
  return `<label>${escapeHtml(label)}<textarea name="${escapeHtml(name)}" rows="4" maxlength="${maxLength}"></textarea></label>`;
}

/** What has just happened, or how things stand. */
export function standing(text: string, tone: Tone = 'plain'): string {
  return `<p class="notice${tone === 'plain' ? '' : ` ${tone}`}" role="status">${escapeHtml(text)}</p>`;
}
