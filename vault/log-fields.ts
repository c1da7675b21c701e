/**
 * What a log line may hold besides its static message: this list and nothing else. A field that is not here, or a
 * value that has not the form of its field, is dropped while the line is made (privacy by construction). Add a
 * field only when it is of class operational or pseudonymous; no field takes free text.
 */

/** `id`: an opaque id. `word`: a word of our own or of Twilio. `route`: a route pattern, never a URL with values. */
type FieldForm = 'id' | 'word' | 'route' | 'number' | 'boolean';

const FIELDS = {
  // ids
  alertId: 'id',
  callId: 'id',
  workflowId: 'id',
  runId: 'id',
  dispatchId: 'id',
  eventId: 'id',
  mentorId: 'id',
  messageId: 'id',
  userId: 'id',
  subjectId: 'id',
  recordId: 'id',
  recordingId: 'id',
  contactPointId: 'id',
  requestId: 'id',
  callSid: 'id',
  objectId: 'id',
  actor: 'id',
  // of calls and legs: exactly these, with status and country (call-log.ts)
  call_id: 'id',
  recipient_token: 'id',
  // words
  action: 'word',
  answer: 'word',
  bundle: 'word',
  channel: 'word',
  class: 'word',
  component: 'word',
  country: 'word',
  endReason: 'word',
  errorClass: 'word',
  errorCode: 'word',
  event: 'word',
  fault: 'word',
  job: 'word',
  keyRing: 'word',
  kind: 'word',
  language: 'word',
  leg: 'word',
  line: 'word',
  method: 'word',
  migration: 'word',
  namespace: 'word',
  operation: 'word',
  outcome: 'word',
  purpose: 'word',
  queue: 'word',
  reason: 'word',
  role: 'word',
  /** Where credentials came from; never one of them. */
  secrets: 'word',
  signal: 'word',
  state: 'word',
  status: 'word',
  sweep: 'word',
  variable: 'word',
  version: 'word',
  workflowType: 'word',
  activityType: 'word',
  // route patterns
  route: 'route',
  // numbers and flags
  attempt: 'number',
  backlog: 'number',
  bytes: 'number',
  count: 'number',
  durationMs: 'number',
  httpStatus: 'number',
  loop: 'number',
  percent: 'number',
  pid: 'number',
  port: 'number',
  retryAfterMs: 'number',
  step: 'number',
  retry_count: 'number',
  isNew: 'boolean',
  standIns: 'boolean',
} as const satisfies Record<string, FieldForm>;

type ValueOf<F extends FieldForm> = F extends 'number' ? number : F extends 'boolean' ? boolean : string | number;

/** The fields of one line. `error` is reduced to its name, code, class and HTTP status. */
export type LogFields = {
  readonly [Name in keyof typeof FIELDS]?: ValueOf<(typeof FIELDS)[Name]> | null | undefined;
} & { readonly error?: unknown };

const fieldForms: ReadonlyMap<string, FieldForm> = new Map(Object.entries(FIELDS));

const texts: Readonly<Record<Exclude<FieldForm, 'number' | 'boolean'>, RegExp>> = {
  // No `+`, no `@`, no blank: neither a phone number in E.164 nor an address has the form of an id.
  id: /^[A-Za-z0-9][\w:.-]{0,120}$/,
  word: /^[A-Za-z0-9][\w:./-]{0,60}$/,
  route: /^\/[\w:{}*./-]{0,120}$/,
};

/** Keeps what is on the list and has the right form; everything else is left out without a word. */
export function allowedFields(fields: object): Record<string, unknown> {
  const line: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const form = fieldForms.get(name);
    if (name === 'error' && value != null) line['error'] = reduceError(value);
    else if (form !== undefined && hasForm(form, value)) line[name] = value;
  }
  return line;
}

function hasForm(form: FieldForm, value: unknown): boolean {
  if (form === 'boolean') return typeof value === 'boolean';
  // Ten digits and more are no count, port or duration of ours, but could be a phone number.
  if (typeof value === 'number') return Number.isFinite(value) && Math.abs(value) < 1e9;
  if (form === 'number' || typeof value !== 'string') return false;
  return texts[form].test(value) && !/^\d{7,}$/.test(value);
}

/**
 * What may be said about an error: never its message, stack, cause or other properties. Messages of other people's
 * errors quote phone numbers, request bodies and Authorization headers (Twilio's SDK and body-parser do).
 */
function reduceError(error: unknown): Record<string, unknown> {
  if (typeof error !== 'object' || error === null) return { name: typeof error };
  const reduced: Record<string, unknown> = { name: 'Error' };
  for (const field of ['name', 'code', 'class', 'status', 'operation', 'outcome', 'requestId']) {
    const value: unknown = Reflect.get(error, field);
    if (hasForm('word', value)) reduced[field] = value;
  }
  return reduced;
}
