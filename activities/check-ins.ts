import { findBuddy, lockBuddy } from '../db/buddies';
import { lockTarget, targetWaitMs } from '../db/buddy-targets';
import {
  type CheckInEnd,
  type CheckInNote,
  closeCheckIn,
  insertCheckIn,
  noteCheckIn,
  takeCheckInAnswer,
  type TakenAnswer,
} from '../db/check-in-course';
import { checkInWaitMs, lockCheckIn } from '../db/check-ins';
import { askQuestion } from '../db/open-questions';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { hasAlertEnded } from '../db/wellbeing-alerts';
import { findProfile } from '../db/user-profiles';
import type { CheckInInput, CheckInOpening, CheckInRefusal } from '../domain/buddies';
import { CHECK_IN_ANSWERS } from '../domain/check-in-answers';
import { isDestroyed } from '../domain/errors';
import { textSenderFor } from '../domain/sender-choice';
import { messageLinkHash } from '../vault/link-tokens';
import { checkInLink } from './check-in-texts';
import type { ActivityDependencies } from './dependencies';

/** Arguments of `openCheckIn`. */
export interface OpenCheckIn {
  readonly input: CheckInInput;
  /** The text's; made by the workflow, so that a repeated attempt finds its own row. */
  readonly messageId: string;
  /** ISO 8601. */
  readonly closesAt: string;
  /** Epoch milliseconds: later than this nobody waits for it; null: it is never too late. */
  readonly validUntil: number | null;
}

export interface OpenedCheckIn {
  readonly opening: CheckInOpening;
  /** Whether it is this run's to go on with. */
  readonly isBegun: boolean;
}

/** Rows of check-ins, as local activities. */
export function createCheckInActivities(deps: ActivityDependencies) {
  const { pool } = deps;
  return {
    /** The first fact of a check-in, or why there is none; may be repeated. */
    openCheckIn: (asked: OpenCheckIn): Promise<OpenedCheckIn> => openCheckIn(deps, asked),

    noteCheckIn: (note: CheckInNote): Promise<void> => inTransaction(pool, (tx) => noteCheckIn(tx, note)),

    /** @returns false where nobody waits for it any more */
    takeCheckInAnswer: (answer: TakenAnswer): Promise<boolean> =>
      inTransaction(pool, (tx) => takeCheckInAnswer(tx, answer)),

    closeCheckIn: (end: CheckInEnd): Promise<void> => inTransaction(pool, (tx) => closeCheckIn(tx, end)),
  };
}

/** The number under its tokens: the current one for the lock, all of them to count by. */
interface Target {
  readonly token: Buffer;
  readonly candidates: readonly Buffer[];
}

async function openCheckIn(deps: ActivityDependencies, asked: OpenCheckIn): Promise<OpenedCheckIn> {
  const { buddyId } = asked.input;
  const target = await targetOf(deps, buddyId);
  if (target === null) return refused((await findBuddy(deps.pool, buddyId)) === null ? 'not-found' : 'cannot-be-asked');
  return await inTransaction(deps.pool, (tx) => openBehindLocks(deps, tx, asked, target));
}

/** @returns null where there is no number any more, or never was */
async function targetOf({ pool, vault, tokenizer }: ActivityDependencies, buddyId: string): Promise<Target | null> {
  const buddy = await findBuddy(pool, buddyId);
  if (buddy === null || buddy.phoneToken === null) return null;
  try {
    const phone = await vault.reveal({ recordId: buddy.phoneRecordId, purpose: 'send', actor: 'system' });
    return { token: tokenizer.token(phone), candidates: tokenizer.candidates(phone) };
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}

async function openBehindLocks(
  deps: ActivityDependencies,
  tx: Db,
  { input, messageId, closesAt, validUntil }: OpenCheckIn,
  target: Target,
): Promise<OpenedCheckIn> {
  const { requestId, buddyId, userId, alert } = input;
  const { spacingMs, targetLimits } = deps.buddies.checkIn;
  // Many users, one phone: their requests follow each other here.
  await lockTarget(tx, target.token);
  const buddy = await lockBuddy(tx, buddyId);
  const before = await lockCheckIn(tx, requestId);
  // Begun already: by an attempt of this run whose answer was lost, or by another run, whose it then is.
  if (before !== null) return { opening: { state: before.state }, isBegun: before.messageId === messageId };
  if (validUntil !== null && Date.now() > validUntil) return refused('too-late');
  if (buddy === null || buddy.userId !== userId) return refused('not-found');
  if (!buddy.canBeAsked) return refused('cannot-be-asked');
  if ((await findProfile(tx, userId)) === null) return refused('no-profile');
  // One that ends after this look tells this run, which it finds.
  if (alert !== null && (await hasAlertEnded(tx, alert.alertId))) return refused('cannot-be-asked');
  if (alert === null) {
    const waitMs = await targetWaitMs(tx, 'check-ins', target.candidates, targetLimits);
    if (waitMs > 0) return refused('target-limit', waitMs);
  }
  const linkHash = messageLinkHash(deps.mail.linkKey, checkInLink(input));
  // As the entry has it: by it the link is known as the buddy's, also while the key of tokens is replaced.
  const phoneToken = buddy.phoneToken ?? target.token;
  const row = { requestId, buddyId, userId, alert, linkHash, phoneToken, messageId, closesAt, spacingMs };
  if (!(await insertCheckIn(tx, row))) return refused('too-soon', await checkInWaitMs(tx, buddyId));
  // Only the text of a user's check-in offers an answer by text: an alert is answered on its page.
  if (alert !== null) return { opening: { state: 'pending' }, isBegun: true };
  await askQuestion(tx, {
    // One question to a check-in, found by its id.
    questionId: requestId,
    kind: 'check-in',
    objectId: requestId,
    subjectId: buddy.subjectId,
    recipientToken: target.token,
    sender: textSenderFor(deps, buddy.country ?? 'ZZ'),
    answers: CHECK_IN_ANSWERS,
  });
  return { opening: { state: 'pending' }, isBegun: true };
}

function refused(why: CheckInRefusal, retryAfterMs: number | null = null): OpenedCheckIn {
  return { opening: { refused: why, retryAfterMs }, isBegun: false };
}
