import type { Prompts } from './prompts';

const hello = (from: string | null): string => (from === null ? 'Hola, esta es' : `Hola, le habla ${from} con`);

const message = (from: string | null): string =>
  from === null ? 'Hola, hay un mensaje para usted.' : `Hola, le habla ${from} con un mensaje para usted.`;

/** Spanish; formal address, and no word that differs between Spain and the Americas. */
export const es: Prompts = {
  speech: { voice: 'Polly.Lupe', language: 'es-US' },
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
    searching: ({ count, unit }) =>
      `Gracias. Estamos buscando a un mentor para usted. Cuando le conectemos, tendrá ${count} ${
        unit === 'minute' ? 'minuto' : 'segundo'
      }${count === 1 ? '' : 's'} para hablar. Si prefiere una línea de ayuda, oprima asterisco mientras suena.`,
    stillLooking:
      'Seguimos buscando a un mentor. Espere en la línea, u oprima asterisco mientras suena para una línea de ayuda.',
    connectingAgain: 'Le estamos conectando de nuevo. Si prefiere una línea de ayuda, oprima asterisco mientras suena.',
    offerHelpline:
      'Todavía no ha contestado ningún mentor. Para hablar ahora con una línea de ayuda, oprima 0. Para seguir esperando, no cuelgue.',
    offerReconnect:
      'La línea de su mentor ha terminado. Para conectarse otra vez, oprima 1. Para una línea de ayuda, oprima 0. Si no, simplemente cuelgue.',
    helplineNobody:
      'Ahora no hay ningún mentor libre. Le conectamos con una línea de ayuda, donde alguien le escuchará.',
    helplineAsked: 'Le conectamos con una línea de ayuda.',
    helplineWaited: 'Gracias por esperar. No hay ningún mentor libre. Le conectamos con una línea de ayuda.',
    callHelplineYourself: (line, emergency) =>
      `Desde aquí no podemos conectarle con una línea de ayuda.${direct(line, emergency)} Hasta luego.`,
    helplineNotReached: (line, emergency) =>
      `No pudimos comunicarnos con la línea de ayuda.${direct(line, emergency)} Hasta luego.`,
    mentorConnected: 'Gracias. Ya están en contacto.',
    callerGone: 'La otra persona ha colgado. Gracias por estar ahí. Hasta luego.',
    callOver: 'Esta llamada ha terminado. Gracias. Hasta luego.',
    alertKeys: ({ acknowledge, again }) =>
      `${acknowledge === null ? '' : `Para confirmar que lo ha escuchado, oprima ${acknowledge}. `}Para escucharlo otra vez, oprima ${again}.`,
    alertAcknowledged: 'Gracias. Hemos anotado que lo ha escuchado. Hasta luego.',
  },
  fallback: 'No podemos continuar con esta llamada. Le conectamos con una línea de ayuda. Por favor, no cuelgue.',
};

function direct(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` Puede llamar usted mismo: ${line}.`) +
    (emergency === null ? '' : ` Si está en peligro, llame al ${emergency}.`)
  );
}
