/** On the page of a user's circle: the one person who is asked when no buddy answers. */
import { BUDDY_LANGUAGES } from '../domain/buddies';
import { circleWords } from './circle-words';
import { badge, card, link, paragraph, type Tone } from './components';
import { form, select, textInput } from './forms';
import { escapeHtml } from './layout';
import type { LinkLanguage } from './link-page';
import { timeIn } from './times';

export interface CircleContact {
  /** Null when they have had it erased; so is the number. */
  readonly name: string | null;
  /** E.164. */
  readonly phone: string | null;
  readonly language: LinkLanguage;
  readonly state: 'named' | 'agreed' | 'refused' | 'opted-out';
  /** When the text that tells them was begun; null: not yet. */
  readonly toldAt: Date | null;
}

interface View {
  readonly language: LinkLanguage;
  readonly zone: string;
  readonly formToken: string;
  readonly contact: CircleContact | null;
  /** Null until they have told their first name, which the contact reads. */
  readonly profile: object | null;
}

const WORDS = {
  en: {
    title: 'Your contact',
    why: 'One person whom we ask when no buddy has answered. We tell them once, by text, that you have named them; they may refuse.',
    status: { named: 'Not answered', agreed: 'Agreed', refused: 'Refused', 'opted-out': 'Opted out' },
    means: {
      named: 'Has not said yes or no. Until they say no, we ask them when it is needed.',
      agreed: 'Has agreed to be asked.',
      refused: 'Does not want to be asked. You can name somebody else.',
      'opted-out': 'Gets no texts from us, and cannot be asked.',
    },
    toldAt: 'Told by text:',
    untold: 'The text that tells them is about to go out.',
    nameOne: 'Name this contact',
    save: 'Save',
    instead: 'Name somebody else',
    changeHint: 'With another number it is another person: what we hold of this one is deleted.',
    speaks: { en: 'Written to in English', es: 'Written to in Spanish' },
  },
  es: {
    title: 'Su contacto',
    why: 'Una persona a la que preguntamos cuando ninguna persona de confianza ha respondido. Le decimos una vez, por mensaje, que usted la ha nombrado; puede negarse.',
    status: { named: 'Sin respuesta', agreed: 'Ha aceptado', refused: 'Se ha negado', 'opted-out': 'Dada de baja' },
    means: {
      named: 'No ha dicho ni sí ni no. Mientras no diga que no, le preguntamos cuando haga falta.',
      agreed: 'Ha aceptado que se le pregunte.',
      refused: 'No quiere que se le pregunte. Puede nombrar a otra persona.',
      'opted-out': 'No recibe mensajes nuestros y no se le puede preguntar.',
    },
    toldAt: 'Avisada por mensaje:',
    untold: 'El mensaje que le avisa está a punto de salir.',
    nameOne: 'Nombrar este contacto',
    save: 'Guardar',
    instead: 'Nombrar a otra persona',
    changeHint: 'Con otro número es otra persona: se borra lo que guardamos de esta.',
    speaks: { en: 'Se le escribe en inglés', es: 'Se le escribe en español' },
  },
} as const;

/** Markup: who it is and how they stand to it, and the form that names or changes them. */
export function circleContact(view: View): string {
  const { language, contact } = view;
  const words = WORDS[language];
  const shown = contact === null ? [] : standing(view, contact);
  const form = view.profile === null ? paragraph(circleWords(language).first) : naming(view);
  return card(words.title, paragraph(words.why), ...shown, form);
}

function standing({ language, zone }: View, contact: CircleContact): string[] {
  const words = WORDS[language];
  const { name, phone, state, toldAt } = contact;
  const told =
    toldAt === null
      ? paragraph(words.untold, 'soft')
      : `<p class="soft">${escapeHtml(words.toldAt)} ${timeIn(zone, toldAt, language)}.</p>`;
  return [
    `<h3>${escapeHtml(name ?? circleWords(language).nameless)} ${badge(words.status[state], TONES[state])}</h3>`,
    paragraph([phone, words.speaks[contact.language]].filter((part) => part !== null).join(' · '), 'soft'),
    paragraph(words.means[state]),
    told,
    `<p>${link({ href: '/circle/contact/remove', text: circleWords(language).remove }, `${circleWords(language).remove}: ${name ?? circleWords(language).nameless}`)}</p>`,
  ];
}

const TONES: Readonly<Record<CircleContact['state'], Tone>> = {
  named: 'plain',
  agreed: 'good',
  refused: 'bad',
  'opted-out': 'bad',
};

function naming({ language, formToken, contact }: View): string {
  const words = WORDS[language];
  const shared = circleWords(language);
  // Whoever refused cannot be named again: the form is then for somebody else.
  const kept = contact === null || contact.state === 'refused' ? null : contact;
  const button = contact === null ? words.nameOne : kept === null ? words.instead : words.save;
  return form(
    '/circle/contact',
    formToken,
    textInput({ name: 'name', label: shared.name, value: kept?.name ?? '', maxLength: 80 }),
    textInput({ name: 'phoneNumber', label: shared.phone, value: kept?.phone ?? '', maxLength: 40, type: 'tel' }),
    select(
      'language',
      shared.language,
      BUDDY_LANGUAGES.map((value) => [value, shared.languages[value], value === (kept?.language ?? language)] as const),
    ),
    ...(kept === null ? [] : [`<p class="hint">${escapeHtml(words.changeHint)}</p>`]),
    `<button type="submit">${escapeHtml(button)}</button>`,
  );
}
