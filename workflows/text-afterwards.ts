import { patched, uuid4 } from '@temporalio/workflow';
import { records, textingAfterwards } from './activity-options';
import type { Ending } from './call-endings';
import type { MentorCallState } from './mentor-call-state';

/** What a user is texted when their call is over; one of them at most. */
export type TextAfterwards = 'helplines' | 'how-was-it';

/**
 * Which text the user gets. The numbers of the helplines when one of them was not reached, also when the other was: the
 * next time they need not ask us; and when they have waited for a mentor in vain. How it was, when they were not asked by key, and only after a conversation.
 */
export function textDue(call: MentorCallState, ending: Pick<Ending, 'outcome' | 'reason'>): TextAfterwards | null {
  // A call from the app came from no number that could be texted.
  if (call.input.recordId === null) return null;
  if (call.missedHelpline && call.stop === null) return 'helplines';
  // Nobody is on the line who could be told.
  if (ending.reason === 'waited-in-vain' && call.stop === null && patched('in-vain-is-told')) return 'helplines';
  const { feedback } = call.input;
  if (!feedback?.bySms || call.askedForFeedback || call.stop === 'operator') return null;
  return ending.outcome === 'completed' && call.talkedSeconds >= feedback.afterSeconds ? 'how-was-it' : null;
}

/** The text takes over a number that was given for the call only; where none can be begun, the number goes now. */
export async function textUser(call: MentorCallState, text: TextAfterwards): Promise<void> {
  const { recordId, recipientToken } = call.input;
  if (recordId === null || recipientToken === null) return;
  try {
    const called = { ...call.input, recordId, recipientToken };
    await textingAfterwards.textAfterCall({ call: called, text, messageId: uuid4(), questionId: uuid4() });
  } catch {
    await records.destroyCallNumber({ callId: call.input.callId });
  }
}
