import { type CheckInNews, type CheckInResponse, MOST_CORRECTIONS } from '../domain/buddies';
import type { AnsweringParty, EscalationChannel, EscalationStep } from '../domain/escalation-policy';
import type { MessageNews } from '../domain/message';
import type { VoiceAlertNews } from '../domain/voice-alert';
import {
  type Ask,
  type Decision,
  hasReached,
  type OpenedAlert,
  type WellbeingAlertInput,
  type WellbeingEndReason,
  type WellbeingResult,
} from '../domain/wellbeing-alert';

/** Somebody who was asked, and what has come of it. */
export interface OpenAsk extends Ask {
  /** The step that asked, from 1. */
  readonly position: number;
  readonly party: AnsweringParty;
  readonly channel: EscalationChannel;
  /** It is not waited for any more. */
  isOver: boolean;
  /** Nobody knows whether it was begun. */
  isGivenUp: boolean;
  /** Of a check-in: it takes no answer any more. */
  isClosed: boolean;
  /** How often the contact has changed what they said. */
  corrections: number;
  response: Decision['response'];
  /** They have been in touch, or see to it. */
  hasReached: boolean;
}

/** How a step has ended by itself; an answer that is corrected changes it. */
export interface EndedStep {
  readonly state: 'answered' | 'unanswered';
  /** Of the registered contact. */
  readonly response: Decision['response'];
}

/** The step that only a human sets off. */
export interface Emergency {
  readonly position: number;
  readonly step: EscalationStep;
  state: 'waiting' | 'confirmed' | 'called';
  /** Subject id of the human. */
  confirmedBy: string | null;
  askId: string;
}

/** Messages in these states still can be read, or have been. */
const ON_THEIR_WAY: readonly MessageNews['state'][] = ['sent', 'delivered', 'unconfirmed'];

/** Everything one run remembers; plain values, so that what is kept can be read in one place. */
export class WellbeingAlertState {
  opened: OpenedAlert | null = null;
  readonly asks: OpenAsk[] = [];
  /** The newest step that was begun, from 1; 0: none. */
  newest = 0;
  newestAnsweredBy: readonly AnsweringParty[] = [];
  /** From when the next step is waited for (epoch ms); null: not at all, because the one before it had nobody to ask. */
  waitsFrom: number | null;
  decision: Decision | null = null;
  stop: 'user' | 'staff' | 'operator' | 'erased' | null = null;
  emergency: Emergency | null = null;
  /** It comes to its end by itself. */
  isClosing = false;
  /** How it ends is settled: no answer counts any more. */
  isSettled = false;
  /** What stands in the rows of steps that have ended, by position. */
  readonly noted = new Map<number, EndedStep>();
  result: WellbeingResult | null = null;

  constructor(
    readonly input: WellbeingAlertInput,
    now: number,
  ) {
    this.waitsFrom = now;
  }

  /** Nobody else is asked any more. */
  isDecided(): boolean {
    return this.decision !== null || this.stop !== null;
  }

  askedBuddyIds(): string[] {
    return this.asks.flatMap(({ buddyId }) => (buddyId === null ? [] : [buddyId]));
  }

  begin(position: number, step: EscalationStep, asks: readonly Ask[], now: number): void {
    this.newest = position;
    this.newestAnsweredBy = step.answeredBy;
    this.waitsFrom = now;
    for (const ask of asks) this.add(position, step, ask);
  }

  add(position: number, { who, channel }: EscalationStep, ask: Ask): void {
    const party = who === 'emergency' ? 'on-call' : who;
    const unheard = {
      isOver: false,
      isGivenUp: false,
      isClosed: false,
      corrections: 0,
      response: null,
      hasReached: false,
    };
    this.asks.push({ ...ask, position, party, channel, ...unheard });
  }

  asksOf(position: number): OpenAsk[] {
    return this.asks.filter((ask) => ask.position === position);
  }

  /** Everybody whom the step asked has said that they cannot, or was not reached. */
  hasFailed(position: number): boolean {
    const asks = this.asksOf(position);
    return asks.length > 0 && asks.every(({ isOver, hasReached: reached }) => isOver && !reached);
  }

  /** No more answer can come. */
  isEverythingHeard(): boolean {
    return this.asks.every(({ isOver }) => isOver) && this.emergency?.state !== 'waiting';
  }

  /** Of the contact, while what they say can change anything. */
  openContactAsk(): OpenAsk | null {
    const ask = this.asks.findLast(({ party }) => party === 'registered-contact');
    return ask === undefined || this.isDecided() || this.isSettled ? null : ask;
  }

  /** The contact corrects what they said a few times, as a buddy can; that they have been in touch is always heard, once. */
  mayAnswer(ask: OpenAsk, response: CheckInResponse): boolean {
    return !ask.hasReached && (hasReached(response) || ask.corrections < MOST_CORRECTIONS);
  }

  hearOfContact(response: CheckInResponse, at: number): void {
    const ask = this.openContactAsk();
    if (ask === null || !this.mayAnswer(ask, response)) return;
    if (ask.response !== null && ask.response !== response) ask.corrections += 1;
    this.hear(ask.askId, response, hasReached(response), at);
  }

  /** What still asks, and what still takes a correction: a check-in that was answered stays open for it. */
  asksToEnd(): OpenAsk[] {
    // What a human has set off goes on until somebody acknowledges it.
    const others = this.asks.filter(({ askId }) => askId !== this.emergency?.askId);
    return others.filter(({ by, isOver, isGivenUp, isClosed }) =>
      by === 'check-in' ? !isClosed : !isOver || isGivenUp,
    );
  }

  hearOfCheckIn({ requestId, state, response }: CheckInNews, at: number): void {
    if (state === 'answered' && response !== null) this.hear(requestId, response, hasReached(response), at);
    else if (['unanswered', 'undeliverable', 'ended'].includes(state)) this.lose(requestId, true);
  }

  hearOfMessage({ messageId, state }: MessageNews): void {
    if (!ON_THEIR_WAY.includes(state)) this.lose(messageId);
  }

  hearOfCall({ alertId, state }: VoiceAlertNews, at: number): void {
    this.hear(alertId, null, state === 'acknowledged' || state === 'heard', at);
  }

  /** The first answer that counts decides; the others are kept beside it. */
  hear(askId: string, response: Decision['response'], reached: boolean, at: number): void {
    const ask = this.asks.find((one) => one.askId === askId);
    // Who could not at first, or was thought lost, may have been in touch after all.
    if (ask === undefined || (ask.hasReached && !this.takesBack(ask, response))) return;
    Object.assign(ask, { isOver: true, response, hasReached: reached });
    if (!reached || this.isDecided() || !this.newestAnsweredBy.includes(ask.party)) return;
    this.decision = decisionOf(ask, at);
  }

  /** A buddy corrects that they have been in touch; once something is decided it stays so. */
  private takesBack({ party }: OpenAsk, response: Decision['response']): boolean {
    return party === 'buddies' && response !== null && !this.isDecided() && !this.isSettled;
  }

  /** Nobody was reached by it. */
  lose(askId: string, isClosed = false): void {
    const ask = this.asks.find((one) => one.askId === askId);
    if (ask !== undefined) Object.assign(ask, { isOver: true, isClosed: ask.isClosed || isClosed });
  }

  /** It could not be begun, as far as is known: not waited for, and ended with the alert all the same. */
  giveUp(askId: string): void {
    const ask = this.asks.find((one) => one.askId === askId);
    if (ask !== undefined) Object.assign(ask, { isOver: true, isGivenUp: true });
  }

  /** How this step has ended; null while more is to be heard of it. */
  endOf(position: number): EndedStep | null {
    const asks = this.asksOf(position);
    if (!asks.every(({ isOver }) => isOver)) return null;
    const reached = asks.find((ask) => ask.hasReached);
    const last = reached ?? asks.at(-1);
    // Buddies' answers stand with their check-ins.
    const response = last?.party === 'registered-contact' ? last.response : null;
    return { state: reached === undefined ? 'unanswered' : 'answered', response };
  }

  /** What became of it, when nothing more is waited for. */
  outcome(at: number): WellbeingResult & { readonly decision: Decision | null } {
    this.isSettled = true;
    const answered = this.asks.find((ask) => ask.hasReached);
    // Whoever answered without deciding has answered all the same, once nobody else does.
    if (this.stop === null) this.decision ??= answered === undefined ? null : decisionOf(answered, at);
    const { decision } = this;
    if (decision === null) return { ...this.undecided(), decision };
    if (decision.party === 'on-call' || decision.party === 'wellbeing-service') {
      return { state: 'escalated', endReason: 'taken-over', decision };
    }
    const endReason = decision.position < this.newest ? 'answered-after-escalation' : 'answered';
    return { state: 'answered', endReason, decision };
  }

  private undecided(): WellbeingResult {
    const isWithOrganisation = this.asks.some(({ party }) => ORGANISATION.includes(party)) || this.emergency !== null;
    switch (this.stop) {
      case 'user':
        return { state: 'closed', endReason: 'closed-by-user' };
      case 'staff':
        if (isWithOrganisation) return { state: 'escalated', endReason: 'taken-over' };
        return { state: 'closed', endReason: 'closed-by-staff' };
      case 'operator':
        return { state: 'closed', endReason: 'stopped-by-operator' };
      case 'erased':
        return { state: 'closed', endReason: 'user-erased' };
      case null: {
        const isHandedOver = this.asks.some(({ party, isOver }) => party === 'wellbeing-service' && !isOver);
        if (isHandedOver) return { state: 'escalated', endReason: 'handed-over' };
        return { state: 'closed', endReason: this.newest === 0 ? 'nobody-to-ask' : 'nobody-answered' };
      }
    }
  }
}

const ORGANISATION: readonly AnsweringParty[] = ['wellbeing-service', 'on-call'];

/** Whoever could have answered has not, for as long as was waited. */
export function isInVain(endReason: WellbeingEndReason): boolean {
  return endReason === 'nobody-answered' || endReason === 'handed-over';
}

/** Who was written to by a message is told that it is over, where it came to an end for them too. */
export function isToldToOthers(endReason: WellbeingEndReason): boolean {
  return ['answered', 'answered-after-escalation', 'taken-over', 'closed-by-user', 'closed-by-staff'].includes(
    endReason,
  );
}

function decisionOf({ askId, party, response, position }: OpenAsk, at: number): Decision {
  return { askId, party, response, position, at: new Date(at).toISOString() };
}
