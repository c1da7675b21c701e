import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { findTemplate } from '../db/templates';
import { hasSaved, recipientSubject, savedDestination } from '../db/recipients';
import { isIanaZone } from '../domain/availability';
import type { MessageContent, MessageInput } from '../domain/message';
import { type MessageWords, sealableWords } from '../domain/message-words';
import { parseEmailAddress } from '../domain/email-address';
import { optOutWordAskedFor } from '../domain/opt-out-words';
import type { SealedValue } from '../domain/sealed';
import { carriesLink, checkVariables, fill, languageFor, MOST_CHARACTERS } from '../domain/templates';
import type { Caller } from './authentication';
import { hasOneOf } from './authorisation';
import type { ApiDeps } from './deps';
import { numberToRing } from './given-numbers';
import type { GivenMessage } from './messages-shapes';
import { Problem } from './problems';

/** What a message has beyond its request. */
export interface MessageIds {
  readonly messageId: string;
  /** Keyed hash of the request, hex. */
  readonly requestHash: string;
  readonly batchId?: string;
  readonly batchRow?: number;
  /** One of ours that must be used. */
  readonly sender?: string;
}

export type MessageParts = Pick<ApiDeps, 'pool' | 'vault' | 'tokenizer' | 'config'>;

/** Whom it goes to, before anything is sealed. */
export type Destination =
  | {
      readonly how: 'given';
      readonly value: SealedValue<'phone'> | SealedValue<'email'>;
      /** ISO 3166; `ZZ` for an address. */
      readonly country: string;
    }
  | {
      readonly how: 'saved';
      readonly subjectId: string;
      readonly recordId: string;
      readonly token: Buffer;
      readonly country: string;
      readonly isVerified: boolean;
    };

/** Who may message anybody; everybody else themselves only. */
export const MAY_REACH_ANYBODY = ['staff', 'admin', 'service'] as const;
const DAY = 24 * 3_600_000;
/** Further ahead the world is another one, and a number given for one message would be kept for too long. */
const MOST_AHEAD = 30 * DAY;
/** What was to be said three days ago is better not said; a line that is stopped is mended by then. */
const LIFETIME = 3 * DAY;

/** A request that may be followed: nothing of it is sealed yet. */
export interface JudgedMessage {
  readonly given: GivenMessage;
  readonly times: { readonly notBefore: string | null; readonly notAfter: string };
  readonly destination: Destination;
  readonly content: { readonly words: MessageWords; readonly template: Omit<MessageContent, 'recordId'> };
  readonly requestedAt: Date;
}

/**
 * Whether this caller may ask for this; writes nothing.
 *
 * @param caller who asks; staff, admins and services may message anybody, everybody else themselves
 * @param at where in the body the message stands, e.g. `#` or `#/messages/3`
 * @throws {Problem} naming the place that is wrong
 */
export async function judgeMessage(
  deps: MessageParts,
  caller: Caller,
  given: GivenMessage,
  at = '#',
): Promise<JudgedMessage> {
  const requestedAt = new Date();
  const times = givenTimes(given, requestedAt, at);
  checkWishes(caller, given, at);
  const destination = await destinationOf(deps, caller, given, at);
  refuseUnverifiedOf(deps, given, destination, at);
  return { given, times, destination, content: await givenContent(deps, given, at), requestedAt };
}

/** The recipient's subject found or made, number and words sealed under that person's key, in one transaction. */
export async function sealMessage(
  deps: MessageParts,
  caller: Caller,
  { given, times, destination, content, requestedAt }: JudgedMessage,
  ids: MessageIds,
): Promise<MessageInput> {
  const bodyUntil = new Date(Date.parse(times.notAfter) + deps.config.retention.messageBody);
  const numberUntil = new Date(Date.parse(times.notAfter) + deps.config.retention.numberForOneMessage);
  const sealed = await inTransaction(deps.pool, async (tx) => {
    const to = await recipientOf(deps, tx, destination, numberUntil);
    const { subjectId } = to;
    const value = sealableWords(content.words);
    const recordId = await deps.vault.seal({ subjectId, kind: 'text', value, expiresAt: bodyUntil }, tx);
    return { ...to, contentRecordId: recordId };
  });
  return {
    messageId: ids.messageId,
    batchId: ids.batchId ?? null,
    batchRow: ids.batchRow ?? null,
    requestedBy: caller.subjectId,
    subjectId: sealed.subjectId,
    recordId: sealed.recordId,
    ownsRecord: destination.how === 'given',
    recipientToken: sealed.token.toString('hex'),
    country: destination.country,
    channel: given.channel,
    kind: given.kind,
    messageClass: given.messageClass,
    urgency: given.priority,
    language: given.language,
    content: { ...content.template, recordId: sealed.contentRecordId },
    ...times,
    zone: given.zone ?? null,
    fallback: given.fallback ?? null,
    sender: ids.sender ?? null,
    requestHash: ids.requestHash,
    requestedAt: requestedAt.toISOString(),
  };
}

/** @throws {Problem} `invalid-body` */
function givenTimes(given: GivenMessage, now: Date, at: string): { notBefore: string | null; notAfter: string } {
  const begin = Math.max(now.valueOf(), given.notBefore === undefined ? 0 : Date.parse(given.notBefore));
  const end = given.notAfter === undefined ? begin + LIFETIME : Date.parse(given.notAfter);
  if (begin > now.valueOf() + MOST_AHEAD) throw wrong(`${at}/notBefore`, 'A time within the next 30 days is expected.');
  if (end <= begin) throw wrong(`${at}/notAfter`, 'A time after notBefore, and in the future, is expected here.');
  if (end > begin + MOST_AHEAD) throw wrong(`${at}/notAfter`, 'A time within 30 days of notBefore is expected here.');
  return { notBefore: given.notBefore ?? null, notAfter: new Date(end).toISOString() };
}

/** What only some may wish for, and what does not fit together. */
function checkWishes(caller: Caller, given: GivenMessage, at: string): void {
  const isUrgent = given.messageClass === 'safety' || given.priority === 'emergency';
  // Both pass by what protects people: quiet hours and, where the organisation says so, their STOP.
  // And a call with words of one's own is no way to reach oneself.
  const isCalled = given.fallback !== undefined;
  if ((isUrgent || isCalled) && !hasOneOf(caller, MAY_REACH_ANYBODY)) throw new Problem('role-not-allowed');
  if (given.zone !== undefined && !isIanaZone(given.zone)) {
    const detail = 'A name of the IANA time zone database is expected here.';
    throw new Problem('zone-unknown', { errors: [{ pointer: `${at}/zone`, detail }] });
  }
  if (given.fallback !== undefined && given.channel !== 'sms') {
    throw wrong(`${at}/fallback`, 'Only a text message can fall back to a call.');
  }
}

/**
 * Where it is to go, if this caller may send there. Asks Postgres only where something saved is named.
 * @throws {Problem} `recipient-not-allowed`, `not-found`, or what is wrong with a number
 */
export async function destinationOf(
  deps: MessageParts,
  caller: Caller,
  { recipient, channel, isForCall = false }: Pick<GivenMessage, 'recipient' | 'channel'> & { isForCall?: boolean },
  at: string,
): Promise<Destination> {
  const named = Object.entries(recipient).filter(([, value]) => value !== undefined);
  const [field] = named.length === 1 ? (named[0] ?? []) : [];
  if (field === undefined) {
    throw wrong(
      `${at}/recipient`,
      'Exactly one of subjectId, contactPointId, phoneNumber and emailAddress is expected.',
    );
  }
  const pointer = `${at}/recipient/${field}`;
  const kind = channel === 'sms' ? 'phone' : 'email';
  if ((channel === 'sms' ? recipient.emailAddress : recipient.phoneNumber) !== undefined) {
    throw wrong(pointer, `This does not fit the channel ${channel}.`);
  }
  const countries = deps.config.limits.allowedCountries;
  if (recipient.phoneNumber !== undefined) {
    const { e164, country } = numberToRing(recipient.phoneNumber, pointer, deps.config);
    await checkOwnNumber(deps, caller, e164, pointer);
    return { how: 'given', value: e164, country };
  }
  if (recipient.emailAddress !== undefined) {
    const value = parseEmailAddress(recipient.emailAddress);
    if (value === null) throw wrong(pointer, 'An e-mail address is expected here.');
    await checkOwnNumber(deps, caller, value, pointer);
    return { how: 'given', value, country: 'ZZ' };
  }
  const { subjectId, contactPointId } = recipient;
  const mine = hasOneOf(caller, MAY_REACH_ANYBODY) ? {} : { subjectId: caller.subjectId };
  if (subjectId !== undefined && mine.subjectId !== undefined && subjectId !== caller.subjectId) {
    throw notReachable(pointer);
  }
  const wanted = { kind, isForCall, ...(subjectId === undefined ? mine : { subjectId }) } as const;
  const saved = await savedDestination(
    deps.pool,
    contactPointId === undefined ? wanted : { ...wanted, contactPointId },
  );
  if (saved === null) throw notReachable(pointer);
  const { country, ...rest } = saved;
  if (kind === 'phone' && (country === null || !countries.includes(country))) throw new Problem('country-not-allowed');
  return { how: 'saved', ...rest, country: country ?? 'ZZ' };
}

/** Under every live version of the token key. */
export function tokensOf({ tokenizer }: Pick<MessageParts, 'tokenizer'>, to: Destination): readonly Buffer[] {
  return to.how === 'saved' ? [to.token] : tokenizer.candidates(to.value);
}

/** Nobody can use us to text somebody else, or to find out who is known here. */
async function checkOwnNumber(deps: MessageParts, caller: Caller, to: SealedValue, pointer: string): Promise<void> {
  if (hasOneOf(caller, MAY_REACH_ANYBODY)) return;
  if (await hasSaved(deps.pool, caller.subjectId, deps.tokenizer.candidates(to))) return;
  const detail = 'You can send to yourself only: a contact point of yours is expected here.';
  throw new Problem('recipient-not-allowed', { errors: [{ pointer, detail }] });
}

/**
 * Of a person who is named, and not a contact point of theirs: nobody but its owner can say whether a number they typed
 * is theirs.
 * @throws {Problem} `number-unverified` with `UNVERIFIED_NUMBERS=refuse`
 */
function refuseUnverifiedOf(
  { config }: MessageParts,
  { recipient }: Pick<GivenMessage, 'recipient'>,
  to: Destination,
  at: string,
): void {
  const isNamed = to.how === 'saved' && recipient.subjectId !== undefined;
  if (!isNamed || to.isVerified || config.limits.unverifiedNumbers === 'allow') return;
  const detail = 'Somebody with a verified contact point that fits the channel is expected here.';
  throw new Problem('number-unverified', { errors: [{ pointer: `${at}/recipient/subjectId`, detail }] });
}

function notReachable(pointer: string): Problem {
  const detail = 'Somebody who saved a contact point that fits the channel is expected here.';
  return new Problem('not-found', { errors: [{ pointer, detail }] });
}

/** The words as they are sealed, and the version of the template that is pinned from now on. */
export async function givenContent(
  deps: Pick<MessageParts, 'pool'>,
  { text, template, language, channel }: Pick<GivenMessage, 'text' | 'template' | 'language' | 'channel'>,
  at: string,
): Promise<{ words: MessageWords; template: Omit<MessageContent, 'recordId'> }> {
  if ((text === undefined) === (template === undefined)) {
    throw wrong(`${at}/text`, 'Exactly one of text and template is expected.');
  }
  if (template === undefined) {
    refuseOptOutWord({ text, channel }, at);
    return { words: { text: text ?? '' }, template: NO_TEMPLATE };
  }
  const { name, version, variables } = template;
  const found = await findTemplate(deps.pool, name, version ?? null);
  if (found === null) {
    const detail = 'The name of a template is expected here, and one of its versions.';
    throw new Problem('not-found', { errors: [{ pointer: `${at}/template`, detail }] });
  }
  if (carriesLink(found)) {
    throw wrong(`${at}/template`, 'This template shows a link of its reader’s own: it is sent by its own job only.');
  }
  const faults = checkVariables(found, variables);
  if (faults.length > 0) {
    const errors = faults.map(({ pointer, detail }) => ({ pointer: `${at}/template/variables${pointer}`, detail }));
    throw new Problem('invalid-body', { errors });
  }
  const { body } = fill(found, languageFor(found, language), variables, 'text');
  if (channel === 'sms' && body.length > MOST_CHARACTERS) {
    throw wrong(`${at}/template/variables`, `The text comes to more than ${MOST_CHARACTERS} characters.`);
  }
  refuseOptOutWord({ text: body, channel }, at, 'template/variables');
  return { words: { variables }, template: { templateId: found.templateId, templateVersion: found.version } };
}

/**
 * Whoever answered so would be opted out, or in, and not have answered.
 * @throws {Problem} `invalid-body`
 */
export function refuseOptOutWord(
  { text, channel }: Pick<GivenMessage, 'text' | 'channel'>,
  at = '#',
  place: 'text' | 'template/variables' = 'text',
): void {
  const asked = channel === 'sms' ? optOutWordAskedFor(text ?? '') : null;
  if (asked !== null)
    throw wrong(`${at}/${place}`, `${asked} as a reply would opt the person out or in: another word.`);
}

const NO_TEMPLATE = { templateId: null, templateVersion: null } as const;

interface Recipient {
  readonly subjectId: string;
  readonly recordId: string;
  readonly token: Buffer;
}

export async function recipientOf(deps: MessageParts, tx: Db, to: Destination, until: Date): Promise<Recipient> {
  if (to.how === 'saved') return to;
  const { tokenizer, vault } = deps;
  const token = tokenizer.token(to.value);
  const candidates = tokenizer.candidates(to.value);
  const subjectId = await recipientSubject(tx, { token, tokenVersion: tokenizer.version, candidates });
  const { kind } = to.value;
  const recordId = await vault.seal({ subjectId, kind, value: to.value, expiresAt: until }, tx);
  return { subjectId, recordId, token };
}

function wrong(pointer: string, detail: string): Problem {
  return new Problem('invalid-body', { errors: [{ pointer, detail }] });
}
