import type { Request, Response } from 'express';
import type { z } from 'zod';
import { findAlert } from '../db/alerts';
import { inTransaction } from '../db/pool';
import { recipientWaitMs } from '../db/recipient-limits';
import { callerIdFor } from '../domain/caller-id';
import { sealableWords } from '../domain/message-words';
import { SPOKEN_LANGUAGES } from '../domain/prompts';
import { longestCourseMs, type VoiceAlertInput, type VoiceAlertRecipient } from '../domain/voice-alert';
import { type alertAccepted, type GivenAlert, newVoiceAlert } from './alerts-shapes';
import type { Caller } from './authentication';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest } from './idempotency';
import { type Destination, destinationOf, givenContent, recipientOf, tokensOf } from './message-requests';
import { Problem } from './problems';
import { refuseWhenOff } from './switches';

const ROUTE = 'POST /alerts/voice';
/** A phone that was rung a moment ago is no reason to refuse an alert. */
const SPACED_WITHIN_MS = 60_000;

/**
 * Takes a request for a voice alert: judged, sealed, started. Nothing about the alert is written here; the first row is
 * the workflow's, so that a crash in between leaves at most sealed records nobody points to.
 */
export async function requestVoiceAlert(deps: ApiDeps, req: Request, res: Response, caller: Caller): Promise<void> {
  const given = checkedBody(newVoiceAlert, req);
  checkKeys(given);
  const {
    requestId: alertId,
    requestHash,
    isRepeatable,
  } = idempotentRequest(deps.tokenizer, req, caller.subjectId, ROUTE);
  if (isRepeatable && (await wasAskedBefore(deps, alertId, requestHash))) return accepted(res, alertId);
  const destinations = await judgeAlert(deps, caller, given);
  await deps.alerts.start(await sealAlert(deps, caller, given, destinations, { alertId, requestHash }));
  // Two requests under one key at the same time: the start found the other's workflow, perhaps with another body.
  if (isRepeatable) await wasAskedBefore(deps, alertId, requestHash);
  accepted(res, alertId);
}

/**
 * Whom it is to ring, if this caller may ask for it; writes nothing.
 * @throws {Problem}
 */
export async function judgeAlert(deps: ApiDeps, caller: Caller, given: GivenAlert): Promise<Destination[]> {
  const destinations = await Promise.all(
    given.recipients.map(({ subjectId, contactPointId, phoneNumber }, index) => {
      const recipient = { subjectId, contactPointId, phoneNumber };
      return destinationOf(deps, caller, { recipient, channel: 'sms', isForCall: true }, `#/recipients/${index}`);
    }),
  );
  refuseTwice(deps, destinations);
  await refuseWhenOff(deps, 'voice');
  await refuseWhereTooMany(deps, given, destinations);
  return destinations;
}

/** What its workflow is started with: ids only, numbers and words sealed. */
export async function sealAlert(
  deps: ApiDeps,
  caller: Caller,
  given: GivenAlert,
  destinations: readonly Destination[],
  ids: Pick<VoiceAlertInput, 'alertId' | 'requestHash'>,
): Promise<VoiceAlertInput> {
  return {
    ...ids,
    requestedBy: caller.subjectId,
    messageId: null,
    recipients: await sealedRecipients(deps, given, destinations),
    kind: given.kind,
    messageClass: given.messageClass,
    urgency: given.urgency,
    acknowledge: given.acknowledge,
    neutralFirst: given.neutralFirst,
    ...patience(deps, given),
    smsWhenExhausted: given.smsWhenExhausted,
    requestedAt: new Date().toISOString(),
  };
}

/** Without any key a voicemail would count as somebody who has heard it. */
function checkKeys({ acknowledge, neutralFirst }: GivenAlert): void {
  if (acknowledge || neutralFirst) return;
  const detail = 'At least one of acknowledge and neutralFirst is needed: only a key tells a person from a voicemail.';
  throw new Problem('invalid-body', { errors: [{ pointer: '#/acknowledge', detail }] });
}

/**
 * Nobody's phone stands twice in an alert, however it is named: it would ring twice as often as was asked.
 * @throws {Problem} `invalid-body`
 */
function refuseTwice(deps: ApiDeps, destinations: readonly Destination[]): void {
  const seen = new Map<string, number>();
  for (const [index, to] of destinations.entries()) {
    const tokens = tokensOf(deps, to).map((token) => token.toString('hex'));
    const earlier = tokens.map((token) => seen.get(token)).find((place) => place !== undefined);
    if (earlier !== undefined) {
      const detail = `Another phone than that of #/recipients/${earlier} is expected here.`;
      throw new Problem('invalid-body', { errors: [{ pointer: `#/recipients/${index}`, detail }] });
    }
    for (const token of tokens) seen.set(token, index);
  }
}

/** The same for a repeated request as for the first: what has become of it is told by GET. */
function accepted(res: Response, alertId: string): void {
  const answer: z.input<typeof alertAccepted> = { success: true, alertId, state: 'starting' };
  res.status(202).set('Location', `/alerts/voice/${alertId}`).json(answer);
}

/** @throws {Problem} `idempotency-key-reused` when it was asked with another body */
async function wasAskedBefore(deps: ApiDeps, alertId: string, requestHash: string): Promise<boolean> {
  const known = (await findAlert(deps.pool, alertId)) ?? (await deps.alerts.describe(alertId));
  if (known === null) return false;
  if (known.requestHash !== requestHash) throw new Problem('idempotency-key-reused');
  return true;
}

/**
 * One who has been rung often enough does not keep an alert from the others; all of them do.
 * @throws {Problem} `too-many-requests`
 */
async function refuseWhereTooMany(
  deps: ApiDeps,
  { messageClass }: GivenAlert,
  destinations: readonly Destination[],
): Promise<void> {
  const waits = await Promise.all(
    destinations.map((to) => {
      const turn = {
        tokenHexes: tokensOf(deps, to).map((token) => token.toString('hex')),
        channel: 'voice',
        messageClass,
      } as const;
      return recipientWaitMs(deps.pool, turn, deps.config.limits.recipient);
    }),
  );
  const waitMs = Math.min(...waits);
  if (waitMs > SPACED_WITHIN_MS)
    throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
}

function patience({ config }: ApiDeps, given: GivenAlert) {
  const { attempts, backoff, escalationDelayMs, times } = config.voiceAlert;
  const firstMs = given.retryAfterSeconds === undefined ? backoff.firstMs : given.retryAfterSeconds * 1_000;
  return {
    attempts: given.attempts ?? attempts,
    // Who asks for longer waits than we would make gets them.
    backoff: { ...backoff, firstMs, longestMs: Math.max(backoff.longestMs, firstMs) },
    escalationDelayMs:
      given.escalationDelaySeconds === undefined ? escalationDelayMs : given.escalationDelaySeconds * 1_000,
    times,
  };
}

/** Number and words of each, sealed under that person's own key, all or none. */
async function sealedRecipients(
  deps: ApiDeps,
  given: GivenAlert,
  destinations: readonly Destination[],
): Promise<VoiceAlertRecipient[]> {
  const content = await givenContent(deps, { ...given, channel: 'sms' }, '#');
  const now = Date.now();
  const [numberUntil, wordsUntil] = [
    // It is destroyed with the alert; should that be lost, no alert that still goes on may lose it.
    new Date(
      now + longestCourseMs(patience(deps, given), destinations.length) + deps.config.retention.numberForOneMessage,
    ),
    new Date(now + deps.config.retention.messageBody),
  ];
  return await inTransaction(deps.pool, async (tx) => {
    const recipients: VoiceAlertRecipient[] = [];
    for (const [index, destination] of destinations.entries()) {
      const { subjectId, recordId, token } = await recipientOf(deps, tx, destination, numberUntil);
      const words = {
        subjectId,
        kind: 'text',
        value: sealableWords(content.words),
        expiresAt: wordsUntil,
      } as const;
      const language = given.recipients[index]?.language ?? given.language;
      recipients.push({
        subjectId,
        recordId,
        ownsRecord: destination.how === 'given',
        recipientToken: token.toString('hex'),
        country: destination.country,
        language: SPOKEN_LANGUAGES.includes(language) ? language : given.language,
        organisationNumber: callerIdFor(deps.config.twilio.phoneNumbers, destination.country),
        content: { ...content.template, recordId: await deps.vault.seal(words, tx) },
      });
    }
    return recipients;
  });
}
