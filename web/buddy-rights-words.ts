/** What buddies read on the page of their own rights. */
import type { BuddyEvent, BuddyStatus, CheckInResponse } from '../domain/buddies';
import type { LinkLanguage } from './link-page';

/** What a press of a button has come to, said on top of the page. */
export const RIGHTS_NOTICES = ['withdrawn', 'blocked', 'blocked-everybody', 'not-known-any-more', 'kept'] as const;
export type RightsNotice = (typeof RIGHTS_NOTICES)[number];

/** Every button of the page; also the value of its form's field `step`. */
export const RIGHTS_STEPS = ['see', 'export', 'withdraw', 'block', 'block-everybody', 'erase'] as const;
export type RightsStep = (typeof RIGHTS_STEPS)[number];

export interface RightsWords {
  readonly title: string;
  readonly intro: string;
  readonly steps: Readonly<
    Record<RightsStep, { readonly title: string; readonly text: string; readonly button: string }>
  >;
  readonly notices: Readonly<Record<RightsNotice, string>>;
  readonly erased: readonly [title: string, text: string];
  readonly gone: readonly [title: string, text: string];
  /** What else there may be, by what this link was sent to. */
  readonly otherLink: Readonly<Record<'email' | 'phone', string>>;
  readonly held: string;
  readonly nothing: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
  readonly relationship: string;
  readonly status: string;
  readonly named: string;
  readonly statuses: Readonly<Record<BuddyStatus, string>>;
  readonly history: string;
  readonly events: Readonly<Record<BuddyEvent, string>>;
  readonly checkIns: string;
  readonly asked: Readonly<Record<'user' | 'system', string>>;
  readonly responses: Readonly<Record<CheckInResponse, string>>;
  readonly noAnswer: string;
  readonly note: string;
}

export const RIGHTS_WORDS: Readonly<Record<LinkLanguage, RightsWords>> = {
  en: {
    title: 'Your data, and your say',
    intro:
      'Somebody has named you as their buddy. On this page you see what we hold of you, and you decide what becomes of it. Nothing happens before you press a button.',
    steps: {
      see: {
        title: 'See what we hold',
        text: 'Your name, how to reach you, when we wrote to you and what you answered.',
        button: 'Show me what you hold',
      },
      export: {
        title: 'Take it with you',
        text: 'All that this link opens in one file (JSON), with where you pressed our buttons from. Keep the file in a safe place.',
        button: 'Download my data',
      },
      withdraw: {
        title: 'Do not ask me any more',
        text: 'You are not this person’s buddy any more, from now on. They are told that you are not available, and cannot ask you again.',
        button: 'Stop being a buddy',
      },
      block: {
        title: 'Block this person',
        text: 'As above; and should they put your name down once more, with your address or your number, we write nothing to you.',
        button: 'Block this person',
      },
      'block-everybody': {
        title: 'Nobody is to ask me',
        text: 'Nobody at all can name the address or number to which this link was sent. To stop every text to your phone, you can also answer STOP to one of ours.',
        button: 'Nobody may ask me',
      },
      erase: {
        title: 'Delete my data',
        text: 'You are not asked any more, and all that we hold of you is deleted at once. It cannot be brought back. We keep only that you do not want to be asked, in a form that nobody can read.',
        button: 'Delete my data',
      },
    },
    notices: {
      withdrawn: 'Done. You are not asked any more.',
      blocked: 'Done. This person cannot ask you any more.',
      'blocked-everybody': 'Done. Nobody can ask you any more.',
      'not-known-any-more':
        'We do not hold your address or number any more, so we could not recognise it. Should somebody ask you again, use the link of that message.',
      kept: 'You are not asked any more. Your data could not be deleted: the law obliges us to keep it for now, as it can be while a court, an authority or a complaint is looking into something. Nobody uses it for anything else. Press the button again later, or write to us.',
    },
    erased: [
      'Your data is deleted',
      'We cannot read it any more. What is left in backups goes with them. You are not asked any more.',
    ],
    gone: [
      'There is nothing here',
      'We do not know this link, or what belonged to it has been deleted. If you came from a message of ours, open the link in a newer one.',
    ],
    otherLink: {
      email:
        'This link was sent to your e-mail address. Your whole phone number, your notes and our texts open by the link in a text to your phone, so that nobody sees them whose number was mixed up with yours.',
      phone:
        'This link was sent to your phone. Your e-mail address, our e-mails and where you pressed their buttons from open by the link in an e-mail to you, so that nobody sees them whose number was mixed up with yours.',
    },
    held: 'What we hold of you',
    nothing: 'We hold nothing of this any more.',
    name: 'Name',
    email: 'E-mail address',
    phone: 'Phone number',
    relationship: 'How they know you',
    status: 'Where things stand',
    named: 'They named you on',
    statuses: {
      pending: 'You have not answered yet.',
      verified: 'You have agreed to be a buddy.',
      declined: 'You have declined.',
      expired: 'The link has run out without an answer.',
      'opted-out': 'You have withdrawn.',
    },
    history: 'What has happened',
    events: {
      sent: 'We wrote to you',
      accepted: 'You agreed',
      declined: 'You declined',
      expired: 'The link ran out',
      'renewal-asked': 'You asked for a new link',
      withdrawn: 'You withdrew',
      blocked: 'You blocked this person',
      removed: 'They took you off their list',
    },
    checkIns: 'When you were asked to get in touch',
    asked: { user: 'They asked', system: 'We asked, because they may have had a hard time' },
    responses: {
      called: 'you called',
      messaged: 'you wrote',
      'cannot-reach': 'you could not reach them',
      unavailable: 'you could not get in touch',
    },
    noAnswer: 'no answer',
    note: 'Your note',
  },
  es: {
    title: 'Sus datos y sus decisiones',
    intro:
      'Alguien le ha nombrado su persona de confianza. En esta página ve qué guardamos de usted y decide qué hacemos con ello. No pasa nada hasta que pulse un botón.',
    steps: {
      see: {
        title: 'Ver qué guardamos',
        text: 'Su nombre, cómo contactarle, cuándo le escribimos y qué respondió.',
        button: 'Mostrar qué guardan',
      },
      export: {
        title: 'Llevarse sus datos',
        text: 'Todo lo que abre este enlace en un archivo (JSON), también desde dónde pulsó nuestros botones. Guárdelo en un lugar seguro.',
        button: 'Descargar mis datos',
      },
      withdraw: {
        title: 'No me pregunten más',
        text: 'Desde ahora deja de ser la persona de confianza. Se le dirá que usted no está disponible, y no podrá volver a preguntarle.',
        button: 'Dejar de ser persona de confianza',
      },
      block: {
        title: 'Bloquear a esta persona',
        text: 'Lo mismo; y si volviera a indicar su dirección o su número, no le escribiremos nada.',
        button: 'Bloquear a esta persona',
      },
      'block-everybody': {
        title: 'Que nadie me pregunte',
        text: 'Nadie podrá indicar la dirección o el número al que se envió este enlace. Para no recibir más mensajes en su teléfono, también puede responder STOP a uno de los nuestros.',
        button: 'Que nadie me pregunte',
      },
      erase: {
        title: 'Borrar mis datos',
        text: 'No se le preguntará más y borramos enseguida todo lo que guardamos de usted. No se puede recuperar. Solo conservamos que no quiere que le pregunten, de una forma que nadie puede leer.',
        button: 'Borrar mis datos',
      },
    },
    notices: {
      withdrawn: 'Hecho. No se le preguntará más.',
      blocked: 'Hecho. Esta persona ya no puede preguntarle.',
      'blocked-everybody': 'Hecho. Ya nadie puede preguntarle.',
      'not-known-any-more':
        'Ya no guardamos su dirección ni su número, así que no podemos reconocerlos. Si alguien vuelve a preguntarle, use el enlace de ese mensaje.',
      kept: 'No se le preguntará más. No hemos podido borrar sus datos: la ley nos obliga a conservarlos por ahora, como puede ocurrir mientras un tribunal, una autoridad o una reclamación investiga algo. Nadie los usa para otra cosa. Pulse el botón más adelante o escríbanos.',
    },
    erased: [
      'Sus datos están borrados',
      'Ya no podemos leerlos. Lo que queda en copias de seguridad desaparece con ellas. No se le preguntará más.',
    ],
    gone: [
      'Aquí no hay nada',
      'No conocemos este enlace o lo que le correspondía se ha borrado. Si viene de un mensaje nuestro, abra el enlace de uno más reciente.',
    ],
    otherLink: {
      email:
        'Este enlace se envió a su correo. Su número completo, sus notas y nuestros mensajes de texto se abren con el enlace de un mensaje a su teléfono, para que no los vea nadie cuyo número se haya confundido con el suyo.',
      phone:
        'Este enlace se envió a su teléfono. Su dirección de correo, nuestros correos y desde dónde pulsó sus botones se abren con el enlace de un correo, para que no los vea nadie cuyo número se haya confundido con el suyo.',
    },
    held: 'Qué guardamos de usted',
    nothing: 'Ya no guardamos nada de esto.',
    name: 'Nombre',
    email: 'Dirección de correo',
    phone: 'Número de teléfono',
    relationship: 'De qué se conocen',
    status: 'Cómo están las cosas',
    named: 'Le nombró el',
    statuses: {
      pending: 'Aún no ha respondido.',
      verified: 'Ha aceptado ser persona de confianza.',
      declined: 'Ha dicho que no.',
      expired: 'El enlace caducó sin respuesta.',
      'opted-out': 'Se ha dado de baja.',
    },
    history: 'Qué ha pasado',
    events: {
      sent: 'Le escribimos',
      accepted: 'Aceptó',
      declined: 'Dijo que no',
      expired: 'El enlace caducó',
      'renewal-asked': 'Pidió un enlace nuevo',
      withdrawn: 'Se dio de baja',
      blocked: 'Bloqueó a esta persona',
      removed: 'Le quitó de su lista',
    },
    checkIns: 'Cuándo le pedimos que se pusiera en contacto',
    asked: { user: 'Lo pidió esa persona', system: 'Lo pedimos nosotros, porque quizá lo pasaba mal' },
    responses: {
      called: 'usted llamó',
      messaged: 'usted escribió',
      'cannot-reach': 'no pudo contactar',
      unavailable: 'no podía ponerse en contacto',
    },
    noAnswer: 'sin respuesta',
    note: 'Su nota',
  },
};
