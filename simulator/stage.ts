import type { Board } from './board';
import type { DocumentRequest, Leg } from './leg';
import type { TwimlDocument } from './twiml-documents';

/** `whisper`: what a callee hears before the bridge. It may not dial. */
export type ProgramMode = 'call' | 'whisper';

/** What one verb leads to: the next verb, another document, or the end. */
export type Next = DocumentRequest | 'next-verb' | 'hang-up';

/**
 * Runs documents on a leg until there is nothing left to do: `ran-out` when the last one ended with the leg
 * still up (a call is then hung up, a whisper bridges), `over` when somebody hung up.
 */
export type RunProgram = (
  board: Board,
  leg: Leg,
  first: DocumentRequest,
  mode: ProgramMode,
) => Promise<'ran-out' | 'over'>;

/** Everything a verb needs. */
export interface Stage {
  readonly board: Board;
  readonly leg: Leg;
  readonly mode: ProgramMode;
  readonly document: TwimlDocument;
  /** Aborted when the leg is over or given other TwiML. */
  readonly signal: AbortSignal;
  /** For verbs that run programs on other legs. */
  readonly run: RunProgram;
}
