import type { Clock } from './clock';
import type { Leg } from './leg';
import { formatForDisplay } from './phone-numbers';
import { fixedSid } from './sids';
import type { LegDirection, LegStatus } from './types';
import { rfc2822 } from './webhook-parameters';

/** Named because Twilio names them; asking for one is a 404 here, but for recordings. */
const SUBRESOURCES = {
  events: 'Events',
  notifications: 'Notifications',
  payments: 'Payments',
  recordings: 'Recordings',
  siprec: 'Siprec',
  streams: 'Streams',
  transcriptions: 'Transcriptions',
  user_defined_message_subscriptions: 'UserDefinedMessageSubscriptions',
  user_defined_messages: 'UserDefinedMessages',
};

/** US dollars a begun minute, Twilio's own list prices in the United States in November 2026. */
const PRICE_OF_A_MINUTE: Readonly<Record<LegDirection, number>> = {
  'outbound-api': 0.014,
  'outbound-dial': 0.014,
  inbound: 0.0085,
};

/** The resource has no `initiated`: a REST call is still queued then, a dialled leg never is. */
export function resourceStatus(leg: Leg): LegStatus {
  const starting = leg.status === 'initiated' || leg.status === 'queued';
  if (!starting) return leg.status;
  return leg.direction === 'outbound-dial' ? 'ringing' : 'queued';
}

/**
 * A Call as the REST API shows it. `start_time` stays null until it is dialled.
 * @param priceAfterMs phone time from its end until the price is known
 */
export function callResource(
  leg: Leg,
  accountSid: string,
  clock: Clock,
  priceAfterMs: number,
): Readonly<Record<string, unknown>> {
  const uri = `/2010-04-01/Accounts/${accountSid}/Calls/${leg.sid}`;
  const talked = leg.status === 'completed';
  return {
    sid: leg.sid,
    date_created: rfc2822(leg.createdAt),
    date_updated: rfc2822(leg.updatedAt),
    parent_call_sid: leg.parent?.sid ?? null,
    account_sid: accountSid,
    to: leg.to,
    to_formatted: formatForDisplay(leg.to),
    from: leg.from,
    from_formatted: formatForDisplay(leg.from),
    // Ours either way: the number that was called, or the one that calls.
    phone_number_sid: fixedSid('PN', leg.direction === 'inbound' ? leg.to : leg.from),
    status: resourceStatus(leg),
    start_time: leg.dialledAt || leg.direction === 'inbound' ? rfc2822(leg.dialledAt ?? leg.createdAt) : null,
    end_time: leg.endedAt ? rfc2822(leg.endedAt) : null,
    duration:
      talked && leg.answeredAt && leg.endedAt
        ? String(Math.round(clock.between(leg.answeredAt, leg.endedAt) / 1000))
        : null,
    price: priceOf(leg, clock, priceAfterMs),
    price_unit: 'USD',
    direction: leg.direction,
    answered_by: leg.answeredBy,
    api_version: '2010-04-01',
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: String(leg.queueTimeMs),
    trunk_sid: null,
    uri: `${uri}.json`,
    subresource_uris: Object.fromEntries(
      Object.entries(SUBRESOURCES).map(([name, path]) => [name, `${uri}/${path}.json`]),
    ),
  };
}

/** Null until some time after the end, as with Twilio; a call that nobody answered costs nothing and keeps none. */
function priceOf(leg: Leg, clock: Clock, afterMs: number): string | null {
  if (leg.status !== 'completed' || leg.answeredAt === null || leg.endedAt === null) return null;
  if (clock.between(leg.endedAt, new Date()) < afterMs) return null;
  const minutes = Math.ceil(clock.between(leg.answeredAt, leg.endedAt) / 60_000);
  return (-PRICE_OF_A_MINUTE[leg.direction] * Math.max(1, minutes)).toFixed(5);
}
