import type { Board } from './board';
import type { Leg } from './leg';
import type { Next, Stage } from './stage';
import { type TwimlElement, TwimlFailure } from './twiml-parser';
import { documentRequest, play, resolveUrl, say, seconds } from './twiml-words';

/** A key cuts the prompt short. */
class KeyPressed extends Error {}

/**
 * `<Gather>`: plays what is nested in it and listens for keys from its first word on. Ends with `numDigits`
 * keys, with `finishOnKey` (default #), or when `timeout` seconds pass after the prompt or the last key. Without
 * any key the document goes on, unless `actionOnEmptyResult` is true.
 */
export async function runGather(stage: Stage, verb: TwimlElement): Promise<Next> {
  const { board, leg, document, signal } = stage;
  if (!(verb.attributes.input ?? 'dtmf').includes('dtmf')) {
    throw new TwimlFailure(12200, 'the simulator gathers keys only, no speech');
  }
  const mostDigits = Number(verb.attributes.numDigits ?? Number.POSITIVE_INFINITY);
  const finishOnKey = verb.attributes.finishOnKey ?? '#';
  const patience = seconds(verb, 'timeout', 5) * 1000;
  if (verb.attributes.action !== undefined) leg.urls.add(resolveUrl(document.url, verb.attributes.action));
  const keys = new Keys(leg);
  let digits = '';
  let finishedOn = '';
  try {
    leg.listen(phaseOf(stage));
    await prompt(board, leg, verb, keys, signal);
    while (digits.length < mostDigits) {
      const key = await keys.next(board, patience, signal);
      if (key === null) break;
      if (finishOnKey.includes(key)) {
        finishedOn = key;
        break;
      }
      digits += key;
    }
  } finally {
    keys.close();
    leg.stopListening();
  }
  if (digits === '' && verb.attributes.actionOnEmptyResult !== 'true') return 'next-verb';
  return documentRequest(document.url, verb.attributes.action, verb.attributes.method, {
    msg: 'Gather End',
    Digits: digits,
    ...(finishedOn === '' ? {} : { FinishedOnKey: finishedOn }),
  });
}

function phaseOf(stage: Stage): 'greeting' | 'whisper' | 'other' {
  if (stage.mode === 'whisper') return 'whisper';
  return stage.leg.documents === 1 ? 'greeting' : 'other';
}

async function prompt(board: Board, leg: Leg, verb: TwimlElement, keys: Keys, signal: AbortSignal): Promise<void> {
  const uninterrupted = AbortSignal.any([signal, keys.pressed]);
  try {
    for (const child of verb.children) {
      if (child.name === 'Say') await say(board, leg, child, uninterrupted);
      else if (child.name === 'Play') await play(board, leg, child, uninterrupted);
      else if (child.name === 'Pause') await board.clock.wait(seconds(child, 'length', 1) * 1000, uninterrupted);
      else throw new TwimlFailure(12200, `<${child.name}> may not stand in a <Gather>`);
    }
  } catch (error) {
    if (!(error instanceof KeyPressed)) throw error;
  }
}

/** The keys pressed on a leg while it is listened to, in order. */
class Keys {
  private readonly waiting: string[] = [];
  private readonly first = new AbortController();
  private wake: (() => void) | null = null;
  private readonly onKey = (key: string) => {
    this.waiting.push(key);
    this.first.abort(new KeyPressed('a key was pressed'));
    this.wake?.();
  };

  constructor(private readonly leg: Leg) {
    leg.on('key', this.onKey);
  }

  /** Aborted by the first key. */
  get pressed(): AbortSignal {
    return this.first.signal;
  }

  /** @returns the next key, or null when none comes within `ms` of phone time */
  async next(board: Board, ms: number, signal: AbortSignal): Promise<string | null> {
    if (this.waiting.length === 0) {
      const stop = new AbortController();
      const woken = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      const waited = board.clock.wait(ms, AbortSignal.any([signal, stop.signal]));
      await Promise.race([woken, waited]);
      stop.abort(new KeyPressed('enough waited'));
      await waited.catch(() => {});
      this.wake = null;
    }
    signal.throwIfAborted();
    return this.waiting.shift() ?? null;
  }

  close(): void {
    this.leg.off('key', this.onKey);
  }
}
