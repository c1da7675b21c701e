/** What the phones page has to know before it asks the simulator for anything. */
export interface PhonesPageOptions {
  /** The organisation's own numbers, E.164: phones can call them, and they are recognised on screens. */
  readonly organisationNumbers: readonly string[];
  /** Address of the service's start page, for the way back; null when the simulator runs alone. */
  readonly startPage: string | null;
}

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;
const KEY_NAMES: Readonly<Record<string, string>> = { '*': 'star', '#': 'hash' };

/** @returns the whole page; phones and calls are filled in by `assets/phones.js` */
export function renderPhonesPage(options: PhonesPageOptions): string {
  const { organisationNumbers, startPage } = options;
  const back = startPage === null ? '' : `<a href="${escapeHtml(startPage)}">Start page</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated phones</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/phones.css">
<script src="/assets/phones.js" defer></script>
</head>
<body data-organisation-numbers="${escapeHtml(JSON.stringify(organisationNumbers))}">
<header><div>
<h1>Simulated phones</h1>
<p>No real phone rings. Each card shows all that its phone sees and hears.</p>
<nav aria-label="Pages"><a href="/mailbox">Mailbox</a>${back}</nav>
</div></header>
<main>
<div class="forms">
<form id="add-form">
<label>Add a phone <input id="add-number" type="tel" autocomplete="off" placeholder="+1 415 555 0142" required></label>
<button>Add</button>
</form>
<form id="call-form" hidden>
<label>Call from <select id="call-from"></select></label>
<label>to <select id="call-to">${organisationNumbers.map(numberOption).join('')}</select></label>
<button>Call</button>
</form>
</div>
<details class="app" id="app">
<summary>Call from an app</summary>
<p>An app needs no number: it calls with a voice token of the service. Its phone appears below.</p>
<form id="app-form">
<label>Voice token <textarea id="app-token" rows="3" autocomplete="off" spellcheck="false" required></textarea></label>
<div>
<button type="button" class="quiet" id="app-fetch">Get a token</button>
<button>Call a mentor</button>
</div>
</form>
</details>
<p class="notice" id="problem" role="alert" hidden></p>
<p class="notice" id="connection" role="status">The simulator does not answer. This page tries again by itself.</p>
<p class="unseen" id="announcer" role="status"></p>
<noscript><p class="notice">This page needs JavaScript to show what the phones do.</p></noscript>
<section id="no-phones" hidden>
<h2>No phones yet</h2>
<p>A phone appears here as soon as somebody rings or texts it. To make one ring:</p>
<ol>
<li>Add a phone above, for example +1 415 555 0142.</li>
<li>Ask for a call to it${startPage === null ? ' through the API' : `, from the <a href="${escapeHtml(startPage)}">start page</a> or through the API`}.</li>
<li>Answer it here, and press the key it asks for.</li>
</ol>
</section>
<section aria-label="Phones"><div id="phones"></div></section>
<section id="ledger" hidden aria-labelledby="ledger-title">
<h2 id="ledger-title">Calls so far, newest first</h2>
<div class="table"><table>
<thead><tr><th scope="col">Time</th><th scope="col">Number shown</th><th scope="col">Rang at</th><th scope="col">Status</th><th scope="col">Connected</th></tr></thead>
<tbody id="ledger-rows"></tbody>
</table></div>
</section>
</main>
${PHONE_TEMPLATE}
</body>
</html>
`;
}

const PHONE_TEMPLATE = `<template id="phone-template">
<article class="phone" tabindex="-1">
<div class="owner">
<div><h3 data-part="name"></h3><p class="number" data-part="number"></p></div>
<span class="state" data-part="state"></span>
</div>
<div class="screen">
<div class="seen">
<p class="caller" data-part="caller"></p><p class="timer" data-part="timer"></p>
<p class="hint" data-part="hint"></p>
</div>
<div class="captions" data-part="captions" role="log" aria-live="polite" tabindex="0"></div>
<p class="pressed" data-part="pressed"></p>
</div>
<div class="keypad" role="group" aria-label="Keypad">${KEYS.map(keyButton).join('')}</div>
<div class="actions">
<button type="button" class="go" data-part="answer" hidden>Answer</button>
<button type="button" class="stop" data-part="decline" hidden>Decline</button>
<button type="button" class="stop" data-part="hang-up" hidden>Hang up</button>
</div>
<details class="texts" data-part="texts">
<summary data-part="texts-title">Texts</summary>
<div class="conversation" data-part="conversation" role="log" aria-live="polite" tabindex="0"></div>
<form class="write" data-part="write">
<label>To <select data-part="text-to"></select></label>
<label>Text <textarea data-part="text-body" rows="2" maxlength="1600" required></textarea></label>
<button>Send text</button>
</form>
</details>
</article>
</template>`;

function keyButton(key: string): string {
  return `<button type="button" data-key="${key}" aria-label="Key ${KEY_NAMES[key] ?? key}" disabled>${key}</button>`;
}

function numberOption(number: string): string {
  return `<option value="${escapeHtml(number)}">${escapeHtml(readable(number))}</option>`;
}

/** `+14155550100` → `+1 415 555 0100`, as the browser code writes it. */
function readable(number: string): string {
  return number.replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1 $1 $2 $3').replace(/^\+44(\d{4})(\d{6})$/, '+44 $1 $2');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
