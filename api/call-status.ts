import { type LegRecipient, storeLegEvent } from '../db/call-recipients';
import { findCallIdBySid } from '../db/calls';
import { type EventPayload, markHandled, type WebhookEvent } from '../db/webhook-events';
import { changesTheCourse, isCallStatus, isTerminal } from '../domain/call-status';
import type { Leg } from '../domain/mentor-call';
import type { ApiDeps } from './deps';
import type { EventHandler, Told } from './event-handlers';
import { SIGNAL_WITHIN, STORE_WITHIN } from './limits';
import type { Routes } from './routes';
import { storedInTime } from './stored-events';
import type { TwilioRequest } from './twilio-requests';
import { within } from './unavailable';
import { appCallId } from './voice-app';
import { isCallSid, isUuid, readCount } from './webhook-query';

/** A status callback, sanitised: nothing of `From`, `To` or any other field of Twilio's. */
interface LegEvent {
  /**
   * One per event: a leg is in a state once. Of all that Twilio says only what the event cannot be without is in it.
   * The idempotency token is signed by nobody, and a signature does not say where a name ends and its value begins:
   * `SequenceNumber=3` may come again as `SequenceNumbe=r3`, rightly signed, and must be the same event.
   */
  readonly seenKey: string;
  readonly callId: string;
  /** The alert it rings for; null for a leg of a mentor call. */
  readonly alertId: string | null;
  readonly leg: Leg;
  readonly step: number | null;
  readonly dispatchId: string | null;
  readonly callSid: string;
  readonly status: string;
  readonly sequence: number | null;
  readonly errorCode: string | null;
  readonly payload: EventPayload;
}

/**
 * `POST /call-status`: what became of a leg. Stored first, once per event, then told to the workflow if it changes
 * the course of the call; answered 204 as soon as it is stored, because the relay delivers what could not be told.
 */
export function callStatus(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /call-status', async (asked, res) => {
    let event: LegEvent | null;
    let stored: { readonly handledAt: Date | null; readonly recipient?: LegRecipient };
    try {
      event = await within(STORE_WITHIN, readEvent(deps, asked));
      if (event === null) {
        res.status(204).end();
        return;
      }
      const isHandled = !changesTheCourse(event);
      stored = await storedInTime(deps.pool, event.seenKey, storeLegEvent(deps.pool, asStored(event), isHandled));
    } catch (error) {
      deps.logger.warn({ route: '/call-status', error }, 'an event could not be stored');
      res.status(503).end();
      return;
    }
    if (stored.handledAt === null) await deliver(deps, event);
    res.status(204).end();
    deps.callLog.note({ callId: event.callId, status: event.status, ...(stored.recipient ?? NOT_LOOKED_UP) });
  });
}

const NOT_LOOKED_UP: LegRecipient = { recipientToken: null, country: null, retryCount: 0 };

/** Never throws: what is not delivered stays unhandled, and the relay takes it up. */
async function deliver(deps: ApiDeps, event: LegEvent): Promise<void> {
  try {
    // `closed` is as good: a workflow that is over has nothing to learn any more.
    await tellLegEnded(deps, event);
    await markHandled(deps.pool, event.seenKey);
  } catch (error) {
    deps.logger.warn(
      { callId: event.callId, callSid: event.callSid, status: event.status, error },
      'an event waits for the relay',
    );
  }
}

/** A stored callback once more: its workflow ignores what it was told before. */
export const handleCallStatus: EventHandler = (deps, event) => {
  const { callId, sid: callSid, status } = event;
  if (callId === null || callSid === null || status === null) return null;
  return () => tellLegEnded(deps, { ...event, callId, callSid, status });
};

/**
 * Tells the workflow what became of a leg, if it changes the course of the call.
 * @throws when Temporal does not take it in time
 */
async function tellLegEnded(
  { process, alerts }: Pick<ApiDeps, 'process' | 'alerts'>,
  event: Omit<LegEvent, 'leg' | 'step' | 'sequence' | 'payload'> & { readonly leg: string | null },
): Promise<Told> {
  if (!changesTheCourse(event)) return 'nothing-to-tell';
  const { callId, alertId, seenKey, callSid, status, dispatchId, errorCode } = event;
  const ended = { seenKey, callSid, status, dispatchId, errorCode };
  const told =
    alertId === null ? process.legEnded(callId, ended, SIGNAL_WITHIN) : alerts.legEnded(alertId, ended, SIGNAL_WITHIN);
  return await within(SIGNAL_WITHIN, told);
}

function asStored({ callSid, ...event }: LegEvent): WebhookEvent {
  return { type: 'call-status', ...event, sid: callSid };
}

async function readEvent(deps: ApiDeps, asked: TwilioRequest): Promise<LegEvent | null> {
  const callSid = asked.field('CallSid') ?? '';
  const status = asked.field('CallStatus') ?? '';
  if (!isCallSid(callSid) || !isCallStatus(status)) return null;
  const named = asked.query.get('call');
  // A leg of the user's own making (they rang our number) has the number's callback URL, which names no call.
  const callId = named === null && isTerminal(status) ? await unnamedCall(deps, asked, callSid) : named;
  if (!isUuid(callId)) return null;
  const sequence = readCount(new URLSearchParams({ n: asked.field('SequenceNumber') ?? '' }), 'n');
  const [dispatchId, alertId] = [asked.query.get('dispatch'), asked.query.get('alert')];
  return {
    seenKey: `call-status:${callSid}:${status}`,
    callId,
    alertId: isUuid(alertId) ? alertId : null,
    leg: legOf(asked.query.get('leg')),
    step: readCount(asked.query, 'n'),
    dispatchId: isUuid(dispatchId) ? dispatchId : null,
    callSid,
    status,
    sequence,
    errorCode: /^\d{4,6}$/.test(asked.field('ErrorCode') ?? '') ? asked.field('ErrorCode') : null,
    payload: qualityOf(asked),
  };
}

/** When it was, by Twilio's clock, and how SIP ended it: what the quality of the call is told from. */
function qualityOf(asked: TwilioRequest): EventPayload {
  const at = new Date(asked.field('Timestamp') ?? '');
  const sip = asked.field('SipResponseCode') ?? '';
  // A time of another year is none: callbacks may be late, and a forger may not write history.
  const isNear = Math.abs(at.valueOf() - Date.now()) < 7 * 86_400_000;
  return {
    ...(isNear ? { at: at.toISOString() } : {}),
    ...(/^[1-6]\d\d$/.test(sip) ? { sip: Number(sip) } : {}),
  };
}

/** Of a call from the app the id is known also before its first row is written. */
async function unnamedCall(deps: ApiDeps, asked: TwilioRequest, callSid: string): Promise<string | null> {
  const known = await findCallIdBySid(deps.pool, callSid);
  const isFromApp = asked.field('From')?.startsWith('client:') === true;
  return known ?? (isFromApp ? appCallId(deps.tokenizer, callSid) : null);
}

function legOf(word: string | null): Leg {
  return word === 'mentor' || word === 'helpline' || word === 'recipient' ? word : 'user';
}
