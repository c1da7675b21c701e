import { LegOver } from './clock';
import { runDial } from './dial';
import { runGather } from './gather';
import { type DocumentRequest, type Leg, Redirected } from './leg';
import type { Next, RunProgram, Stage } from './stage';
import { fetchDocument } from './twiml-documents';
import { type TwimlElement, TwimlFailure } from './twiml-parser';
import { documentRequest, play, say, seconds } from './twiml-words';

/** Twilio's own words when neither a document nor a fallback can be had. */
const APPLICATION_ERROR = "We're sorry, an application error has occurred. Goodbye.";

/** Runs a leg's documents, one after the other, whatever interrupts them. */
export const runProgram: RunProgram = async (board, leg, first, mode) => {
  let request = first;
  for (;;) {
    const signal = leg.beginProgram();
    try {
      const document = await fetchDocument(board, leg, request, signal);
      const next = await runVerbs({ board, leg, mode, document, signal, run: runProgram });
      // A whisper that runs out bridges: also after a Gather that nobody answered (DialCallStatus will not tell).
      if (next === 'next-verb') return 'ran-out';
      if (next === 'hang-up') {
        leg.end('completed');
        return 'over';
      }
      request = next;
    } catch (error) {
      // Somebody hung up; whatever was running is of no use any more.
      if (error instanceof LegOver) return 'over';
      if (error instanceof Redirected) request = error.request;
      else if (error instanceof TwimlFailure) {
        board.notify(leg, error.code, error.message);
        const fallback = fallbackFor(leg, request, error);
        if (!fallback) {
          leg.pickUp();
          leg.hear(APPLICATION_ERROR);
          leg.end('completed');
          return 'over';
        }
        request = fallback;
      } else throw error;
    }
  }
};

/** The fallback is tried once: when it fails too, the call ends. */
function fallbackFor(leg: Leg, failed: DocumentRequest, error: TwimlFailure): DocumentRequest | null {
  if (!leg.fallback || leg.wentToFallback) return null;
  leg.wentToFallback = true;
  const params = { ErrorCode: String(error.code), ErrorUrl: failed.url.replace(/#.*$/, '') };
  return { url: leg.fallback.url, method: leg.fallback.method, params };
}

/** In order, until one leads elsewhere. What stands after such a verb is unreachable, as with Twilio. */
async function runVerbs(stage: Stage): Promise<Next> {
  for (const [index, verb] of stage.document.verbs.entries()) {
    const next = await runVerb(stage, verb, index === 0);
    if (next !== 'next-verb') return next;
  }
  return 'next-verb';
}

async function runVerb(stage: Stage, verb: TwimlElement, isFirst: boolean): Promise<Next> {
  const { leg, board, signal } = stage;
  if (verb.name === 'Reject') return reject(stage, verb, isFirst);
  // An inbound call rings until the first verb that needs a voice.
  if (verb.name !== 'Pause' && !(verb.name === 'Dial' && verb.attributes.answerOnBridge === 'true')) leg.pickUp();
  switch (verb.name) {
    case 'Say':
      await say(board, leg, verb, signal);
      return 'next-verb';
    case 'Play':
      await play(board, leg, verb, signal);
      return 'next-verb';
    case 'Pause':
      await board.clock.wait(seconds(verb, 'length', 1) * 1000, signal);
      return 'next-verb';
    case 'Gather':
      return runGather(stage, verb);
    case 'Dial':
      if (stage.mode === 'whisper') throw new TwimlFailure(13201, 'a whisper may not dial');
      return runDial(stage, verb);
    case 'Redirect':
      return documentRequest(stage.document.url, verb.text, verb.attributes.method, {});
    case 'Hangup':
      return 'hang-up';
    default:
      // Loud, because a verb that is skipped in silence would make a test pass that Twilio fails.
      throw new TwimlFailure(12200, `the simulator does not run <${verb.name}>`);
  }
}

/** Only an inbound call that is not yet answered can be rejected; that is also why it costs nothing. */
function reject(stage: Stage, verb: TwimlElement, isFirst: boolean): Next {
  const { leg } = stage;
  if (!isFirst || leg.direction !== 'inbound' || leg.isUp) {
    throw new TwimlFailure(12200, '<Reject> must be the first verb of an inbound call');
  }
  leg.end(verb.attributes.reason === 'busy' ? 'busy' : 'no-answer', verb.attributes.reason === 'busy' ? 486 : 480);
  return 'hang-up';
}
