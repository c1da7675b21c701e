import { type Guidance, whatHelps } from './buddy-guidance';
import { paragraph } from './components';
import { escapeHtml, type Page } from './layout';
import { choices, linkForm, type LinkLanguage, renderLinkPage, standing } from './link-page';

const WORDS = {
  en: {
    title: 'You were named as a contact',
    gone: 'This link opens nothing any more',
    goneText: 'Nothing is held of you here under this link, and you are not asked.',
    what: 'Somebody has named you as a person we may ask by text to get in touch with them, when they may not be well and none of their friends has answered. It is no duty: you can refuse now or at any time, and are never responsible for what happens.',
    agreed: 'You have agreed. You can change your mind at any time.',
    refused: 'You have refused. We do not ask you, and the person sees that.',
    asked:
      'They may be having a hard time. Please call or write to them, as you always do. When somebody is in danger, call the emergency services first.',
    thanks: 'Thank you. We have noted it.',
    noted: 'Thank you. We have noted it. If you can get in touch after all, please do.',
    kept: 'Thank you. What you told us before is noted: here it cannot be changed any more.',
    over: 'Thank you. We do not wait for an answer from you any more: you need do nothing more here.',
    how: 'How did it go?',
    called: 'I have called',
    messaged: 'I have written',
    cannotReach: 'I could not reach them',
    unavailable: 'I cannot get in touch now',
    send: 'Send',
    agree: 'Agree',
    refuse: 'Refuse',
    see: 'See what is held of me',
    held: 'What we hold of you',
    name: 'Name',
    phone: 'Phone number',
    erase: 'Have everything erased',
    eraseSure: 'Your name and number are destroyed and cannot be brought back. You are not asked any more.',
    eraseYes: 'Yes, erase everything',
    erased: 'Everything we held of you here is erased.',
    keptForLaw: 'A legal hold keeps what we hold of you: it cannot be erased now. You are not asked any more.',
    data: 'We keep your name and number encrypted, use them for this only and give them to nobody but the companies that carry our messages. “STOP” as a reply to any of our texts ends all of them.',
  },
  es: {
    title: 'Le han nombrado como contacto',
    gone: 'Este enlace ya no abre nada',
    goneText: 'Con este enlace no guardamos nada de usted, y no se le avisa.',
    what: 'Alguien le ha nombrado como persona a la que podemos pedir por mensaje que se ponga en contacto, cuando quizá no esté bien y nadie de sus amistades haya respondido. No es una obligación: puede rechazarlo ahora o en cualquier momento, y nunca es responsable de lo que ocurra.',
    agreed: 'Ha aceptado. Puede cambiar de opinión en cualquier momento.',
    refused: 'Lo ha rechazado. No le avisaremos, y esa persona lo ve.',
    asked:
      'Quizá lo esté pasando mal. Por favor, llame o escriba como siempre. Si alguien está en peligro, llame primero a emergencias.',
    thanks: 'Gracias. Lo hemos anotado.',
    noted: 'Gracias. Lo hemos anotado. Si al final puede ponerse en contacto, por favor hágalo.',
    kept: 'Gracias. Lo que nos dijo antes está anotado: aquí ya no se puede cambiar.',
    over: 'Gracias. Ya no esperamos su respuesta: aquí no tiene que hacer nada más.',
    how: '¿Cómo fue?',
    called: 'He llamado',
    messaged: 'He escrito',
    cannotReach: 'No he podido contactar',
    unavailable: 'Ahora no puedo',
    send: 'Enviar',
    agree: 'Aceptar',
    refuse: 'Rechazar',
    see: 'Ver lo que se guarda de mí',
    held: 'Lo que guardamos de usted',
    name: 'Nombre',
    phone: 'Número de teléfono',
    erase: 'Borrarlo todo',
    eraseSure: 'Su nombre y su número se destruyen y no se pueden recuperar. No se le avisará más.',
    eraseYes: 'Sí, borrarlo todo',
    erased: 'Todo lo que guardábamos de usted aquí está borrado.',
    keptForLaw:
      'Una retención legal conserva lo que guardamos de usted: ahora no se puede borrar. No se le avisará más.',
    data: 'Guardamos su nombre y su número cifrados, los usamos solo para esto y no los damos a nadie, salvo a las empresas que transmiten nuestros mensajes. Responder «STOP» a cualquiera de nuestros mensajes los termina todos.',
  },
} as const;

export interface ContactPage {
  readonly language: LinkLanguage;
  readonly privacyPolicyUrl: string | null;
  /** How the contact stands to it. */
  readonly state: 'named' | 'agreed' | 'refused' | 'opted-out';
  /** Of their country. */
  readonly lines: Guidance['lines'];
  /** An alert asks them now. */
  readonly isAsked: boolean;
  /** What has just been done. */
  readonly news?: 'thanks' | 'noted' | 'kept' | 'over';
  /** Asked for by its button. */
  readonly held?: { readonly name: string; readonly phone: string };
  /** The button was pressed once: it is asked for once more. */
  readonly isErasing?: boolean;
}

/** What somebody who was named reads, says and can have done. Nothing on it names who named them. */
export function renderContact(page: ContactPage): Page {
  const { language, privacyPolicyUrl, lines, state, isAsked, news, held, isErasing = false } = page;
  const words = WORDS[language];
  const isRefused = state === 'refused';
  const content = [
    ...(news === undefined ? [] : [standing(words[news], 'good')]),
    ...(isAsked ? [paragraph(words.asked), ...whatHelps({ language, lines }), askedPart(language)] : []),
    paragraph(words.what),
    ...(state === 'agreed' ? [standing(words.agreed)] : []),
    ...(isRefused ? [standing(words.refused)] : []),
    ...(state === 'named' || state === 'opted-out' ? [linkForm({ fields: { do: 'agree' }, button: words.agree })] : []),
    ...(isRefused ? [] : [linkForm({ fields: { do: 'refuse' }, button: words.refuse, look: 'quiet' })]),
    ...(held === undefined
      ? [linkForm({ fields: { do: 'see' }, button: words.see, look: 'quiet' })]
      : [heldPart(language, held)]),
    ...(isErasing
      ? [
          standing(words.eraseSure, 'bad'),
          linkForm({ fields: { do: 'erase', sure: 'yes' }, button: words.eraseYes, look: 'stop' }),
        ]
      : [linkForm({ fields: { do: 'erase' }, button: words.erase, look: 'stop' })]),
    ...(isAsked ? [] : whatHelps({ language, lines })),
    paragraph(words.data, 'soft'),
  ];
  return renderLinkPage({ title: words.title, language, content, privacyPolicyUrl });
}

function askedPart(language: LinkLanguage): string {
  const words = WORDS[language];
  const options = [
    { value: 'called', text: words.called },
    { value: 'messaged', text: words.messaged },
    { value: 'cannot-reach', text: words.cannotReach },
    { value: 'unavailable', text: words.unavailable },
  ];
  const inputs = [choices('response', words.how, options)];
  return linkForm({ fields: { do: 'answer' }, inputs, button: words.send });
}

function heldPart(language: LinkLanguage, { name, phone }: { name: string; phone: string }): string {
  const words = WORDS[language];
  const row = (what: string, value: string) => `<dt>${escapeHtml(what)}</dt><dd>${escapeHtml(value)}</dd>`;
  return `<h2>${escapeHtml(words.held)}</h2>\n<dl>${row(words.name, name)}${row(words.phone, phone)}</dl>`;
}

/** Nothing is left that the link could open. */
export function renderContactGone(
  language: LinkLanguage,
  privacyPolicyUrl: string | null,
  why: 'gone' | 'erased' | 'keptForLaw',
): Page {
  const words = WORDS[language];
  const content = [why === 'gone' ? paragraph(words.goneText) : standing(words[why], 'good')];
  return renderLinkPage({ title: words.gone, language, content, privacyPolicyUrl });
}
