/** The mailbox page; mails are filled in by `assets/mailbox.js`. */
export function renderMailboxPage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated mailbox</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/phones.css">
<link rel="stylesheet" href="/assets/mailbox.css">
<script src="/assets/mailbox.js" defer></script>
</head>
<body>
<header><div>
<h1>Simulated mailbox</h1>
<p>No mail leaves this machine. Every mail to anybody is here.</p>
<nav aria-label="Pages"><a href="/">Phones</a></nav>
</div></header>
<main>
<p class="notice" id="connection" role="status">The simulator does not answer. This page tries again by itself.</p>
<p class="unseen" id="announcer" role="status"></p>
<noscript><p class="notice">This page needs JavaScript to show the mails.</p></noscript>
<p id="no-mails" hidden>No mails yet. One appears here as soon as the service sends it.</p>
<div class="mailbox" id="mailbox" hidden>
<section aria-labelledby="mails-title">
<h2 id="mails-title">Mails, newest first</h2>
<ol id="mails"></ol>
</section>
<article id="mail" aria-labelledby="subject" tabindex="-1" hidden>
<h2 id="subject"></h2>
<dl id="facts"></dl>
<section id="links-section" aria-labelledby="links-title" hidden>
<h3 id="links-title">Links in this mail</h3>
<ul id="links"></ul>
</section>
<section id="html-section" aria-labelledby="html-title" hidden>
<h3 id="html-title">As a mail program shows it</h3>
<iframe id="html" sandbox="" title="The mail as a mail program shows it"></iframe>
</section>
<section id="text-section" aria-labelledby="text-title" hidden>
<h3 id="text-title">As plain text</h3>
<pre id="text" tabindex="0"></pre>
</section>
</article>
</div>
</main>
</body>
</html>
`;
}
