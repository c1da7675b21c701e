import type { Board } from './board';
import type { DocumentRequest, Leg } from './leg';
import { type TwimlElement, TwimlFailure } from './twiml-parser';

/** How long a sound of `<Play>` lasts, whatever it holds: the simulator fetches no media. */
const SOUND_MS = 1_000;
/** `loop="0"` means for ever; nobody listens that long. */
const MOST_LOOPS = 1_000;

/** Says a verb's words to a leg, as often as `loop` asks. */
export async function say(board: Board, leg: Leg, verb: TwimlElement, signal: AbortSignal): Promise<void> {
  if (verb.text === '') return;
  const words = verb.text.split(' ').length;
  for (let time = 0; time < loops(verb); time += 1) {
    signal.throwIfAborted();
    leg.hear(verb.text);
    await board.clock.wait(words * board.settings.wordMs, signal);
  }
}

/** Plays a sound, which the handset shows as `♪` and where it is from: the simulator fetches none. */
export async function play(board: Board, leg: Leg, verb: TwimlElement, signal: AbortSignal): Promise<void> {
  for (let time = 0; time < loops(verb); time += 1) {
    signal.throwIfAborted();
    leg.hear(`♪ ${verb.text}`.trim());
    await board.clock.wait(board.settings.wordMs === 0 ? 0 : SOUND_MS, signal);
  }
}

function loops(verb: TwimlElement): number {
  const asked = Number(verb.attributes.loop ?? 1);
  return asked === 0 ? MOST_LOOPS : Math.min(MOST_LOOPS, Math.max(1, asked));
}

/** A whole number of seconds from an attribute. @throws TwimlFailure when it is none */
export function seconds(verb: TwimlElement, name: string, otherwise: number): number {
  const text = verb.attributes[name];
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0) {
    throw new TwimlFailure(12200, `<${verb.name} ${name}> is no number of seconds`);
  }
  return value;
}

/**
 * The request for a document that a document names. An absolute URL is kept to the letter, because its
 * signature is; without any the current document is asked for again.
 */
export function documentRequest(
  base: string,
  target: string | undefined,
  method: string | undefined,
  params: Readonly<Record<string, string>>,
): DocumentRequest {
  return { url: resolveUrl(base, target), method: method?.toUpperCase() === 'GET' ? 'GET' : 'POST', params };
}

/** @throws TwimlFailure when there is nothing to resolve against */
export function resolveUrl(base: string, target: string | undefined): string {
  if (target !== undefined && /^https?:\/\//i.test(target)) return target;
  if (base === '') throw new TwimlFailure(11100, 'inline TwiML needs absolute URLs');
  return target === undefined || target === '' ? base : new URL(target, base).href;
}
