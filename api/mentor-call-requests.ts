import type { Request, Response } from 'express';
import { z } from 'zod';
import { haveTalked } from '../db/mentor-slots';
import { countRecentRequests, findCall } from '../db/calls';
import { findContactPoint } from '../db/contact-points';
import { noteRefusedRequest } from '../db/refused-requests';
import { findConsentText } from '../domain/consent-texts';
import type { MentorCallInput, MentorPreferences } from '../domain/mentor-call';
import type { PhoneNumber } from '../domain/phone-number';
import { SPOKEN_LANGUAGES } from '../domain/prompts';
import type { Caller } from './authentication';
import { hasOneOf } from './authorisation';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { numberToRing } from './given-numbers';
import { idempotentRequest } from './idempotency';
import { refuseUnlisted } from './mentor-call-access';
import { mentorCallTerms } from './mentor-call-terms';
import { type callAccepted, connectMentorRequest, consentShape } from './mentor-calls-shapes';
import { Problem } from './problems';
import { contextOf } from './request-context';
import { refuseWhenOff } from './switches';
import { refuseUnverified } from './unverified-numbers';

const ROUTE = 'POST /connect-mentor';

// Consent is judged apart: whatever is wrong with it, the answer is that consent is required.
const requestBody = connectMentorRequest.extend({ consent: z.unknown().optional() });
type RequestBody = z.output<typeof requestBody>;

/** Where the call is to ring: a number given for this call only, or one the user saved. */
type Target = GivenTarget | SavedTarget;
interface GivenTarget {
  readonly kind: 'given';
  readonly number: PhoneNumber;
  readonly token: Buffer;
  readonly country: string;
}
interface SavedTarget {
  readonly kind: 'saved';
  readonly recordId: string;
  readonly token: Buffer;
  readonly country: string;
}

/**
 * Takes a request for a mentor call: judged, sealed, started. Nothing about the call is written here; the first row is
 * the workflow's, so that a crash in between leaves at most a sealed number nobody points to.
 */
export async function requestMentorCall(deps: ApiDeps, req: Request, res: Response, caller: Caller): Promise<void> {
  // First what the request alone tells: whatever is down, whoever can mend it is told what is wrong with it.
  const body = checkedBody(requestBody, req);
  const given = givenTarget(deps, body, res);
  const consent = givenConsent(body);
  const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, ROUTE);
  const { requestId: callId, requestHash, isRepeatable } = request;
  // Before anything that may have changed since: a contact point deleted meanwhile does not change the first answer.
  if (isRepeatable && (await wasAskedBefore(deps, callId, requestHash))) return accepted(res, callId);
  await refuseUnlisted(deps, caller);
  if (body.recording === true && !deps.config.recording.isOn) throw new Problem('recording-off');
  const target: Target = given ?? (await savedTarget(deps, body, caller, res));
  await refuseStrangers(deps, caller, target);
  const preferences = await allowedPreferences(deps, body, caller);

  await refuseWhereHopeless(deps, caller, target);
  const { waiting } = deps.config.mentorCall;
  const language = spokenLanguage(preferences, consent.language);
  const recordId = target.kind === 'saved' ? target.recordId : await sealed(deps, caller, target.number);
  const input: MentorCallInput = {
    callId,
    userId: caller.subjectId,
    recordId,
    numberIsForThisCallOnly: target.kind === 'given',
    recipientToken: target.token.toString('hex'),
    country: target.country,
    language,
    ...mentorCallTerms(deps, { country: target.country, language, mayBeRecorded: body.recording === true }),
    mayCallBack: body.mayCallBack ?? false,
    preferences,
    consent,
    ...(body.recording === true ? { recording: true } : {}),
    requestHash,
    requestedAt: new Date().toISOString(),
    detectMachines: deps.config.mentorCall.userConfirm === 'amd',
    ...(body.mayWait === true && waiting !== null ? { waiting } : {}),
  };
  await deps.process.start(input);
  // Two requests under one key at the same time: the start found the other's workflow, perhaps with another body.
  if (isRepeatable) await wasAskedBefore(deps, callId, requestHash);
  accepted(res, callId);
}

/** The same for a repeated request as for the first: what has become of it is told by GET. */
function accepted(res: Response, callId: string): void {
  const answer: z.input<typeof callAccepted> = { success: true, callId, status: 'starting', callSid: null };
  res.status(202).set('Location', `/mentor-calls/${callId}`).json(answer);
}

/** @throws {Problem} `idempotency-key-reused` when it was asked with another body */
async function wasAskedBefore(deps: ApiDeps, callId: string, requestHash: string): Promise<boolean> {
  const known = (await findCall(deps.pool, callId)) ?? (await deps.process.describe(callId));
  if (known === null) return false;
  if (known.requestHash !== requestHash) throw new Problem('idempotency-key-reused');
  return true;
}

/** The number of the body, or null when it names a saved one. Asks nobody. */
function givenTarget(deps: ApiDeps, { userPhoneNumber, contactPointId }: RequestBody, res: Response) {
  if ((userPhoneNumber === undefined) === (contactPointId === undefined)) {
    const detail = 'Exactly one of userPhoneNumber and contactPointId is expected.';
    throw new Problem('invalid-body', { errors: [{ pointer: '#/userPhoneNumber', detail }] });
  }
  if (userPhoneNumber === undefined) return null;
  const number = numberToRing(userPhoneNumber, '#/userPhoneNumber', deps.config);
  contextOf(res).country = number.country;
  const target: GivenTarget = {
    kind: 'given',
    number,
    token: deps.tokenizer.token(number.e164),
    country: number.country,
  };
  return target;
}

async function savedTarget(
  deps: ApiDeps,
  { contactPointId }: RequestBody,
  caller: Caller,
  res: Response,
): Promise<SavedTarget> {
  const saved =
    contactPointId === undefined ? null : await findContactPoint(deps.pool, caller.subjectId, contactPointId);
  if (saved === null || saved.kind !== 'phone' || saved.country === null) {
    const detail = 'A contact point of yours that holds a phone number is expected here.';
    throw new Problem('not-found', { errors: [{ pointer: '#/contactPointId', detail }] });
  }
  contextOf(res).country = saved.country;
  if (!deps.config.limits.allowedCountries.includes(saved.country)) throw new Problem('country-not-allowed');
  return { kind: 'saved', recordId: saved.recordId, token: saved.token, country: saved.country };
}

/** Staff may have somebody called who is on the phone with them; a number they saved is held to be theirs. */
async function refuseStrangers(deps: ApiDeps, caller: Caller, target: Target): Promise<void> {
  if (target.kind === 'given' && hasOneOf(caller, ['staff', 'admin'])) return;
  const pointer = target.kind === 'given' ? '#/userPhoneNumber' : '#/contactPointId';
  await refuseUnverified(deps, caller, tokensOf(deps, target), pointer);
}

function tokensOf({ tokenizer }: ApiDeps, target: Target): readonly Buffer[] {
  return target.kind === 'given' ? tokenizer.candidates(target.number.e164) : [target.token];
}

function givenConsent(body: RequestBody): MentorCallInput['consent'] {
  const consent = consentShape.safeParse(body.consent);
  const text = consent.success ? findConsentText(consent.data.textVersion, consent.data.language) : null;
  if (!consent.success || text === null) {
    const detail = 'The version and language of a text that was shown are expected here.';
    throw new Problem('consent-required', { errors: [{ pointer: '#/consent', detail }] });
  }
  if (body.recording === true && !text.allowsRecording) {
    const detail = 'A text of GET /consent-texts/mentor-call?recording=true is expected here.';
    throw new Problem('consent-required', { errors: [{ pointer: '#/consent', detail }] });
  }
  return consent.data;
}

/** One mentor may be asked for by staff, and by a user who has talked to them: nobody is to be found out by trying. */
async function allowedPreferences(deps: ApiDeps, body: RequestBody, caller: Caller): Promise<MentorPreferences> {
  const { languages, specialties, mentorId } = body.preferences ?? {};
  if (mentorId !== undefined && !hasOneOf(caller, ['staff', 'admin'])) {
    if (!(await haveTalked(deps.pool, caller.subjectId, mentorId))) throw new Problem('mentor-not-allowed');
  }
  return {
    ...(languages === undefined ? {} : { languages }),
    ...(specialties === undefined ? {} : { specialties }),
    ...(mentorId === undefined ? {} : { mentorId }),
  };
}

/** @throws {Problem} when calls are off, Twilio is down, or the limits are reached (the workflow checks those again) */
async function refuseWhereHopeless(deps: ApiDeps, caller: Caller, target: Target): Promise<void> {
  const { stopped } = await refuseWhenOff(deps, 'voice');
  // A call cannot wait for a line as a text can.
  const isStopped = stopped.some(({ line }) => line === 'twilio');
  if (isStopped || deps.twilio.state() === 'down') throw new Problem('calls-unavailable');
  const tokenHexes = tokensOf(deps, target).map((token) => token.toString('hex'));
  const { requestsPerUserPerHour, requestsPerTargetPerHour } = deps.config.limits;
  const limited = await countRecentRequests(
    deps.pool,
    { userId: caller.subjectId, tokenHexes },
    { perUser: requestsPerUserPerHour, perTarget: requestsPerTargetPerHour },
  );
  if (limited !== null) throw await turnedAway(deps, caller.subjectId, target.token, limited.retryAfterSeconds);
}

/** What somebody is told who asks too often; the watchdog sees that they did. */
export async function turnedAway(
  { pool, logger }: Pick<ApiDeps, 'pool' | 'logger'>,
  subjectId: string,
  recipientToken: Buffer | null,
  retryAfterSeconds: number,
): Promise<Problem> {
  // They are told all the same where that cannot be noted.
  await noteRefusedRequest(pool, subjectId, recipientToken).catch((error: unknown) =>
    logger.warn({ error }, 'a refused request could not be noted'),
  );
  return new Problem('too-many-requests', { retryAfterSeconds });
}

function sealed(deps: ApiDeps, caller: Caller, number: PhoneNumber): Promise<string> {
  return deps.vault.seal({
    subjectId: caller.subjectId,
    kind: 'phone',
    value: number.e164,
    expiresAt: new Date(Date.now() + deps.config.retention.numberForOneCall),
  });
}

/** The first wish that we can speak, else the language of the text they agreed to. */
function spokenLanguage(preferences: MentorPreferences, consentLanguage: string): string {
  return preferences.languages?.find((wish) => SPOKEN_LANGUAGES.includes(wish)) ?? consentLanguage;
}
