import type { Prompts } from './prompts';

const hello = (from: string | null): string => (from === null ? 'Hello, this is' : `Hello, this is ${from} with`);

/** English. */
export const en: Prompts = {
  speech: { voice: 'Polly.Joanna', language: 'en-US' },
  neutral: {
    greeting: (from) => `${hello(from)} the call you asked for. To go on, press 1.`,
    greetingAgain: (from) => `${hello(from)} the call you asked for. To go on, please press 1 now.`,
    whisper: (from) => `${hello(from)} a call for you. To take it, press 1.`,
    alert: (from) => `${hello(from)} a message for you. To hear it, press 1.`,
    alertAgain: (from) => `${hello(from)} a message for you. To hear it, please press 1 now.`,
    goodbye: 'Goodbye.',
    oneMoment: 'One moment, please.',
    inboundMentor: 'Hello. Somebody asked for a call. Thank you for calling back. Goodbye.',
    inboundStranger: (line) =>
      `Hello. This number only places calls that somebody has asked for. It cannot take calls.${
        line === null ? '' : ` If you would like to talk to someone now, you can call ${line}.`
      } Goodbye.`,
  },
  confirmed: {
    searching: ({ count, unit }) =>
      `Thank you. We are looking for a mentor for you. Once you are connected, you have ${count} ${unit}${
        count === 1 ? '' : 's'
      } to talk. To speak with a helpline instead, press star while it rings.`,
    stillLooking:
      'We are still looking for a mentor. Please stay on the line, or press star while it rings for a helpline.',
    connectingAgain: 'We are connecting you again. To speak with a helpline instead, press star while it rings.',
    offerHelpline:
      'No mentor has answered yet. To speak with a helpline now, press 0. To keep waiting, stay on the line.',
    offerReconnect:
      "Your mentor's line has ended. To be connected again, press 1. For a helpline, press 0. Otherwise just hang up.",
    helplineNobody: 'No mentor is free right now. We are connecting you with a helpline, where somebody will listen.',
    helplineAsked: 'We are connecting you with a helpline.',
    helplineWaited: 'Thank you for waiting. No mentor is free. We are connecting you with a helpline.',
    callHelplineYourself: (line, emergency) =>
      `We cannot connect you with a helpline from here.${direct(line, emergency)} Goodbye.`,
    helplineNotReached: (line, emergency) => `We could not reach the helpline.${direct(line, emergency)} Goodbye.`,
    mentorConnected: 'Thank you. You are connected now.',
    callerGone: 'The other side has hung up. Thank you for being there. Goodbye.',
    callOver: 'This call is over. Thank you. Goodbye.',
    alertKeys: ({ acknowledge, again }) =>
      `${acknowledge === null ? '' : `To say that you have heard this, press ${acknowledge}. `}To hear it again, press ${again}.`,
    alertAcknowledged: 'Thank you. We have noted that you have heard it. Goodbye.',
  },
  fallback: 'We cannot go on with this call. We are connecting you with a helpline. Please stay on the line.',
};

function direct(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` You can call it yourself: ${line}.`) +
    (emergency === null ? '' : ` If you are in danger, call ${emergency}.`)
  );
}
