import { escapeHtml, renderPage } from './layout';
import type { Page } from './layout';

/** A kind of problem, as the catalogue explains it. */
export interface ProblemEntry {
  readonly type: string;
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly hint: string;
}

/** What can go wrong and what helps, for whoever follows the `type` of an answer in a browser. */
export function renderProblems(problems: readonly ProblemEntry[], privacyPolicyUrl: string | null): Page {
  const body = `<header><div>
<h1>Problems</h1>
<p>What this API answers when something cannot be done. The code is stable; titles and hints may change.</p>
</div></header>
<main>
${problems.map(section).join('\n')}
${problems.length === 1 ? '<p><a href="/problems">All problems</a></p>' : ''}
</main>`;
  return renderPage({ title: 'Problems – Kindline', body, privacyPolicyUrl });
}

function section({ code, status, title, hint }: ProblemEntry): string {
  return `<section id="${escapeHtml(code)}">
<h2>${escapeHtml(title)}</h2>
<p>${escapeHtml(hint)}</p>
<p><a href="/problems/${escapeHtml(code)}"><code>${escapeHtml(code)}</code></a>, status ${status}</p>
</section>`;
}
