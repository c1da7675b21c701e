import type { Prompts, SpokenDuration } from './prompts';

const hello = (from: string | null): string => (from === null ? 'Bonjour, voici' : `Bonjour, ici ${from}, avec`);

const message = (from: string | null): string =>
  from === null ? 'Bonjour, il y a un message pour vous.' : `Bonjour, ici ${from}, avec un message pour vous.`;

const duration = ({ count, unit }: SpokenDuration): string =>
  `${count} ${unit === 'minute' ? 'minute' : 'seconde'}${count === 1 ? '' : 's'}`;

/** French; formal address, and words that are understood in France, Belgium, Switzerland and Canada alike. */
export const fr: Prompts = {
  speech: { voice: 'Polly.Lea', language: 'fr-FR' },
  duration,
  neutral: {
    greeting: (from) => `${hello(from)} l'appel que vous avez demandé. Pour continuer, appuyez sur 1.`,
    greetingAgain: (from) =>
      `${hello(from)} l'appel que vous avez demandé. Pour continuer, appuyez maintenant sur 1, s'il vous plaît.`,
    whisper: (from) => `${hello(from)} un appel pour vous. Pour le prendre, appuyez sur 1.`,
    alert: (from) => `${message(from)} Pour l'entendre, appuyez sur 1.`,
    alertAgain: (from) => `${message(from)} Pour l'entendre, appuyez maintenant sur 1, s'il vous plaît.`,
    goodbye: 'Au revoir.',
    oneMoment: "Un instant, s'il vous plaît.",
    inboundMentor: "Bonjour. Quelqu'un a demandé un appel. Merci d'avoir rappelé. Au revoir.",
    inboundStranger: (line) =>
      `Bonjour. Ce numéro passe seulement des appels que quelqu'un a demandés. Il ne peut pas en recevoir.${
        line === null ? '' : ` Si vous voulez parler à quelqu'un maintenant, vous pouvez appeler le ${line}.`
      } Au revoir.`,
  },
  confirmed: {
    searching: (limit) =>
      `Merci. Nous cherchons un mentor pour vous. Une fois en ligne, vous aurez ${duration(limit)} pour parler. Si vous préférez une ligne d'écoute, appuyez sur étoile pendant que ça sonne.`,
    mayBeRecorded:
      "Vous avez accepté un enregistrement. Si votre mentor l'accepte aussi, votre conversation sera enregistrée.",
    stillLooking: 'Nous cherchons toujours, patientez.',
    connectingAgain: 'Nous vous remettons en relation.',
    connectingLast: (limit) =>
      `Nous vous remettons en relation. Cette fois, vous aurez ${duration(limit)} pour parler. Si vous préférez une ligne d'écoute, appuyez sur étoile pendant que ça sonne.`,
    offerHelpline:
      "Aucun mentor n'a encore répondu. Pour parler maintenant à une ligne d'écoute, appuyez sur 0. Pour continuer d'attendre, restez en ligne.",
    offerReconnect:
      "La ligne de votre mentor s'est terminée. Pour être remis en relation, appuyez sur 1. Pour une ligne d'écoute, appuyez sur 0. Sinon, raccrochez simplement.",
    offerMoreTime:
      "Le temps de cette conversation est écoulé. Pour continuer avec votre mentor, appuyez sur 1. Pour une ligne d'écoute, appuyez sur 0. Sinon, raccrochez simplement.",
    offerTimeOver:
      "Le temps de cet appel est écoulé. Pour une ligne d'écoute, appuyez sur 0. Sinon, raccrochez simplement.",
    offerOver:
      "La ligne de votre mentor s'est terminée. Pour une ligne d'écoute, appuyez sur 0. Sinon, raccrochez simplement.",
    askHowItWas:
      'Avant de terminer : comment était-ce ? Appuyez sur un chiffre de 1, pas bien, à 5, très bien. Ou raccrochez simplement.',
    rated: "Merci. Nous l'avons noté. Au revoir.",
    offerWaiting:
      "Tous les mentors sont en conversation pour le moment. Pour être appelé dès que quelqu'un est libre, appuyez sur 2. Pour une ligne d'écoute, appuyez sur 0, ou restez en ligne.",
    willRing: (within, line) =>
      `Nous vous appellerons dès que quelqu'un sera libre ; nous essaierons pendant ${duration(within)}. Vous pouvez raccrocher.${
        line === null ? '' : ` Si vous préférez parler à quelqu'un tout de suite, vous pouvez appeler le ${line}.`
      } Au revoir.`,
    yourTurn: (limit) =>
      `Merci d'avoir attendu. Quelqu'un est libre maintenant. Une fois en ligne, vous aurez ${duration(limit)} pour parler. Si vous préférez une ligne d'écoute, appuyez sur étoile pendant que ça sonne.`,
    helplineNobody:
      "Aucun mentor n'est libre pour le moment. Nous vous mettons en relation avec une ligne d'écoute, où quelqu'un sera là pour vous.",
    helplineAsked: "Nous vous mettons en relation avec une ligne d'écoute.",
    helplineWaited:
      "Merci d'avoir attendu. Aucun mentor n'est libre. Nous vous mettons en relation avec une ligne d'écoute.",
    helplineSecond:
      "Cette ligne d'écoute n'a pas répondu. Nous vous mettons en relation avec une autre. Restez en ligne, s'il vous plaît.",
    callHelplineYourself: (line, emergency) =>
      `Nous ne pouvons pas vous mettre en relation avec une ligne d'écoute d'ici.${direct(line, emergency)} Au revoir.`,
    helplineNotReached: (line, emergency) =>
      `Nous n'avons pas pu joindre la ligne d'écoute.${direct(line, emergency)} Au revoir.`,
    mentorConnected: 'Merci. Vous êtes maintenant en relation.',
    askMentorToRecord:
      "Cet appel serait enregistré. L'autre personne l'a accepté. Pour accepter, appuyez sur 1. Pour parler sans enregistrement, appuyez sur 2.",
    mentorConnectedRecorded: 'Merci. Vous êtes maintenant en relation, et cet appel est enregistré.',
    mentorConnectedUnrecorded: "Merci. Vous êtes maintenant en relation. Cet appel n'est pas enregistré.",
    callerGone: "L'autre personne a raccroché. Merci d'avoir été là. Au revoir.",
    callOver: 'Cet appel est terminé. Merci. Au revoir.',
    agreeByKey: 'Pour accepter et continuer, appuyez sur 1. Sinon, raccrochez simplement.',
    alreadyInCall: "Vous avez déjà un appel avec nous. Continuez avec celui-là, s'il vous plaît. Au revoir.",
    noMentorNow: (line, emergency) =>
      `Nous ne pouvons pas chercher de mentor pour le moment.${helpline(line, emergency)} Au revoir.`,
    alertKeys: ({ acknowledge, again }) =>
      `${acknowledge === null ? '' : `Pour confirmer que vous l'avez entendu, appuyez sur ${acknowledge}. `}Pour l'entendre encore, appuyez sur ${again}.`,
    alertAcknowledged: "Merci. Nous avons noté que vous l'avez entendu. Au revoir.",
  },
  disclosures: {
    monitoring:
      'La qualité de nos appels est suivie par des chiffres : quand ils ont eu lieu, combien de temps ils ont duré et comment ils se sont terminés. Personne ne les écoute.',
    recording: "Un appel n'est enregistré que si vous et votre mentor l'avez tous deux accepté.",
    duration: (limit) =>
      `Une conversation peut durer jusqu'à ${duration(limit)}. À la fin, vous pouvez choisir de continuer.`,
    retention: ({ hours, days }) =>
      `Un numéro donné pour un seul appel est détruit ${hours === 1 ? "dans l'heure" : `dans les ${hours} heures`}. La date et la durée de vos appels sont gardées ${days} jours.`,
    deletion:
      "Vous pouvez nous demander à tout moment d'effacer vos données. Notre politique de confidentialité dit comment.",
    notTherapists: 'Les mentors ne sont pas des thérapeutes et ne donnent pas de conseils médicaux.',
    emergency: (number) =>
      number === null
        ? "En cas d'urgence, appelez le numéro d'urgence de votre pays."
        : `En cas d'urgence, appelez le ${number}.`,
  },
  fallback:
    "Nous ne pouvons pas continuer cet appel. Nous vous mettons en relation avec une ligne d'écoute. Restez en ligne, s'il vous plaît.",
};

function direct(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` Vous pouvez l'appeler vous-même : ${line}.`) +
    (emergency === null ? '' : ` Si vous êtes en danger, appelez le ${emergency}.`)
  );
}

function helpline(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` Pour parler maintenant à une ligne d'écoute, appelez le ${line}.`) +
    (emergency === null ? '' : ` Si vous êtes en danger, appelez le ${emergency}.`)
  );
}
