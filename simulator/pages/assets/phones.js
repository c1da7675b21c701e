/*
 * The phones page in the browser: draws each phone as GET /simulator/events describes it, and the list of calls as
 * GET /simulator/ledger answers it. It keeps nothing that a reload would lose.
 */
'use strict';

const grid = document.getElementById('phones');
const template = document.getElementById('phone-template');
const ledgerBody = document.getElementById('ledger-rows');
const announcer = document.getElementById('announcer');
const problem = document.getElementById('problem');
const organisationNumbers = JSON.parse(document.body.dataset.organisationNumbers);
const cards = new Map();
let handsets = [];
/** What was there before this page was is no news. */
let isFirstLook = true;

/* ---- Words ------------------------------------------------------------------------------------------------------- */

/** `+14155550142` → `+1 415 555 0142`: groups are easier to compare, by eye and by ear. */
function readable(number) {
  // An app has no number; the beginning of its name tells it from others.
  if (isApp(number)) return `app ${number.slice(7, 15)}`;
  return number
    .replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1 $1 $2 $3')
    .replace(/^\+44(\d{4})(\d{6})$/, '+44 $1 $2')
    .replace(/^\+(\d{2})(\d{3})(\d{3})(\d{3,4})$/, '+$1 $2 $3 $4');
}

function isApp(number) {
  return number.startsWith('client:');
}

/** Says whose number it is, as far as this page knows: the organisation's, or one of the phones shown. */
function ownerOf(number) {
  if (!/\d/.test(number)) return 'the service';
  if (organisationNumbers.includes(number)) return 'the organisation’s number';
  return handsets.some((handset) => handset.number === number) ? 'a private number' : 'not a number of ours';
}

function nameOf(handset) {
  if (handset.label) return handset.label;
  return handset.kind === 'helpline' ? 'Helpline' : 'Phone';
}

/** The call a phone is in; otherwise its last one. */
function callOf(handset) {
  return handset.calls.find((call) => call.state !== 'over') ?? handset.calls[0] ?? null;
}

const STATES = {
  idle: 'Idle',
  ringing: 'Ringing',
  calling: 'Calling',
  listening: 'In call',
  connected: 'Connected',
  ended: 'Ended',
};

function stateOf(call) {
  if (!call) return 'idle';
  if (call.state === 'over') return 'ended';
  if (call.state === 'ringing') return call.direction === 'incoming' ? 'ringing' : 'calling';
  return call.state === 'bridged' ? 'connected' : 'listening';
}

function hintFor(state, call) {
  switch (state) {
    case 'idle':
      return 'Nobody is calling.';
    case 'ringing':
      return `Incoming call from ${ownerOf(call.callerId)}`;
    case 'calling':
      return `Calling ${ownerOf(call.callerId)}`;
    case 'listening':
      return call.expectsKeys ? 'A key is expected now' : `In call with ${ownerOf(call.callerId)}`;
    case 'connected':
      return `${call.recorded ? 'Connected, and being recorded.' : 'Connected.'} All this phone sees is ${ownerOf(call.callerId)}.`;
    default:
      return call.answeredAt ? 'The call is over.' : 'The call was not answered.';
  }
}

function clock(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/* ---- Asking the simulator ---------------------------------------------------------------------------------------- */

async function send(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  });
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error ?? `The simulator answered ${answer.status}.`);
}

/** Runs what a button asks for; what goes wrong is shown, not thrown away. */
async function attempt(act) {
  try {
    await act();
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

/** Names the call too: the one that was on the screen when the button was pressed, not one that came a moment later. */
function act(number, action, body) {
  const sid = cards.get(number).call?.sid;
  return attempt(() => send(`/simulator/handsets/${encodeURIComponent(number)}/${action}`, { sid, ...body }));
}

/* ---- Phones ------------------------------------------------------------------------------------------------------ */

function addCard(handset) {
  const root = template.content.firstElementChild.cloneNode(true);
  const parts = Object.fromEntries([...root.querySelectorAll('[data-part]')].map((node) => [node.dataset.part, node]));
  const { number } = handset;
  root.dataset.number = number;
  const title = `phone-${number.replace(/\D/g, '')}`;
  parts.name.id = title;
  root.setAttribute('aria-labelledby', title);
  parts.captions.setAttribute('aria-label', `Words heard on ${readable(number)}`);
  for (const action of ['answer', 'decline', 'hang-up']) {
    parts[action].addEventListener('click', () => act(number, action));
  }
  const keys = [...root.querySelectorAll('[data-key]')];
  for (const key of keys) key.addEventListener('click', () => press(number, key.dataset.key));
  // With the focus anywhere in a phone, its keys can simply be typed; a text that is being written has its own.
  root.addEventListener('keydown', (event) => {
    if (
      event.target.closest('.texts') ||
      !/^[0-9*#]$/.test(event.key) ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    press(number, event.key);
  });
  parts.texts.hidden = isApp(number);
  parts.conversation.setAttribute('aria-label', `Texts of ${readable(number)}`);
  parts.write.addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt(async () => {
      const text = { to: parts['text-to'].value, body: parts['text-body'].value };
      await send(`/simulator/handsets/${encodeURIComponent(number)}/text`, text);
      parts['text-body'].value = '';
    });
  });
  const card = { root, parts, keys, call: null, state: null, shown: 0, texts: null };
  cards.set(number, card);
  grid.append(root);
  return card;
}

function press(number, digit) {
  const card = cards.get(number);
  if (card.state === 'listening' || card.state === 'connected') void act(number, 'press', { digits: digit });
}

function drawCard(card, handset) {
  const call = callOf(handset);
  const state = stateOf(call);
  const { parts, root } = card;
  write(parts.name, nameOf(handset));
  write(parts.number, readable(handset.number));
  write(parts.state, STATES[state]);
  write(parts.caller, call ? readable(call.callerId) : '');
  write(parts.hint, hintFor(state, call));
  root.dataset.state = state;
  root.dataset.kind = handset.kind;
  root.dataset.expectsKeys = String(Boolean(call && call.expectsKeys));
  drawCaptions(card, call);
  drawButtons(card, state);
  drawTexts(card, handset);
  if (state === 'ringing' && (card.state !== 'ringing' || card.call?.sid !== call.sid)) {
    announcer.textContent = `${nameOf(handset)} ${readable(handset.number)} is ringing. It shows ${readable(call.callerId)}.`;
  }
  card.call = call;
  card.state = state;
}

/** Only what is new is added, so that a screen reader says each sentence once. */
function drawCaptions(card, call) {
  const { captions, pressed } = card.parts;
  if (call?.sid !== card.call?.sid) {
    captions.replaceChildren();
    card.shown = 0;
  }
  const heard = call ? call.heard : [];
  for (const words of heard.slice(card.shown)) {
    const line = document.createElement('p');
    line.textContent = words;
    captions.append(line);
  }
  if (heard.length > card.shown) captions.scrollTop = captions.scrollHeight;
  card.shown = heard.length;
  captions.dataset.empty =
    call && call.answeredAt ? 'Nothing was said yet.' : 'What is said to this phone appears here.';
  const keys = call ? call.pressed : [];
  write(pressed, keys.length > 0 ? `Pressed: ${keys.join(' ')}` : '');
}

/** The conversation as a phone shows it: whose number stands above what it wrote, once for texts in a row. */
function drawTexts(card, handset) {
  const { texts, conversation } = card.parts;
  const known = card.texts ?? [];
  if (card.texts !== null && known.length === handset.texts.length && known.at(-1)?.at === handset.texts.at(-1)?.at)
    return;
  conversation.replaceChildren(
    ...handset.texts.flatMap((text, index) => {
      const before = handset.texts[index - 1];
      const repeats = before?.number === text.number && before.direction === text.direction;
      return repeats ? [bubble(text)] : [heading(text), bubble(text)];
    }),
  );
  const newest = handset.texts.at(-1);
  write(card.parts['texts-title'], handset.texts.length > 0 ? `Texts (${handset.texts.length})` : 'Texts');
  // A first text opens its conversation.
  if (newest && known.length === 0) texts.open = true;
  if (!isFirstLook && newest?.direction === 'incoming') {
    announcer.textContent = `${nameOf(handset)} ${readable(handset.number)} has a text from ${readable(newest.number)}.`;
  }
  card.texts = handset.texts;
  drawRecipients(card.parts['text-to'], handset);
  conversation.scrollTop = conversation.scrollHeight;
}

function heading(text) {
  const line = document.createElement('p');
  line.className = 'who';
  line.dataset.direction = text.direction;
  line.textContent = text.direction === 'incoming' ? readable(text.number) : `to ${readable(text.number)}`;
  return line;
}

function bubble(text) {
  const line = document.createElement('p');
  line.className = 'text';
  line.dataset.direction = text.direction;
  line.append(...withLinks(text.body));
  return line;
}

/** Links of a text can be followed, as on any phone; they learn nothing of this page. */
function withLinks(body) {
  return body.split(/(https?:\/\/[^\s<>"]+)/).map((part, index) => {
    if (index % 2 === 0) return part;
    const link = document.createElement('a');
    link.href = part;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    link.textContent = part;
    return link;
  });
}

/** The organisation's numbers, the one that wrote last first: that is whom somebody answers. */
function drawRecipients(select, handset) {
  const last = handset.texts.at(-1)?.number;
  const numbers = [...new Set([...(last ? [last] : []), ...organisationNumbers])];
  if ([...select.options].map((option) => option.value).join() === numbers.join()) return;
  select.replaceChildren(...numbers.map((number) => new Option(readable(number), number)));
}

function drawButtons(card, state) {
  const { answer, decline, 'hang-up': hangUp } = card.parts;
  const inCall = state === 'listening' || state === 'connected';
  const focused = document.activeElement;
  answer.hidden = state !== 'ringing';
  decline.hidden = state !== 'ringing';
  hangUp.hidden = !(inCall || state === 'calling');
  for (const key of card.keys) key.disabled = !inCall;
  // A button that disappears under the focus would send keyboard users back to the top of the page.
  if ([answer, decline, hangUp].includes(focused) && focused.hidden) {
    const next = [answer, hangUp].find((button) => !button.hidden);
    (next ?? card.root).focus();
  }
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function drawPhones() {
  const known = new Set(handsets.map((handset) => handset.number));
  for (const [number, card] of cards) {
    if (known.has(number)) continue;
    card.root.remove();
    cards.delete(number);
  }
  for (const handset of handsets) drawCard(cards.get(handset.number) ?? addCard(handset), handset);
  document.getElementById('no-phones').hidden = handsets.length > 0;
  document.getElementById('call-form').hidden = handsets.length === 0;
  const ringing = handsets.filter((handset) => stateOf(callOf(handset)) === 'ringing').length;
  document.title = ringing > 0 ? `(${ringing} ringing) Simulated phones` : 'Simulated phones';
  drawChoices();
  drawTimers();
}

function drawTimers() {
  for (const { call, parts } of cards.values()) {
    const began = call?.answeredAt;
    write(parts.timer, began ? clock(Date.parse(call.endedAt ?? new Date().toISOString()) - Date.parse(began)) : '');
  }
}

function drawChoices() {
  const select = document.getElementById('call-from');
  const wanted = handsets
    .filter((handset) => handset.kind === 'phone' && !isApp(handset.number))
    .map((handset) => handset.number);
  if ([...select.options].map((option) => option.value).join() === wanted.join()) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map((number) => new Option(readable(number), number)));
  if (wanted.includes(chosen)) select.value = chosen;
}

/* ---- Calls so far ------------------------------------------------------------------------------------------------ */

const STATUS_WORDS = { 'in-progress': 'in progress', 'no-answer': 'not answered', canceled: 'cancelled' };

function talkedFor(entry) {
  if (!entry.bridgedAt) return '–';
  return entry.endedAt ? clock(Date.parse(entry.endedAt) - Date.parse(entry.bridgedAt)) : 'now';
}

function drawLedger(entries) {
  const rows = entries.toSorted((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, 100);
  ledgerBody.replaceChildren(
    ...rows.map((entry) => {
      const row = document.createElement('tr');
      const time = document.createElement('time');
      time.dateTime = entry.createdAt;
      time.textContent = new Date(entry.createdAt).toLocaleTimeString('en-GB');
      const status = document.createElement('span');
      status.className = 'status';
      status.dataset.status = entry.status;
      status.textContent = STATUS_WORDS[entry.status] ?? entry.status;
      for (const [heading, content] of [
        ['Time', time],
        ['Number shown', readable(entry.from)],
        ['Rang at', readable(entry.to)],
        ['Status', status],
        ['Connected', talkedFor(entry)],
      ]) {
        const cell = document.createElement('td');
        cell.dataset.heading = heading;
        cell.append(content);
        row.append(cell);
      }
      return row;
    }),
  );
  document.getElementById('ledger').hidden = rows.length === 0;
}

/* ---- Staying up to date ------------------------------------------------------------------------------------------ */

let loading = false;
let again = false;

/** One question at a time; what changes meanwhile is asked for once more afterwards. */
async function loadLedger() {
  again = loading;
  if (loading) return;
  loading = true;
  try {
    drawLedger((await (await fetch('/simulator/ledger')).json()).ledger);
  } catch {
    // The event stream notices too, says so, and starts this anew when it is back.
  }
  loading = false;
  if (again) await loadLedger();
}

function show(phones) {
  handsets = phones;
  document.body.dataset.connection = 'up';
  drawPhones();
  isFirstLook = false;
  void loadLedger();
}

// The browser reconnects by itself, and is then told about every phone again.
const events = new EventSource('/simulator/events');
events.addEventListener('handsets', (event) => show(JSON.parse(event.data).handsets));
events.addEventListener('handset', (event) => {
  const changed = JSON.parse(event.data);
  const known = handsets.some((handset) => handset.number === changed.number);
  show(known ? handsets.map((each) => (each.number === changed.number ? changed : each)) : [...handsets, changed]);
});
events.addEventListener('error', () => {
  document.body.dataset.connection = 'down';
});
setInterval(drawTimers, 1000);

document.getElementById('add-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = document.getElementById('add-number');
  const number = field.value.replace(/[\s().-]/g, '');
  void attempt(async () => {
    if (!/^\+[1-9]\d{6,14}$/.test(number)) {
      field.focus();
      throw new Error('Write the number with + and the country code, such as +1 415 555 0142.');
    }
    await send('/simulator/handsets', { number });
    field.value = '';
  });
});

document.getElementById('call-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const from = document.getElementById('call-from').value;
  const to = document.getElementById('call-to').value;
  void attempt(() => send(`/simulator/handsets/${encodeURIComponent(from)}/call`, { to }));
});

/* ---- The app ------------------------------------------------------------------------------------------------------ */

const appToken = document.getElementById('app-token');

document.getElementById('app-fetch').addEventListener('click', () => {
  void attempt(async () => {
    const { token } = await send('/app/token');
    appToken.value = token;
  });
});

document.getElementById('app-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(() => send('/simulator/clients/call', { token: appToken.value.trim(), params: { To: 'mentor-queue' } }));
});
