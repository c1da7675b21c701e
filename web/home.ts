import { escapeHtml, renderPage } from './layout';
import type { Page } from './layout';

export interface DemoRole {
  readonly role: 'user' | 'mentor' | 'staff' | 'admin' | 'service';
  /** What this person does here, in one sentence. */
  readonly about: string;
  /** A request that role may make, as the first thing to try; null when nothing is there for it yet. */
  readonly request: { readonly method: 'GET' | 'POST'; readonly path: string } | null;
}

export interface HomeOptions {
  readonly links: {
    /** Public address of this API, without a slash at the end. */
    readonly api: string;
    /** The simulated phones; null when calls go to the real Twilio. */
    readonly phones: string | null;
    readonly temporalUi: string | null;
    /** The server that decodes for the Web UI; null when none runs. */
    readonly codec: string | null;
  };
  /** The local issuer's address; null when people sign in elsewhere: then there are no buttons. */
  readonly issuer: string | null;
  /** `PRIVACY_POLICY_URL`. */
  readonly privacyPolicyUrl?: string | null;
  readonly demoRoles?: readonly DemoRole[];
  /** Filled into the form, E.164. */
  readonly demoNumber?: string;
}

export const DEMO_ROLES: readonly DemoRole[] = [
  {
    role: 'user',
    about: 'Asks for a mentor, follows the call, cancels it; names buddies.',
    request: { method: 'POST', path: '/connect-mentor' },
  },
  {
    role: 'mentor',
    about: 'Is rung when somebody asks. A mentor needs no token to answer: see the phones.',
    request: null,
  },
  {
    role: 'staff',
    about: 'Looks at calls, sends messages and alerts, and may ask for one mentor by name.',
    request: { method: 'GET', path: '/mentor-calls' },
  },
  {
    role: 'admin',
    about: 'Keeps mentors and their hours, templates, switches and the budget; sees what Twilio told.',
    request: { method: 'GET', path: '/mentors' },
  },
  { role: 'service', about: 'Another program of the organisation.', request: null },
];

/**
 * The page at `/` of the API on a developer's machine: what is running where, a way in as each kind of person, and a
 * call to try. Not for production: whoever opens it can be anybody.
 */
export function renderHome(options: HomeOptions): Page {
  const { links, issuer, demoRoles = DEMO_ROLES, demoNumber = '+14155550142' } = options;
  const body = `<header><div>
<h1>Kindline</h1>
<p>Masked calls, alerts and messages, end to end, on this machine. Nobody’s real number is needed.</p>
</div></header>
<main>
<h2>What is running</h2>
<ul class="links">
${link(links.phones, 'Simulated phones', 'Answer, press keys, hang up; see what each phone sees, and text back.')}
${link(links.phones === null ? null : `${links.phones}/mailbox`, 'Simulated mails', 'Every mail that was sent, as a mail program shows it.')}
${link(links.temporalUi, 'Temporal Web UI', 'Every call as a durable workflow, step by step.')}
${link(`${links.api}/docs`, 'API', 'Every request there is, to read and to try.')}
${link(links.codec === null ? null : `${links.codec}/health`, 'Codec server', 'Lets the Web UI show what is encrypted in Temporal.')}
${link(`${links.api}/circle`, 'My circle', 'A user’s buddies: named, asked by e-mail, and asked to get in touch; what alerts came to. Sign in as user.')}
${link(`${links.api}/mentor`, 'Mentor’s page', 'On and off, shifts, when they were rung; joined by an invitation code.')}
${link(`${links.api}/staff`, 'Staff page', 'Calls under way, who is on shift, what needs attention; admins invite mentors.')}
${link(`${links.api}/health`, 'Health', 'How each part is doing.')}
</ul>
${issuer === null ? SIGN_IN_ELSEWHERE : signIn(demoRoles)}
${issuer === null ? '' : callForm(demoNumber, links.phones)}
</main>`;
  return renderPage({
    title: 'Kindline',
    body,
    styles: ['home.css'],
    privacyPolicyUrl: options.privacyPolicyUrl ?? null,
    ...(issuer === null ? {} : { script: 'home.js' }),
    data: { api: links.api, issuer, demoNumber },
    connectTo: issuer === null ? [] : [new URL(issuer).origin],
  });
}

const SIGN_IN_ELSEWHERE = `<h2>Sign in</h2>
<p>Access tokens come from the configured OpenID issuer. Send one as <code>Authorization: Bearer …</code>.</p>`;

function link(address: string | null, name: string, about: string): string {
  if (address === null) return '';
  return `<li><a href="${escapeHtml(address)}">${escapeHtml(name)}</a><span>${escapeHtml(about)}</span></li>`;
}

function signIn(roles: readonly DemoRole[]): string {
  return `<h2 id="sign-in">Sign in as</h2>
<div class="roles" role="group" aria-labelledby="sign-in">
${roles.map(roleButton).join('\n')}
</div>
<section id="token" aria-labelledby="token-title" tabindex="-1" hidden>
<h3 id="token-title"></h3>
<p>The token is good for an hour. Keep it out of logs and addresses, as you would a real one.</p>
<label>Access token <textarea id="token-text" rows="3" readonly spellcheck="false"></textarea></label>
<button type="button" class="quiet" data-copy="token-text">Copy the token</button>
<div id="command">
<label>Try it <textarea id="command-text" rows="7" readonly spellcheck="false"></textarea></label>
<button type="button" class="quiet" data-copy="command-text">Copy the command</button>
</div>
</section>`;
}

function roleButton({ role, about, request }: DemoRole): string {
  const attributes = request === null ? '' : ` data-method="${request.method}" data-path="${escapeHtml(request.path)}"`;
  const id = `about-${role}`;
  return `<div><button type="button" data-role="${role}"${attributes} aria-describedby="${id}">${role}</button><p id="${id}">${escapeHtml(about)}</p></div>`;
}

/** Each in its own words, as whoever speaks it looks for it. */
const LANGUAGES = [
  ['en', 'English'],
  ['es', 'Español'],
  ['fr', 'Français'],
  ['hi', 'हिन्दी'],
] as const;

function callForm(demoNumber: string, phones: string | null): string {
  const where =
    phones === null ? 'Your phone rings.' : `Answer it at the <a href="${escapeHtml(phones)}">simulated phones</a>.`;
  return `<h2>Connect me with a mentor</h2>
<form id="connect">
<label>Phone to ring <input id="number" type="tel" autocomplete="off" value="${escapeHtml(demoNumber)}" required></label>
<label>Language <select id="language">${LANGUAGES.map(([code, name]) => `<option value="${code}" lang="${code}">${name}</option>`).join('')}</select></label>
<label class="consent"><input id="consent" type="checkbox" required><span id="consent-text">…</span></label>
<details id="disclosures"><summary>Good to know before you call</summary><ul id="disclosure-list"></ul></details>
<div class="buttons">
<button id="connect-button">Connect me</button>
<button type="button" class="stop" id="cancel-button" hidden>Cancel the call</button>
</div>
</form>
<section id="call" aria-labelledby="call-title" hidden>
<h3 id="call-title">Your call</h3>
<p>${where}</p>
<p id="call-now" role="status"></p>
<ol id="call-steps"></ol>
</section>
<p class="notice" id="problem" role="alert" hidden></p>`;
}
