/**
 * Everything that is ever spoken. One file per language (prompts-en.ts, prompts-es.ts, …), all with the same shape, so
 * that a missing sentence does not compile. An organisation may put its own in their place (spoken-words.ts).
 *
 * Safety before function: whatever can be heard before key 1, or by somebody who only dials our number back, says
 * no purpose, no mentor and no organisation (unless one is configured). A partner may be listening.
 */
import type { DialWords, OfferKind } from './mentor-call';
import { en } from './prompts-en';
import { es } from './prompts-es';
import { fr } from './prompts-fr';
import { hi } from './prompts-hi';

/** How Twilio speaks: `<Say voice="…" language="…">`. */
export interface Voice {
  /** As Twilio names it, e.g. `Polly.Joanna`. */
  readonly voice: string;
  /** That this voice speaks, e.g. `en-US`. */
  readonly language: string;
}

/** The sentences of one language. One that is an https address is not said: the recording there is played. */
export interface Prompts {
  readonly speech: Voice;
  /** "30 minutes", as a part of other sentences. */
  readonly duration: (duration: SpokenDuration) => string;
  /** Heard before key 1, by anybody who picks up. */
  readonly neutral: {
    /** First words on the user's leg; `from` is the configured greeting name. */
    readonly greeting: (from: string | null) => string;
    readonly greetingAgain: (from: string | null) => string;
    /** First words on a mentor's leg: their phone, too, may be picked up by somebody else. */
    readonly whisper: (from: string | null) => string;
    /** First words of an alert. Nobody has asked for this call, and it says no more than that there is a message. */
    readonly alert: (from: string | null) => string;
    readonly alertAgain: (from: string | null) => string;
    /** Nobody pressed a key. */
    readonly goodbye: string;
    readonly oneMoment: string;
    /** A mentor who calls back. */
    readonly inboundMentor: string;
    /** Anybody else who calls our number; `line` is a number to talk to somebody, written digit by digit. */
    readonly inboundStranger: (line: string | null) => string;
  };
  /** Heard only after key 1. */
  readonly confirmed: {
    /** The limit is spoken here, before the search: inside `<Dial>` nothing can be said. */
    readonly searching: (limit: SpokenDuration) => string;
    /** After `searching` or `connectingAgain`, where the user has agreed: the mentor is asked later. */
    readonly mayBeRecorded: string;
    readonly stillLooking: string;
    readonly connectingAgain: string;
    /** The same, where less time is left than a conversation usually has. */
    readonly connectingLast: (limit: SpokenDuration) => string;
    readonly offerHelpline: string;
    readonly offerReconnect: string;
    /** The longest conversation is over, and we have ended it. */
    readonly offerMoreTime: string;
    /** The same, where no conversation is begun any more. */
    readonly offerTimeOver: string;
    /** No mentor is rung for this call any more. */
    readonly offerOver: string;
    /** Which key says how it was. */
    readonly askHowItWas: string;
    readonly rated: string;
    /** Everybody is talking: key 2 to be rung when somebody is free, key 0 or no key for a helpline. */
    readonly offerWaiting: string;
    /** They have chosen to be rung; `line` is a helpline's number. */
    readonly willRing: (within: SpokenDuration, line: string | null) => string;
    /** They have waited and were rung; the limit is spoken here as in `searching`. */
    readonly yourTurn: (limit: SpokenDuration) => string;
    readonly helplineNobody: string;
    readonly helplineAsked: string;
    readonly helplineWaited: string;
    /** The first one was busy or did not answer. */
    readonly helplineSecond: string;
    /** The helpline cannot be dialled from here; `line` is its number, `emergency` the country's. */
    readonly callHelplineYourself: (line: string | null, emergency: string | null) => string;
    readonly helplineNotReached: (line: string | null, emergency: string | null) => string;
    /** To a mentor who has taken the call by key 1. */
    readonly askMentorToRecord: string;
    readonly mentorConnected: string;
    readonly mentorConnectedRecorded: string;
    readonly mentorConnectedUnrecorded: string;
    readonly callerGone: string;
    readonly callOver: string;
    /** To somebody who calls from the app: after the words of a consent text. */
    readonly agreeByKey: string;
    /** They have another call with us. */
    readonly alreadyInCall: string;
    /** They have asked too often, or calls are switched off. */
    readonly noMentorNow: (line: string | null, emergency: string | null) => string;
    /** After the message of an alert: which key says that it was heard, which has it said again. */
    readonly alertKeys: (keys: { readonly acknowledge: string | null; readonly again: string }) => string;
    readonly alertAcknowledged: string;
  };
  /** What people are told about the service: shown before they agree, and said after key 1 where that is configured. */
  readonly disclosures: {
    readonly monitoring: string;
    readonly recording: string;
    readonly duration: (limit: SpokenDuration) => string;
    /** Hours that a number given for one call is kept, and days that the log of a call is. */
    readonly retention: (kept: { readonly hours: number; readonly days: number }) => string;
    readonly deletion: string;
    readonly notTherapists: string;
    /** The emergency number of the country. */
    readonly emergency: (number: string | null) => string;
  };
  /** The static document Twilio reads when it cannot reach us at all. */
  readonly fallback: string;
  /** How long each recording lasts, by its address (ms). */
  readonly recordings?: ReadonlyMap<string, number>;
}

/** The sentences of a language as this organisation speaks them: {@link promptsFor}, or with words of its own. */
export type PromptsOf = (language: string) => Prompts;

export interface SpokenDuration {
  readonly count: number;
  readonly unit: 'minute' | 'second';
}

const languages: ReadonlyMap<string, Prompts> = new Map([
  ['en', en],
  ['es', es],
  ['fr', fr],
  ['hi', hi],
]);

/** Languages that calls can be held in, as ISO 639-1. */
export const SPOKEN_LANGUAGES: readonly string[] = [...languages.keys()];

/** The sentences of a language (`es`, `es-MX`); English for one we do not speak. */
export function promptsFor(language: string): Prompts {
  return languages.get(language.toLowerCase().split('-')[0] ?? '') ?? en;
}

const COUNTRIES_OF: Readonly<Record<string, string>> = {
  es: 'AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV UY VE',
  // Where French is the one language that most people share; Belgium, Canada and Switzerland have others too.
  fr: 'BF BJ BL CD CF CG CI CM FR GA GF GN GP HT KM MC MF MG ML MQ NC NE PF PM RE SN TD TG WF YT',
  hi: 'IN',
};
const LANGUAGE_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(COUNTRIES_OF).flatMap(([language, countries]) =>
    countries.split(' ').map((country) => [country, language] as const),
  ),
);

/** The language to speak where none was chosen: the static fallback and strangers who call in. */
export function languageOfCountry(country: string | null): string {
  return LANGUAGE_OF.get(country ?? '') ?? 'en';
}

/** Digit by digit, so that 988 is not read as a quantity. */
export function spokenNumber(number: string): string {
  return number.replace(/\D/g, '').split('').join(' ');
}

/** Whole minutes, rounded down so that nobody is promised more than they get; seconds below one minute. */
export function spokenDuration(seconds: number): SpokenDuration {
  return seconds < 60 ? { count: seconds, unit: 'second' } : { count: Math.floor(seconds / 60), unit: 'minute' };
}

/** What the user hears before a mentor's phone is rung, sentence by sentence: each may be a recording. */
export function sentencesBeforeDial(
  { confirmed }: Prompts,
  words: DialWords,
  timeLimitSeconds: number,
  mayBeRecorded = false,
): readonly string[] {
  // Said once for all mentors that are rung in turn, and again before a new conversation.
  const recorded = mayBeRecorded ? [confirmed.mayBeRecorded] : [];
  if (words === 'first') return [confirmed.searching(spokenDuration(timeLimitSeconds)), ...recorded];
  if (words === 'turn') return [confirmed.yourTurn(spokenDuration(timeLimitSeconds)), ...recorded];
  if (words === 'last') return [confirmed.connectingLast(spokenDuration(timeLimitSeconds)), ...recorded];
  return words === 'again' ? [confirmed.connectingAgain, ...recorded] : [confirmed.stillLooking];
}

/** What is said while a key is waited for. */
export function offerWords({ confirmed }: Prompts, offer: OfferKind): string {
  const words = {
    helpline: confirmed.offerHelpline,
    reconnect: confirmed.offerReconnect,
    'more-time': confirmed.offerMoreTime,
    'time-over': confirmed.offerTimeOver,
    over: confirmed.offerOver,
    feedback: confirmed.askHowItWas,
    wait: confirmed.offerWaiting,
  } as const satisfies Record<OfferKind, string>;
  return words[offer];
}

/** An unhurried voice; Twilio's are faster. */
const MS_PER_WORD = 450;

/** Whether a sentence is the address of a recording. */
export function isRecording(sentence: string): boolean {
  return sentence.startsWith('https://');
}

/** About how long Twilio takes to say or play it, rather too long than too short. */
export function spokenMs(sentence: string, { recordings }: Pick<Prompts, 'recordings'> = {}): number {
  return recordings?.get(sentence) ?? sentence.split(/\s+/).length * MS_PER_WORD;
}
