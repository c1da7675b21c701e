import type { EndReason, LiveStatus, Outcome } from '../domain/mentor-call';
import {
  badge,
  card,
  formButton,
  link,
  main,
  more,
  type NavLink,
  notice,
  paragraph,
  renderSignedIn,
  rowsOr,
  section,
  soft,
  tiles,
  type Tone,
} from './components';
import { escapeHtml, type Page } from './layout';
import { lengthInWords, spanIn, timeIn } from './times';

/** Also of the pages beside this file. */
export const STAFF_NAV: readonly NavLink[] = [
  { href: '/staff', text: 'Overview' },
  { href: '/staff/calls', text: 'Calls' },
  { href: '/staff/mentors', text: 'Mentors' },
  { href: '/staff/alerts', text: 'Wellbeing alerts' },
];

interface Shared {
  /** IANA; all times of the page are in it. */
  readonly zone: string;
  readonly formToken: string;
  readonly privacyPolicyUrl: string | null;
}

/** A call as staff see it: how it goes, and nobody's name or number. */
export interface CallLine {
  readonly requestedAt: Date;
  readonly status: LiveStatus | Outcome;
  readonly endReason: EndReason | null;
  readonly country: string;
  readonly language: string;
  readonly live: boolean;
  /** Of the conversation. */
  readonly seconds: number | null;
  /** Into the Temporal Web UI; null when none is configured. */
  readonly workflow: string | null;
}

/** What somebody should look at; `since` where it is known. */
export interface AttentionLine {
  readonly text: string;
  readonly since: Date | null;
  readonly tone: Tone;
  /** A page that says more of it. */
  readonly href?: string;
}

export interface AlertLine {
  readonly requestedAt: Date;
  readonly kind: string;
  readonly state: string;
  readonly live: boolean;
  readonly workflow: string | null;
}

export interface OverviewView extends Shared {
  /** Zones that can be chosen. */
  readonly zones: readonly string[];
  readonly now: { readonly onShift: number; readonly free: number; readonly live: number };
  readonly attention: readonly AttentionLine[];
  readonly live: readonly CallLine[];
  readonly recent: readonly CallLine[];
  readonly alerts: readonly AlertLine[];
  /** When in the next seven days nobody is on shift. */
  readonly gaps: readonly { readonly starts: Date; readonly ends: Date }[];
  readonly notes: readonly { readonly noteId: string; readonly name: string; readonly rungAt: Date }[];
}

/** How things stand, on one page, for whoever has the duty. */
export function renderOverview(view: OverviewView): Page {
  const { now, zone, formToken, privacyPolicyUrl } = view;
  return renderSignedIn({
    title: 'Staff',
    nav: STAFF_NAV,
    here: '/staff',
    formToken,
    privacyPolicyUrl,
    content: [
      tiles([
        ['mentors on shift', now.onShift],
        ['of them free', now.free],
        ['calls under way', now.live],
      ]),
      paragraph(`Times are those of ${zone}. Another zone can be chosen below.`, 'soft'),
      section(
        'Needs attention',
        rowsOr(
          'Nothing: every line is open, and somebody is on shift.',
          view.attention.map((one) => attentionRow(zone, one)),
        ),
      ),
      section(
        'Calls under way',
        rowsOr(
          'No call is under way.',
          view.live.map((call) => callRow(zone, call)),
        ),
      ),
      section(
        'Last calls',
        rowsOr(
          'No call yet.',
          view.recent.map((call) => callRow(zone, call)),
        ),
        `<p class="more">${link({ href: '/staff/calls', text: 'All calls' })}</p>`,
      ),
      section(
        'Rung while busy',
        rowsOr(
          'No mentor has told you of a ring at a bad time.',
          view.notes.map((note) => noteRow(view, note)),
        ),
      ),
      section(
        'Nobody on shift in the next seven days',
        rowsOr(
          'Somebody is on shift all the time.',
          view.gaps.map((gap) => main(spanIn(zone, gap))),
        ),
        paragraph('By the weekly hours of the mentors who are switched on.', 'soft'),
      ),
      section(
        'Last voice alerts',
        rowsOr(
          'No alert yet.',
          view.alerts.map((alert) => alertRow(zone, alert)),
        ),
      ),
      zoneForm(view),
    ],
  });
}

function attentionRow(zone: string, { text, since, tone, href }: AttentionLine): string {
  const seeMore = href === undefined ? '' : link({ href, text: 'Details' }, `Details: ${text}`);
  return `${badge(tone === 'bad' ? 'now' : 'note', tone)}${main(text)}${since === null ? '' : soft('since')}${since === null ? '' : timeIn(zone, since)}${seeMore}`;
}

const STATUS_WORDS: Readonly<Record<LiveStatus | Outcome, string>> = {
  starting: 'starting',
  'ringing-user': 'ringing the caller',
  'finding-mentor': 'looking for a mentor',
  waiting: 'waiting until a mentor is free',
  connected: 'connected',
  helpline: 'with the helpline',
  completed: 'completed',
  'no-answer': 'nobody answered',
  'fallback-completed': 'helpline reached',
  cancelled: 'cancelled',
  failed: 'failed',
  merged: 'second request of the same person',
};

/** What the status leaves open: two ends of one outcome are told apart by these. */
const REASON_WORDS: Readonly<Record<EndReason, string>> = {
  'bridge-over': 'the conversation is over',
  'ended-by-user': 'the caller ended the conversation',
  'cancelled-by-user': 'the caller cancelled before a mentor was there',
  'user-not-reached': 'the caller did not pick up or press 1',
  'waited-in-vain': 'no mentor became free in time',
  'user-hung-up': 'the caller hung up before a mentor was there',
  'helpline-over': 'the conversation with the helpline is over',
  'helpline-not-reached': 'the helpline was not reached',
  'fallback-static': 'Twilio played the static document',
  'provider-unavailable': 'no call could be placed in time',
  'provider-refused': 'Twilio refused the call',
  'too-many-requests': 'too many requests',
  merged: 'another call was under way',
  'stopped-by-operator': 'stopped from the Temporal Web UI',
  'record-destroyed': 'the number was erased before it was dialled',
};

/** Nobody was rung whom they waited for: that is not a caller who did not answer. */
function statusWords({ status, endReason }: CallLine): string {
  return endReason === 'waited-in-vain' ? 'waited in vain' : STATUS_WORDS[status];
}

function callRow(zone: string, call: CallLine): string {
  const tone = call.live ? 'good' : call.status === 'failed' ? 'bad' : 'plain';
  const detail = [
    `${call.country}, ${call.language}`,
    ...(call.endReason === null ? [] : [REASON_WORDS[call.endReason]]),
    ...(call.seconds === null ? [] : [lengthInWords(call.seconds)]),
  ];
  return `<span class="main">${timeIn(zone, call.requestedAt)}</span>${badge(statusWords(call), tone)}${soft(detail.join(' · '))}${workflowLink(call.workflow, 'call', call.requestedAt)}`;
}

function alertRow(zone: string, { requestedAt, kind, state, live, workflow }: AlertLine): string {
  return `<span class="main">${timeIn(zone, requestedAt)}</span>${badge(state.replaceAll('-', ' '), live ? 'good' : 'plain')}${soft(kind)}${workflowLink(workflow, 'alert', requestedAt)}`;
}

function workflowLink(href: string | null, what: string, at: Date): string {
  return href === null ? '' : link({ href, text: 'Workflow' }, `Workflow of the ${what} of ${at.toISOString()}`);
}

function noteRow({ zone, formToken }: Shared, { noteId, name, rungAt }: OverviewView['notes'][number]): string {
  const seen = formButton({
    action: `/staff/ring-notes/${noteId}/seen`,
    text: 'Seen',
    label: `Seen: ${name}`,
    formToken,
    look: 'quiet',
  });
  return `${main(name)}${soft('was rung')}${timeIn(zone, rungAt)}${seen}`;
}

/** A form that is sent by GET: what it chooses stands in the address. */
function zoneForm({ zone, zones }: OverviewView): string {
  const options = zones.map((one) => `<option${one === zone ? ' selected' : ''}>${escapeHtml(one)}</option>`);
  return section(
    'Times',
    `<form method="get" action="/staff" class="line"><label>Zone of all times on this page <select name="zone">${options.join('')}</select></label><button type="submit" class="quiet">Show</button></form>`,
  );
}

export interface CallsView extends Shared {
  readonly calls: readonly CallLine[];
  readonly next: string | null;
}

/** All calls, newest first, a page at a time. */
export function renderCalls({ zone, calls, next, formToken, privacyPolicyUrl }: CallsView): Page {
  return renderSignedIn({
    title: 'Calls',
    nav: STAFF_NAV,
    here: '/staff/calls',
    formToken,
    privacyPolicyUrl,
    content: [
      section(
        'Newest first',
        rowsOr(
          'No call here.',
          calls.map((call) => callRow(zone, call)),
        ),
        more(next, 'Older calls'),
      ),
      paragraph(`Times are those of ${zone}.`, 'soft'),
    ],
  });
}

export interface MentorLine {
  readonly mentorId: string;
  readonly name: string;
  readonly available: boolean;
  readonly onShift: boolean;
  readonly currentCalls: number;
  readonly maxConcurrentCalls: number;
  readonly languages: readonly string[];
  readonly zone: string;
  readonly account: 'joined' | 'invited' | 'none';
}

export interface MentorsView extends Shared {
  readonly mentors: readonly MentorLine[];
  readonly next: string | null;
  /** Only admins invite. */
  readonly mayInvite: boolean;
}

/** Who the mentors are and how they stand. Each look at a name leaves an audit entry. */
export function renderMentors(view: MentorsView): Page {
  const { mentors, next, formToken, privacyPolicyUrl } = view;
  return renderSignedIn({
    title: 'Mentors',
    nav: STAFF_NAV,
    here: '/staff/mentors',
    formToken,
    privacyPolicyUrl,
    content: [
      section(
        'Oldest first',
        rowsOr(
          'No mentor yet. Admins enter them with POST /mentors.',
          mentors.map((mentor) => mentorRow(view, mentor)),
        ),
        more(next, 'More mentors'),
      ),
      paragraph('That you have looked at these names is kept in the audit trail.', 'soft'),
    ],
  });
}

const ACCOUNT_WORDS = { joined: 'has joined', invited: 'invited', none: 'not invited' } as const;

function mentorRow({ formToken, mayInvite }: MentorsView, mentor: MentorLine): string {
  const { mentorId, name, available, onShift, currentCalls, maxConcurrentCalls, languages, zone, account } = mentor;
  const state = !available ? badge('switched off') : onShift ? badge('on shift', 'good') : badge('off shift');
  const detail = `${currentCalls} of ${maxConcurrentCalls} calls · ${languages.join(', ')} · ${zone} · ${ACCOUNT_WORDS[account]}`;
  const words = account === 'none' ? 'Invite' : 'Invite again';
  const invite = formButton({
    action: `/staff/mentors/${mentorId}/invitation`,
    text: words,
    label: `${words}: ${name}`,
    formToken,
    look: 'quiet',
  });
  return `${main(name)}${state}${soft(detail)}${mayInvite ? invite : ''}`;
}

export interface InvitationView extends Shared {
  readonly name: string;
  readonly code: string;
  readonly expiresAt: Date;
  /** Where the mentor enters it. */
  readonly joinUrl: string;
}

/** The code of an invitation, this once: it is stored nowhere. */
export function renderInvitation({
  name,
  code,
  expiresAt,
  joinUrl,
  zone,
  formToken,
  privacyPolicyUrl,
}: InvitationView): Page {
  return renderSignedIn({
    title: 'Invitation',
    nav: STAFF_NAV,
    here: '/staff/mentors',
    formToken,
    privacyPolicyUrl,
    content: [
      notice('This code is shown once. A code that was made earlier counts no more.'),
      card(
        `For ${name}`,
        `<p class="code">${escapeHtml(code)}</p>`,
        paragraph(`Give it to them, and nobody else. They sign in and enter it at ${joinUrl}.`),
        `<p>It counts until ${timeIn(zone, expiresAt)} (${escapeHtml(zone)}), and once.</p>`,
        `<p class="more">${link({ href: '/staff/mentors', text: 'Back to the mentors' })}</p>`,
      ),
    ],
  });
}
