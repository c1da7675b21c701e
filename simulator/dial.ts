import type { Board } from './board';
import { LegOver, unlessAborted } from './clock';
import type { OpenDial } from './dial-book';
import { type Leg, Redirected, type StatusCallback } from './leg';
import { isDiallable } from './phone-numbers';
import { ring } from './ringing';
import type { Next, Stage } from './stage';
import { numbersOf, postForTheRecord } from './twiml-documents';
import { type TwimlElement, TwimlFailure } from './twiml-parser';
import { documentRequest, resolveUrl, seconds } from './twiml-words';

/** Twilio's defaults: ring for 30 seconds, talk for four hours, ten numbers at most. */
const RING_SECONDS = 30;
const TALK_SECONDS = 14_400;
const MOST_NUMBERS = 10;

/**
 * `<Dial>`: rings its numbers at once on legs of their own, lets each that answers hear its whisper, bridges
 * the first whose whisper runs out, and then asks the action URL (or goes on in the document).
 */
export async function runDial(stage: Stage, verb: TwimlElement): Promise<Next> {
  const { board, leg: parent, document, signal } = stage;
  const numbers = numbersOf(verb);
  if (numbers.length === 0 || numbers.length > MOST_NUMBERS || verb.children.some((noun) => noun.name !== 'Number')) {
    throw new TwimlFailure(13225, 'the simulator dials one to ten <Number>s and nothing else');
  }
  const callerId = verb.attributes.callerId ?? parent.from;
  const children = numbers.map((number) =>
    board.addLeg({ direction: 'outbound-dial', to: number.text, from: callerId, parent, ...callbackOf(stage, number) }),
  );
  noteUrls(stage, verb, numbers, children);
  const dial = board.dials.open(parent.sid, document.url, children);
  let winner: Leg | null = null;
  const star = starKey(parent, verb);
  try {
    const attempts = children.map((child, index) => attempt(stage, verb, child, numbers[index]));
    const accepted = unlessAborted(firstOf(attempts), AbortSignal.any([signal, star.pressed]));
    winner = await accepted.finally(star.stop);
    endAll(children.filter((child) => child !== winner));
    // Those who still ring see a missed call; one in the middle of a whisper is cut off.
    if (winner) await bridge(stage, verb, winner, dial);
  } catch (error) {
    endAll(children);
    if (star.pressed.aborted && !signal.aborted && verb.attributes.action !== undefined) {
      // Whoever had picked up is cut off in the middle of the whisper.
      dial.status = statusOf(children);
      return actionRequest(stage, verb, dial, null);
    }
    // A caller who hangs up ends the Dial, and its action is asked all the same.
    if (error instanceof LegOver && verb.attributes.action !== undefined) {
      dial.status = winner ? 'completed' : 'canceled';
      const request = actionRequest(stage, verb, dial, winner);
      void postForTheRecord(board, parent, request);
    }
    throw error;
  }
  // `completed` although nobody was bridged: an answering machine that the whisper turned away counts as answered.
  // A line that is lost in a conversation ends as `failed`, where the network notices.
  const { status } = winner ?? {};
  dial.status = status === 'failed' ? status : winner ? 'completed' : statusOf(children);
  return verb.attributes.action === undefined ? 'next-verb' : actionRequest(stage, verb, dial, winner);
}

/** The caller's star before anybody is connected, where `hangupOnStar` says that it counts. */
function starKey(parent: Leg, verb: TwimlElement): { readonly pressed: AbortSignal; readonly stop: () => void } {
  const pressed = new AbortController();
  const onKey = (key: string) => {
    if (key === '*' && verb.attributes.hangupOnStar === 'true') pressed.abort(new LegOver());
  };
  parent.on('key', onKey);
  return { pressed: pressed.signal, stop: () => parent.off('key', onKey) };
}

function callbackOf(stage: Stage, number: TwimlElement): { statusCallback?: StatusCallback } {
  const { statusCallback, statusCallbackEvent, statusCallbackMethod } = number.attributes;
  if (statusCallback === undefined) return {};
  return {
    statusCallback: {
      url: resolveUrl(stage.document.url, statusCallback),
      method: statusCallbackMethod?.toUpperCase() === 'GET' ? 'GET' : 'POST',
      events: new Set((statusCallbackEvent ?? 'completed').split(/[\s,]+/)),
    },
  };
}

/** The ledger holds every URL we were given, also those that are never asked. */
function noteUrls(stage: Stage, verb: TwimlElement, numbers: readonly TwimlElement[], children: readonly Leg[]): void {
  const { url: base } = stage.document;
  if (verb.attributes.action !== undefined) stage.leg.urls.add(resolveUrl(base, verb.attributes.action));
  for (const [index, child] of children.entries()) {
    const whisper = numbers[index]?.attributes.url;
    if (whisper !== undefined) child.urls.add(resolveUrl(base, whisper));
  }
}

/** @returns the child when it may be bridged, null when it is over */
async function attempt(stage: Stage, verb: TwimlElement, child: Leg, number?: TwimlElement): Promise<Leg | null> {
  const { board, leg: parent, document } = stage;
  if (!isDiallable(child.to)) {
    board.notify(child, 13223, 'invalid phone number');
    child.end('failed', 404);
    return null;
  }
  // Twilio: the calling number, the called number, or a number of the account.
  if (!board.ownsNumber(child.from) && child.from !== parent.from && child.from !== parent.to) {
    board.notify(child, 13214, 'invalid callerId');
    child.end('failed', 403);
    return null;
  }
  if (!(await ring(board, child, seconds(verb, 'timeout', RING_SECONDS)))) return null;
  const whisper = number?.attributes.url;
  if (whisper !== undefined) {
    const request = documentRequest(document.url, whisper, number?.attributes.method, {});
    if ((await stage.run(board, child, request, 'whisper')) === 'over') return null;
  }
  return child.isUp ? child : null;
}

/** The first that is not null, or null when all are. */
async function firstOf(attempts: readonly Promise<Leg | null>[]): Promise<Leg | null> {
  const accepted = attempts.map(async (each) => {
    const leg = await each;
    if (!leg) throw new LegOver();
    return leg;
  });
  try {
    return await Promise.any(accepted);
  } catch {
    return null;
  }
}

/** Connects both legs until one hangs up, the time limit is reached, or the caller presses * where that counts. */
async function bridge(stage: Stage, verb: TwimlElement, child: Leg, dial: OpenDial): Promise<void> {
  const { board, leg: parent, signal } = stage;
  parent.pickUp();
  dial.bridged = true;
  const enough = new AbortController();
  const over = AbortSignal.any([child.beginProgram(), enough.signal]);
  const onKey = (key: string) => {
    if (key === '*' && verb.attributes.hangupOnStar === 'true') enough.abort(new LegOver());
  };
  parent.on('key', onKey);
  parent.connect(child);
  child.connect(parent);
  const bridgeOver = board.clock
    .wait(seconds(verb, 'timeLimit', TALK_SECONDS) * 1000, over)
    .catch((reason: unknown) => {
      // The callee was given other TwiML by REST: that leg goes its own way, the caller's goes on.
      if (reason instanceof Redirected) return reason.request;
      return null;
    });
  try {
    const elsewhere = await unlessAborted(bridgeOver, signal);
    if (elsewhere) void stage.run(board, child, elsewhere, 'call').then(() => child.end('completed'));
    else child.end('completed');
  } finally {
    parent.off('key', onKey);
    enough.abort(new LegOver());
    parent.disconnect();
    child.disconnect();
  }
}

function endAll(children: readonly Leg[]): void {
  for (const child of children) child.end(child.isUp ? 'completed' : 'canceled');
}

/** One word for several legs: the nearest to success. `completed` only says that something answered. */
function statusOf(children: readonly Leg[]): string {
  const statuses = new Set<string>(children.map((child) => child.status));
  return ['completed', 'no-answer', 'busy', 'canceled'].find((status) => statuses.has(status)) ?? 'failed';
}

function actionRequest(stage: Stage, verb: TwimlElement, dial: OpenDial, winner: Leg | null) {
  const child = winner ?? dial.children.find((leg) => leg.answeredAt) ?? dial.children.at(-1);
  const params: Record<string, string> = {
    DialCallStatus: dial.status ?? 'failed',
    DialBridged: String(dial.bridged),
    ...(child ? { DialCallSid: child.sid, ...durationOf(stage.board, child) } : {}),
  };
  return documentRequest(stage.document.url, verb.attributes.action, verb.attributes.method, params);
}

function durationOf(board: Board, child: Leg): { DialCallDuration?: string } {
  if (!child.answeredAt) return {};
  const ms = board.clock.between(child.answeredAt, child.endedAt ?? new Date());
  return { DialCallDuration: String(Math.round(ms / 1000)) };
}
