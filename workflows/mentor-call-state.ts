import { condition } from '@temporalio/workflow';
import type { ReservedMentor } from '../activities/mentors';
import type {
  CallPlan,
  EndReason,
  LegEnded,
  MentorCallInput,
  MentorCallResult,
  TurnedAway,
} from '../domain/mentor-call';

/**
 * Where a call stands. `reaching`: until the user's key 1. `looking`: between two mentors. `dialling`: a Dial
 * of a mentor was served. `bridged`: the mentor pressed 1. `offering`: the user was asked for a key. `waiting`: in the
 * queue, with or without the line on which they asked for it.
 */
export type Phase =
  | 'opening'
  | 'reaching'
  | 'looking'
  | 'dialling'
  | 'bridged'
  | 'offering'
  | 'waiting'
  | 'helpline'
  | 'over';

/** The phone of the user: which dispatch rings it, which call it became. */
export interface UserLeg {
  readonly nth: number;
  readonly dispatchId: string;
  /** The call the user is on: the dispatched one, or one they made to our number meanwhile. */
  sid: string | null;
  dispatchedSid: string | null;
  placedAt: number | null;
  /** Why no call could be placed; set once. */
  refusal: EndReason | null;
}

/** The mentor's turn that is going on, or was the last. */
export interface MentorTurn {
  readonly step: number;
  readonly mentorId: string;
  /** Of the conversation, by the Dial (ms). */
  readonly timeLimit: number;
  bridgedAt: number | null;
  bridgeEndedAt: number | null;
  /** The Dial never showed a leg: its slot was given back, the step counts as not taken. */
  givenBack: boolean;
  /** We have looked once whether its phone showed a sign of life. */
  looked: boolean;
}

/** A mentor's place that was taken before the user was rung for it. */
export interface KeptPlace {
  readonly step: number;
  readonly mentor: ReservedMentor;
}

/** The recording of one conversation. */
export interface CallRecording {
  readonly recordingId: string;
  /** Resolves when what became of asking for it is known; never rejects. */
  readonly asking: Promise<void>;
  outcome: 'open' | 'started' | 'none';
}

/** Everything one run remembers; plain values, so that what is kept can be read in one place. */
export class MentorCallState {
  phase: Phase = 'opening';
  user: UserLeg | null = null;
  turn: MentorTurn | null = null;
  step = 0;
  offers = 0;
  readonly tried: string[] = [];
  /** Terminal callbacks by CallSid; the first one counts, a terminal state never goes back. */
  readonly ended = new Map<string, LegEnded>();
  /** TwiML answers already given, by question: the same question gets the same plan. */
  readonly answers = new Map<string, Promise<CallPlan>>();
  confirmedAt: number | null = null;
  calledIn = false;
  stop: 'user' | 'operator' | null = null;
  /** What a user is told who is on the line already when their call may not go on. */
  turnedAway: TurnedAway | null = null;
  helplineOver: 'reached' | 'not-reached' | 'left' | null = null;
  /** Set by a phase's net: how long from now nothing more is expected before we look. */
  deadline: number | null = null;
  talkedSeconds = 0;
  everBridged = false;
  reconnectedSame = false;
  /** The first key 1 of the whole call; `confirmedAt` begins anew with every search. */
  firstConfirmedAt: number | null = null;
  /** The conversation that ended last. */
  lastBridge: { readonly mentorId: string; readonly endedAt: number } | null = null;
  /** It was cut off, and the mentor is rung again unasked. */
  isCutOff = false;
  reconnections = 0;
  reconnectedUnasked = false;
  /** How many others may still be rung in this search; null: as many as the request allows. */
  othersLeft: number | null = null;
  /** Which helpline is dialled, counted from 1. */
  helplineNth = 1;
  missedHelpline = false;
  askedForFeedback = false;
  /** The user refuses to be asked by a call, or was asked and has said how it was. */
  mayAskByKey = true;
  /** In the queue now. */
  isWaiting = false;
  /** When this call first took a place in the queue, ISO 8601; it keeps its turn. */
  waitingSince: string | null = null;
  /** Epoch ms; only where it has waited. */
  waitUntil = 0;
  /** We were told of an offer since we last looked. */
  isOffered = false;
  kept: KeptPlace | null = null;
  /** Of the conversation that goes on, or was the last. */
  recording: CallRecording | null = null;
  /** What is still done about earlier recordings. */
  readonly endings: Promise<void>[] = [];
  /** Calls of ours that the user's own made needless, and that are still being taken back. */
  readonly withdrawals: Promise<void>[] = [];
  result: MentorCallResult | null = null;

  constructor(readonly input: MentorCallInput) {}

  enter(phase: Phase, lookAgainIn: number | null): void {
    this.phase = phase;
    this.deadline = lookAgainIn === null ? null : Date.now() + lookAgainIn;
  }

  userIsGone(): boolean {
    const sid = this.user?.sid;
    return sid != null && this.ended.has(sid);
  }

  /** Milliseconds since the user pressed 1 and we began to look for a mentor. */
  searchedFor(): number {
    return this.confirmedAt === null ? 0 : Date.now() - this.confirmedAt;
  }

  /**
   * Waits until the user's leg is over or somebody stops the call; false when the phase's net is due first.
   * A changed deadline is a reason to wait anew, not to wake.
   */
  async untilGoneOrDue(): Promise<boolean> {
    for (;;) {
      const deadline = this.deadline;
      const changed = () => this.userIsGone() || this.stop !== null || this.deadline !== deadline;
      if (deadline === null) await condition(changed);
      else if (!(await condition(changed, Math.max(1, deadline - Date.now()), { summary: `net below: ${this.phase}` })))
        return false;
      if (this.userIsGone() || this.stop !== null) return true;
    }
  }
}
