/**
 * Everything that is ever spoken. One file per language (prompts-en.ts, prompts-es.ts), all with the same shape, so
 * that a missing sentence does not compile.
 *
 * Safety before function: whatever can be heard before key 1, or by somebody who only dials our number back, says
 * no purpose, no mentor and no organisation (unless one is configured). A partner may be listening.
 */
import type { DialWords } from './mentor-call';
import { en } from './prompts-en';
import { es } from './prompts-es';

/** How Twilio speaks: `<Say voice="…" language="…">`. */
export interface Voice {
  readonly voice: 'Polly.Joanna' | 'Polly.Lupe';
  readonly language: 'en-US' | 'es-US';
}

/** The sentences of one language. */
export interface Prompts {
  readonly speech: Voice;
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
    readonly stillLooking: string;
    readonly connectingAgain: string;
    readonly offerHelpline: string;
    readonly offerReconnect: string;
    readonly helplineNobody: string;
    readonly helplineAsked: string;
    readonly helplineWaited: string;
    /** The helpline cannot be dialled from here; `line` is its number, `emergency` the country's. */
    readonly callHelplineYourself: (line: string | null, emergency: string | null) => string;
    readonly helplineNotReached: (line: string | null, emergency: string | null) => string;
    readonly mentorConnected: string;
    readonly callerGone: string;
    readonly callOver: string;
    /** After the message of an alert: which key says that it was heard, which has it said again. */
    readonly alertKeys: (keys: { readonly acknowledge: string | null; readonly again: string }) => string;
    readonly alertAcknowledged: string;
  };
  /** The static document Twilio reads when it cannot reach us at all. */
  readonly fallback: string;
}

export interface SpokenDuration {
  readonly count: number;
  readonly unit: 'minute' | 'second';
}

const languages: ReadonlyMap<string, Prompts> = new Map([
  ['en', en],
  ['es', es],
]);

/** Languages that calls can be held in, as ISO 639-1. */
export const SPOKEN_LANGUAGES: readonly string[] = [...languages.keys()];

/** The sentences of a language (`es`, `es-MX`); English for one we do not speak. */
export function promptsFor(language: string): Prompts {
  return languages.get(language.toLowerCase().split('-')[0] ?? '') ?? en;
}

/** The language to speak where none was chosen: the static fallback and strangers who call in. */
export function languageOfCountry(country: string | null): string {
  return country === 'ES' || country === 'MX' ? 'es' : 'en';
}

/** Digit by digit, so that 988 is not read as a quantity. */
export function spokenNumber(number: string): string {
  return number.replace(/\D/g, '').split('').join(' ');
}

/** Whole minutes, rounded down so that nobody is promised more than they get; seconds below one minute. */
export function spokenDuration(seconds: number): SpokenDuration {
  return seconds < 60 ? { count: seconds, unit: 'second' } : { count: Math.floor(seconds / 60), unit: 'minute' };
}

/** What the user hears before a mentor's phone is rung. */
export function wordsBeforeDial({ confirmed }: Prompts, words: DialWords, timeLimitSeconds: number): string {
  if (words === 'first') return confirmed.searching(spokenDuration(timeLimitSeconds));
  return words === 'again' ? confirmed.connectingAgain : confirmed.stillLooking;
}

/** An unhurried voice; Twilio's are faster. */
const MS_PER_WORD = 450;

/** About how long Twilio takes to say it, rather too long than too short. */
export function spokenMs(text: string): number {
  return text.split(/\s+/).length * MS_PER_WORD;
}
