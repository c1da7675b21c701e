import { uuid4 } from '@temporalio/workflow';
import {
  type CheckInAnswer,
  type CheckInInput,
  type CheckInOpened,
  type CheckInOpening,
  type CheckInResponse,
  type CheckInState,
  type CheckInTaken,
  MOST_CORRECTIONS,
} from '../domain/buddies';
import type { MessageNews } from '../domain/message';

/** An answer that waits to be written down; `taken` is what became of it. */
export interface GivenAnswer extends Pick<CheckInAnswer, 'response' | 'noteRecordId'> {
  taken: CheckInTaken | null;
}

/** None of these goes back to one before it. */
const ORDER: readonly CheckInState[] = ['pending', 'sent', 'delivered', 'opened', 'answered'];

/** What a check-in knows of itself. Handlers put in what they hear; the workflow's loop takes it out, one after the other. */
export class CheckInCourse {
  readonly messageId = uuid4();
  /** Epoch milliseconds. */
  readonly closesAt: number;
  /** Null until it is known whether it could be begun. */
  opening: CheckInOpening | null = null;
  state: CheckInState = 'pending';
  response: CheckInResponse | null = null;
  corrections = 0;
  /** The provider has the text. */
  isSent = false;
  /** The text has come to its end, whatever that was. */
  isTextOver = false;
  /** It could not even be begun. */
  hasTextFailed = false;
  /** Epoch milliseconds; null: nobody is reminded, or not any more. */
  reminderAt: number | null = null;
  reminderId: string | null = null;
  /** Only the first press of the button. */
  visit: CheckInOpened | null = null;
  hasOpened = false;
  hasTexted = false;
  readonly answers: GivenAnswer[] = [];
  readonly news: MessageNews[] = [];
  /** `ended`: the buddy is not asked any more, or nobody waits for the answer; `unanswered`: they have waited in vain. */
  stop: 'ended' | 'unanswered' | 'operator' | null = null;
  isOver = false;
  /** The starts of the text and its reminder. */
  readonly texting: Promise<void>[] = [];
  /** What must be done before the end, and holds up nothing until then. */
  readonly besides: Promise<unknown>[] = [];

  constructor(
    readonly input: CheckInInput,
    now: number,
  ) {
    this.closesAt = now + input.closesAfterMs;
  }

  hasHeard(): boolean {
    const heard = this.visit !== null || this.answers.length > 0 || this.news.length > 0;
    return heard || this.hasTextFailed || this.stop !== null;
  }

  /** Epoch milliseconds. */
  nextTimer(): number {
    return this.reminderAt === null ? this.closesAt : Math.min(this.reminderAt, this.closesAt);
  }

  /** @returns whether that is news */
  advance(state: CheckInState): boolean {
    if (ORDER.indexOf(state) <= ORDER.indexOf(this.state)) return false;
    this.state = state;
    return true;
  }

  /** It has evidently reached somebody, whatever a receipt says. */
  hasReached(): boolean {
    return this.state === 'opened' || this.state === 'answered';
  }

  mayStillBeCorrected(): boolean {
    return this.response === null || this.corrections < MOST_CORRECTIONS;
  }
}
