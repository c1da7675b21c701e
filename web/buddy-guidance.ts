/** What helps, for whoever an alert has asked: simple steps first, then whom to call. */
import type { Helpline, Helplines } from '../domain/helplines';
import { paragraph, section } from './components';
import { escapeHtml } from './layout';
import type { LinkLanguage } from './link-page';

const WORDS = {
  en: {
    why: 'We ask you because the last days may have been hard for {name}. Days: {days}. We do not know more, and nobody has to tell you more.',
    title: 'What helps',
    steps: [
      'Ask how they are, and listen. You need not solve anything.',
      'Stay in touch for a while, by call, by text or by visiting.',
      'If they speak of not wanting to live, ask about it directly and do not leave them alone.',
    ],
    emergency: 'If somebody is in danger',
    call: 'Call {number} at once, and stay with them until help is there.',
    lines: 'People who listen at any time, for them and for you:',
  },
  es: {
    why: 'Le preguntamos porque los últimos días pueden haber sido difíciles para {name}. Días: {days}. No sabemos más, y nadie tiene que contarle más.',
    title: 'Qué ayuda',
    steps: [
      'Pregunte cómo está y escuche. No tiene que resolver nada.',
      'Siga en contacto durante un tiempo, por llamada, por mensaje o con una visita.',
      'Si habla de no querer vivir, pregunte directamente por ello y no le deje a solas.',
    ],
    emergency: 'Si alguien está en peligro',
    call: 'Llame al {number} de inmediato y quédese a su lado hasta que llegue la ayuda.',
    lines: 'Personas que escuchan a cualquier hora, a esa persona y a usted:',
  },
} as const;

export interface Guidance {
  readonly language: LinkLanguage;
  /** The user's first name. */
  readonly userName: string;
  /** How many days the alert is about; null: it does not say. */
  readonly days: number | null;
  /** Of the reader's country. */
  readonly lines: Pick<Helplines, 'crisis' | 'second' | 'emergency'>;
}

/** Markup, to stand above a buddy's answers. */
export function renderGuidance({ language, userName, days, lines }: Guidance): string[] {
  const why = WORDS[language].why.replace('{name}', () => userName).replace('{days}', String(days ?? ''));
  return [...(days === null ? [] : [paragraph(why)]), ...whatHelps({ language, lines })];
}

/** Markup, the same for everybody of a country. */
export function whatHelps({ language, lines }: Pick<Guidance, 'language' | 'lines'>): string[] {
  const words = WORDS[language];
  const steps = words.steps.map((step) => `<li>${escapeHtml(step)}</li>`);
  return [section(words.title, `<ul>\n${steps.join('\n')}\n</ul>`), renderHelplines(language, lines)];
}

/** Whom to call; nobody is named. */
export function renderHelplines(language: LinkLanguage, lines: Guidance['lines']): string {
  const words = WORDS[language];
  const emergency = lines.emergency.number;
  const numbers = [lines.crisis, lines.second].filter((line) => line !== null).map(helpline);
  return section(
    words.emergency,
    ...(emergency === null ? [] : [paragraph(words.call.replace('{number}', emergency))]),
    paragraph(words.lines),
    `<ul>\n${numbers.join('\n')}\n</ul>`,
  );
}

function helpline({ operator, number, source }: Helpline): string {
  const name = escapeHtml(operator);
  if (number === null) return `<li><a href="${escapeHtml(source)}" rel="noreferrer">${name}</a></li>`;
  return `<li>${name}: <a href="tel:${escapeHtml(number)}">${escapeHtml(number)}</a></li>`;
}
