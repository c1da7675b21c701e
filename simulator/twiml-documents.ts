import { randomUUID } from 'node:crypto';
import type { Board } from './board';
import { pause, unlessAborted } from './clock';
import type { DocumentRequest, Leg } from './leg';
import { parseTwiml, type TwimlElement, TwimlFailure } from './twiml-parser';
import { callParameters } from './webhook-parameters';
import { WebhookFailed } from './webhook-sender';

export interface TwimlDocument {
  /** Where it came from, fragment included; empty for inline TwiML. */
  readonly url: string;
  readonly verbs: readonly TwimlElement[];
}

/**
 * Asks the service for a document.
 * @throws TwimlFailure when it cannot be had or read; the signal's reason when the leg is interrupted meanwhile
 */
export async function fetchDocument(
  board: Board,
  leg: Leg,
  request: DocumentRequest,
  signal: AbortSignal,
): Promise<TwimlDocument> {
  if (request.twiml !== undefined) {
    leg.documents += 1;
    return { url: '', verbs: parseTwiml(request.twiml) };
  }
  const text = await unlessAborted(ask(board, leg, request), signal);
  leg.documents += 1;
  return { url: request.url, verbs: parseTwiml(text) };
}

/**
 * Posts a Dial's action for a caller who has hung up. Twilio does so too; whatever it answers is moot, but a
 * Dial in it is noted, so that "every Dial served" can be counted.
 */
export async function postForTheRecord(board: Board, leg: Leg, request: DocumentRequest): Promise<void> {
  try {
    const verbs = parseTwiml(await ask(board, leg, request));
    for (const verb of verbs) {
      if (verb.name === 'Dial') board.dials.noteMoot(leg.sid, request.url, numbersOf(verb).length);
    }
  } catch (error) {
    if (!(error instanceof TwimlFailure)) throw error;
    board.notify(leg, error.code, `action of a caller who is gone: ${error.message}`);
  }
}

/** The `<Number>`s of a `<Dial>`; its bare text is a number as well. */
export function numbersOf(dial: TwimlElement): readonly TwimlElement[] {
  const numbers = dial.children.filter((child) => child.name === 'Number');
  if (numbers.length > 0 || dial.text === '') return numbers;
  return [{ name: 'Number', attributes: {}, children: [], text: dial.text }];
}

async function ask(board: Board, leg: Leg, request: DocumentRequest): Promise<string> {
  leg.urls.add(request.url);
  const fault = board.faults.take('twiml', { to: leg.to });
  const hook = {
    kind: 'twiml' as const,
    sid: leg.sid,
    url: request.url,
    method: request.method,
    params: { ...callParameters(leg, board.accountSid), ...request.params },
    token: randomUUID(),
  };
  if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
  try {
    const asked = board.webhooks.send(fault ? { ...hook, fault: fault.kind } : hook);
    if (fault?.kind === 'duplicate') await Promise.allSettled([asked, board.webhooks.send(hook)]);
    const answer = await asked;
    if (!/^(text|application)\/([\w.+-]*\+)?xml\b/i.test(answer.contentType)) {
      throw new TwimlFailure(12300, 'the answer has no XML content type');
    }
    return answer.body;
  } catch (error) {
    if (error instanceof WebhookFailed) throw new TwimlFailure(error.code, error.message);
    throw error;
  }
}
