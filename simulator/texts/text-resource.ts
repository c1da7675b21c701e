import type { Clock } from '../clock';
import type { TextStatus } from '../text-types';
import { rfc2822 } from '../webhook-parameters';
import type { Text } from './text';

/** US dollars a segment, Twilio's own list price in the United States in November 2026; carriers charge extra. */
const PRICE_OF_A_SEGMENT = 0.0083;
const FREE: ReadonlySet<TextStatus> = new Set(['failed', 'accepted', 'queued', 'sending', 'receiving']);

/** Twilio's words for the codes that receipts have here; any other code has none. */
const ERROR_MESSAGES: Readonly<Record<number, string>> = {
  21610: 'Attempt to send to unsubscribed recipient',
  30001: 'Queue overflow',
  30002: 'Account suspended',
  30003: 'Unreachable destination handset',
  30004: 'Message blocked',
  30005: 'Unknown destination handset',
  30006: 'Landline or unreachable carrier',
  30007: 'Message filtered',
  30008: 'Unknown error',
  30034: 'US A2P 10DLC - Message from an Unregistered Number',
  30036: 'Validity Period Expired',
};

export function errorMessage(code: number | null): string | null {
  return code === null ? null : (ERROR_MESSAGES[code] ?? null);
}

/** A Message as the REST API shows it. @param priceAfterMs phone time from sending until the price is known */
export function textResource(
  text: Text,
  accountSid: string,
  clock: Clock,
  priceAfterMs: number,
): Readonly<Record<string, unknown>> {
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${text.sid}`;
  return {
    sid: text.sid,
    account_sid: accountSid,
    api_version: '2010-04-01',
    direction: text.direction,
    to: text.to,
    from: text.from,
    messaging_service_sid: text.serviceSid,
    body: text.redacted ? '' : text.body,
    // A service's message has no segments until a sender is chosen.
    num_segments: text.status === 'accepted' ? '0' : String(text.segments),
    num_media: '0',
    status: text.status,
    error_code: text.errorCode,
    error_message: errorMessage(text.errorCode),
    date_created: rfc2822(text.createdAt),
    date_updated: rfc2822(text.updatedAt),
    date_sent: text.sentAt ? rfc2822(text.sentAt) : null,
    price: priceOf(text, clock, priceAfterMs),
    price_unit: 'USD',
    uri: `${uri}.json`,
    subresource_uris: { media: `${uri}/Media.json` },
  };
}

function priceOf(text: Text, clock: Clock, afterMs: number): string | null {
  if (text.sentAt === null || FREE.has(text.status)) return null;
  if (clock.between(text.sentAt, new Date()) < afterMs) return null;
  return (-PRICE_OF_A_SEGMENT * text.segments).toFixed(5);
}
