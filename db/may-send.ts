/**
 * Whether somebody may be sent something, asked by the statement that claims the dispatch: between that answer and the
 * act there is no moment in which an opt-out could come and be too late.
 */
import { z } from 'zod';
import { type MessageClass, type MessageKind, SUPPRESSED_BECAUSE, type SuppressedBecause } from '../domain/message';
import { isOfTheNumber } from '../domain/twilio-errors';
import { appendAudit } from './audit';
import { type Db, execute, maybeOne } from './query';
import { noteUnreachable } from './unreachable-points';

/** What the claim has to know of a message to ask its recipient's wishes. */
export interface SendingGuard {
  readonly subjectId: string;
  readonly kind: MessageKind;
  readonly channel: 'sms' | 'email' | 'voice';
  /**
   * True for the class `safety`, which may go past the person's own no while the organisation's policy
   * `emergency-ignores-opt-out` is on; and for the confirmation of an opt-out. Never past a block of Twilio's.
   */
  readonly ignoresOptOut: boolean;
}

/** The guard of a message or an alert. */
export function sendingGuard(message: {
  readonly subjectId: string;
  readonly kind: MessageKind;
  readonly channel: SendingGuard['channel'];
  readonly messageClass: MessageClass;
}): SendingGuard {
  const { subjectId, kind, channel, messageClass } = message;
  return { subjectId, kind, channel, ignoresOptOut: messageClass === 'safety' || kind === 'automatic' };
}

/** How many parameters {@link whyNotSql} takes. */
const PARAMETERS = 4;

/** The values of its parameters, in order. Without a guard nobody is asked: a call somebody has just asked for. */
export function guardValues(guard: SendingGuard | null): readonly unknown[] {
  if (guard === null) return Array.from({ length: PARAMETERS }, () => null);
  return [guard.subjectId, guard.kind, guard.channel, guard.ignoresOptOut];
}

/**
 * An expression over `dispatches d` that is null, or the `SuppressedBecause`.
 * @param first number of its first parameter; {@link guardValues} gives the four values
 * @param tokens an array: under which tokens the recipient may have said no
 */
export function whyNotSql(first: number, tokens = 'ARRAY[d.recipient_token]'): string {
  const [subject, kind, channel, ignores] = [first, first + 1, first + 2, first + 3].map((n) => `$${n}`);
  const exempt = exemptSql(`${kind}::text`, `${ignores}::boolean`);
  return `CASE
    WHEN ${subject}::uuid IS NULL THEN NULL
    WHEN ${channel}::text = 'sms' AND EXISTS (
      SELECT FROM provider_blocks b
       WHERE b.recipient_token = ANY(${tokens}) AND b.lifted_at IS NULL
         AND (b.sender = d.sender OR b.others_allowed_at IS NULL)) THEN 'blocked'
    WHEN ${channel}::text = 'email' AND EXISTS (
      SELECT FROM mail_blocks b
       WHERE b.recipient_token = ANY(${tokens}) AND b.reason <> 'unsubscribed') THEN 'blocked'
    WHEN ${exempt} THEN NULL
    WHEN ${channel}::text = 'email' AND ${kind}::text <> 'verification' AND EXISTS (
      SELECT FROM mail_blocks b WHERE b.recipient_token = ANY(${tokens})) THEN 'opted-out'
    WHEN ${channel}::text = 'sms' AND EXISTS (
      SELECT FROM opt_outs o
       WHERE o.recipient_token = ANY(${tokens}) AND o.scope = 'organisation' AND o.lifted_at IS NULL) THEN 'opted-out'
    WHEN EXISTS (
      SELECT FROM preferences p
       WHERE p.subject_id = ${subject}::uuid AND p.channel = ${channel}::text AND p.kind = ${kind}::text
         AND NOT p.allowed) THEN 'preference'
  END`;
}

// Of the automatic answers only the confirmation of an opt-out goes past it; one to an earlier text comes too late.
function exemptSql(kind: string, ignores: string): string {
  return `(${ignores} AND CASE ${kind}
    WHEN 'automatic' THEN EXISTS (
      SELECT FROM inbound_texts i WHERE i.answer_message_id = d.message_id AND i.answer = 'opt-out-confirmed')
    ELSE EXISTS (SELECT FROM policies WHERE name = 'emergency-ignores-opt-out' AND is_on) END)`;
}

/** Why a claimed dispatch must not be sent after all, asked with every token under which its recipient is known. */
export async function whyNotUnder(
  db: Db,
  dispatchId: string,
  guard: SendingGuard,
  tokens: readonly Buffer[],
): Promise<SuppressedBecause | null> {
  const row = await maybeOne(
    db,
    z.object({ against: z.enum(SUPPRESSED_BECAUSE).nullable() }),
    `SELECT ${whyNotSql(2, '$6::bytea[]')} AS against FROM dispatches d WHERE d.dispatch_id = $1`,
    [dispatchId, ...guardValues(guard), tokens],
  );
  return row?.against ?? null;
}

/**
 * Leaves an audit entry when a claimed dispatch goes past an opt-out or a preference. To be called after the claim.
 * @returns whether it did
 */
export async function auditOverride(
  db: Db,
  dispatchId: string,
  guard: SendingGuard | null,
  tokens: readonly Buffer[],
): Promise<boolean> {
  if (guard === null || !guard.ignoresOptOut || guard.kind === 'automatic') return false;
  const against = await whyNotUnder(db, dispatchId, { ...guard, ignoresOptOut: false }, tokens);
  if (against === null) return false;
  await appendAudit(db, {
    actor: 'system',
    action: 'opt-out.overridden',
    objectId: dispatchId,
    purpose: against,
    outcome: 'done',
  });
  return true;
}

/** The code under which Twilio refuses, or fails later, because the person said STOP to this sender. */
const OPTED_OUT = '21610';

/**
 * A receipt may tell long after the create was accepted what concerns more than its message: that Twilio blocks the
 * pair, or that there is no such number. It may be of a message that is over, or of a text that nobody intended; what
 * the person has done since (asked for texts again, answered a code) outranks it.
 * @param isNews whether it is told for the first time: a number that was saved once more is not marked by a repeat
 */
export async function noteByReceipt(
  db: Db,
  receipt: { readonly sid: string | null; readonly dispatchId: string | null; readonly errorCode: string | null },
  { isNews }: { readonly isNews: boolean },
): Promise<void> {
  const { errorCode } = receipt;
  const isBad = isNews && errorCode !== null && isOfTheNumber(Number(errorCode));
  if (errorCode !== OPTED_OUT && !isBad) return;
  const sent = await maybeOne(
    db,
    z.object({
      recipient_token: z.instanceof(Buffer),
      sender: z.string(),
      created_at: z.date(),
      is_lifted: z.boolean(),
    }),
    `SELECT recipient_token, sender, created_at, EXISTS (
         SELECT FROM provider_blocks b
          WHERE b.recipient_token = d.recipient_token AND b.sender = d.sender AND b.lifted_at > d.created_at) AS is_lifted
       FROM dispatches d
      WHERE channel = 'sms' AND (sid = $1 OR dispatch_id = $2) AND recipient_token IS NOT NULL
      ORDER BY is_lifted, sid = $1 DESC NULLS LAST LIMIT 1`,
    [receipt.sid, receipt.dispatchId],
  );
  if (sent === null) return;
  const { recipient_token: recipientToken, sender, created_at: askedAt } = sent;
  if (isBad) await noteUnreachable(db, recipientToken, errorCode, askedAt);
  else if (!sent.is_lifted) await noteBlocked(db, { recipientToken, sender, code: OPTED_OUT });
}

export interface BlockedPair {
  /** 32 bytes, or their hex. */
  readonly recipientToken: Buffer | string;
  /** Of the token; left out where only a dispatch holds it: then who else knows the token says so. */
  readonly tokenVersion?: number;
  /** The number or service of ours that Twilio blocks for them. */
  readonly sender: string;
  /** `21610`, or null when the person has just said so themselves. */
  readonly code: string | null;
}

/** Twilio blocks this pair. May be repeated; the first time stays. Another sender is never used to get round it. */
export async function noteBlocked(db: Db, { recipientToken, tokenVersion, sender, code }: BlockedPair): Promise<void> {
  const token = typeof recipientToken === 'string' ? Buffer.from(recipientToken, 'hex') : recipientToken;
  await execute(
    db,
    `INSERT INTO provider_blocks (recipient_token, token_version, sender, error_code)
     SELECT $1, coalesce(
         $4::int,
         (SELECT token_version FROM recipients WHERE recipient_token = $1),
         (SELECT token_version FROM contact_points WHERE token = $1 AND deleted_at IS NULL LIMIT 1),
         (SELECT version FROM service_keys WHERE purpose = 'token' AND state = 'current'),
         1), $2, $3
     ON CONFLICT (recipient_token, sender) WHERE lifted_at IS NULL
     DO UPDATE SET error_code = coalesce(provider_blocks.error_code, EXCLUDED.error_code)`,
    [token, sender, code, tokenVersion],
  );
}
