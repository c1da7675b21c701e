/** Readers of the query of our own webhook URLs. It is signed, so a wrong value is a mistake of ours, not an attack. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether it has the form of one of our ids. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && UUID.test(text);
}

/** Whether it has the form of Twilio's name of a call. */
export function isCallSid(text: string | null): text is string {
  return text !== null && /^CA[0-9a-f]{32}$/i.test(text);
}

/** Whether it has the form of Twilio's name of a message; `MM` of one with a picture. */
export function isMessageSid(text: string | null): text is string {
  return text !== null && /^(?:SM|MM)[0-9a-f]{32}$/i.test(text);
}

/** The dispatch of a leg that no dispatch made: the user rang our number. */
export const CALLED_IN = '00000000-0000-0000-0000-000000000000';

export interface UserLegQuery {
  readonly callId: string;
  readonly dispatchId: string;
  readonly language: string;
  readonly appCountry: string | undefined;
}

export function readUserLeg(query: URLSearchParams): UserLegQuery | null {
  const [callId, dispatchId] = [query.get('call'), query.get('dispatch')];
  if (!isUuid(callId) || !isUuid(dispatchId)) return null;
  return { callId, dispatchId, language: readLanguage(query), appCountry: readAppCountry(query) };
}

export function readLanguage(query: URLSearchParams): string {
  const language = query.get('lang') ?? '';
  return /^[a-z]{2}$/.test(language) ? language : 'en';
}

/** Where a user is who called from the app. */
export function readAppCountry(query: URLSearchParams): string | undefined {
  const country = query.get('app') ?? '';
  return /^[A-Z]{2}$/.test(country) ? country : undefined;
}

/** A small whole number, or null. */
export function readCount(query: URLSearchParams, name: string): number | null {
  const text = query.get(name) ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : null;
}
