/*
 * The mailbox page in the browser: lists the mails of GET /simulator/mailbox and shows one of them. A mail is somebody
 * else's text: it is only ever written as text, and its HTML is shown in a frame that can do nothing.
 */
'use strict';

const list = document.getElementById('mails');
const article = document.getElementById('mail');
let frame = document.getElementById('html');
let mails = [];
let shown = null;

/* ---- The list ---------------------------------------------------------------------------------------------------- */

function element(name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className !== undefined) node.className = className;
  return node;
}

function time(mail) {
  const node = element('time', new Date(mail.receivedAt).toLocaleTimeString('en-GB'));
  node.dateTime = mail.receivedAt;
  return node;
}

function drawList() {
  document.getElementById('no-mails').hidden = mails.length > 0;
  document.getElementById('mailbox').hidden = mails.length === 0;
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  list.replaceChildren(...mails.toReversed().map((mail) => known.get(mail.id) ?? itemOf(mail)));
  mark();
}

function itemOf(mail) {
  const item = element('li');
  item.dataset.id = mail.id;
  const button = element('button');
  button.type = 'button';
  button.append(
    element('span', mail.subject || '(no subject)', 'subject'),
    element('span', `to ${mail.envelope.to.join(', ')}`, 'to'),
    time(mail),
  );
  button.addEventListener('click', () => {
    show(mail);
    article.focus();
  });
  item.append(button);
  return item;
}

function mark() {
  for (const item of list.children) {
    item.firstElementChild.setAttribute('aria-pressed', String(item.dataset.id === shown?.id));
  }
}

/* ---- One mail ---------------------------------------------------------------------------------------------------- */

function show(mail) {
  shown = mail;
  article.hidden = false;
  document.getElementById('subject').textContent = mail.subject || '(no subject)';
  const facts = [
    ['From', mail.from],
    ['To', mail.to],
    ['Delivered to', mail.envelope.to.join(', ')],
    ['Received', new Date(mail.receivedAt).toLocaleString('en-GB')],
    ['Message-ID', mail.messageId || '(none)'],
    ...mail.attachments.map((each) => ['Attachment', `${each.filename ?? '(no name)'}, ${each.size} bytes`]),
  ];
  const rows = facts.flatMap(([name, value]) => [element('dt', name), element('dd', value)]);
  document.getElementById('facts').replaceChildren(...rows);
  drawLinks(mail);
  document.getElementById('html-section').hidden = mail.html === null;
  if (mail.html !== null) showHtml(mail);
  document.getElementById('text-section').hidden = mail.text === null;
  document.getElementById('text').textContent = mail.text ?? '';
  mark();
}

/**
 * In a frame of its own each time: one that goes from mail to mail has a history, and the browser's way back would show
 * one mail under the head of another, or nothing.
 */
function showHtml(mail) {
  const fresh = frame.cloneNode();
  fresh.src = `/mailbox/${encodeURIComponent(mail.id)}/html`;
  frame.replaceWith(fresh);
  frame = fresh;
}

/** Nothing can be followed inside the frame: links stand beside it, to be read before they are opened. */
function drawLinks(mail) {
  const inText = mail.text?.match(/https?:\/\/[^\s<>"]+/g) ?? [];
  // A parsed document is inert: no script of it runs and no picture is loaded.
  const parsed = new DOMParser().parseFromString(mail.html ?? '', 'text/html');
  const anchors = [...parsed.querySelectorAll('a[href]')];
  const inHtml = anchors.map((link) => link.getAttribute('href'));
  // As its button in the mail says.
  const words = new Map(anchors.map((link) => [link.getAttribute('href'), link.textContent.trim()]));
  // What a mail program makes its own button "unsubscribe" of.
  const header = mail.headers.find(({ name }) => name === 'list-unsubscribe')?.value ?? '';
  const toUnsubscribe = header.match(/https?:\/\/[^\s<>"]+/g) ?? [];
  const all = [...new Set([...inText, ...inHtml, ...toUnsubscribe])];
  const links = all.filter((url) => /^https?:\/\//i.test(url));
  const items = links.map((url) => {
    const link = element('a', url);
    link.href = url;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    const item = element('li');
    const said = words.get(url) ?? '';
    const what = toUnsubscribe.includes(url) ? 'to unsubscribe' : said === url ? '' : said;
    item.append(link, what === '' ? '' : ` (${what})`);
    return item;
  });
  document.getElementById('links').replaceChildren(...items);
  document.getElementById('links-section').hidden = items.length === 0;
}

/* ---- Staying up to date ------------------------------------------------------------------------------------------ */

async function load(announce) {
  try {
    mails = (await (await fetch('/simulator/mailbox')).json()).mails;
  } catch {
    // The event stream notices too, says so, and starts this anew when it is back.
    return;
  }
  document.body.dataset.connection = 'up';
  drawList();
  const newest = mails.at(-1);
  if (announce && newest) {
    document.getElementById('announcer').textContent = `A mail for ${newest.envelope.to.join(', ')}: ${newest.subject}`;
  }
  if (shown === null && newest) show(newest);
}

// The browser reconnects by itself, and everything is asked for again.
const events = new EventSource('/simulator/events');
events.addEventListener('handsets', () => void load(false));
events.addEventListener('mail', () => void load(true));
events.addEventListener('error', () => {
  document.body.dataset.connection = 'down';
});
