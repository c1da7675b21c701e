import { formButton } from './components';
import { escapeHtml, type Page, renderPage } from './layout';

export interface Message {
  readonly title: string;
  readonly text: string;
  /** Where to go from here, the likeliest first. */
  readonly links: readonly { readonly href: string; readonly text: string }[];
  /** Whoever asks for help can name it; null where nothing went wrong. */
  readonly requestId: string | null;
  /** Of the session, for the way out; left out where nobody is signed in. */
  readonly formToken?: string | null;
  readonly privacyPolicyUrl: string | null;
}

/** A page that says one thing: that something went wrong and what helps, or that something is done. */
export function renderMessage({ title, text, links, requestId, formToken = null, privacyPolicyUrl }: Message): Page {
  const signOut =
    formToken === null ? '' : formButton({ action: '/sign-out', text: 'Sign out', formToken, look: 'quiet' });
  const body = `<main>
<section class="card">
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${navigation(links)}
${signOut}
${requestId === null ? '' : `<p class="soft">Request ${escapeHtml(requestId)}</p>`}
</section>
</main>`;
  return renderPage({
    title: `${title} – Kindline`,
    body,
    styles: ['components.css'],
    privacyPolicyUrl,
    postsToItself: formToken !== null,
  });
}

function navigation(links: Message['links']): string {
  if (links.length === 0) return '';
  const each = links.map(({ href, text }) => `<li><a href="${escapeHtml(href)}">${escapeHtml(text)}</a></li>`);
  return `<nav aria-label="From here"><ul>\n${each.join('\n')}\n</ul></nav>`;
}
