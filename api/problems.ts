import type { Request, Response } from 'express';
import { helplinesFor } from '../domain/helplines';
import { contextOf, countryOfLanguages } from './request-context';

/**
 * Everything that can go wrong, as RFC 9457 `application/problem+json`. The code is stable and part of `type`;
 * title and hint are constants, so that no answer can quote what was sent.
 */
export const PROBLEMS = {
  'malformed-request': [400, 'The request cannot be read', 'Check the address and the headers of the request.'],
  'malformed-json': [400, 'The body is not JSON', 'Send one JSON object in UTF-8 with Content-Type: application/json.'],
  'invalid-body': [
    400,
    'The body is not as expected',
    'See errors: each names a place in the body and what belongs there.',
  ],
  'invalid-query': [400, 'The query is not as expected', 'See errors: each names a parameter and what belongs there.'],
  'idempotency-key-invalid': [
    400,
    'The Idempotency-Key cannot be used',
    'Send 1 to 255 visible ASCII characters, for example a UUID, or leave the header out.',
  ],
  'sign-in-failed': [
    400,
    'You were not signed in',
    'Begin again at the page you wanted. A sign-in is good for ten minutes, in the browser in which it began.',
  ],
  'session-over': [401, 'You are not signed in any more', 'Sign in and press the button again. Nothing was changed.'],
  'token-required': [401, 'Sign-in is required', 'Send an access token: Authorization: Bearer …'],
  'token-invalid': [401, 'The access token is not valid', 'Get a new access token and send the request again.'],
  'role-not-allowed': [403, 'Your role may not do this', 'Sign in with an account that has the role this needs.'],
  'mentor-not-allowed': [
    403,
    'You cannot ask for this mentor',
    'Leave preferences.mentorId out, or name a mentor you have talked to.',
  ],
  'calls-not-open-to-you': [
    403,
    'Calls are not open to you yet',
    'Call one of the helplines yourself, or ask the organisation to put you on its list.',
  ],
  'recipient-not-allowed': [
    403,
    'You cannot send to this recipient',
    'Send to yourself: name a contact point of yours, or the number that you saved as one.',
  ],
  'number-unverified': [
    403,
    'This number or address is not verified',
    'Save it as a contact point, have a code sent: POST /contact-points/{contactPointId}/verify, and send the code back.',
  ],
  'form-not-ours': [
    403,
    'This was not sent by a page of ours',
    'Open the page again and press the button there. Nothing was changed.',
  ],
  'account-not-linked': [
    403,
    'Your account is not a mentor’s yet',
    'Ask the organisation for an invitation code, and enter it at /mentor/join.',
  ],
  'origin-not-allowed': [403, 'This page may not ask', 'Open the Temporal Web UI under its configured address.'],
  'namespace-not-allowed': [
    403,
    'This namespace is not decoded here',
    'Choose the namespace of this service in the Temporal Web UI.',
  ],
  'not-found': [404, 'Not found', 'Check the address. What belongs to somebody else is not found either.'],
  'buddy-cannot-be-asked': [
    409,
    'This buddy cannot be asked',
    'They have not agreed yet, or do not want to be asked any more: GET /api/buddy tells. Ask another buddy.',
  ],
  'too-many-exceptions': [409, 'There are too many exceptions', 'Delete some that are over, or import fewer shifts.'],
  'too-many-contact-points': [409, 'You have too many contact points', 'Delete one that you no longer need.'],
  'profile-required': [
    409,
    'We do not know your first name yet',
    'PUT it to /api/users/me/profile first: what your buddies get says who asks.',
  ],
  'too-many-buddies': [409, 'You have named enough buddies', 'Remove one that you no longer need.'],
  'buddy-already-named': [
    409,
    'This person is a buddy of yours already',
    'Look at GET /api/buddy: the number or the address stands there.',
  ],
  'buddy-has-refused': [
    409,
    'This person does not want to be asked by you',
    'Please respect it, and name somebody else.',
  ],
  'buddy-already-verified': [409, 'They have agreed already', 'Ask them for a check-in when you need one.'],
  'buddy-asked-enough': [
    409,
    'They have been asked often enough',
    'Talk to them another way. Three e-mails go to one address for you, and six to whoever has this number, at whatever addresses.',
  ],
  'buddy-was-asked': [
    409,
    'They were asked at this number and address',
    'Remove the entry and add it anew: whoever is reached elsewhere has to agree there.',
  ],
  'recording-off': [409, 'Nothing is recorded here', 'Leave recording out, with the consent to a text without it.'],
  'recording-not-there': [
    409,
    'There is nothing to listen to',
    'Its state says why: it has not ended yet, has no sound, or is being deleted.',
  ],
  'template-name-taken': [409, 'Another template has this name', 'Choose another name, or change that template.'],
  'template-built-in': [
    409,
    'The service itself sends this template',
    'Change its words; its variables stay as they are, and it cannot be deleted.',
  ],
  'code-used-up': [409, 'This code was tried too often', 'Have a new code sent: the same request without a code.'],
  'code-expired': [
    410,
    'There is no code that counts',
    'Have a new code sent: the same request without a code. It counts for ten minutes.',
  ],
  'call-not-over': [409, 'The call is not over', 'Say how it was when it is: GET /mentor-calls/{callId} tells.'],
  'no-conversation': [409, 'This call led to no mentor', 'Only conversations with a mentor are rated.'],
  'feedback-closed': [
    409,
    'This cannot be rated any more',
    'A call is rated within seven days of its end, and a rating is changed within a day.',
  ],
  'subject-held': [
    409,
    'A legal hold keeps what is held of this person',
    'Lift it first: GET /legal-holds names it. Until then availability can be switched off.',
  ],
  'contact-has-refused': [
    409,
    'This person does not want to be your contact',
    'They have said so, and are not asked again. Name somebody else.',
  ],
  'emergency-not-waiting': [
    409,
    'No emergency step waits to be confirmed',
    'GET the alert: its step has to be awaiting-human. In an emergency call the emergency services yourself.',
  ],
  'policy-invalid': [
    422,
    'The escalation policy cannot be used',
    'See errors: each names a step and what belongs there.',
  ],
  'link-over': [410, 'This link does not open any more', 'Ask for a new one: it opens once, within five minutes.'],
  'already-deleted': [
    410,
    'What this request made has been deleted since',
    'Send a new Idempotency-Key to make another one.',
  ],
  'stale-version': [
    412,
    'Somebody else has changed this meanwhile',
    'GET it again, look at what has changed, and send your change with its new ETag in If-Match.',
  ],
  'body-too-large': [413, 'The body is too large', 'Send less: 100 kB at most, and 1 MB to the codec server.'],
  'unsupported-media-type': [
    415,
    'The body is of an unsupported kind',
    'Send plain JSON: Content-Type: application/json.',
  ],
  'code-wrong': [
    422,
    'This is not the code',
    'Send the six digits of the newest message. Each code can be tried five times.',
  ],
  'consent-required': [
    422,
    'Consent is required',
    'Show a text of GET /consent-texts/mentor-call and send its consent: {textVersion, language}.',
  ],
  'phone-number-invalid': [
    422,
    'The phone number cannot be used',
    'Send a whole number with country code, for example +1 415 555 0177.',
  ],
  'email-address-invalid': [
    422,
    'The e-mail address cannot be used',
    'Send one address such as name@example.org, without a name beside it.',
  ],
  'phone-number-not-allowed': [
    422,
    'This kind of number is not called',
    'Send a mobile or fixed number; premium, shared-cost, toll-free and short numbers are not called, nor are our own.',
  ],
  'country-not-allowed': [
    422,
    'Numbers of this country are not called',
    'Use a number of a country that is served here.',
  ],
  'template-invalid': [
    422,
    'The template cannot be used',
    'See errors: each names a place in the template and what belongs there.',
  ],
  'zone-unknown': [
    422,
    'The time zone is unknown',
    'Send a name of the IANA time zone database, for example Europe/Madrid.',
  ],
  'calendar-unreadable': [
    422,
    'The calendar cannot be read',
    'Send the text of an iCalendar file (RFC 5545), with a thousand events and a thousand shifts in the next year at most.',
  ],
  'buddy-is-oneself': [
    422,
    'This is your own number or address',
    'Name somebody else: a buddy is who looks after you.',
  ],
  'buddy-order-incomplete': [
    422,
    'The order does not name each buddy once',
    'Send the ids of all buddies of GET /api/buddy, each once.',
  ],
  'payload-not-readable': [
    422,
    'A payload cannot be decoded',
    'It was not written by this service, was changed, or its key is gone.',
  ],
  'csv-unreadable': [
    422,
    'The CSV cannot be read',
    'Send UTF-8 with commas and a first line of names: phone, subject_id or email, language, and variables.',
  ],
  'template-unknown': [
    422,
    'There is no such template',
    'Name a template of GET /templates, and a version that it has.',
  ],
  'too-many-recipients': [
    422,
    'These are too many recipients',
    'Send 10,000 at most, and the others in another batch.',
  ],
  'nothing-to-send': [
    422,
    'No recipient of this batch can be written to',
    'See GET …/rows for what is wrong with each.',
  ],
  'batch-over': [409, 'The batch is over, or was never started', 'GET it to see its state.'],
  'idempotency-key-reused': [
    422,
    'This Idempotency-Key was used for another request',
    'Send a new key with a new request, or the same body with the same key.',
  ],
  'event-not-replayable': [
    422,
    'This event has nobody to hand it to',
    'Only events that name a call can be handed over again; look at its kind and callId.',
  ],
  'precondition-required': [
    428,
    'If-Match is required',
    'Send the ETag of your last GET in If-Match, so that nobody else’s change is lost; * overwrites whatever is there.',
  ],
  'buddy-asked-lately': [
    429,
    'They have been asked a short while ago',
    'Wait for the time named in Retry-After: one e-mail an hour, and not too many in a week.',
  ],
  'too-many-invitations': [
    429,
    'You have sent many invitations lately',
    'Wait for the time named in Retry-After: an account sends only so many in a day and in a month.',
  ],
  'too-many-requests': [429, 'Too many requests', 'Wait for the time named in Retry-After.'],
  'internal-error': [
    500,
    'Something went wrong on our side',
    'Try again. If it happens again, tell us what instance says: it is the id of this request.',
  ],
  'voice-disabled': [503, 'Calls are switched off', 'Call one of the helplines yourself.'],
  'sms-disabled': [503, 'Text messages are switched off', 'Reach the person in another way, or try again later.'],
  'email-disabled': [503, 'E-mail is switched off', 'Reach the person in another way, or try again later.'],
  'calls-unavailable': [
    503,
    'Calls cannot be placed right now',
    'Call one of the helplines yourself, or try again later.',
  ],
  'app-calls-unavailable': [
    503,
    'There are no calls from the app here',
    'Ask for a call to your phone: POST /connect-mentor. Whoever runs this service sets TWIML_APP_SID and an API key.',
  ],
  'temporarily-unavailable': [503, 'The service is not available right now', 'Try again in a few seconds.'],
  'sign-in-not-configured': [
    503,
    'Nobody can sign in to these pages',
    'Whoever runs the service has to set OIDC_CLIENT_ID: docs/pages.md says how.',
  ],
  'sign-in-unavailable': [503, 'Sign-in cannot be checked right now', 'Try again in a few seconds.'],
} as const satisfies Record<string, readonly [status: number, title: string, hint: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One place in the body or the query; `pointer` is a JSON Pointer as a URI fragment. Never holds a value. */
export interface ProblemPlace {
  readonly pointer: string;
  readonly detail: string;
}

/** Thrown by a handler to answer with a problem. Its text is its code: nothing of the request is in it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly errors: readonly ProblemPlace[];
  readonly retryAfterSeconds: number | null;

  constructor(
    readonly code: ProblemCode,
    more: { readonly errors?: readonly ProblemPlace[]; readonly retryAfterSeconds?: number } = {},
  ) {
    super(code);
    this.errors = more.errors ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
  }
}

/** What the sender of problems knows by configuration; compiled in otherwise, so that it works with all else down. */
export interface ProblemSettings {
  readonly publicBaseUrl: string;
  /** `FALLBACK_CRISIS_NUMBER`. */
  readonly crisisOverride: string | null;
  /** The country to assume when nothing tells it. */
  readonly defaultCountry: string;
  /** `PRIVACY_POLICY_URL`: at the end of problems that are pages. */
  readonly privacyPolicyUrl?: string | null;
}

/**
 * Answers with a problem. Each carries the helplines of the caller's country: somebody in crisis may be reading it.
 */
export function sendProblem(req: Request, res: Response, problem: Problem, settings: ProblemSettings): void {
  const [status, title, hint] = PROBLEMS[problem.code];
  const context = contextOf(res);
  res.status(status).set('Cache-Control', 'no-store').type('application/problem+json');
  if (status === 401) res.set('WWW-Authenticate', 'Bearer');
  const retryAfter = problem.retryAfterSeconds ?? (status === 503 ? 5 : null);
  if (retryAfter !== null) res.set('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
  const body = {
    type: `${settings.publicBaseUrl}/problems/${problem.code}`,
    title,
    status,
    code: problem.code,
    hint,
    instance: `urn:uuid:${context.requestId}`,
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
    helplines: helplinesOfCaller(req, res, settings),
  };
  res.send(JSON.stringify(body));
}

/** `{crisis, emergency, psi}` for the country the request is known to come from, else a guess by its language. */
export function helplinesOfCaller(req: Request, res: Response, settings: ProblemSettings) {
  const country = contextOf(res).country ?? countryOfLanguages(req) ?? settings.defaultCountry;
  return helplinesFor(country, settings.crisisOverride);
}
