/** The page on which a buddy answers: what a text about a check-in, or about an alert, leads to. */
import { CHECK_IN_RESPONSES, type CheckInResponse } from '../domain/buddies';
import { paragraph } from './components';
import { escapeHtml, type Page } from './layout';
import { choices, linkForm, type LinkLanguage, renderLinkPage, standing, textBox } from './link-page';

/** Characters of a buddy's note. */
export const LONGEST_NOTE = 500;

/** What a page is about: the user has asked, or an alert has. */
export type CheckInKind = 'user' | 'system';

/** What went wrong with what was pressed; nothing was changed. */
export type CheckInFault = 'no-answer' | 'note-too-long' | 'unknown-step' | 'not-taken';

export type CheckInPageState =
  /** Before the first button: what follows links sees no more than this. */
  | { readonly at: 'closed-letter' }
  | { readonly at: 'to-answer'; readonly fault: CheckInFault | null }
  | { readonly at: 'answered'; readonly response: CheckInResponse; readonly fault: CheckInFault | null };

export interface CheckInPage {
  readonly kind: CheckInKind;
  readonly language: LinkLanguage;
  readonly state: CheckInPageState;
  /** The user's first name. */
  readonly userName: string;
  /** Markup that stands above the answers: what helps, and whom to call. */
  readonly guidance: readonly string[];
  /** Where the buddy sees, and ends, what is held of them. */
  readonly rightsUrl: string;
  readonly privacyPolicyUrl: string | null;
}

const WORDS = {
  en: {
    letter: { user: 'A question about {}', system: 'A question about {}' },
    letterText: 'We have a message about {} for you. Press the button to read it.',
    open: 'Open',
    title: { user: '{} asks you to get in touch', system: '{} may be having a hard time' },
    what: 'Call or write to {} the way you always do. Then tell us here how it went. You are never responsible for what happens.',
    legend: 'How did it go?',
    answers: {
      called: 'I called',
      messaged: 'I wrote',
      'cannot-reach': 'I could not reach them',
      unavailable: 'I cannot get in touch now',
    },
    note: 'A note for {}, if you like (500 characters at most)',
    send: 'Send my answer',
    thanks: 'Thank you. You said: “{}”. This is what counts.',
    correct:
      'If that changes, you can correct it until the question closes. A new answer and its note take the place of those before.',
    change: 'Change my answer',
    faults: {
      'no-answer': 'Please choose one of the four answers. Nothing was sent.',
      'note-too-long': 'Your note is longer than 500 characters. Nothing was sent.',
      'unknown-step': 'We did not understand this. Nothing was sent.',
      'not-taken': 'This was not taken: an answer can be corrected five times. The one above counts.',
    },
    gone: {
      over: [
        'This question is closed',
        'The time for an answer is over. You can get in touch all the same, whenever you like.',
      ],
      'over-answered': [
        'This question is closed',
        'Thank you: we have your answer, and it cannot be changed any more.',
      ],
      ended: ['You are not asked about this any more', 'There is nothing left to do here.'],
      decided: [
        'This has come to its end',
        'Thank you for looking after them. This has been decided: an answer here changes nothing any more. You can get in touch all the same, whenever you like.',
      ],
      'too-late': [
        'This question is closed',
        'No answer is waited for here any more. If you can, please get in touch with them all the same, now.',
      ],
      counted: [
        'Your answer has counted',
        'Thank you. With your answer this has come to its end, and nobody else is asked. It cannot be changed any more.',
      ],
      unknown: ['This link opens nothing', 'Please use the whole link as it stands in the newest text.'],
    },
    stop: 'You do not want such texts? Reply STOP to the text.',
    rights: 'See, take along or delete what we hold about you',
  },
  es: {
    letter: { user: 'Una pregunta sobre {}', system: 'Una pregunta sobre {}' },
    letterText: 'Tenemos un mensaje sobre {} para usted. Pulse el botón para leerlo.',
    open: 'Abrir',
    title: { user: '{} le pide que se ponga en contacto', system: 'Quizá {} lo esté pasando mal' },
    what: 'Llame o escriba a {} como siempre. Después díganos aquí cómo ha ido. Usted nunca es responsable de lo que ocurra.',
    legend: '¿Cómo ha ido?',
    answers: {
      called: 'He llamado',
      messaged: 'He escrito',
      'cannot-reach': 'No he podido contactar',
      unavailable: 'Ahora no puedo ponerme en contacto',
    },
    note: 'Una nota para {}, si quiere (500 caracteres como máximo)',
    send: 'Enviar mi respuesta',
    thanks: 'Gracias. Ha dicho: «{}». Esto es lo que cuenta.',
    correct:
      'Si cambia algo, puede corregirlo hasta que se cierre la pregunta. La respuesta nueva y su nota sustituyen a las anteriores.',
    change: 'Cambiar mi respuesta',
    faults: {
      'no-answer': 'Elija una de las cuatro respuestas. No se ha enviado nada.',
      'note-too-long': 'Su nota tiene más de 500 caracteres. No se ha enviado nada.',
      'unknown-step': 'No hemos entendido esto. No se ha enviado nada.',
      'not-taken': 'Esto no se ha aceptado: una respuesta se puede corregir cinco veces. Cuenta la de arriba.',
    },
    gone: {
      over: [
        'Esta pregunta está cerrada',
        'El tiempo para responder ha terminado. Puede ponerse en contacto de todos modos, cuando quiera.',
      ],
      'over-answered': ['Esta pregunta está cerrada', 'Gracias: tenemos su respuesta, y ya no se puede cambiar.'],
      ended: ['Ya no se le pregunta por esto', 'Aquí no queda nada que hacer.'],
      decided: [
        'Esto ha terminado',
        'Gracias por estar pendiente. Esto ya está decidido: una respuesta aquí ya no cambia nada. Puede ponerse en contacto de todos modos, cuando quiera.',
      ],
      'too-late': [
        'Esta pregunta está cerrada',
        'Aquí ya no se espera ninguna respuesta. Si puede, póngase en contacto de todos modos, ahora.',
      ],
      counted: [
        'Su respuesta ha contado',
        'Gracias. Con su respuesta esto ha terminado, y no se pregunta a nadie más. Ya no se puede cambiar.',
      ],
      unknown: ['Este enlace no abre nada', 'Use el enlace entero, tal como está en el mensaje más reciente.'],
    },
    stop: '¿No quiere estos mensajes? Responda STOP al mensaje.',
    rights: 'Ver, llevarse o borrar lo que tenemos sobre usted',
  },
} as const;

export function renderCheckIn(page: CheckInPage): Page {
  const { kind, language, state, userName, privacyPolicyUrl } = page;
  const words = WORDS[language];
  const title = (state.at === 'closed-letter' ? words.letter : words.title)[kind];
  const content = [...contentOf(page), ...theirRights(language, page.rightsUrl)];
  return renderLinkPage({ title: named(title, userName), language, content, privacyPolicyUrl });
}

function contentOf(page: CheckInPage): string[] {
  const { language, state, userName, guidance } = page;
  const words = WORDS[language];
  if (state.at === 'closed-letter') {
    const open = linkForm({ fields: { step: 'open' }, button: words.open });
    return [paragraph(named(words.letterText, userName)), open];
  }
  const fault = state.fault === null ? [] : [standing(words.faults[state.fault], 'bad')];
  if (state.at === 'to-answer') {
    return [...fault, paragraph(named(words.what, userName)), ...guidance, answerForm(page, words.send)];
  }
  const thanks = named(words.thanks, words.answers[state.response]);
  return [standing(thanks, 'good'), ...fault, paragraph(words.correct), ...guidance, answerForm(page, words.change)];
}

function answerForm({ language, userName }: CheckInPage, button: string): string {
  const words = WORDS[language];
  const options = CHECK_IN_RESPONSES.map((value) => ({ value, text: words.answers[value] }));
  const inputs = [
    choices('response', words.legend, options),
    textBox('note', named(words.note, userName), LONGEST_NOTE),
  ];
  return linkForm({ fields: { step: 'answer' }, inputs, button });
}

/** Why there is nothing to do; without anybody's name. */
export type CheckInGone = keyof (typeof WORDS)['en']['gone'];

export interface CheckInGonePage {
  /** Null for a link that is nobody's. */
  readonly rightsUrl: string | null;
  readonly privacyPolicyUrl: string | null;
  /** Markup: whom to call all the same. */
  readonly help?: readonly string[];
}

export function renderCheckInGone(
  why: CheckInGone,
  language: LinkLanguage,
  { rightsUrl, privacyPolicyUrl, help = [] }: CheckInGonePage,
): Page {
  const [title, text] = WORDS[language].gone[why];
  const content = [paragraph(text), ...help, ...theirRights(language, rightsUrl)];
  return renderLinkPage({ title, language, content, privacyPolicyUrl });
}

/** On every page: how to get no more of it, and how to see and end what is held. */
function theirRights(language: LinkLanguage, rightsUrl: string | null): string[] {
  const { stop, rights } = WORDS[language];
  const link = rightsUrl === null ? [] : [`<p><a href="${escapeHtml(rightsUrl)}">${escapeHtml(rights)}</a></p>`];
  return [paragraph(stop, 'soft'), ...link];
}

function named(text: string, name: string): string {
  return text.replaceAll('{}', () => name);
}
