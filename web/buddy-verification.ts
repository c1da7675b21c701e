import type { InvitationTimes } from '../domain/invitation-times';
import { link, paragraph } from './components';
import { escapeHtml, type Page } from './layout';
import { linkForm, type LinkLanguage, renderLinkPage, standing } from './link-page';

/** How a link to an invitation stands, for whoever opened it. */
export type InvitationStanding =
  | 'accepted'
  | 'declined'
  | 'withdrawn'
  | 'replaced'
  | 'unknown'
  | 'tampered'
  | 'renewal-asked'
  | 'asked-enough';

export interface PageFrame {
  readonly language: LinkLanguage;
  readonly privacyPolicyUrl: string | null;
}

export interface InvitationQuestion extends PageFrame {
  readonly action: 'accept' | 'decline';
  readonly token: string;
  /** First names. */
  readonly user: string;
  readonly buddy: string;
  /** Of the number that texts would go to. */
  readonly lastDigits: string;
  readonly times: InvitationTimes;
}

const WHERE = '/api/buddy/verify';

const WORDS = {
  en: {
    title: '{user} would like you to be their buddy',
    hello: 'Hi {buddy}, here is what it means.',
    points: [
      'Now and then you get a text message with a link, on your phone that ends in {digits}. You call or write to {user} the way you always do, and then say on a page how it went.',
      '{user} can ask you once in {askedEvery} at most. When {user} may be having a hard time we may ask you ourselves, once in {alertedEvery} at most. A text that you leave unanswered is followed by one reminder at most, after {remindedAfter}. Nothing else comes to a buddy from us, but for answers to what you text us.',
      'You need no app and no training, you are never responsible for what happens, and you are not an emergency service.',
      'You can end it at any time: reply STOP to any text, or use the link at the end of this page.',
    ],
    data: 'Your name, your e-mail address and your phone number are kept encrypted, used for this only, and given to nobody but the companies that carry our messages. If you do not answer, we delete them {keptFor} after the last link that we have sent you has run out. With your answer we keep when, and from which internet address and browser, it came.',
    accept: 'Yes, I will be a buddy',
    decline: 'No, I do not want to',
    toAccept: 'I have changed my mind: I would like to accept',
    toDecline: 'I would rather decline',
    rights: 'See or delete what is held about me',
    declineTitle: 'You can say no',
    declineText:
      '{user} is told that you do not want to be their buddy, and nothing else. They cannot ask you again, and no text is sent to you.',
    expiredTitle: 'This link has run out',
    expiredText: 'You can ask for a new one. Whoever asked you then hears that you did, and may send it.',
    renew: 'Ask for a new link',
    states: {
      accepted: [
        'You are a buddy now',
        'Thank you. The person who asked you has been told. There is nothing to do until you get a text message from us. You can end it at any time: reply STOP to any text, or use the link below.',
      ],
      declined: [
        'You have declined',
        'The person who asked you is told, and cannot ask you again. Nothing more comes from us.',
      ],
      withdrawn: [
        'Nothing more comes from us',
        'You are nobody’s buddy by this link, and it asks you nothing any more.',
      ],
      replaced: ['There is a newer link', 'We have sent you another e-mail since. Please use the links in that one.'],
      unknown: [
        'This link opens nothing',
        'It may have been cut off in your mail program, or what it asked has been taken back. You need not do anything.',
      ],
      tampered: [
        'This address was changed on its way',
        'Please open the link in the e-mail again, or copy the whole of it. Nothing was changed.',
      ],
      'renewal-asked': [
        'We have passed it on',
        'If you are still to be asked, a new e-mail comes. You need not do anything more.',
      ],
      'asked-enough': [
        'This link has run out',
        'No new one can be sent. If you would like to be a buddy, tell the person who asked you.',
      ],
    },
  },
  es: {
    title: '{user} quiere que usted sea su persona de confianza',
    hello: 'Hola, {buddy}. Esto es lo que significa.',
    points: [
      'De vez en cuando recibirá un mensaje de texto con un enlace, en su teléfono que termina en {digits}. Llama o escribe a {user} como siempre y después dice en una página cómo ha ido.',
      '{user} puede pedírselo como máximo una vez cada {askedEvery}. Cuando {user} quizá lo esté pasando mal podemos pedírselo nosotros, como máximo una vez cada {alertedEvery}. A un mensaje que deje sin respuesta le sigue como máximo un recordatorio, al cabo de {remindedAfter}. Como persona de confianza no le llegará nada más de nuestra parte, salvo respuestas a lo que usted nos escriba.',
      'No necesita ninguna aplicación ni formación, nunca es responsable de lo que ocurra y no es un servicio de emergencias.',
      'Puede dejarlo en cualquier momento: responda STOP a cualquier mensaje o use el enlace al final de esta página.',
    ],
    data: 'Su nombre, su dirección de correo y su número de teléfono se guardan cifrados, se usan solo para esto y no se dan a nadie, salvo a las empresas que transmiten nuestros mensajes. Si no responde, los borramos {keptFor} después de que caduque el último enlace que le hayamos enviado. Con su respuesta guardamos cuándo y desde qué dirección de internet y navegador llegó.',
    accept: 'Sí, seré su persona de confianza',
    decline: 'No, no quiero',
    toAccept: 'He cambiado de idea: quiero aceptar',
    toDecline: 'Prefiero rechazarlo',
    rights: 'Ver o borrar lo que se guarda sobre mí',
    declineTitle: 'Puede decir que no',
    declineText:
      'A {user} se le dice que usted no quiere ser su persona de confianza, y nada más. No puede volver a preguntarle y no se le envía ningún mensaje.',
    expiredTitle: 'Este enlace ha caducado',
    expiredText: 'Puede pedir uno nuevo. Quien le preguntó sabrá que lo ha pedido y podrá enviarlo.',
    renew: 'Pedir un enlace nuevo',
    states: {
      accepted: [
        'Ya es persona de confianza',
        'Gracias. Quien le preguntó ya lo sabe. No tiene que hacer nada hasta que reciba un mensaje nuestro. Puede dejarlo en cualquier momento: responda STOP a cualquier mensaje o use el enlace de abajo.',
      ],
      declined: [
        'Lo ha rechazado',
        'Quien le preguntó lo sabrá y no podrá volver a preguntarle. No le llegará nada más de nuestra parte.',
      ],
      withdrawn: [
        'No le llegará nada más',
        'Con este enlace no es persona de confianza de nadie y ya no se le pregunta nada.',
      ],
      replaced: [
        'Hay un enlace más reciente',
        'Le hemos enviado otro correo después. Por favor, use los enlaces de ese correo.',
      ],
      unknown: [
        'Este enlace no abre nada',
        'Puede que su programa de correo lo haya cortado o que la pregunta se haya retirado. No tiene que hacer nada.',
      ],
      tampered: [
        'Esta dirección ha cambiado por el camino',
        'Por favor, abra de nuevo el enlace del correo o cópielo entero. No se ha cambiado nada.',
      ],
      'renewal-asked': [
        'Lo hemos transmitido',
        'Si todavía se le quiere preguntar, le llegará un correo nuevo. No tiene que hacer nada más.',
      ],
      'asked-enough': [
        'Este enlace ha caducado',
        'No se puede enviar otro. Si quiere ser persona de confianza, dígaselo a quien le preguntó.',
      ],
    },
  },
} as const;

/** What it means, one button for what was asked for, and a quiet way to the other answer. */
export function renderInvitationQuestion(asked: InvitationQuestion): Page {
  const { action, token, language } = asked;
  const words = WORDS[language];
  const isAccept = action === 'accept';
  const other = `${WHERE}?token=${encodeURIComponent(token)}&action=${isAccept ? 'decline' : 'accept'}`;
  const body = isAccept
    ? [
        paragraph(filled(words.hello, asked)),
        `<ul>\n${words.points.map((point) => `<li>${escapeHtml(filled(point, asked))}</li>`).join('\n')}\n</ul>`,
        paragraph(filled(words.data, asked)),
      ]
    : [paragraph(filled(words.declineText, asked))];
  return renderLinkPage({
    ...asked,
    title: filled(isAccept ? words.title : words.declineTitle, asked),
    content: [
      ...body,
      linkForm({ action: WHERE, fields: { token, action }, button: isAccept ? words.accept : words.decline }),
      `<p>${link({ href: other, text: isAccept ? words.toDecline : words.toAccept })}</p>`,
      rightsLink(token, words.rights),
    ],
  });
}

/** A link that ran out says nothing of whoever asked; one button asks for a new one. */
export function renderInvitationExpired({ token, ...frame }: PageFrame & { readonly token: string }): Page {
  const words = WORDS[frame.language];
  return renderLinkPage({
    ...frame,
    title: words.expiredTitle,
    content: [
      paragraph(words.expiredText),
      linkForm({ action: WHERE, fields: { token, action: 'renew' }, button: words.renew }),
      rightsLink(token, words.rights),
    ],
  });
}

/** @param token where what is held can be seen by it; null: nothing is held, or we do not know whose it is */
export function renderInvitationState(
  state: InvitationStanding,
  { token, ...frame }: PageFrame & { readonly token: string | null },
): Page {
  const words = WORDS[frame.language];
  const [title, text] = words.states[state];
  return renderLinkPage({
    ...frame,
    title,
    content: [
      standing(text, state === 'accepted' ? 'good' : state === 'tampered' ? 'bad' : 'plain'),
      ...(token === null ? [] : [rightsLink(token, words.rights)]),
    ],
  });
}

function rightsLink(token: string, text: string): string {
  return `<p>${link({ href: `/api/buddy/rights/${encodeURIComponent(token)}`, text })}</p>`;
}

function filled(text: string, { user, buddy, lastDigits, times }: InvitationQuestion): string {
  const values: Readonly<Record<string, string>> = { user, buddy, digits: lastDigits, ...times };
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? '');
}
