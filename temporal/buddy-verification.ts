import { WithStartWorkflowOperation } from '@temporalio/client';
import {
  BUDDY_VERIFICATION,
  type BuddyVerificationInput,
  buddyVerificationWorkflowId,
  type Invite,
  type InviteAnswer,
  type Renewal,
  type RenewalAnswer,
  type VerificationAnswer,
  type VerificationOutcome,
  type VerificationState,
} from '../domain/buddies';
import type { KindlineClient } from './connection';
import { ProcessIsOver, QuestionRefused } from './errors';
import { PRIORITY } from './priorities';
import { KINDLINE_COUNTRY, KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';
import { spoken } from './speaking';
import { askWithStart } from './update-with-start';

type Workflow = (input: BuddyVerificationInput) => Promise<VerificationOutcome>;

export interface VerificationBegun extends BuddyVerificationInput {
  /** ISO 3166, of the buddy's number. */
  readonly country: string;
}

/**
 * Asks for another e-mail, and begins the verification where none runs: whether it may be begun once more is decided by
 * its claim. The same `invitationId` gets the same answer.
 *
 * @throws QuestionRefused, TemporalNotInTime: then it may still be done, until `validUntil`
 */
export function inviteBuddy(
  client: KindlineClient,
  begun: VerificationBegun,
  invite: Invite,
  deadlineMs: number,
): Promise<InviteAnswer> {
  const asked = { update: BUDDY_VERIFICATION.invite, id: invite.invitationId, args: invite };
  return withStart<InviteAnswer, Invite>(client, begun, asked, deadlineMs);
}

/** Asks on behalf of the buddy for a new link; begins a verification as {@link inviteBuddy} does. */
export function renewInvitation(
  client: KindlineClient,
  begun: VerificationBegun,
  renewal: Renewal,
  deadlineMs: number,
): Promise<RenewalAnswer> {
  const asked = { update: BUDDY_VERIFICATION.renew, id: `renew:${renewal.version}`, args: renewal };
  return withStart<RenewalAnswer, Renewal>(client, begun, asked, deadlineMs);
}

/**
 * Accepts or declines.
 * @throws ProcessIsOver: answer from the row. QuestionRefused, TemporalNotInTime
 */
export function answerInvitation(
  client: KindlineClient,
  buddyId: string,
  answer: VerificationAnswer,
  deadlineMs: number,
): Promise<VerificationState> {
  const handle = client.workflow.getHandle(buddyVerificationWorkflowId(buddyId));
  return spoken(client, deadlineMs, () =>
    handle.executeUpdate<VerificationState, [VerificationAnswer]>(BUDDY_VERIFICATION.answer, { args: [answer] }),
  );
}

interface Asked<A> {
  readonly update: string;
  readonly id: string;
  readonly args: A;
}

/** A run that ends at this very moment takes nothing any more: the second attempt begins another. */
async function withStart<R, A>(
  client: KindlineClient,
  begun: VerificationBegun,
  asked: Asked<A>,
  deadlineMs: number,
): Promise<R> {
  try {
    return await once<R, A>(client, begun, asked, deadlineMs);
  } catch (error) {
    if (!(error instanceof ProcessIsOver) && !(error instanceof QuestionRefused)) throw error;
    return await once<R, A>(client, begun, asked, deadlineMs);
  }
}

function once<R, A>(
  client: KindlineClient,
  begun: VerificationBegun,
  { update, id, args }: Asked<A>,
  deadlineMs: number,
): Promise<R> {
  const start = () =>
    new WithStartWorkflowOperation<Workflow>(BUDDY_VERIFICATION.workflow, verificationOptions(client, begun));
  return askWithStart<Workflow, R, [A]>(client, start, { update, updateId: id, args: [args] }, deadlineMs);
}

/** With what a verification is started where none runs. */
export function verificationOptions(client: KindlineClient, { buddyId, userId, country }: VerificationBegun) {
  const args: [BuddyVerificationInput] = [{ buddyId, userId }];
  return {
    workflowId: buddyVerificationWorkflowId(buddyId),
    taskQueue: client.workflowQueue,
    args,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    staticSummary: 'Whether somebody wants to be a buddy',
    typedSearchAttributes: [
      { key: KINDLINE_STATE, value: 'running' },
      { key: KINDLINE_SINCE, value: new Date() },
      { key: KINDLINE_SUBJECT, value: client.subjectAttribute(userId) },
      { key: KINDLINE_COUNTRY, value: country },
    ],
    priority: PRIORITY.normal,
  };
}
