import type { BuddyEvent, BuddyStatus, CheckInResponse } from '../domain/buddies';
import { RIGHTS_STEPS, RIGHTS_WORDS, type RightsNotice, type RightsStep, type RightsWords } from './buddy-rights-words';
import { main, paragraph, rowsOr, section, soft } from './components';
import { escapeHtml, type Page } from './layout';
import { linkForm, type LinkLanguage, renderLinkPage, standing } from './link-page';

/** What is held, as it is shown to the person it is about. Null: not held (any more), or for the other link to open. */
export interface ShownOfBuddy {
  /** What the link was sent to. */
  readonly proves: 'email' | 'phone';
  readonly name: string | null;
  readonly email: string | null;
  readonly phone: string | null;
  readonly relationship: string | null;
  readonly status: BuddyStatus;
  readonly namedAt: Date;
  readonly history: readonly { readonly event: BuddyEvent; readonly at: Date }[];
  readonly checkIns: readonly {
    readonly kind: 'user' | 'system';
    readonly requestedAt: Date;
    readonly response: CheckInResponse | null;
    readonly note: string | null;
  }[];
}

interface RightsPage {
  readonly language: LinkLanguage;
  readonly privacyPolicyUrl: string | null;
}

/** Every button, and what the last one has come to; what is held stands there only after it was asked for. */
export function renderRights(
  page: RightsPage & { readonly notice?: RightsNotice; readonly shown?: ShownOfBuddy },
): Page {
  const { language, notice, shown } = page;
  const words = RIGHTS_WORDS[language];
  const said = notice === undefined ? [] : [standing(words.notices[notice], toneOf(notice))];
  const steps = RIGHTS_STEPS.filter((step) => step !== 'see' || shown === undefined);
  return renderLinkPage({
    ...page,
    title: words.title,
    content: [
      ...said,
      paragraph(words.intro),
      ...(shown === undefined ? [] : held(words, shown, language)),
      ...steps.map((step) => button(words, step)),
    ],
  });
}

/** @param state `gone`: unknown, or erased some time ago */
export function renderRightsEnd(state: 'erased' | 'gone', page: RightsPage): Page {
  const [title, text] = RIGHTS_WORDS[page.language][state];
  return renderLinkPage({ ...page, title, content: [state === 'erased' ? standing(text, 'good') : paragraph(text)] });
}

function toneOf(notice: RightsNotice): 'good' | 'bad' {
  return notice === 'kept' || notice === 'not-known-any-more' ? 'bad' : 'good';
}

function button({ steps }: RightsWords, step: RightsStep): string {
  const { title, text, button: label } = steps[step];
  const look = step === 'erase' ? ({ look: 'stop' } as const) : step === 'see' ? {} : ({ look: 'quiet' } as const);
  return section(title, paragraph(text), linkForm({ fields: { step }, button: label, ...look }));
}

function held(words: RightsWords, shown: ShownOfBuddy, language: LinkLanguage): string[] {
  const { proves, name, email, phone, relationship, status, namedAt, history, checkIns } = shown;
  const facts = [
    [words.name, name],
    [words.email, email],
    [words.phone, phone],
    [words.relationship, relationship],
    [words.status, words.statuses[status]],
  ] as const;
  const rows = facts.flatMap(([what, value]) => (value === null ? [] : [`${soft(what)} ${main(value)}`]));
  const asked = checkIns.map(({ kind, requestedAt, response, note }) => {
    const answer = response === null ? words.noAnswer : words.responses[response];
    const noted = note === null ? '' : `<p>${escapeHtml(`${words.note}: ${note}`)}</p>`;
    return `${main(`${words.asked[kind]}: ${answer}`)} ${when(requestedAt, language)}${noted}`;
  });
  return [
    paragraph(words.otherLink[proves]),
    section(words.held, rowsOr(words.nothing, [...rows, `${soft(words.named)} ${when(namedAt, language)}`])),
    section(
      words.history,
      rowsOr(
        words.nothing,
        history.map(({ event, at }) => `${main(words.events[event])} ${when(at, language)}`),
      ),
    ),
    section(words.checkIns, rowsOr(words.nothing, asked)),
  ];
}

function when(at: Date, language: LinkLanguage): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return `<time class="soft" datetime="${at.toISOString()}">${escapeHtml(`${format.format(at)} UTC`)}</time>`;
}
