/** Which gaps the sentences have that are not always the same words, and what fills them. */
import type { Prompts, SpokenDuration } from './prompts';

/** What stands in a gap at one time; null where there is nothing to say. */
type Filling = Readonly<Record<string, string | null>>;

export interface SentenceParts<Args extends readonly unknown[] = never[]> {
  /** By name: `perhaps` may be empty, and stands in square brackets with the words that then fall away too. */
  readonly gaps: Readonly<Record<string, 'always' | 'perhaps'>>;
  /** Whether configuration alone fills them, so that a recording can have them in it. */
  readonly isFixed: boolean;
  readonly filling: (prompts: Pick<Prompts, 'duration'>, ...args: Args) => Filling;
}

type PartsOf<Sentences> = {
  readonly [Key in keyof Sentences as Sentences[Key] extends string ? never : Key]: Sentences[Key] extends (
    ...args: infer Args
  ) => string
    ? SentenceParts<Args>
    : never;
};

const name: SentenceParts<[string | null]> = {
  gaps: { from: 'perhaps' },
  isFixed: true,
  filling: (_, from) => ({ from }),
};
const limited: SentenceParts<[SpokenDuration]> = {
  gaps: { limit: 'always' },
  isFixed: true,
  filling: (prompts, limit) => ({ limit: prompts.duration(limit) }),
};
const numbers: SentenceParts<[string | null, string | null]> = {
  gaps: { line: 'perhaps', emergency: 'perhaps' },
  isFixed: false,
  filling: (_, line, emergency) => ({ line, emergency }),
};

/** Of every sentence that has gaps: one that is missing here does not compile. */
export const PARTS: {
  readonly neutral: PartsOf<Prompts['neutral']>;
  readonly confirmed: PartsOf<Prompts['confirmed']>;
  readonly disclosures: PartsOf<Prompts['disclosures']>;
} = {
  neutral: {
    greeting: name,
    greetingAgain: name,
    whisper: name,
    alert: name,
    alertAgain: name,
    inboundStranger: { gaps: { line: 'perhaps' }, isFixed: false, filling: (_, line) => ({ line }) },
  },
  confirmed: {
    searching: limited,
    willRing: {
      gaps: { within: 'always', line: 'perhaps' },
      isFixed: false,
      filling: (prompts, within, line) => ({ within: prompts.duration(within), line }),
    },
    connectingLast: limited,
    yourTurn: limited,
    noMentorNow: numbers,
    callHelplineYourself: numbers,
    helplineNotReached: numbers,
    alertKeys: {
      gaps: { acknowledge: 'perhaps', again: 'always' },
      isFixed: false,
      filling: (_, { acknowledge, again }) => ({ acknowledge, again }),
    },
  },
  disclosures: {
    duration: limited,
    retention: {
      gaps: { hours: 'always', days: 'always' },
      isFixed: true,
      filling: (_, { hours, days }) => ({ hours: String(hours), days: String(days) }),
    },
    emergency: { gaps: { number: 'perhaps' }, isFixed: false, filling: (_, number) => ({ number }) },
  },
};

const OPTIONAL = /\[([^[\]]*)\]/g;
const GAP = /\{(\w+)\}/g;

/** The gaps of a text: `always` those that stand bare, `perhaps` those in square brackets; null when it is not well formed. */
export function gapsOf(text: string): Record<string, 'always' | 'perhaps'> | null {
  const gaps: Record<string, 'always' | 'perhaps'> = {};
  for (const [, inside = ''] of text.matchAll(OPTIONAL)) {
    const named = [...inside.matchAll(GAP)];
    if (named.length !== 1) return null;
    for (const [, gap = ''] of named) gaps[gap] = 'perhaps';
  }
  const bare = text.replaceAll(OPTIONAL, '');
  for (const [, gap = ''] of bare.matchAll(GAP)) gaps[gap] = 'always';
  return /[{}[\]]/.test(bare.replaceAll(GAP, '')) ? null : gaps;
}

/** Fills the gaps of a text that {@link gapsOf} knows. */
export function fillGaps(text: string, filling: Filling): string {
  const whole = text.replaceAll(OPTIONAL, (_, inside: string) =>
    [...inside.matchAll(GAP)].every(([, gap = '']) => filling[gap] != null) ? inside : '',
  );
  return whole.replaceAll(GAP, (_, gap: string) => filling[gap] ?? '').trim();
}
