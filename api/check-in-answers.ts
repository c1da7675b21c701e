import type { CheckIn } from '../db/check-ins';
import type { CheckInResponse, CheckInTaken } from '../domain/buddies';
import { SubjectErased } from '../domain/errors';
import { SealedValue } from '../domain/sealed';
import { ProcessIsOver, QuestionRefused } from '../temporal/errors';
import type { ApiDeps } from './deps';
import { PRESS_WITHIN } from './limits';

/** As it came by the page. */
export interface GivenAnswer {
  readonly response: CheckInResponse;
  /** Empty: none. */
  readonly note: string;
}

/**
 * Seals what the buddy wrote, under their own key, and gives the answer to the workflow.
 * @returns `refused` when it is over, or may not be corrected any more: the row says which
 * @throws TemporalNotInTime
 */
export async function giveAnswer(
  { vault, tokenizer, config, checkIns }: ApiDeps,
  row: CheckIn,
  { response, note }: GivenAnswer,
): Promise<CheckInTaken | 'refused'> {
  const { requestId, buddySubjectId: subjectId, respondedAt } = row;
  try {
    const expiresAt = new Date(Date.now() + config.retention.messageBody);
    const value = SealedValue.of('text', note);
    const noteRecordId = note === '' ? null : await vault.seal({ subjectId, kind: 'text', value, expiresAt });
    const answer = { response, noteRecordId, validUntil: Date.now() + PRESS_WITHIN };
    // A second tap is the same answer; the same words after another answer are a new one.
    const pressed = [requestId, respondedAt?.toISOString() ?? '', response, note] as const;
    const updateId = tokenizer.keyedHash('request', 'check-in-answer', ...pressed).toString('hex');
    return await checkIns.respond(requestId, answer, updateId, PRESS_WITHIN);
  } catch (error) {
    const isOver = error instanceof ProcessIsOver || error instanceof QuestionRefused;
    if (isOver || error instanceof SubjectErased) return 'refused';
    throw error;
  }
}
