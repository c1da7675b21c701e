import { ApiError } from './api-errors';
import { type Fields, one, readUrl } from './call-parameters';

/** A URL of a resource that can be changed, and the code by which Twilio refuses one that is none. */
export interface UrlField {
  readonly key: string;
  readonly methodKey: string;
  /** As in Twilio's form: `VoiceUrl`, whose method is `VoiceMethod`. */
  readonly name: string;
  readonly code: number;
}

/** What a number and an application have in common. */
export const VOICE_URLS = [
  { key: 'voiceUrl', methodKey: 'voiceMethod', name: 'VoiceUrl', code: 21502 },
  { key: 'voiceFallbackUrl', methodKey: 'voiceFallbackMethod', name: 'VoiceFallbackUrl', code: 21504 },
  { key: 'statusCallback', methodKey: 'statusCallbackMethod', name: 'StatusCallback', code: 21609 },
] as const;

/** What an update changes: present and empty means no URL any more. @throws ApiError 400 for a URL or method that is none */
export function changedUrls(fields: Fields, urls: readonly UrlField[]): Readonly<Record<string, unknown>> {
  const changed: Record<string, unknown> = {};
  for (const { key, methodKey, name, code } of urls) {
    const methodName = `${name.replace(/Url$/, '')}Method`;
    if (one(fields, name) === '') changed[key] = undefined;
    const given = readUrl(fields, name, methodName, code);
    if (given !== null) changed[key] = given.url;
    const method = one(fields, methodName)?.toUpperCase();
    if (method !== undefined) changed[methodKey] = checkedMethod(method);
  }
  return changed;
}

function checkedMethod(method: string): 'GET' | 'POST' {
  if (method === 'GET' || method === 'POST') return method;
  throw new ApiError(400, 21503, 'The method is not valid: must be GET or POST');
}
