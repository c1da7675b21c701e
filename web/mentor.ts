import {
  card,
  formButton,
  main,
  type NavLink,
  notice,
  paragraph,
  renderSignedIn,
  rowsOr,
  section,
  soft,
} from './components';
import { escapeHtml, type Page } from './layout';
import { clockIn, dayIn, lengthInWords, spanIn, timeIn } from './times';

interface Span {
  readonly starts: Date;
  readonly ends: Date;
}

/** What a mentor sees of themselves. Of the people they talked to it has nothing but when. */
export interface MentorView {
  readonly available: boolean;
  /** IANA; all times of the page are in it. */
  readonly zone: string;
  readonly now: Date;
  /** Of the next days, in order. */
  readonly shifts: readonly Span[];
  readonly rings: readonly {
    readonly rungAt: Date;
    readonly state: 'talked' | 'under-way' | 'missed';
    readonly seconds: number | null;
    readonly isNoted: boolean;
  }[];
  /** The last ring, if staff can still be told that it came at a bad time. */
  readonly canBeNoted: { readonly rungAt: Date } | null;
  readonly done: MentorDone | null;
  readonly formToken: string;
  readonly privacyPolicyUrl: string | null;
}

/** What was just done, as the address of the page says it. */
export const MENTOR_DONE = {
  on: 'You are switched on: you can be rung while you are on shift.',
  off: 'You are switched off: nobody rings you. A call you are in goes on.',
  noted: 'Noted. Staff will see that you were rung while busy.',
  'not-rung': 'You were not rung in the last 24 hours, so there is nothing to note.',
  joined: 'Welcome. From now on this page is yours whenever you sign in with this account.',
} as const;
export type MentorDone = keyof typeof MENTOR_DONE;

const NAV: readonly NavLink[] = [{ href: '/mentor', text: 'My page' }];

export function renderMentor(view: MentorView): Page {
  return renderSignedIn({
    title: 'My mentor page',
    nav: NAV,
    here: '/mentor',
    formToken: view.formToken,
    privacyPolicyUrl: view.privacyPolicyUrl,
    content: [
      ...(view.done === null ? [] : [notice(MENTOR_DONE[view.done])]),
      availability(view),
      lastRing(view),
      section(
        'Shifts of the next seven days',
        rowsOr(
          NO_SHIFTS,
          view.shifts.map((shift) => shiftRow(view, shift)),
        ),
        zoneNote(view),
      ),
      section(
        'Last calls',
        rowsOr(
          'No call yet. When you are rung, the time of it stands here.',
          view.rings.map((ring) => ringRow(view, ring)),
        ),
      ),
    ],
  });
}

const NO_SHIFTS = 'No shift in the next seven days. Staff enter your hours: ask them if this is wrong.';

function availability({ available, shifts, now, zone, formToken }: MentorView): string {
  const state = available ? 'You are switched on' : 'You are switched off';
  const current = shifts.find(({ starts, ends }) => starts <= now && now < ends);
  const next = shifts.find(({ starts }) => starts > now);
  const shift =
    current !== undefined && isAlways(now, current)
      ? 'You are on shift day and night.'
      : current !== undefined
        ? `You are on shift now, until ${untilWords(zone, current, now)}.`
        : next !== undefined
          ? `Your next shift begins on ${dayIn(zone, next.starts)} at ${clockIn(zone, next.starts)}.`
          : 'You have no shift in the next seven days.';
  const meaning = available
    ? 'You can be rung while you are on shift.'
    : 'Nobody rings you, whatever your shifts say, until you switch yourself on.';
  return card(
    'Can I be rung?',
    paragraph(state, 'state'),
    paragraph(`${meaning} ${shift}`),
    formButton({
      action: '/mentor/availability',
      text: available ? 'Switch me off' : 'Switch me on',
      formToken,
      fields: { available: available ? 'off' : 'on' },
      ...(available ? { look: 'stop' as const } : {}),
    }),
  );
}

/** Whether a shift has no end in the days that are shown. */
function isAlways(now: Date, { starts, ends }: Span): boolean {
  return starts <= now && ends.getTime() - now.getTime() >= 7 * 24 * 3_600_000;
}

function untilWords(zone: string, { ends }: Span, now: Date): string {
  const day = dayIn(zone, ends);
  return day === dayIn(zone, now) ? clockIn(zone, ends) : `${day}, ${clockIn(zone, ends)}`;
}

/** Always there, so that it is found where it was yesterday. */
function lastRing({ canBeNoted, rings, zone, formToken }: MentorView): string {
  const title = 'I was rung while busy';
  const last = rings[0];
  if (canBeNoted === null) {
    const why =
      last?.isNoted === true
        ? `Staff know that you were busy when you were rung on ${dayIn(zone, last.rungAt)} at ${clockIn(zone, last.rungAt)}.`
        : 'You were not rung in the last 24 hours.';
    return card(title, paragraph(why));
  }
  const { rungAt } = canBeNoted;
  return card(
    title,
    paragraph(
      `You were last rung on ${dayIn(zone, rungAt)} at ${clockIn(zone, rungAt)}. If it came at a bad time, tell staff: they look after the hours.`,
    ),
    formButton({
      action: '/mentor/rung-while-busy',
      text: 'I was rung while busy',
      formToken,
      look: 'quiet',
      fields: { rungAt: rungAt.toISOString() },
    }),
  );
}

function shiftRow({ zone, now }: MentorView, shift: Span): string {
  if (isAlways(now, shift)) return main('Day and night, all seven days');
  const isNow = shift.starts <= now && now < shift.ends;
  return `${main(spanIn(zone, shift))}${isNow ? soft('now') : ''}`;
}

function zoneNote({ zone }: MentorView): string {
  return paragraph(`Times are those of ${zone}.`, 'soft');
}

const RING_WORDS = { talked: 'you talked', 'under-way': 'under way', missed: 'not connected' } as const;

function ringRow({ zone }: MentorView, { rungAt, state, seconds, isNoted }: MentorView['rings'][number]): string {
  const words = seconds === null ? RING_WORDS[state] : `${RING_WORDS[state]} for ${lengthInWords(seconds)}`;
  return `<span class="main">${timeIn(zone, rungAt)}</span>${soft(words)}${isNoted ? soft('noted as busy') : ''}`;
}

export interface JoinView {
  readonly formToken: string;
  readonly privacyPolicyUrl: string | null;
  readonly problem: JoinProblem | null;
}

export const JOIN_PROBLEMS = {
  unknown:
    'This code does not count. It may be mistyped, older than seven days, or used already. Ask staff for a new one.',
  taken: 'This account already belongs to another mentor. Sign out, and sign in with your own.',
} as const;
export type JoinProblem = keyof typeof JOIN_PROBLEMS;

/** Where a mentor enters the code that staff have given them. */
export function renderJoin({ formToken, privacyPolicyUrl, problem }: JoinView): Page {
  const invalid = problem === 'unknown' ? ' aria-invalid="true"' : '';
  const described = problem === null ? 'code-hint' : 'code-problem code-hint';
  return renderSignedIn({
    title: 'Join as a mentor',
    nav: NAV,
    here: '/mentor/join',
    formToken,
    privacyPolicyUrl,
    content: [
      problem === null
        ? ''
        : `<p class="notice bad" role="alert" id="code-problem">${escapeHtml(JOIN_PROBLEMS[problem])}</p>`,
      card(
        'Your invitation',
        paragraph(
          'Enter the code that staff have given you. It links this account with what they have entered about you: your number, your hours.',
        ),
        `<form method="post" action="/mentor/join" class="line"><input type="hidden" name="formToken" value="${escapeHtml(formToken)}">
<label>Invitation code <span class="hint" id="code-hint">Twelve letters and digits, such as K7QM-2XPD-9WTF</span>
<input name="code" required autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40"${invalid} aria-describedby="${described}"></label>
<button type="submit">Join</button></form>`,
      ),
    ],
  });
}
