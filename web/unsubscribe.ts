import { escapeHtml, renderPage } from './layout';
import type { Page } from './layout';

const WORDS = {
  en: {
    ask: [
      'No more e-mail?',
      'We then send nothing more to the address this link was sent to.',
      'Send me no more e-mail',
    ],
    done: [
      'You get no more e-mail',
      'It may take a minute until the last one that is under way has arrived.',
      'Send me e-mail again',
    ],
    blocked: ['You get no e-mail', 'We send nothing to this address.', null],
    gone: ['This link is not valid any more', 'Use the link in a newer e-mail.', null],
  },
  es: {
    ask: [
      '¿No más correos?',
      'No enviaremos nada más a la dirección que recibió este enlace.',
      'No me envíen más correos',
    ],
    done: [
      'Ya no recibirá correos',
      'El último que esté en camino puede tardar un minuto en llegar.',
      'Volver a enviarme correos',
    ],
    blocked: ['No recibe correos', 'No enviamos nada a esta dirección.', null],
    gone: ['Este enlace ya no es válido', 'Use el enlace de un correo más reciente.', null],
  },
  fr: {
    ask: [
      'Plus de courriels ?',
      'Nous n’enverrons plus rien à l’adresse qui a reçu ce lien.',
      'Ne m’envoyez plus de courriels',
    ],
    done: [
      'Vous ne recevrez plus de courriels',
      'Le dernier, s’il est en route, peut mettre une minute à arriver.',
      'M’envoyer de nouveau des courriels',
    ],
    blocked: ['Vous ne recevez pas de courriels', 'Nous n’envoyons rien à cette adresse.', null],
    gone: ['Ce lien n’est plus valable', 'Utilisez le lien d’un courriel plus récent.', null],
  },
  hi: {
    ask: ['अब और ई-मेल नहीं?', 'जिस पते पर यह लिंक आया था, उस पर हम फिर कुछ नहीं भेजेंगे।', 'मुझे और ई-मेल न भेजें'],
    done: ['अब आपको ई-मेल नहीं मिलेगा', 'जो आख़िरी ई-मेल रास्ते में है, उसे पहुँचने में एक मिनट लग सकता है।', 'मुझे फिर से ई-मेल भेजें'],
    blocked: ['आपको ई-मेल नहीं मिलता', 'हम इस पते पर कुछ नहीं भेजते।', null],
    gone: ['यह लिंक अब मान्य नहीं है', 'किसी नए ई-मेल का लिंक इस्तेमाल करें।', null],
  },
} as const;
export type UnsubscribeLanguage = keyof typeof WORDS;
export const UNSUBSCRIBE_LANGUAGES = ['en', 'es', 'fr', 'hi'] as const satisfies readonly UnsubscribeLanguage[];
export type UnsubscribeState = 'ask' | 'done' | 'blocked' | 'gone';

/**
 * One question and one button: programs that follow every link of a mail must not unsubscribe anybody, so a GET
 * changes nothing. Says nothing of the address or of who we are to it.
 */
export function renderUnsubscribe(
  state: UnsubscribeState,
  language: UnsubscribeLanguage,
  privacyPolicyUrl: string | null,
): Page {
  const words = WORDS[language];
  const [title, text, button] = words[state];
  const action = state === 'done' ? '?undo=1' : '?';
  const form =
    button === null
      ? ''
      : `<form method="post" action="${action}"><button type="submit">${escapeHtml(button)}</button></form>`;
  const body = `<main>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${form}
</main>`;
  return renderPage({ title, body, language, privacyPolicyUrl, postsToItself: true });
}
