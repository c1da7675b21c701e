/** On the page of a user's circle: what the service began by itself, each step of it, and what came of that. */
import type { CheckInResponse, CheckInState } from '../domain/buddies';
import type { EscalationParty } from '../domain/escalation-policy';
import {
  hasReached,
  type SkipReason,
  type StepState,
  type WellbeingEndReason,
  type WellbeingState,
} from '../domain/wellbeing-alert';
import type { TriggerReason } from '../domain/wellbeing-triggers';
import { OTHERS_HEAR, reasonInWords, stateInWords, stepInWords } from '../domain/wellbeing-words';
import { circleWords } from './circle-words';
import { formButton, main, paragraph, rowsOr, section } from './components';
import { escapeHtml } from './layout';
import type { LinkLanguage } from './link-page';
import { timeIn } from './times';

export interface CircleAlert {
  readonly alertId: string;
  /** Null once it was erased. */
  readonly reason: TriggerReason | null;
  readonly state: WellbeingState;
  readonly endReason: WellbeingEndReason | null;
  readonly dueAt: Date;
  /** Null while it goes on. */
  readonly endedAt: Date | null;
  readonly steps: readonly CircleStep[];
}

export interface CircleStep {
  readonly who: EscalationParty;
  readonly state: StepState;
  readonly skippedBecause: SkipReason | null;
  /** Of the contact. */
  readonly response: CheckInResponse | null;
  readonly buddies: readonly {
    /** Null: of a buddy who was removed. */
    readonly name: string | null;
    /** Null while the text is only being begun. */
    readonly state: CheckInState | null;
    readonly response: CheckInResponse | null;
  }[];
}

interface View {
  readonly language: LinkLanguage;
  readonly zone: string;
  readonly formToken: string;
  readonly alerts: readonly CircleAlert[];
}

const WORDS = {
  en: {
    title: 'When we asked by ourselves',
    none: 'That has not been needed. Should your results say that things are hard for you, we ask your buddies to get in touch, and each step stands here.',
    began: 'Begun',
    ended: 'ended',
    steps: 'The steps',
    several: 'More than one of them has been in touch. The first answer counted, and all of them were thanked.',
    endIt: 'I am well: end it',
  },
  es: {
    title: 'Cuando hemos preguntado nosotros',
    none: 'No ha hecho falta. Si sus resultados indican que lo está pasando mal, pedimos a sus personas de confianza que le contacten, y aquí verá cada paso.',
    began: 'Empezó',
    ended: 'terminó',
    steps: 'Los pasos',
    several: 'Le ha contactado más de una persona. Contó la primera respuesta, y se dio las gracias a todas.',
    endIt: 'Estoy bien: terminar',
  },
} as const;

/** Whether one goes on, which whoever opens the page wants to see first. */
export function hasLiveAlert({ alerts }: Pick<View, 'alerts'>): boolean {
  return alerts.some(({ endedAt }) => endedAt === null);
}

/** Markup. */
export function circleAlerts(view: View): string {
  const words = WORDS[view.language];
  return section(
    words.title,
    rowsOr(
      words.none,
      view.alerts.map((alert) => alertRow(view, alert)),
    ),
  );
}

function alertRow({ language, zone, formToken }: View, alert: CircleAlert): string {
  const words = WORDS[language];
  const { alertId, reason, dueAt, endedAt, steps } = alert;
  const end = endedAt === null ? '' : `, ${escapeHtml(words.ended)} ${timeIn(zone, endedAt, language)}`;
  return [
    `<h3>${escapeHtml(reasonInWords(reason, language))}</h3>`,
    `<span class="soft">${escapeHtml(words.began)} ${timeIn(zone, dueAt, language)}${end}</span>`,
    paragraph(stateInWords(alert, language), 'wide'),
    ...(reached(alert) > 1 ? [paragraph(words.several, 'wide')] : []),
    ...(endedAt === null
      ? [
          formButton({ action: `/circle/alerts/${alertId}/close`, text: words.endIt, formToken }),
          paragraph(OTHERS_HEAR[language], 'soft'),
        ]
      : []),
    ...(steps.length === 0
      ? []
      : [
          `<ol class="steps" aria-label="${escapeHtml(words.steps)}">`,
          ...steps.map((step) => stepRow(language, step)),
          '</ol>',
        ]),
  ].join('\n');
}

/** How many have been in touch. */
function reached({ steps }: CircleAlert): number {
  return steps
    .flatMap(({ buddies, response }) => [...buddies.map((buddy) => buddy.response), response])
    .filter((response) => response !== null && hasReached(response)).length;
}

function stepRow(language: LinkLanguage, step: CircleStep): string {
  const words = circleWords(language);
  const asked = step.buddies.map(({ name, state, response }) => {
    const came = response === null ? words.state[state ?? 'pending'] : words.response[response];
    return `<li>${escapeHtml(`${name ?? words.somebody}: ${came}`)}</li>`;
  });
  const answer = step.response === null ? [] : [`<li>${escapeHtml(words.response[step.response])}</li>`];
  const each = [...asked, ...answer];
  const list = each.length === 0 ? '' : `\n<ul>\n${each.join('\n')}\n</ul>`;
  return `<li>${main(stepInWords(step, language))}${list}</li>`;
}
