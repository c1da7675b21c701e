/** The parts that signed-in pages share; each gives markup in which every value is escaped. */
import { escapeHtml, type Page, renderPage } from './layout';

export interface NavLink {
  readonly href: string;
  readonly text: string;
}

export interface SignedInPage {
  readonly title: string;
  readonly nav: readonly NavLink[];
  /** The path of this page, as one of `nav` says it. */
  readonly here: string;
  readonly formToken: string;
  /** Markup, of the parts below. */
  readonly content: readonly string[];
  readonly privacyPolicyUrl: string | null;
  /** ISO 639-1; English when left out. */
  readonly language?: string;
  /** Of the frame, in another language than English. */
  readonly words?: { readonly signOut: string; readonly pages: string };
}

/** A page of somebody who is signed in: its name, where else they can go, the way out. It works without any script. */
export function renderSignedIn(parts: SignedInPage): Page {
  const { title, nav, here, formToken, content, privacyPolicyUrl, language = 'en' } = parts;
  const words = parts.words ?? { signOut: 'Sign out', pages: 'Pages' };
  const links = nav.map(({ href, text }) => {
    const current = href === here ? ' aria-current="page"' : '';
    return `<li><a href="${escapeHtml(href)}"${current}>${escapeHtml(text)}</a></li>`;
  });
  const body = `<header><div>
<h1>${escapeHtml(title)}</h1>
<nav aria-label="${escapeHtml(words.pages)}"><ul>
${links.join('\n')}
<li>${formButton({ action: '/sign-out', text: words.signOut, formToken, look: 'quiet' })}</li>
</ul></nav>
</div></header>
<main>
${content.join('\n')}
</main>`;
  return renderPage({
    title: `${title} – Kindline`,
    body,
    language,
    styles: ['components.css'],
    privacyPolicyUrl,
    postsToItself: true,
  });
}

export interface FormButton {
  readonly action: string;
  readonly text: string;
  /** What a screen reader says instead, where several buttons of a page have the same words. */
  readonly label?: string;
  readonly formToken: string;
  readonly look?: 'quiet' | 'stop';
  readonly fields?: Readonly<Record<string, string>>;
}

/** A button that does something: always a form, so that no link that is only followed changes anything. */
export function formButton({ action, text, label, formToken, look, fields = {} }: FormButton): string {
  const hidden = Object.entries({ formToken, ...fields }).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const spoken = label === undefined ? '' : ` aria-label="${escapeHtml(label)}"`;
  const style = look === undefined ? '' : ` class="${look}"`;
  return `<form method="post" action="${escapeHtml(action)}">${hidden.join('')}<button type="submit"${style}${spoken}>${escapeHtml(text)}</button></form>`;
}

/** @param content markup */
export function section(title: string, ...content: readonly string[]): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${content.join('\n')}\n</section>`;
}

/** Like {@link section}, on a card of its own: what the page is opened for. */
export function card(title: string, ...content: readonly string[]): string {
  return `<section class="card">\n<h2>${escapeHtml(title)}</h2>\n${content.join('\n')}\n</section>`;
}

/** @param rows markup of each; with none of them, what that means is said in words */
export function rowsOr(empty: string, rows: readonly string[]): string {
  if (rows.length === 0) return `<p class="empty">${escapeHtml(empty)}</p>`;
  return `<ul class="rows">\n${rows.map((row) => `<li>${row}</li>`).join('\n')}\n</ul>`;
}

export type Tone = 'plain' | 'good' | 'bad';

/** A state in a word; its colour says nothing that the word does not. */
export function badge(text: string, tone: Tone = 'plain'): string {
  return `<span class="badge${tone === 'plain' ? '' : ` ${tone}`}">${escapeHtml(text)}</span>`;
}

/** What has just happened, said as soon as the page is there. */
export function notice(text: string, tone: 'plain' | 'bad' = 'plain'): string {
  const role = tone === 'bad' ? 'alert' : 'status';
  return `<p class="notice${tone === 'bad' ? ' bad' : ''}" role="${role}">${escapeHtml(text)}</p>`;
}

export function paragraph(text: string, look?: 'soft' | 'state' | 'wide'): string {
  return `<p${look === undefined ? '' : ` class="${look}"`}>${escapeHtml(text)}</p>`;
}

/** The first words of a row. */
export function main(text: string): string {
  return `<span class="main">${escapeHtml(text)}</span>`;
}

export function soft(text: string): string {
  return `<span class="soft">${escapeHtml(text)}</span>`;
}

export function link({ href, text }: NavLink, label?: string): string {
  const spoken = label === undefined ? '' : ` aria-label="${escapeHtml(label)}"`;
  return `<a href="${escapeHtml(href)}"${spoken}>${escapeHtml(text)}</a>`;
}

/** Numbers at a glance. */
export function tiles(numbers: readonly (readonly [name: string, value: number])[]): string {
  const each = numbers.map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${value}</dd></div>`);
  return `<dl class="tiles">\n${each.join('\n')}\n</dl>`;
}

/** @param next where the next page is; null on the last one */
export function more(next: string | null, text: string): string {
  return next === null ? '' : `<p class="more">${link({ href: next, text })}</p>`;
}
