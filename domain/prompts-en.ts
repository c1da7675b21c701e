import type { Prompts, SpokenDuration } from './prompts';

const hello = (from: string | null): string => (from === null ? 'Hello, this is' : `Hello, this is ${from} with`);

const duration = ({ count, unit }: SpokenDuration): string => `${count} ${unit}${count === 1 ? '' : 's'}`;

/** English. */
export const en: Prompts = {
  speech: { voice: 'Polly.Joanna', language: 'en-US' },
  duration,
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
    searching: (limit) =>
      `Thank you. We are looking for a mentor for you. Once you are connected, you have ${duration(limit)} to talk. To speak with a helpline instead, press star while it rings.`,
    mayBeRecorded: 'You have agreed to a recording. If your mentor agrees too, your conversation will be recorded.',
    stillLooking: 'Still looking, please hold.',
    connectingAgain: 'We are connecting you again.',
    connectingLast: (limit) =>
      `We are connecting you again. This time you have ${duration(limit)} to talk. To speak with a helpline instead, press star while it rings.`,
    offerHelpline:
      'No mentor has answered yet. To speak with a helpline now, press 0. To keep waiting, stay on the line.',
    offerReconnect:
      "Your mentor's line has ended. To be connected again, press 1. For a helpline, press 0. Otherwise just hang up.",
    offerMoreTime:
      'The time for this conversation is over. To go on with your mentor, press 1. For a helpline, press 0. Otherwise just hang up.',
    offerTimeOver: 'The time for this call is over. For a helpline, press 0. Otherwise just hang up.',
    offerOver: "Your mentor's line has ended. For a helpline, press 0. Otherwise just hang up.",
    askHowItWas: 'Before you go: how was it? Press a number from 1, not good, to 5, very good. Or just hang up.',
    rated: 'Thank you. We have noted it. Goodbye.',
    offerWaiting:
      'All mentors are talking at the moment. To be rung when somebody is free, press 2. For a helpline, press 0, or stay on the line.',
    willRing: (within, line) =>
      `We will ring you as soon as somebody is free, and try for ${duration(within)}. You can hang up now.${
        line === null ? '' : ` If you would rather talk to somebody at once, you can call ${line}.`
      } Goodbye.`,
    yourTurn: (limit) =>
      `Thank you for waiting. Somebody is free now. Once you are connected, you have ${duration(limit)} to talk. To speak with a helpline instead, press star while it rings.`,
    helplineNobody: 'No mentor is free right now. We are connecting you with a helpline, where somebody will listen.',
    helplineAsked: 'We are connecting you with a helpline.',
    helplineWaited: 'Thank you for waiting. No mentor is free. We are connecting you with a helpline.',
    helplineSecond: 'That helpline did not answer. We are connecting you with another one. Please stay on the line.',
    callHelplineYourself: (line, emergency) =>
      `We cannot connect you with a helpline from here.${direct(line, emergency)} Goodbye.`,
    helplineNotReached: (line, emergency) => `We could not reach the helpline.${direct(line, emergency)} Goodbye.`,
    mentorConnected: 'Thank you. You are connected now.',
    askMentorToRecord:
      'This call would be recorded. The other person has agreed. To agree, press 1. To talk without a recording, press 2.',
    mentorConnectedRecorded: 'Thank you. You are connected now, and this call is recorded.',
    mentorConnectedUnrecorded: 'Thank you. You are connected now. This call is not recorded.',
    callerGone: 'The other side has hung up. Thank you for being there. Goodbye.',
    callOver: 'This call is over. Thank you. Goodbye.',
    agreeByKey: 'To agree and go on, press 1. Otherwise just hang up.',
    alreadyInCall: 'You already have a call with us. Please go on with that one. Goodbye.',
    noMentorNow: (line, emergency) => `We cannot look for a mentor right now.${helpline(line, emergency)} Goodbye.`,
    alertKeys: ({ acknowledge, again }) =>
      `${acknowledge === null ? '' : `To say that you have heard this, press ${acknowledge}. `}To hear it again, press ${again}.`,
    alertAcknowledged: 'Thank you. We have noted that you have heard it. Goodbye.',
  },
  disclosures: {
    monitoring:
      'The quality of our calls is monitored by figures: when they took place, how long they lasted and how they ended. Nobody listens in.',
    recording: 'A call is recorded only when you and your mentor have both agreed to that.',
    duration: (limit) => `A conversation may last up to ${duration(limit)}. At its end you can choose to go on.`,
    retention: ({ hours, days }) =>
      `A number that you give for one call is destroyed within ${hours} ${hours === 1 ? 'hour' : 'hours'}. When and for how long you called is kept for ${days} days.`,
    deletion: 'You can ask us to delete your data at any time. Our privacy notice says how.',
    notTherapists: 'Mentors are not therapists and give no medical advice.',
    emergency: (number) =>
      number === null ? 'In an emergency, call your local emergency number.' : `In an emergency, call ${number}.`,
  },
  fallback: 'We cannot go on with this call. We are connecting you with a helpline. Please stay on the line.',
};

function helpline(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` To talk with a helpline now, call ${line}.`) +
    (emergency === null ? '' : ` If you are in danger, call ${emergency}.`)
  );
}

function direct(line: string | null, emergency: string | null): string {
  return (
    (line === null ? '' : ` You can call it yourself: ${line}.`) +
    (emergency === null ? '' : ` If you are in danger, call ${emergency}.`)
  );
}
