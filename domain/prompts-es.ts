import type { Prompts, SpokenDuration } from './prompts';

const hello = (from: string | null): string => (from === null ? 'Hola, esta es' : `Hola, le habla ${from} con`);

const message = (from: string | null): string =>
  from === null ? 'Hola, hay un mensaje para usted.' : `Hola, le habla ${from} con un mensaje para usted.`;

const duration = ({ count, unit }: SpokenDuration): string =>
  `${count} ${unit === 'minute' ? 'minuto' : 'segundo'}${count === 1 ? '' : 's'}`;

/** Spanish; formal address, and no word that differs between Spain and the Americas. */
export const es: Prompts = {
  speech: { voice: 'Polly.Lupe', language: 'es-US' },
  duration,
  neutral: {
    greeting: (from) => `${hello(from)} la llamada que usted pidió. Para continuar, oprima 1.`,
    greetingAgain: (from) => `${hello(from)} la llamada que usted pidió. Para continuar, oprima 1 ahora, por favor.`,
    whisper: (from) => `${hello(from)} una llamada para usted. Para aceptarla, oprima 1.`,
    alert: (from) => `${message(from)} Para oírlo, oprima 1.`,
    alertAgain: (from) => `${message(from)} Para oírlo, oprima 1 ahora, por favor.`,
    goodbye: 'Hasta luego.',
    oneMoment: 'Un momento, por favor.',
    inboundMentor: 'Hola. Alguien pidió una llamada. Gracias por devolverla. Hasta luego.',
    inboundStranger: (line) =>
      `Hola. Este número solo hace llamadas que alguien ha pedido. No puede recibir llamadas.${
        line === null ? '' : ` Si quiere hablar con alguien ahora, puede llamar al ${line}.`
      } Hasta luego.`,
  },
  confirmed: {
    searching: (limit) =>
      `Gracias. Estamos buscando a un mentor para usted. Cuando le conectemos, tendrá ${duration(limit)} para hablar. Si prefiere una línea de ayuda, oprima asterisco mientras suena.`,
    mayBeRecorded: 'Usted aceptó que se grabe. Si su mentor también acepta, la conversación se grabará.',
    stillLooking: 'Seguimos buscando, espere.',
    connectingAgain: 'Le estamos conectando de nuevo.',
    connectingLast: (limit) =>
      `Le estamos conectando de nuevo. Esta vez tendrá ${duration(limit)} para hablar. Si prefiere una línea de ayuda, oprima asterisco mientras suena.`,
    offerHelpline:
      'Todavía no ha contestado ningún mentor. Para hablar ahora con una línea de ayuda, oprima 0. Para seguir esperando, no cuelgue.',
    offerReconnect:
      'La línea de su mentor ha terminado. Para conectarse otra vez, oprima 1. Para una línea de ayuda, oprima 0. Si no, simplemente cuelgue.',
    offerMoreTime:
      'El tiempo de esta conversación ha terminado. Para seguir con su mentor, oprima 1. Para una línea de ayuda, oprima 0. Si no, simplemente cuelgue.',
    offerTimeOver:
      'El tiempo de esta llamada ha terminado. Para una línea de ayuda, oprima 0. Si no, simplemente cuelgue.',
    offerOver: 'La línea de su mentor ha terminado. Para una línea de ayuda, oprima 0. Si no, simplemente cuelgue.',
    askHowItWas: 'Antes de terminar: ¿cómo le fue? Oprima un número del 1, mal, al 5, muy bien. O simplemente cuelgue.',
    rated: 'Gracias. Lo hemos anotado. Hasta luego.',
    offerWaiting:
      'Ahora todos los mentores están hablando. Para que le llamemos cuando alguien esté libre, oprima 2. Para una línea de ayuda, oprima 0, o espere en la línea.',
    willRing: (within, line) =>
      `Le llamaremos en cuanto alguien esté libre; lo intentaremos durante ${duration(within)}. Ya puede colgar.${
        line === null ? '' : ` Si prefiere hablar con alguien ahora, puede llamar al ${line}.`
      } Hasta luego.`,
    yourTurn: (limit) =>
      `Gracias por esperar. Ahora hay alguien libre. Cuando le conectemos, tendrá ${duration(limit)} para hablar. Si prefiere una línea de ayuda, oprima asterisco mientras suena.`,
    helplineNobody:
      'Ahora no hay ningún mentor libre. Le conectamos con una línea de ayuda, donde alguien le escuchará.',
    helplineAsked: 'Le conectamos con una línea de ayuda.',
    helplineWaited: 'Gracias por esperar. No hay ningún mentor libre. Le conectamos con una línea de ayuda.',
    helplineSecond: 'Esa línea de ayuda no contestó. Le conectamos con otra. Por favor, no cuelgue.',
    callHelplineYourself: (line, emergency) =>
      `Desde aquí no podemos conectarle con una línea de ayuda.${direct(line, emergency)} Hasta luego.`,
    helplineNotReached: (line, emergency) =>
      `No pudimos comunicarnos con la línea de ayuda.${direct(line, emergency)} Hasta luego.`,
    mentorConnected: 'Gracias. Ya están en contacto.',
    askMentorToRecord:
      'Esta llamada se grabaría. La otra persona ha aceptado. Para aceptar, oprima 1. Para hablar sin grabación, oprima 2.',
    mentorConnectedRecorded: 'Gracias. Ya están en contacto, y esta llamada se graba.',
    mentorConnectedUnrecorded: 'Gracias. Ya están en contacto. Esta llamada no se graba.',
    callerGone: 'La otra persona ha colgado. Gracias por estar ahí. Hasta luego.',
    callOver: 'Esta llamada ha terminado. Gracias. Hasta luego.',
    agreeByKey: 'Si está de acuerdo y quiere continuar, oprima 1. Si no, simplemente cuelgue.',
    alreadyInCall: 'Ya tiene una llamada con nosotros. Por favor, continúe con esa. Hasta luego.',
    noMentorNow: (line, emergency) => `Ahora no podemos buscar a un mentor.${helpline(line, emergency)} Hasta luego.`,
    alertKeys: ({ acknowledge, again }) =>
      `${acknowledge === null ? '' : `Para confirmar que lo ha escuchado, oprima ${acknowledge}. `}Para escucharlo otra vez, oprima ${again}.`,
    alertAcknowledged: 'Gracias. Hemos anotado que lo ha escuchado. Hasta luego.',
  },
  disclosures: {
    monitoring:
      'La calidad de nuestras llamadas se supervisa con cifras: cuándo fueron, cuánto duraron y cómo terminaron. Nadie las escucha.',
    recording: 'Una llamada se graba solamente cuando usted y su mentor lo han aceptado.',
    duration: (limit) =>
      `Una conversación puede durar hasta ${duration(limit)}. Cuando termina, usted puede elegir continuar.`,
    retention: ({ hours, days }) =>
      `Un número que dé para una sola llamada se destruye en ${hours} ${hours === 1 ? 'hora' : 'horas'}. Cuándo y cuánto tiempo llamó se guarda ${days} días.`,
    deletion: 'Puede pedirnos en cualquier momento que borremos sus datos. Nuestro aviso de privacidad dice cómo.',
    notTherapists: 'Los mentores no son terapeutas y no dan consejos médicos.',
    emergency: (number) =>
      number === null
        ? 'En una emergencia, llame al número de emergencias de su zona.'
        : `En una emergencia, llame al ${number}.`,
  },
  fallback: 'No podemos continuar con esta llamada. Le conectamos con una línea de ayuda. Por favor, no cuelgue.',
};

function helpline(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` Para hablar ahora con una línea de ayuda, llame al ${line}.`) +
    (emergency === null ? '' : ` Si está en peligro, llame al ${emergency}.`)
  );
}

function direct(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` Puede llamar usted mismo: ${line}.`) +
    (emergency === null ? '' : ` Si está en peligro, llame al ${emergency}.`)
  );
}
