/** The page on which a user keeps their buddies: it works without any script, and at the width of a phone. */
import type { BuddyStatus, CheckInResponse, CheckInState, TellMeBy } from '../domain/buddies';
import { BUDDY_LANGUAGES, TELL_ME_BY } from '../domain/buddies';
import { type CircleDone, circleNotice, circleWords } from './circle-words';
import {
  badge,
  card,
  formButton,
  link,
  main,
  more,
  notice,
  paragraph,
  renderSignedIn,
  rowsOr,
  section,
  soft,
} from './components';
import { circleAlerts, type CircleAlert, hasLiveAlert } from './circle-alerts';
import { circleContact, type CircleContact } from './circle-contact';
import { form, select, textInput } from './forms';
import { escapeHtml, type Page } from './layout';
import type { LinkLanguage } from './link-page';
import { timeIn } from './times';

export interface CircleBuddy {
  readonly buddyId: string;
  readonly name: string;
  readonly relationship: string | null;
  readonly phone: string;
  readonly email: string;
  /** 1 is asked first. */
  readonly place: number;
  readonly status: BuddyStatus;
  readonly invitation: {
    readonly sent: number;
    readonly left: number;
    /** Null: now. */
    readonly nextAt: Date | null;
    readonly linkUntil: Date | null;
    /** When they asked for a new link, the newest having run out; null: they have not. */
    readonly renewalAskedAt: Date | null;
  };
  readonly canBeAsked: boolean;
  /** Null: now. */
  readonly nextCheckInAt: Date | null;
}

export interface CircleCheckIn {
  /** Null: of a buddy who was removed. */
  readonly buddyName: string | null;
  readonly isByUs: boolean;
  readonly at: Date;
  readonly state: CheckInState;
  readonly response: CheckInResponse | null;
  readonly note: string | null;
}

export interface CircleView {
  readonly language: LinkLanguage;
  /** IANA; all times of the page are in it. */
  readonly zone: string;
  /** Null until they have told their first name. */
  readonly profile: {
    readonly firstName: string;
    readonly language: LinkLanguage;
    readonly tellMeBy: TellMeBy;
    /** Null: they have not said. */
    readonly timeZone: string | null;
  } | null;
  readonly buddies: readonly CircleBuddy[];
  readonly most: number;
  readonly checkIns: readonly CircleCheckIn[];
  /** Where older ones are; null: nowhere. */
  readonly older: string | null;
  /** Who is asked when no buddy answers; null: nobody. */
  readonly contact: CircleContact | null;
  /** The newest of what the service began by itself. */
  readonly alerts: readonly CircleAlert[];
  readonly done: CircleDone | null;
  readonly formToken: string;
  readonly privacyPolicyUrl: string | null;
}

export function renderCircle(view: CircleView): Page {
  const words = circleWords(view.language);
  const said = view.done === null ? null : circleNotice(view.done, view.language);
  return renderSignedIn({
    ...frame(view),
    content: [
      said === null ? '' : notice(said.text, said.isBad ? 'bad' : 'plain'),
      paragraph(words.intro),
      ...(hasLiveAlert(view) ? [circleAlerts(view)] : []),
      // Whoever is new begins here; later it is what one rarely changes.
      ...(view.profile === null ? [profile(view)] : []),
      section(
        words.buddies,
        rowsOr(
          words.nobody,
          view.buddies.map((buddy) => buddyRow(view, buddy)),
        ),
      ),
      adding(view),
      section(
        words.answers,
        rowsOr(
          words.noAnswers,
          view.checkIns.map((checkIn) => checkInRow(view, checkIn)),
        ),
        more(view.older, words.more),
      ),
      ...(hasLiveAlert(view) ? [] : [circleAlerts(view)]),
      circleContact(view),
      paragraph(zoneNote(view), 'soft'),
      ...(view.profile === null ? [] : [profile(view)]),
    ],
  });
}

/** Somebody who is about to be taken off the page. */
export interface Removal {
  readonly name: string;
  readonly question: string;
  readonly why: string;
  /** Where the button leads to. */
  readonly action: string;
}

/** Asks once more: what is removed is gone. */
export function renderRemoval(
  view: Pick<CircleView, 'language' | 'formToken' | 'privacyPolicyUrl'>,
  { name, question, why, action }: Removal,
): Page {
  const words = circleWords(view.language);
  const { formToken } = view;
  return renderSignedIn({
    ...frame(view),
    content: [
      card(
        question,
        paragraph(name, 'state'),
        paragraph(why),
        formButton({ action, text: words.removeYes, formToken, look: 'stop' }),
        `<p>${link({ href: '/circle', text: words.back })}</p>`,
      ),
    ],
  });
}

function frame({
  language,
  formToken,
  privacyPolicyUrl,
}: Pick<CircleView, 'language' | 'formToken' | 'privacyPolicyUrl'>) {
  const words = circleWords(language);
  return {
    title: words.title,
    nav: [{ href: '/circle', text: words.title }],
    here: '/circle',
    language,
    words: { signOut: words.signOut, pages: words.pages },
    formToken,
    privacyPolicyUrl,
  };
}

function zoneNote({ language, zone }: CircleView): string {
  return language === 'es' ? `Las horas son de ${zone}.` : `Times are those of ${zone}.`;
}

function buddyRow(view: CircleView, buddy: CircleBuddy): string {
  const { language, formToken } = view;
  const words = circleWords(language);
  const path = `/circle/buddies/${buddy.buddyId}`;
  const button = (action: string, text: string, look?: 'quiet' | 'stop') =>
    formButton({
      action: `${path}/${action}`,
      text,
      label: `${text}: ${buddy.name}`,
      formToken,
      ...(look ? { look } : {}),
    });
  const isNew = buddy.status === 'pending' && buddy.invitation.sent === 0;
  // Of who is not asked any more nobody wants to know a place.
  const place = buddy.status === 'declined' || buddy.status === 'opted-out' ? [] : [`${words.place(buddy.place)}.`];
  const tone = buddy.status === 'verified' ? 'good' : buddy.status === 'pending' ? 'plain' : 'bad';
  return [
    `<h3>${escapeHtml(buddy.name)} ${badge(words.status[buddy.status], tone)}</h3>`,
    soft([buddy.relationship, buddy.phone, buddy.email].filter((part) => part !== null).join(' · ')),
    paragraph([words.statusMeans[isNew ? 'new' : buddy.status], ...place].join(' ')),
    ...invitation(view, buddy, button),
    ...asking(view, buddy, button),
    '<div class="actions">',
    buddy.place > 1 ? button('up', words.up, 'quiet') : '',
    buddy.place < view.buddies.length ? button('down', words.down, 'quiet') : '',
    link({ href: `${path}/remove`, text: words.remove }, `${words.remove}: ${buddy.name}`),
    '</div>',
  ].join('\n');
}

type Button = (action: string, text: string, look?: 'quiet' | 'stop') => string;

function invitation(
  { language, zone }: CircleView,
  { status, invitation: its }: CircleBuddy,
  button: Button,
): string[] {
  const words = circleWords(language);
  if (status !== 'pending' && status !== 'expired') return [];
  const until =
    status === 'pending' && its.linkUntil !== null
      ? [`<p class="soft">${escapeHtml(words.linkUntil)} ${timeIn(zone, its.linkUntil, language)}.</p>`]
      : [];
  if (its.renewalAskedAt !== null) {
    until.push(`<p>${escapeHtml(words.renewalAsked)} ${timeIn(zone, its.renewalAskedAt, language)}.</p>`);
  }
  if (its.left <= 0) return [...until, paragraph(words.usedUp, 'soft')];
  if (its.nextAt !== null) {
    return [
      ...until,
      `<p class="soft">${escapeHtml(`${words.resend}: ${words.notBefore.toLowerCase()}`)} ${timeIn(zone, its.nextAt, language)}.</p>`,
    ];
  }
  const isFirst = its.sent === 0;
  return [
    ...until,
    button('send', isFirst ? words.send : words.resend),
    ...(isFirst ? [] : [paragraph(words.left(its.left), 'soft')]),
  ];
}

function asking({ language, zone }: CircleView, buddy: CircleBuddy, button: Button): string[] {
  const words = circleWords(language);
  if (!buddy.canBeAsked) return [];
  if (buddy.nextCheckInAt === null) return [button('check-in', words.checkIn)];
  return [`<p class="soft">${escapeHtml(words.nextCheckIn)} ${timeIn(zone, buddy.nextCheckInAt, language)}.</p>`];
}

function checkInRow({ language, zone }: CircleView, checkIn: CircleCheckIn): string {
  const words = circleWords(language);
  const came = checkIn.response === null ? words.state[checkIn.state] : words.response[checkIn.response];
  const note = checkIn.note === null ? [] : [paragraph(`${words.noteSays}: “${checkIn.note}”`)];
  return [
    main(`${checkIn.buddyName ?? words.somebody}: ${came}`),
    `<span class="soft">${escapeHtml(checkIn.isByUs ? words.byUs : words.asked)}, ${timeIn(zone, checkIn.at, language)}</span>`,
    ...note,
  ].join('\n');
}

function profile({ language, profile: told, formToken }: CircleView): string {
  const words = circleWords(language);
  const spoken = told?.language ?? language;
  return card(
    words.aboutYou,
    paragraph(words.aboutYouWhy),
    form(
      '/circle/profile',
      formToken,
      textInput({
        name: 'firstName',
        label: words.firstName,
        value: told?.firstName ?? '',
        maxLength: 40,
        autocomplete: 'given-name',
      }),
      select(
        'language',
        words.language,
        BUDDY_LANGUAGES.map((value) => [value, words.languages[value], value === spoken] as const),
      ),
      select(
        'tellMeBy',
        words.tellMeBy,
        TELL_ME_BY.map((value) => [value, words.tellMe[value], value === (told?.tellMeBy ?? 'app')] as const),
      ),
      `<p class="hint">${escapeHtml(words.tellMeHint)}</p>`,
      select('timeZone', words.timeZone, zoneOptions(words.noZone, told?.timeZone ?? null)),
      `<button type="submit">${escapeHtml(words.save)}</button>`,
    ),
  );
}

/** One that was told otherwise, by an older name, is there too. */
function zoneOptions(none: string, chosen: string | null): (readonly [string, string, boolean])[] {
  const zones = new Set(['UTC', ...Intl.supportedValuesOf('timeZone'), ...(chosen === null ? [] : [chosen])]);
  return [['', none, chosen === null], ...[...zones].map((zone) => [zone, zone, zone === chosen] as const)];
}

function adding({ language, profile: told, buddies, most, formToken }: CircleView): string {
  const words = circleWords(language);
  if (told === null) return card(words.add, paragraph(words.first));
  if (buddies.length >= most) return card(words.add, paragraph(words.full));
  return card(
    words.add,
    paragraph(words.addWhy),
    form(
      '/circle/buddies',
      formToken,
      textInput({ name: 'name', label: words.name, maxLength: 100 }),
      textInput({
        name: 'relationship',
        label: `${words.relationship} (${words.optional})`,
        maxLength: 100,
        isOptional: true,
      }),
      textInput({ name: 'phoneNumber', label: words.phone, maxLength: 40, type: 'tel' }),
      textInput({ name: 'email', label: words.email, maxLength: 254, type: 'email' }),
      select(
        'language',
        words.language,
        BUDDY_LANGUAGES.map((value) => [value, words.languages[value], value === language] as const),
      ),
      `<button type="submit">${escapeHtml(words.addButton)}</button>`,
    ),
  );
}
