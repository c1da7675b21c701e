import type { Response } from 'express';
import { adoptCallSid } from '../db/dispatches';
import { isCallStatus, isTerminal } from '../domain/call-status';
import { OFFER_KINDS } from '../domain/mentor-call';
import {
  greetingTwiml,
  hangUpTwiml,
  noKeyTwiml,
  recordingQuestionTwiml,
  type TwimlContext,
  whisperTwiml,
} from '../domain/twiml';
import type { CarriedAnswer } from '../domain/webhook-urls';
import type { ApiDeps } from './deps';
import { GREETINGS, LOOK_UP_WITHIN } from './limits';
import type { Routes } from './routes';
import { answerQuestion, countryOnTheLine, helplineFromMemory, sendTwiml, twimlContext } from './twiml-questions';
import type { TwilioRequest } from './twilio-requests';
import { within } from './unavailable';
import { CALLED_IN, isCallSid, isUuid, readCount, readLanguage, readUserLeg } from './webhook-query';

/** What one request about the user's leg is answered from. */
interface UserLeg {
  readonly asked: TwilioRequest;
  readonly ctx: TwimlContext;
  readonly loop: number;
  readonly carried: CarriedAnswer;
}

/** The TwiML of a mentor call: what Twilio asks about the user's leg and about the mentor's. */
export function voiceWebhooks(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /twiml/connect-mentor', async (asked, res) => {
    const ids = readUserLeg(asked.query);
    if (ids === null || nothingToSay(asked)) return sendTwiml(res, hangUpTwiml());
    const ctx = twimlContext(deps, { ...ids, country: ids.appCountry ?? countryOnTheLine(deps, asked) });
    if (!isWhole(asked)) return sendTwiml(res, helplineFromMemory(deps, ctx));
    const leg: UserLeg = { asked, ctx, loop: readCount(asked.query, 'loop') ?? 0, carried: carriedAnswer(asked) };
    sendTwiml(res, await answerUserLeg(deps, leg));
  });

  // Static: a mentor's phone that was picked up must hear something whatever is down.
  routes.twilio('POST /twiml/mentor-whisper', async (asked, res) => {
    const leg = mentorLeg(deps, asked);
    if (leg === null) return sendTwiml(res, hangUpTwiml());
    const confirmSeconds = Math.max(1, Math.round(deps.config.mentorCall.times.mentorConfirm / 1_000));
    sendTwiml(res, whisperTwiml(leg.ctx, leg.step, confirmSeconds, leg.recording === 'ask'));
  });

  routes.twilio('POST /twiml/mentor-confirm', (asked, res) => answerMentorLeg(deps, asked, res));
}

/**
 * With a caller who has hung up there is nothing to say; their status callback tells the workflow. Only how the
 * helpline's Dial ended is told all the same: nothing else says whether they were connected.
 */
function nothingToSay(asked: TwilioRequest): boolean {
  return isTerminal(asked.field('CallStatus') ?? '') && asked.query.get('step') !== 'helpline-over';
}

/**
 * Whether it says which leg asks and how that is, as every request of Twilio's does. A signature does not say where a
 * name ends and its value begins, so one that was overheard can be split anew until these are lost: it must not
 * become anybody's leg. Should Twilio itself ever leave them out, a person is on the line: hence the helpline.
 */
export function isWhole({ field }: TwilioRequest): boolean {
  return isCallSid(field('CallSid')) && isCallStatus(field('CallStatus') ?? '');
}

function answerUserLeg(deps: ApiDeps, leg: UserLeg): Promise<string> | string {
  const { asked, ctx, loop, carried } = leg;
  const step = readCount(asked.query, 'n') ?? 0;
  const giveUp = () => helplineFromMemory(deps, ctx);
  const common = { asked, ctx, loop, giveUp };
  // Of the helpline's Dial; calls of before asked without it.
  const nth = step === 0 ? {} : { step };
  const dial = { dialStatus: carried.dialStatus ?? 'failed', dialSeconds: carried.dialSeconds ?? 0 };
  switch (asked.query.get('step')) {
    case 'greeting':
      return greet(deps, leg);
    case 'confirmed':
      return confirmed(deps, leg);
    case 'dial-over':
      return answerQuestion(deps, {
        ...common,
        question: { kind: 'dial-over', step, ...dial },
        again: (next) => ctx.urls.dialOver(ctx, { step, loop: next, carried: dial }),
      });
    case 'offer': {
      const offer = OFFER_KINDS.find((kind) => kind === asked.query.get('offer')) ?? 'helpline';
      const digits = carried.digits ?? '';
      return answerQuestion(deps, {
        ...common,
        question: { kind: 'offer-answered', offer, step, digits },
        again: (next) => ctx.urls.offer(ctx, { step, offer, loop: next, carried: { digits } }),
      });
    }
    case 'helpline-over':
      return answerQuestion(deps, {
        ...common,
        question: { kind: 'helpline-over', ...nth, ...dial },
        again: (next) => ctx.urls.helplineOver(ctx, { ...nth, loop: next, carried: dial }),
        // They have just talked to the helpline, or it did not answer: ringing it again helps nobody.
        giveUp: () => noKeyTwiml(ctx),
      });
    default:
      return hangUpTwiml();
  }
}

/**
 * The user's first words. The first leg that asks becomes the dispatch's own; any other, and a leg of a dispatch that
 * was given up, is hung up before a word and ended by REST. Without Postgres the greeting is spoken all the same: the
 * workflow lets only one leg go on after key 1.
 */
async function greet(deps: ApiDeps, { asked, ctx }: UserLeg): Promise<string> {
  const callSid = asked.field('CallSid') ?? '';
  try {
    const whose = await within(LOOK_UP_WITHIN, adoptCallSid(deps.pool, ctx.dispatchId, callSid));
    if (whose !== 'own') {
      deps.logger.warn(
        { callId: ctx.callId, dispatchId: ctx.dispatchId, callSid, reason: whose },
        'a leg is hung up unspoken',
      );
      endLeg(deps, callSid);
      return hangUpTwiml();
    }
  } catch (error) {
    deps.logger.warn({ callId: ctx.callId, dispatchId: ctx.dispatchId, error }, 'a leg could not be adopted');
  }
  const { userConfirm } = deps.config.mentorCall;
  const answeredBy = asked.field('AnsweredBy') ?? '';
  // A machine is told nothing at all.
  if (userConfirm === 'amd' && /^(?:machine|fax)/.test(answeredBy)) return hangUpTwiml();
  if (userConfirm === 'off' || (userConfirm === 'amd' && answeredBy === 'human')) {
    return confirmed(deps, { asked, ctx, loop: 0, carried: { digits: '1' } });
  }
  return greetingTwiml(ctx, 1);
}

async function confirmed(deps: ApiDeps, { asked, ctx, loop, carried }: UserLeg): Promise<string> {
  const tryNumber = readCount(asked.query, 'try') ?? 1;
  if (carried.digits !== '1') {
    return tryNumber < GREETINGS ? greetingTwiml(ctx, tryNumber + 1) : noKeyTwiml(ctx);
  }
  return answerQuestion(deps, {
    asked,
    ctx,
    loop,
    question: { kind: ctx.dispatchId === CALLED_IN ? 'user-called-in' : 'user-confirmed' },
    again: (next) => ctx.urls.confirmed(ctx, { tryNumber, loop: next, carried: { digits: '1' } }),
    giveUp: () => helplineFromMemory(deps, ctx),
  });
}

async function answerMentorLeg(deps: ApiDeps, asked: TwilioRequest, res: Response): Promise<void> {
  const leg = mentorLeg(deps, asked);
  const { digits = '' } = carriedAnswer(asked);
  const isGone = isTerminal(asked.field('CallStatus') ?? '');
  // No key at all: a voicemail, or a mentor who does not want to. The dial's own action tells the workflow.
  const isTaken = digits !== '' || (leg?.recording === 'answer' && !isGone);
  if (leg === null || !isWhole(asked) || !isTaken) return sendTwiml(res, hangUpTwiml());
  const { ctx, step, recording } = leg;
  // They have taken the call: the second question needs no workflow.
  if (recording === 'ask' && digits === '1') return sendTwiml(res, recordingQuestionTwiml(ctx, step));
  const ids = { callId: ctx.callId, step, language: ctx.language };
  const document = await answerQuestion(deps, {
    asked,
    ctx,
    loop: readCount(asked.query, 'loop') ?? 0,
    question:
      recording === 'answer'
        ? { kind: 'mentor-answered', step, digits: '1', recording: digits === '1' }
        : { kind: 'mentor-answered', step, digits },
    again: (next) =>
      ctx.urls.mentorConfirm(recording === null ? ids : { ...ids, recording }, { loop: next, carried: { digits } }),
    giveUp: hangUpTwiml,
  });
  sendTwiml(res, document);
}

interface MentorLeg {
  readonly ctx: TwimlContext;
  readonly step: number;
  readonly recording: 'ask' | 'answer' | null;
}

function mentorLeg(deps: ApiDeps, asked: TwilioRequest): MentorLeg | null {
  const callId = asked.query.get('call');
  const step = readCount(asked.query, 'n');
  if (!isUuid(callId) || step === null) return null;
  const language = readLanguage(asked.query);
  const ctx = twimlContext(deps, { callId, dispatchId: CALLED_IN, language, country: countryOnTheLine(deps, asked) });
  const rec = asked.query.get('rec');
  return { ctx, step, recording: rec === 'ask' || rec === 'answer' ? rec : null };
}

/** What Twilio says now or, after "one moment", said when it asked first. */
function carriedAnswer({ field, query }: TwilioRequest): CarriedAnswer {
  const digits = field('Digits') ?? query.get('digits');
  const dialStatus = field('DialCallStatus') ?? query.get('ds');
  const dialSeconds = Number.parseInt(field('DialCallDuration') ?? query.get('dd') ?? '', 10);
  return {
    ...(digits !== null && /^[\d*#]{0,4}$/.test(digits) ? { digits } : {}),
    ...(dialStatus !== null && /^[a-z-]{1,20}$/.test(dialStatus) ? { dialStatus } : {}),
    ...(Number.isNaN(dialSeconds) ? {} : { dialSeconds }),
  };
}

/** In nobody's way: the answer already hangs up, this only makes sure. */
function endLeg(deps: ApiDeps, callSid: string): void {
  deps.voice.endCall(callSid).catch((error: unknown) => {
    deps.logger.warn({ callSid, error }, 'a leg could not be ended by REST');
  });
}
