/** What the user reads of an alert: why it began, how it stands, and what each step came to. Plain words, no score. */
import type { BuddyLanguage } from './buddies';
import type { EscalationParty } from './escalation-policy';
import type { SkipReason, StepState, WellbeingEndReason, WellbeingState } from './wellbeing-alert';
import type { TriggerReason } from './wellbeing-triggers';

type Words<Key extends string> = Readonly<Record<BuddyLanguage, Readonly<Record<Key, string>>>>;

const REASONS: Words<TriggerReason> = {
  en: {
    'risk-high': 'Your latest results say that things may be very hard right now.',
    'low-in-a-row': 'Your results have been low several times in a row.',
    drop: 'Your results have fallen a good deal within a week.',
  },
  es: {
    'risk-high': 'Sus últimos resultados indican que quizá lo está pasando muy mal.',
    'low-in-a-row': 'Sus resultados han sido bajos varias veces seguidas.',
    drop: 'Sus resultados han bajado bastante en una semana.',
  },
};

const LIVE: Words<Extract<WellbeingState, 'due' | 'running'>> = {
  en: { due: 'It is about to begin.', running: 'The people you chose are being asked to get in touch.' },
  es: { due: 'Está a punto de empezar.', running: 'Se está pidiendo a las personas que eligió que le contacten.' },
};

/** How those hear of the end who had been asked. */
export const OTHERS_HEAR: Readonly<Record<BuddyLanguage, string>> = {
  en: 'Buddies who have been asked see on their page that it is over. Your contact and the wellbeing service are written to, where they were asked in writing.',
  es: 'Las personas de confianza avisadas ven en su página que ha terminado. A su contacto y al servicio de bienestar se les escribe, si se les había avisado por escrito.',
};

const ENDS: Words<WellbeingEndReason> = {
  en: {
    answered: 'Somebody you chose has been in touch.',
    'answered-after-escalation':
      'Somebody you chose has been in touch, when others had been asked too. Of those, buddies see on their page that it is over, and the contact and the wellbeing service are written to, where they were asked in writing.',
    'taken-over': 'Somebody of the organisation sees to it.',
    'handed-over': 'The wellbeing service was told. Nobody else has answered in time.',
    'nobody-answered': 'Nobody who was asked has answered in time.',
    'nobody-to-ask': 'There was nobody who could be asked. You can name a buddy, or a contact.',
    'closed-by-user': `You have closed it. ${OTHERS_HEAR.en}`,
    'closed-by-staff': 'The organisation has closed it.',
    'user-erased': 'It ended with your data.',
    'stopped-by-operator': 'It was stopped by whoever runs the service.',
    'workflow-failed': 'It ended because of a fault of ours.',
  },
  es: {
    answered: 'Alguien a quien eligió se ha puesto en contacto.',
    'answered-after-escalation':
      'Alguien a quien eligió se ha puesto en contacto. De los demás avisados, las personas de confianza ven en su página que ha terminado, y al contacto y al servicio de bienestar se les escribe, si se les había avisado por escrito.',
    'taken-over': 'Alguien de la organización se encarga.',
    'handed-over': 'Se avisó al servicio de bienestar. Nadie más ha respondido a tiempo.',
    'nobody-answered': 'Nadie de las personas avisadas ha respondido a tiempo.',
    'nobody-to-ask': 'No había nadie a quien avisar. Puede nombrar a una persona de confianza o un contacto.',
    'closed-by-user': `Usted la ha cerrado. ${OTHERS_HEAR.es}`,
    'closed-by-staff': 'La organización la ha cerrado.',
    'user-erased': 'Terminó con sus datos.',
    'stopped-by-operator': 'La detuvo quien gestiona el servicio.',
    'workflow-failed': 'Terminó por un fallo nuestro.',
  },
};

const PARTIES: Words<EscalationParty> = {
  en: {
    buddies: 'Your buddies',
    'registered-contact': 'Your contact',
    'wellbeing-service': 'The wellbeing service',
    'on-call': 'Staff on call',
    emergency: 'The emergency step',
  },
  es: {
    buddies: 'Sus personas de confianza',
    'registered-contact': 'Su contacto',
    'wellbeing-service': 'El servicio de bienestar',
    'on-call': 'El personal de guardia',
    emergency: 'El paso de emergencia',
  },
};

const STATES: Words<Exclude<StepState, 'skipped'>> = {
  en: {
    pending: 'not yet',
    'under-way': 'asked, and no answer yet',
    'awaiting-human': 'waits for a person of the organisation to decide; nothing happens by itself',
    answered: 'answered',
    unanswered: 'asked, and could not help',
    'not-begun': 'not asked: it was over before',
    ended: 'asked; it was over before all answers had come',
  },
  es: {
    pending: 'todavía no',
    'under-way': 'avisado, aún sin respuesta',
    'awaiting-human': 'espera a que decida una persona de la organización; nada ocurre por sí solo',
    answered: 'ha respondido',
    unanswered: 'avisado, y no pudo ayudar',
    'not-begun': 'sin avisar: terminó antes',
    ended: 'avisado; terminó antes de que llegaran todas las respuestas',
  },
};

const SKIPPED: Words<SkipReason> = {
  en: {
    'no-buddies': 'skipped: you have named none',
    'nobody-verified': 'skipped: none of them has agreed yet',
    'all-opted-out': 'skipped: all of them have opted out',
    'all-asked': 'skipped: each of them had been asked',
    'no-contact': 'skipped: you have named none',
    'contact-refused': 'skipped: they do not want to be asked',
    'contact-opted-out': 'skipped: they get no texts from us',
    'not-configured': 'skipped: the organisation has none here',
  },
  es: {
    'no-buddies': 'omitido: no ha nombrado a nadie',
    'nobody-verified': 'omitido: nadie ha aceptado todavía',
    'all-opted-out': 'omitido: todas se han dado de baja',
    'all-asked': 'omitido: ya se avisó a todas',
    'no-contact': 'omitido: no ha nombrado a nadie',
    'contact-refused': 'omitido: no quiere que se le avise',
    'contact-opted-out': 'omitido: no recibe mensajes nuestros',
    'not-configured': 'omitido: la organización no tiene ninguno aquí',
  },
};

const REASON_GONE: Readonly<Record<BuddyLanguage, string>> = {
  en: 'Why it began went with the data of whom it was about.',
  es: 'El motivo se borró con los datos de la persona.',
};

/** @param reason null: the user was erased */
export function reasonInWords(reason: TriggerReason | null, language: BuddyLanguage): string {
  return reason === null ? REASON_GONE[language] : REASONS[language][reason];
}

export function stateInWords(
  { state, endReason }: { readonly state: WellbeingState; readonly endReason: WellbeingEndReason | null },
  language: BuddyLanguage,
): string {
  if (endReason !== null) return ENDS[language][endReason];
  return LIVE[language][state === 'due' ? 'due' : 'running'];
}

export function stepInWords(
  step: { readonly who: EscalationParty; readonly state: StepState; readonly skippedBecause: SkipReason | null },
  language: BuddyLanguage,
): string {
  const { who, state, skippedBecause } = step;
  const what = state === 'skipped' ? SKIPPED[language][skippedBecause ?? 'not-configured'] : STATES[language][state];
  return `${PARTIES[language][who]}: ${what}.`;
}
