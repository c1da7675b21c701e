import { createHash } from 'node:crypto';
import type { Response } from 'express';
import { callerIdFor } from '../domain/caller-id';
import type { CallPlan, TwimlQuestion } from '../domain/mentor-call';
import { countryOfNumber } from '../domain/phone-number';
import { hangUpTwiml, helplineTwiml, oneMomentTwiml, planTwiml, type TwimlContext } from '../domain/twiml';
import type { UserLegIds } from '../domain/webhook-urls';
import { ProcessIsOver } from '../temporal/errors';
import type { LogFields } from '../vault/log-fields';
import type { ApiDeps } from './deps';
import { ANSWER_WITHIN, KEPT_FOR_THE_ANSWER, MOST_LOOPS } from './limits';
import type { TwilioRequest } from './twilio-requests';
import { within } from './unavailable';

type AskedOfWorkflow = TwimlQuestion extends infer Q
  ? Q extends TwimlQuestion
    ? Omit<Q, 'validUntil' | 'callSid'>
    : never
  : never;

export interface TwimlAsk {
  readonly asked: TwilioRequest;
  readonly ctx: TwimlContext;
  readonly question: AskedOfWorkflow;
  /** How often this question was put off already. */
  readonly loop: number;
  /** Where Twilio asks it again. */
  readonly again: (loop: number) => string;
  /** TwiML when all loops are used up; must need nothing but memory. */
  readonly giveUp: () => string;
}

/**
 * Asks the workflow which TwiML comes next. Whatever is down, there is an answer within 4 s: "one moment" and the
 * same question again, four times at most, then what `giveUp` says.
 */
export async function answerQuestion(deps: ApiDeps, ask: TwimlAsk): Promise<string> {
  const { asked, ctx, loop, again, giveUp } = ask;
  const callSid = asked.field('CallSid') ?? '';
  return await answeredInTime(deps, {
    asked,
    ids: { callId: ctx.callId, kind: ask.question.kind },
    language: ctx.language,
    loop,
    again,
    giveUp,
    tell: ({ validUntil, updateId, withinMs }) =>
      deps.process.ask(ctx.callId, { ...ask.question, callSid, validUntil }, updateId, withinMs),
    write: (plan) => planDocument(deps, plan, ctx),
  });
}

/** A question of whatever process is behind the call. */
export interface TimedAsk<Plan> extends Pick<TwimlAsk, 'asked' | 'loop' | 'again' | 'giveUp'> {
  /** What a log line names it by. */
  readonly ids: LogFields;
  /** In which "one moment" is said. */
  readonly language: string;
  /** Asks the workflow; what comes of it later than `withinMs` is not waited for. */
  readonly tell: (how: {
    readonly validUntil: number;
    readonly updateId: string;
    readonly withinMs: number;
  }) => Promise<Plan>;
  /** The plan as a document; personal data is revealed here and nowhere before. */
  readonly write: (plan: Plan) => Promise<string>;
}

/** As {@link answerQuestion}, for any process. */
export async function answeredInTime<Plan>(deps: ApiDeps, ask: TimedAsk<Plan>): Promise<string> {
  const deadline = Date.now() + ANSWER_WITHIN;
  const withinMs = ANSWER_WITHIN - KEPT_FOR_THE_ANSWER;
  const { asked, loop } = ask;
  const how = { validUntil: deadline, updateId: updateId(asked, asked.field('CallSid') ?? ''), withinMs };
  try {
    const plan = await within(withinMs, ask.tell(how));
    return await within(deadline - Date.now(), ask.write(plan));
  } catch (error) {
    // It has ended, or never was: nobody is rung for it any more.
    if (error instanceof ProcessIsOver) return hangUpTwiml();
    deps.logger.warn({ ...ask.ids, loop, error }, 'a TwiML question was not answered in time');
    if (loop >= MOST_LOOPS) return ask.giveUp();
    return oneMomentTwiml({ language: ask.language, promptsOf: deps.promptsOf }, ask.again(loop + 1));
  }
}

/**
 * Names the question for Temporal: a request that Twilio repeats gets the first answer again. The token by itself
 * would not do: it is not signed, and with another's token a replayed request would get another question's answer.
 */
function updateId(asked: TwilioRequest, callSid: string): string {
  return createHash('sha256')
    .update(JSON.stringify([callSid, asked.query.toString(), asked.idempotencyToken]))
    .digest('hex');
}

/** A plan of the workflow as a document; the mentor's number is revealed for it. */
export async function planDocument(deps: ApiDeps, plan: CallPlan, ctx: TwimlContext): Promise<string> {
  if (plan.do !== 'dial-mentor') return planTwiml(plan, ctx);
  const mentorNumber = await deps.vault.reveal({
    recordId: plan.mentorRecordId,
    purpose: 'dial',
    actor: `mentor-call:${ctx.callId}`,
  });
  return planTwiml(plan, ctx, { mentorNumber });
}

/** Answers with a document; Twilio takes nothing but text/xml (its error 11200). */
export function sendTwiml(res: Response, document: string): void {
  res.status(200).type('text/xml').send(document);
}

/** What a document needs to know of the call it is for. */
export function twimlContext(deps: ApiDeps, ids: UserLegIds & { readonly country: string }): TwimlContext {
  return {
    ...ids,
    urls: deps.urls,
    promptsOf: deps.promptsOf,
    greetingName: deps.config.mentorCall.greetingName,
    crisisOverride: deps.config.helplines.crisisOverride,
    spokenDisclosures: deps.config.mentorCall.spokenDisclosures,
    kept: deps.config.retention,
  };
}

/** The country of the person on this leg: of `To` where we called, of `From` where they did. */
export function countryOnTheLine(deps: ApiDeps, asked: TwilioRequest): string {
  const number = asked.field(asked.field('Direction') === 'inbound' ? 'From' : 'To') ?? '';
  return countryOfNumber(number) ?? deps.config.limits.allowedCountries[0] ?? 'US';
}

/** The helpline of the country, from memory and without an action URL. */
export function helplineFromMemory(deps: ApiDeps, { country, language }: Pick<TwimlContext, 'country' | 'language'>) {
  return helplineTwiml({
    country,
    language,
    callerId: callerIdFor(deps.config.twilio.phoneNumbers, country),
    crisisOverride: deps.config.helplines.crisisOverride,
    promptsOf: deps.promptsOf,
  });
}
