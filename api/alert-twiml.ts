import { adoptCallSid } from '../db/dispatches';
import { renderContent } from '../db/rendering';
import {
  alertGoodbyeTwiml,
  alertGreetingTwiml,
  alertMessageTwiml,
  alertThanksTwiml,
  type AlertTwimlContext,
} from '../domain/alert-twiml';
import { isCallStatus, isTerminal } from '../domain/call-status';
import { isDestroyed } from '../domain/errors';
import { hangUpTwiml } from '../domain/twiml';
import type { AlertPlan, AlertQuestion } from '../domain/voice-alert';
import type { ApiDeps } from './deps';
import { GREETINGS, LOOK_UP_WITHIN } from './limits';
import type { Routes } from './routes';
import type { TwilioRequest } from './twilio-requests';
import { answeredInTime, sendTwiml } from './twiml-questions';
import { within } from './unavailable';
import { isCallSid, isUuid, readCount, readLanguage } from './webhook-query';

type AskedOfWorkflow = AlertQuestion extends infer Q
  ? Q extends AlertQuestion
    ? Omit<Q, 'validUntil' | 'callSid' | 'legId'>
    : never
  : never;

/** `POST /twiml/alert`: what the phone that was rung for an alert says, from the first words to the last. */
export function alertTwiml(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /twiml/alert', async (asked, res) => {
    const ctx = readLeg(deps, asked);
    const status = asked.field('CallStatus') ?? '';
    // Without a name and a state it is nobody's leg; with one that has hung up there is nothing to say.
    const isLeg = isCallSid(asked.field('CallSid')) && isCallStatus(status) && !isTerminal(status);
    sendTwiml(res, ctx === null || !isLeg ? hangUpTwiml() : await answer(deps, asked, ctx));
  });
}

function readLeg(deps: ApiDeps, { query }: TwilioRequest): AlertTwimlContext | null {
  const [alertId, legId, dispatchId] = [query.get('alert'), query.get('call'), query.get('dispatch')];
  if (!isUuid(alertId) || !isUuid(legId) || !isUuid(dispatchId)) return null;
  return {
    alertId,
    legId,
    dispatchId,
    language: readLanguage(query),
    // Whatever else it says: nothing personal before a key.
    neutralFirst: query.get('first') !== 'words',
    urls: deps.urls,
    promptsOf: deps.promptsOf,
    greetingName: deps.config.mentorCall.greetingName,
  };
}

function answer(deps: ApiDeps, asked: TwilioRequest, ctx: AlertTwimlContext): Promise<string> | string {
  const digits = readDigits(asked);
  switch (asked.query.get('step')) {
    case 'greeting':
      return greet(deps, asked, ctx);
    case 'confirmed': {
      const tryNumber = readCount(asked.query, 'try') ?? 1;
      if (digits !== '1') {
        return tryNumber < GREETINGS ? alertGreetingTwiml(ctx, tryNumber + 1) : alertGoodbyeTwiml(ctx);
      }
      const again = (loop: number) => ctx.urls.alert(ctx, 'confirmed', { tryNumber, loop, carried: { digits } });
      return ask(deps, asked, ctx, { kind: 'may-speak' }, again);
    }
    case 'answered': {
      const n = readCount(asked.query, 'n') ?? 1;
      const again = (loop: number) => ctx.urls.alert(ctx, 'answered', { n, loop, carried: { digits } });
      return ask(deps, asked, ctx, { kind: 'answered', n, digits }, again);
    }
    default:
      return hangUpTwiml();
  }
}

/** What is pressed now or, after "one moment", was pressed when Twilio asked first. Empty: nothing. */
function readDigits({ field, query }: TwilioRequest): string {
  const digits = field('Digits') ?? query.get('digits') ?? '';
  return /^[\d*#]{0,4}$/.test(digits) ? digits : '';
}

/**
 * The first leg that asks becomes the dispatch's own; any other, and a leg of a dispatch that was given up, is hung up
 * before a word and ended by REST. Without Postgres the neutral words are spoken all the same: the workflow lets only one
 * leg hear the message.
 */
async function greet(deps: ApiDeps, asked: TwilioRequest, ctx: AlertTwimlContext): Promise<string> {
  const { alertId, dispatchId } = ctx;
  const callSid = asked.field('CallSid') ?? '';
  try {
    const whose = await within(LOOK_UP_WITHIN, adoptCallSid(deps.pool, dispatchId, callSid));
    if (whose !== 'own') {
      deps.logger.warn({ alertId, dispatchId, callSid, reason: whose }, 'a leg is hung up unspoken');
      deps.voice.endCall(callSid).catch((error: unknown) => {
        deps.logger.warn({ callSid, error }, 'a leg could not be ended by REST');
      });
      return hangUpTwiml();
    }
  } catch (error) {
    deps.logger.warn({ alertId, dispatchId, error }, 'a leg could not be adopted');
  }
  if (ctx.neutralFirst) return alertGreetingTwiml(ctx, 1);
  const again = (loop: number) => ctx.urls.alert(ctx, 'confirmed', { loop, carried: { digits: '1' } });
  return await ask(deps, asked, ctx, { kind: 'may-speak' }, again);
}

function ask(
  deps: ApiDeps,
  asked: TwilioRequest,
  ctx: AlertTwimlContext,
  question: AskedOfWorkflow,
  again: (loop: number) => string,
): Promise<string> {
  const { alertId, legId, language } = ctx;
  const callSid = asked.field('CallSid') ?? '';
  return answeredInTime<AlertPlan>(deps, {
    asked,
    ids: { alertId, callSid, kind: question.kind },
    language,
    loop: readCount(asked.query, 'loop') ?? 0,
    again,
    // No helpline: whoever is called for an alert has not asked for one. The leg ends without a key, and is rung again.
    giveUp: () => alertGoodbyeTwiml(ctx),
    tell: ({ validUntil, updateId, withinMs }) =>
      deps.alerts.ask(alertId, { ...question, callSid, legId, validUntil }, updateId, withinMs),
    write: (plan) => written(deps, plan, ctx),
  });
}

/** The words are revealed at the moment they are spoken; erased ones are not spoken. */
async function written(deps: ApiDeps, plan: AlertPlan, ctx: AlertTwimlContext): Promise<string> {
  switch (plan.do) {
    case 'speak': {
      const { content, language } = plan.recipient;
      const parts = { pool: deps.pool, vault: deps.vault, privacyPolicyUrl: null, ownLinks: null };
      try {
        const words = await renderContent(parts, content, language, 'speech');
        return alertMessageTwiml(ctx, { ...plan, words: words.value, language: words.language });
      } catch (error) {
        if (isDestroyed(error)) return alertGoodbyeTwiml(ctx);
        throw error;
      }
    }
    case 'thank':
      return alertThanksTwiml(ctx);
    case 'goodbye':
      return alertGoodbyeTwiml(ctx);
    default:
      return hangUpTwiml();
  }
}
