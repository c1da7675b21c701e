/** Status callbacks of masked calls, and of texts, signed before the clock runs: as Twilio sends them, with all their fields. */
import { randomBytes, randomUUID } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { createWebhookUrls } from '../../domain/webhook-urls';

export interface SigningAccount {
  readonly accountSid: string;
  readonly authToken: string;
}

/** A request as the load generator wants it. */
export interface SignedCallback {
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const STATUSES = ['initiated', 'ringing', 'in-progress', 'completed'] as const;
const OURS = '+14155550100';

interface LegOfCall {
  readonly callId: string;
  readonly leg: 'user' | 'mentor';
  readonly callSid: string;
}

/**
 * The eight callbacks of a happy call, four of each leg. One of the eight changes its course and is signalled to the
 * workflow, on both sides: the end of the user's leg.
 *
 * @param callIds each gets two new legs
 */
export function callbacksOfCalls(base: string, account: SigningAccount, callIds: readonly string[]): SignedCallback[] {
  return callIds.flatMap((callId) => {
    const user: LegOfCall = { callId, leg: 'user', callSid: newSid() };
    const mentor: LegOfCall = { callId, leg: 'mentor', callSid: newSid() };
    return [user, mentor].flatMap((leg) => STATUSES.map((status) => callback(base, account, leg, status)));
  });
}

/** As many callbacks that only inform, each of a leg of its own. */
export function informingCallbacks(
  base: string,
  account: SigningAccount,
  callIds: readonly string[],
): SignedCallback[] {
  return callIds.map((callId, at) => {
    const leg = { callId, leg: 'user', callSid: newSid() } as const;
    return callback(base, account, leg, STATUSES[at % 3] ?? 'ringing');
  });
}

/** A receipt of a text of its own for each: `sent` only informs, `delivered` is the last and is signalled. */
export function receipts(
  base: string,
  account: SigningAccount,
  messageIds: readonly string[],
  status: 'sent' | 'delivered',
): SignedCallback[] {
  return messageIds.map((messageId) => {
    const sid = newSid('SM');
    const address = createWebhookUrls(base, null).messageStatus({ messageId, dispatchId: randomUUID() });
    return signed(address, account, {
      AccountSid: account.accountSid,
      ApiVersion: '2010-04-01',
      From: OURS,
      MessageSid: sid,
      MessageStatus: status,
      SmsSid: sid,
      SmsStatus: status,
      To: '+14155550142',
    });
  });
}

function callback(base: string, account: SigningAccount, leg: LegOfCall, status: string): SignedCallback {
  const { callId, callSid } = leg;
  const address = createWebhookUrls(base, null).callStatus({ callId, leg: leg.leg, dispatchId: randomUUID(), step: 1 });
  const person = leg.leg === 'user' ? '+14155550142' : '+14155550161';
  return signed(address, account, {
    AccountSid: account.accountSid,
    ApiVersion: '2010-04-01',
    CallSid: callSid,
    CallStatus: status,
    Called: person,
    CalledCity: '',
    CalledCountry: 'US',
    CalledState: 'CA',
    CalledZip: '',
    Caller: OURS,
    CallerCity: '',
    CallerCountry: 'US',
    CallerState: 'CA',
    CallerZip: '',
    CallbackSource: 'call-progress-events',
    Direction: 'outbound-api',
    From: OURS,
    FromCity: '',
    FromCountry: 'US',
    FromState: 'CA',
    FromZip: '',
    SequenceNumber: String(STATUSES.findIndex((each) => each === status)),
    Timestamp: new Date().toUTCString().replace('GMT', '+0000'),
    To: person,
    ToCity: '',
    ToCountry: 'US',
    ToState: 'CA',
    ToZip: '',
    ...(status === 'completed' ? { CallDuration: '61', Duration: '2' } : {}),
  });
}

function signed(address: string, account: SigningAccount, params: Record<string, string>): SignedCallback {
  // What stands behind '#' tells Twilio how to connect; it is neither sent nor signed.
  const url = address.split('#')[0] ?? address;
  const { pathname, search } = new URL(url);
  return {
    method: 'POST',
    path: `${pathname}${search}`,
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      'i-twilio-idempotency-token': randomUUID(),
      'user-agent': 'TwilioProxy/1.1',
      'x-twilio-signature': getExpectedTwilioSignature(account.authToken, url, params),
    },
    body: new URLSearchParams(params).toString(),
  };
}

function newSid(kind: 'CA' | 'SM' = 'CA'): string {
  return `${kind}${randomBytes(16).toString('hex')}`;
}
