/*
 * The start page in the browser: signs in at the local issuer, shows the token with a command to try, and asks for a
 * call and follows it. A token lives in this page's memory only: not in storage, not in an address.
 */
'use strict';

const { api, issuer, demoNumber } = JSON.parse(document.body.dataset.page);
const find = (id) => document.getElementById(id);
const problem = find('problem');

/** Thrown with a text for the person at the page, and with who else can help where the answer said so. */
class Refused extends Error {
  constructor(message, helplines) {
    super(message);
    this.helplines = helplines;
  }
}

async function attempt(act) {
  problem.hidden = true;
  try {
    await act();
  } catch (error) {
    const isRefused = error instanceof Refused;
    problem.textContent = isRefused
      ? error.message
      : 'The service does not answer. Is it still running? Then try again.';
    if (isRefused && error.helplines) problem.textContent += ` Who else can help: ${helpText(error.helplines)}`;
    problem.hidden = false;
  }
}

/** What a problem document says, in one line. */
function explain(told, status) {
  const hints = (told.errors ?? []).map((error) => error.detail);
  const sentences = [told.title, told.detail, ...hints].filter(Boolean).map((text) => text.replace(/\.?$/, '.'));
  return sentences.join(' ') || told.error_description || `The service answered ${status}.`;
}

async function ask(address, options) {
  const answer = await fetch(address, options);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(explain(told, answer.status), told.helplines);
  return told;
}

async function tokenFor(role) {
  const answer = await ask(`${issuer}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ role }),
  });
  return answer.access_token;
}

/* ---- Consent ----------------------------------------------------------------------------------------------------- */

let texts = [];
let told = [];

async function loadConsent() {
  texts = (await ask('/consent-texts/mentor-call')).texts;
  told = (await ask('/disclosures')).languages;
  showConsent();
}

function consentText() {
  const text = texts.find((each) => each.language === find('language').value) ?? texts[0];
  if (text === undefined) throw new Refused('There is no consent text to agree to.');
  return text;
}

/** Another language is another text: what was agreed to before is not agreed to in it. */
function showConsent() {
  const { text, language } = consentText();
  find('consent-text').textContent = text;
  find('consent-text').lang = language;
  find('consent').checked = false;
  const { disclosures } = told.find((each) => each.language === language);
  find('disclosure-list').lang = language;
  find('disclosure-list').replaceChildren(...disclosures.map((each) => itemOf(each.text)));
}

function itemOf(text) {
  const item = document.createElement('li');
  item.textContent = text;
  return item;
}

/* ---- Signing in -------------------------------------------------------------------------------------------------- */

function commandFor(method, path, token) {
  const lines = [
    `curl -sS ${method === 'GET' ? '' : `-X ${method} `}'${api}${path}'`,
    `-H 'authorization: Bearer ${token}'`,
  ];
  if (method === 'POST') {
    const { textVersion, language } = consentText();
    const body = { userPhoneNumber: demoNumber, consent: { textVersion, language } };
    lines.push(
      `-H 'idempotency-key: ${crypto.randomUUID()}'`,
      "-H 'content-type: application/json'",
      `-d '${JSON.stringify(body)}'`,
    );
  }
  return lines.join(' \\\n  ');
}

async function signIn(button) {
  const { role, method, path } = button.dataset;
  const token = await tokenFor(role);
  for (const each of document.querySelectorAll('[data-role]'))
    each.setAttribute('aria-pressed', String(each === button));
  find('token-title').textContent = `Signed in as ${role}`;
  find('token-text').value = token;
  find('command').hidden = path === undefined;
  if (path !== undefined) find('command-text').value = commandFor(method, path, token);
  find('token').hidden = false;
  find('token').focus();
}

for (const button of document.querySelectorAll('[data-role]')) {
  button.addEventListener('click', () => void attempt(() => signIn(button)));
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', () => {
    const field = find(button.dataset.copy);
    field.select();
    void attempt(async () => {
      await navigator.clipboard.writeText(field.value);
      button.textContent = 'Copied';
    });
  });
}

/* ---- A call ------------------------------------------------------------------------------------------------------ */

const WORDS = {
  starting: 'Your phone rings in a moment. Answer it and press 1.',
  'ringing-user': 'Your phone is ringing. Answer it and press 1.',
  'finding-mentor': 'A mentor is being rung.',
  connected: 'You are connected with a mentor.',
  helpline: 'You are being connected with a helpline.',
  completed: 'The call is over.',
  'no-answer': 'Nobody was reached.',
  'fallback-completed': 'The call with the helpline is over.',
  cancelled: 'The call was cancelled.',
  failed: 'The call could not be made.',
};
const LIVE = ['starting', 'ringing-user', 'finding-mentor', 'connected', 'helpline'];
const LOOK_EVERY_MS = 700;

let current = null;

function showStatus(call) {
  const words = WORDS[call.status] ?? call.status;
  if (find('call-now').textContent === words) return;
  find('call-now').textContent = words;
  addStep(`${new Date().toLocaleTimeString('en-GB')}: ${words}`);
}

async function follow(callId, token) {
  const options = { headers: { authorization: `Bearer ${token}` } };
  let call = { status: 'starting' };
  while (LIVE.includes(call.status)) {
    showStatus(call);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_EVERY_MS);
    });
    call = await ask(`/mentor-calls/${callId}`, options);
  }
  showStatus(call);
  if (call.helplines) addStep(`Who else can help: ${helpText(call.helplines)}`);
}

/** Whoever did not get to talk to a mentor is told who else is there. */
function helpText({ crisis, emergency, psi }) {
  return [crisis, psi, emergency]
    .filter((line) => line && line.number)
    .map((line) => `${line.operator}: ${line.number}`)
    .join('; ');
}

function addStep(text) {
  find('call-steps').append(itemOf(text));
}

async function connect() {
  const { textVersion, language } = consentText();
  const token = await tokenFor('user');
  const { callId } = await ask('/connect-mentor', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': crypto.randomUUID(),
    },
    body: JSON.stringify({
      userPhoneNumber: find('number').value,
      preferences: { languages: [language] },
      consent: { textVersion, language },
    }),
  });
  current = { callId, token };
  find('call-steps').replaceChildren();
  find('call-now').textContent = '';
  find('call').hidden = false;
  find('cancel-button').hidden = false;
  await follow(callId, token);
}

async function cancel() {
  await ask(`/mentor-calls/${current.callId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${current.token}` },
  });
}

find('language').addEventListener('change', showConsent);
find('cancel-button').addEventListener('click', () => void attempt(cancel));
find('connect').addEventListener('submit', (event) => {
  event.preventDefault();
  find('connect-button').disabled = true;
  void attempt(connect).finally(() => {
    find('connect-button').disabled = false;
    find('cancel-button').hidden = true;
  });
});

void attempt(loadConsent);
