/**
 * An organisation's own words: sentences and voices of a file (`PROMPTS_FILE`) in place of ours, by language and key. A
 * sentence may be a recording; whatever is not given stays as it is.
 */
import { z } from 'zod';
import { type Prompts, promptsFor, type PromptsOf, SPOKEN_LANGUAGES } from './prompts';
import { fillGaps, gapsOf, PARTS, type SentenceParts } from './prompt-parts';
import { revealingWord } from './revealing-words';

/** Thrown for a file that cannot be used; names each key that is wrong with what was expected, never its words. */
export class PromptsError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`PROMPTS_FILE:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'PromptsError';
  }
}

const GROUPS = ['neutral', 'confirmed', 'disclosures'] as const;
type Group = (typeof GROUPS)[number];

/** Twilio takes 4,096 characters; nobody listens that long. */
const LONGEST_SENTENCE = 600;
const LONGEST_RECORDING = 120;

// Marks of XML are no danger, the document is written by a library; aloud they only make noise.
const words = z.string().regex(/^(?!\s*https:)[^<>\p{Cc}]+$/u);
const recording = z.strictObject({
  play: z.url({ protocol: /^https$/ }).max(500),
  /** How long it lasts; nothing may be cut off in it. */
  seconds: z.number().positive().max(LONGEST_RECORDING),
});
const sentence = z.union([words.trim().min(1).max(LONGEST_SENTENCE), recording]);
const sentences = z.record(z.string(), sentence).optional();
const language = z.strictObject({
  voice: z
    .strictObject({
      voice: z.string().regex(/^[A-Za-z][\w.-]{1,63}$/),
      language: z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/),
    })
    .optional(),
  neutral: sentences,
  confirmed: sentences,
  disclosures: sentences,
  fallback: sentence.optional(),
});
/** By language. */
const file = z.record(z.string(), language);

type Given = z.output<typeof sentence>;
type Sentence = string | ((...args: never[]) => string);

/**
 * The words to speak: ours, with those of the file in their place.
 *
 * @param text JSON
 * @throws {PromptsError}
 */
export function readPrompts(text: string): PromptsOf {
  const faults: string[] = [];
  const own = new Map<Prompts, Prompts>();
  for (const [code, given] of Object.entries(parsed(text))) {
    if (SPOKEN_LANGUAGES.includes(code)) own.set(promptsFor(code), withOwn(code, given, faults));
    else faults.push(`${code}: expected one of ${SPOKEN_LANGUAGES.join(', ')}`);
  }
  if (faults.length > 0) throw new PromptsError(faults);
  return (wanted) => own.get(promptsFor(wanted)) ?? promptsFor(wanted);
}

function parsed(text: string): z.output<typeof file> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // A parser's error quotes the text.
    throw new PromptsError(['expected JSON']);
  }
  const result = file.safeParse(json);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path }) => `${path.join('.') || 'the file'}: expected ${expectedAt(path)}`);
  throw new PromptsError(wrong);
}

/** @param path of what is wrong: language, then voice, fallback or group, then sentence */
function expectedAt([, part, key]: readonly PropertyKey[]): string {
  if (part === 'voice')
    return 'voice and language as Twilio names them, such as {"voice": "Polly.Lea", "language": "fr-FR"}';
  if (part !== 'fallback' && key === undefined)
    return 'for each language voice, neutral, confirmed, disclosures, fallback';
  return `a text of at most ${LONGEST_SENTENCE} characters, or {"play": "https://…", "seconds": …}`;
}

function withOwn(code: string, given: z.output<typeof language>, faults: string[]): Prompts {
  const ours = promptsFor(code);
  const recordings = new Map<string, number>();
  const put = (path: string, before: Sentence, own: Given, parts: SentenceParts | null): Sentence => {
    const fault = faultOf(path, before, own, parts);
    if (fault !== null) {
      faults.push(`${code}.${path}: ${fault}`);
      return before;
    }
    if (typeof own !== 'string') recordings.set(own.play, own.seconds * 1_000);
    const text = typeof own === 'string' ? own : own.play;
    return parts === null ? text : (...args) => fillGaps(text, parts.filling(ours, ...args));
  };
  const group = <G extends Group>(name: G): Prompts[G] => {
    const sentences: Record<string, Sentence> = { ...ours[name] };
    const owns: Readonly<Record<string, Given>> = given[name] ?? {};
    for (const [key, own] of Object.entries(owns)) {
      const before = Object.hasOwn(sentences, key) ? sentences[key] : undefined;
      if (before === undefined) faults.push(`${code}.${name}.${key}: there is no such sentence`);
      else sentences[key] = put(`${name}.${key}`, before, own, partsOf(name, key));
    }
    return isGroup(name, sentences) ? sentences : ours[name];
  };
  if (given.voice !== undefined && given.voice.language.split('-')[0] !== code) {
    faults.push(`${code}.voice.language: expected a voice that speaks this language, such as ${ours.speech.language}`);
  }
  const fallback = given.fallback === undefined ? ours.fallback : put('fallback', ours.fallback, given.fallback, null);
  return {
    speech: given.voice ?? ours.speech,
    duration: ours.duration,
    neutral: group('neutral'),
    confirmed: group('confirmed'),
    disclosures: group('disclosures'),
    fallback: typeof fallback === 'string' ? fallback : ours.fallback,
    recordings,
  };
}

/** Ours had them all; what took a place is a sentence with the same gaps. */
function isGroup<G extends Group>(name: G, sentences: object): sentences is Prompts[G] {
  return Object.keys(promptsFor('en')[name]).every((key) => Object.hasOwn(sentences, key));
}

function partsOf(group: Group, key: string): SentenceParts | null {
  const parts: Readonly<Record<string, SentenceParts>> = PARTS[group];
  return Object.hasOwn(parts, key) ? (parts[key] ?? null) : null;
}

/** What a sentence has to be, when this one is not; null when it is. */
function faultOf(path: string, before: Sentence, own: Given, parts: SentenceParts | null): string | null {
  if (typeof own !== 'string') {
    if (path.startsWith('disclosures.')) return 'expected a text, because it is shown too';
    return parts === null || parts.isFixed ? null : 'expected a text, because its numbers differ from call to call';
  }
  const [expected, found] = [parts?.gaps ?? {}, gapsOf(own)];
  if (found === null || !isSame(expected, found)) return `expected ${described(expected)}`;
  const unnamed = keysNamed(before, parts).filter((key) => !own.includes(key));
  if (unnamed.length > 0) return `expected the key ${unnamed.join(' and the key ')} to be named`;
  const word = path.startsWith('neutral.') ? revealingWord(own) : null;
  return word === null ? null : `anybody may hear it, and “${word}” tells what the call is about`;
}

function isSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

function described(gaps: SentenceParts['gaps']): string {
  const named = Object.entries(gaps).map(([gap, when]) => (when === 'always' ? `{${gap}}` : `[… {${gap}} …]`));
  return named.length === 0 ? 'a sentence without { } and [ ]' : `the gaps ${named.join(' and ')}, and no others`;
}

/** The keys that our own sentence names: whoever is asked for one must hear which. */
function keysNamed(before: Sentence, parts: SentenceParts | null): string[] {
  if (typeof before === 'string') return before.match(/\d/g) ?? [];
  // Of a sentence with other gaps, the digits may be those of its gaps.
  return parts?.gaps['from'] === undefined ? [] : (String(Reflect.apply(before, undefined, [null])).match(/\d/g) ?? []);
}
