import type { Clock } from '../clock';
import { rfc2822 } from '../webhook-parameters';
import type { Recording } from './recording';

/** US dollars a begun minute, Twilio's own list price in November 2026. */
const PRICE_OF_A_MINUTE = 0.0025;

/** What both resources of a recording say: that of its call, and its own. */
function common(recording: Recording, accountSid: string, status: string) {
  const { sid, options, createdAt, updatedAt, seconds } = recording;
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    call_sid: options.callSid,
    conference_sid: null,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(updatedAt),
    start_time: rfc2822(createdAt),
    // Twilio says -1 until it knows.
    duration: String(seconds ?? -1),
    sid,
    price_unit: 'USD',
    status,
    channels: options.channels,
    source: 'StartCallRecordingAPI',
    error_code: null,
    encryption_details: null,
  };
}

/** As `Calls/{sid}/Recordings` shows it. */
export function callRecordingResource(recording: Recording, accountSid: string): Readonly<Record<string, unknown>> {
  const path = `/2010-04-01/Accounts/${accountSid}/Calls/${recording.options.callSid}/Recordings/${recording.sid}.json`;
  const { track } = recording.options;
  return { ...common(recording, accountSid, recording.status), price: null, uri: path, track };
}

/** As `Recordings/{sid}` shows it. @param priceAfterMs phone time from its end until the price is known */
export function recordingResource(
  recording: Recording,
  accountSid: string,
  clock: Clock,
  priceAfterMs: number,
): Readonly<Record<string, unknown>> {
  const path = `/2010-04-01/Accounts/${accountSid}/Recordings/${recording.sid}`;
  return {
    ...common(recording, accountSid, recording.status),
    price: priceOf(recording, clock, priceAfterMs),
    uri: `${path}.json`,
    media_url: `https://api.twilio.com${path}`,
    subresource_uris: {
      add_on_results: `${path}/AddOnResults.json`,
      transcriptions: `${path}/Transcriptions.json`,
    },
  };
}

function priceOf({ status, endedAt, seconds }: Recording, clock: Clock, afterMs: number): string | null {
  if (status !== 'completed' || endedAt === null || clock.between(endedAt, new Date()) < afterMs) return null;
  return (-PRICE_OF_A_MINUTE * Math.max(1, Math.ceil((seconds ?? 0) / 60))).toFixed(5);
}
