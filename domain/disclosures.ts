/**
 * What people are told about the service, in every language that we speak: shown before they agree
 * (`GET /disclosures`, the start page), and said after key 1 where the law or the organisation wants them said.
 */
import { helplinesFor } from './helplines';
import type { DialWords } from './mentor-call';
import { type Prompts, spokenDuration, spokenMs, sentencesBeforeDial, spokenNumber } from './prompts';
import type { RetentionPeriods } from './retention';

export const DISCLOSURE_KINDS = [
  'monitoring',
  'recording',
  'duration',
  'retention',
  'deletion',
  'not-therapists',
  'emergency',
] as const;
export type DisclosureKind = (typeof DISCLOSURE_KINDS)[number];

/** What their gaps are filled with. */
export interface Disclosed {
  readonly timeLimitSeconds: number;
  /** ISO country of the person; null where it is not known. */
  readonly country: string | null;
  /** As they are configured (ms). */
  readonly kept: Pick<RetentionPeriods, 'numberForOneCall' | 'callLog'>;
}

/** What is said before a Dial. */
export interface BeforeDial extends Disclosed {
  /** The user has agreed to a recording. */
  readonly mayBeRecorded?: boolean;
}

const HOUR = 3_600_000;

/** As it is said: a number to call is read digit by digit. */
export function disclosureSentence(prompts: Prompts, kind: DisclosureKind, disclosed: Disclosed): string {
  return sentence(prompts, kind, disclosed, spokenNumber);
}

/** As it is shown. */
export function disclosureText(prompts: Prompts, kind: DisclosureKind, disclosed: Disclosed): string {
  return sentence(prompts, kind, disclosed, (number) => number);
}

/**
 * About how long what is said before a mentor is dialled takes (ms).
 * @param said the disclosures that come before a search, and before the turn of who has waited
 */
export function spokenMsBeforeDial(
  prompts: Prompts,
  said: readonly DisclosureKind[],
  disclosed: BeforeDial,
): Record<DialWords, number> {
  const of = (words: DialWords) =>
    sentencesBeforeDial(prompts, words, disclosed.timeLimitSeconds, disclosed.mayBeRecorded).reduce(
      (sum, sentence) => sum + spokenMs(sentence, prompts),
      0,
    );
  const before = said.reduce((sum, kind) => sum + spokenMs(disclosureSentence(prompts, kind, disclosed)), 0);
  return {
    first: before + of('first'),
    'still-looking': of('still-looking'),
    again: of('again'),
    last: of('last'),
    turn: before + of('turn'),
  };
}

function sentence(
  { disclosures }: Prompts,
  kind: DisclosureKind,
  { timeLimitSeconds, country, kept }: Disclosed,
  written: (number: string) => string,
): string {
  switch (kind) {
    case 'duration':
      return disclosures.duration(spokenDuration(timeLimitSeconds));
    case 'retention':
      // Rounded up: what is told is never less than what is kept.
      return disclosures.retention({
        hours: Math.ceil(kept.numberForOneCall / HOUR),
        days: Math.ceil(kept.callLog / HOUR / 24),
      });
    case 'emergency': {
      const { emergency } = helplinesFor(country);
      return disclosures.emergency(country === null || emergency.number === null ? null : written(emergency.number));
    }
    case 'not-therapists':
      return disclosures.notTherapists;
    default:
      return disclosures[kind];
  }
}
