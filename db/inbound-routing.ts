/**
 * What becomes of a text to one of our numbers: stored with its event, sealed, then routed once. A number may be several
 * people to somebody, so the order is fixed: words of opting out, the relation of a masked number, the newest open
 * question, else a helpful answer.
 */
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { MessageInput } from '../domain/message';
import { sealableWords } from '../domain/message-words';
import { readCheckInAnswer, type TextedAnswer } from '../domain/check-in-answers';
import { readFeedback } from '../domain/feedback';
import { optOutWord } from '../domain/opt-out-words';
import { parsePhoneNumber, type PhoneNumber, refusalToRing } from '../domain/phone-number';
import { languageOfCountry } from '../domain/prompts';
import { isDestroyed } from '../domain/errors';
import { questionName } from '../domain/question-names';
import type { RetentionPeriods } from '../domain/retention';
import { SealedValue } from '../domain/sealed';
import type { Tokenizer } from '../vault/tokens';
import {
  findInboundText,
  insertInboundText,
  type InboundText,
  lockInboundText,
  lockSender,
  noteRouting,
  type Routing,
  settleUndecided,
  undecidedText,
  wasAnsweredLately,
} from './inbound-texts';
import { optInBuddies, optOutBuddies } from './buddy-opt-outs';
import { takeFeedback } from './call-feedback';
import { optInContacts, optOutContacts } from './contact-endings';
import {
  closeQuestion,
  fitsQuestion,
  kindsOfQuestions,
  openQuestions,
  type QuestionKind,
  textedAnswer,
} from './open-questions';
import { isOptedOut, liftOptOut, ORGANISATION, recordOptOut } from './opt-outs';
import { inTransaction } from './pool';
import type { Db } from './query';
import { type RecipientToken, recipientSubject } from './recipients';
import { findTemplate } from './templates';
import type { Vault } from './vault-records';
import { storeEvent } from './webhook-events';

export interface InboundParts {
  readonly pool: Pool;
  readonly vault: Pick<Vault, 'seal' | 'reveal'>;
  readonly tokenizer: Tokenizer;
  readonly settings: InboundSettings;
}

export interface InboundSettings {
  /** `TWILIO_ANSWERS_OPT_OUT`: it blocks the pair and confirms by itself, and answers HELP; a second reply fails 21610. */
  readonly twilioAnswersOptOut: boolean;
  /** `AUTOMATIC_ANSWER_INTERVAL`, ms: two machines must not talk to each other for ever. */
  readonly answerIntervalMs: number;
  readonly allowedCountries: readonly string[];
  /** Ours: a text from one of them is answered by nobody. */
  readonly phoneNumbers: readonly string[];
  readonly retention: Pick<RetentionPeriods, 'inboundText' | 'messageBody'>;
}

/** A text as Twilio gives it, in memory only. */
export interface ArrivedText {
  readonly seenKey: string;
  readonly messageSid: string;
  /** Whatever Twilio says: a number, a short code, a name. */
  readonly from: string;
  readonly body: string;
  /** A number of ours. */
  readonly to: string;
  readonly serviceSid: string | null;
  readonly optOutType: string | null;
}

/** An automatic answer is useless an hour later. */
const ANSWER_LIFETIME_MS = 3_600_000;

/**
 * Stores a text with its event and seals who wrote what, in one transaction; a copy finds what the first one stored.
 * @returns `handledAt` of the earlier copy; when it is set there is nothing left to do
 */
export async function storeText(parts: InboundParts, arrived: ArrivedText): Promise<{ handledAt: Date | null }> {
  const { seenKey, messageSid, from, to, body, serviceSid, optOutType } = arrived;
  const inboundId = randomUUID();
  return await inTransaction(parts.pool, async (tx) => {
    const payload = { inboundId, optOutType };
    const stored = await storeEvent(tx, { ...NO_CALL, type: 'inbound-text', seenKey, sid: messageSid, payload });
    if (!stored.isNew) return stored;
    const ours = { inboundId, seenKey, messageSid, ourNumber: to, serviceSid, optOutType };
    const phone = phoneOf(from);
    if (phone === null) {
      await insertInboundText(tx, { ...ours, ...NOBODY });
      return stored;
    }
    const recipient = recipientToken(parts.tokenizer, phone.e164);
    const subjectId = await recipientSubject(tx, recipient);
    const expiresAt = new Date(Date.now() + parts.settings.retention.inboundText);
    const number = { subjectId, kind: 'phone', value: phone.e164, expiresAt } as const;
    const words = { subjectId, kind: 'text', value: SealedValue.of('text', body), expiresAt } as const;
    await insertInboundText(tx, {
      ...ours,
      subjectId,
      senderToken: recipient.token,
      tokenVersion: recipient.tokenVersion,
      senderRecordId: await parts.vault.seal(number, tx),
      bodyRecordId: await parts.vault.seal(words, tx),
      country: phone.country,
    });
    return stored;
  });
}

const NO_CALL = {
  dispatchId: null,
  callId: null,
  leg: null,
  step: null,
  status: null,
  sequence: null,
  errorCode: null,
} as const;
const NOBODY = {
  subjectId: null,
  senderToken: null,
  tokenVersion: null,
  senderRecordId: null,
  bodyRecordId: null,
  country: null,
} as const;

/** Withheld, short and alphanumeric senders are no phones: nobody can be known or answered by them. */
function phoneOf(from: string): PhoneNumber | null {
  try {
    return parsePhoneNumber(from);
  } catch {
    return null;
  }
}

function recipientToken(tokenizer: Tokenizer, phone: SealedValue): RecipientToken {
  return { token: tokenizer.token(phone), tokenVersion: tokenizer.version, candidates: tokenizer.candidates(phone) };
}

/** A text that is being routed. */
interface Asked {
  readonly text: InboundText;
  readonly subjectId: string;
  readonly body: string;
  readonly recipient: RecipientToken;
  readonly scope: string;
  /** What it was sent to: the number, and the service it is in. */
  readonly senders: readonly string[];
  readonly settings: InboundSettings;
  /** Whether Twilio has blocked, unblocked or helped them already. */
  readonly twilioAnswers: boolean;
  readonly mayBeAnswered: () => Promise<boolean>;
  /** Takes this text, or an earlier one, as the answer to a question. */
  readonly answerQuestion: (tx: Db, questionId: string, words: AnswerText) => Promise<void>;
}

/** As it is in memory, or where its words are sealed. */
type AnswerText = { readonly body: string } | { readonly bodyRecordId: string };

/** Null: it is not for this one. */
type Router = (tx: Db, asked: Asked) => Promise<Routing | null>;

/** In the order in which a text may be meant. The relation of a masked number comes second, where there are any. */
const ROUTERS: readonly Router[] = [toOptOut, toChoice, toQuestion];

/** What is to be done for a text once its routing has committed; may be done again. */
export interface RoutedText {
  /** The message that answers it, to be started; null when nothing is answered. */
  readonly answer: MessageInput | null;
  /** The check-in that it answers, whose workflow is to hear of it; null: none. */
  readonly checkIn: TextedAnswer | null;
}

const NOTHING_TO_DO: RoutedText = { answer: null, checkIn: null };

/**
 * Routes a stored text, once: a second time finds what the first decided.
 *
 * @param arrived what is still in memory; without it sender and words are revealed, as for a replay
 */
export async function routeText(
  parts: InboundParts,
  seenKey: string,
  arrived: Pick<ArrivedText, 'from' | 'body'> | null,
): Promise<RoutedText> {
  try {
    const text = await routed(parts, seenKey, arrived);
    if (text === null) return NOTHING_TO_DO;
    return { answer: await answerTo(parts, text), checkIn: await answeredCheckIn(parts.pool, text) };
  } catch (error) {
    // Swept or erased meanwhile: there is nobody left to answer, and nothing to be told again.
    if (isDestroyed(error)) return NOTHING_TO_DO;
    throw error;
  }
}

async function answeredCheckIn(db: Db, { routedAs, questionId }: InboundText): Promise<TextedAnswer | null> {
  const isAnswer = routedAs === 'answer' || routedAs === 'choice';
  return isAnswer && questionId !== null ? await textedAnswer(db, questionId) : null;
}

async function routed(
  parts: InboundParts,
  seenKey: string,
  arrived: Pick<ArrivedText, 'from' | 'body'> | null,
): Promise<InboundText | null> {
  const stored = await findInboundText(parts.pool, seenKey);
  if (stored === null) return null;
  const { inboundId, subjectId, senderRecordId, bodyRecordId } = stored;
  if (stored.routedAs !== null) return stored;
  if (subjectId === null || senderRecordId === null || bodyRecordId === null) {
    await noteRouting(parts.pool, inboundId, { routedAs: 'ignored', answer: null });
    return null;
  }
  const why = { purpose: 'route', actor: 'system' } as const;
  const from = arrived?.from ?? (await parts.vault.reveal({ recordId: senderRecordId, ...why })).expose();
  const body = arrived?.body ?? (await parts.vault.reveal({ recordId: bodyRecordId, ...why })).expose();
  const phone = parsePhoneNumber(from);
  const recipient = recipientToken(parts.tokenizer, phone.e164);
  const { settings } = parts;
  const isOurs = settings.phoneNumbers.includes(phone.e164.expose());
  return await inTransaction(parts.pool, async (tx) => {
    await lockSender(tx, recipient.token);
    const text = await lockInboundText(tx, inboundId);
    if (text.routedAs !== null) return text;
    const mayBeAnswered = async () =>
      !isOurs &&
      refusalToRing(phone, settings.allowedCountries) === null &&
      !(await wasAnsweredLately(tx, recipient.candidates, settings.answerIntervalMs));
    const asked: Asked = {
      text,
      subjectId,
      body,
      recipient,
      scope: ORGANISATION,
      senders: [text.ourNumber, ...(text.serviceSid === null ? [] : [text.serviceSid])],
      settings,
      twilioAnswers: settings.twilioAnswersOptOut || text.optOutType !== null,
      mayBeAnswered,
      answerQuestion: (client, questionId, words) => answerQuestion(parts, client, questionId, words),
    };
    const routing = isOurs ? IGNORED : await firstRoute(tx, asked);
    return await noteRouting(tx, inboundId, await answerable(tx, asked, routing));
  });
}

const IGNORED: Routing = { routedAs: 'ignored', answer: null };

async function firstRoute(tx: Db, asked: Asked): Promise<Routing> {
  for (const router of ROUTERS) {
    const routing = await router(tx, asked);
    if (routing !== null) return routing;
  }
  return { routedAs: 'unknown', answer: 'help' };
}

/** Nothing is answered to somebody who has opted out but that they have. */
async function answerable(tx: Db, asked: Asked, routing: Routing): Promise<Routing> {
  if (routing.answer === null) return routing;
  const isSilenced = routing.answer !== 'opt-out-confirmed' && (await isOptedOut(tx, asked));
  return !isSilenced && (await asked.mayBeAnswered()) ? routing : { ...routing, answer: null };
}

async function toOptOut(tx: Db, asked: Asked): Promise<Routing | null> {
  const { text, body, recipient, scope, senders, subjectId: actor, twilioAnswers } = asked;
  const word = optOutWord(body, text.optOutType);
  if (word === null) return null;
  if (word.intent === 'help') return { routedAs: 'help', answer: twilioAnswers ? null : 'help' };
  if (word.intent === 'stop') {
    const isNew = await recordOptOut(tx, { recipient, scope, senders: twilioAnswers ? senders : [], actor });
    if (scope === ORGANISATION) {
      await optOutBuddies(tx, recipient.candidates);
      await optOutContacts(tx, recipient.candidates);
    }
    return { routedAs: 'opt-out', answer: isNew && !twilioAnswers ? 'opt-out-confirmed' : null };
  }
  // From anybody who is not opted out, YES and START are answers to whatever they were asked.
  if (word.mayBeAnAnswer && !(await isOptedOut(tx, { recipient, scope, senders }))) return null;
  const isLifted = await liftOptOut(tx, { recipient, scope, senders, actor });
  if (scope === ORGANISATION) {
    await optInBuddies(tx, recipient.candidates);
    await optInContacts(tx, recipient.candidates);
  }
  return { routedAs: 'opt-in', answer: isLifted && !twilioAnswers ? 'opted-in' : null };
}

/** A and B are asked for only after an answer that fits two questions. */
async function toChoice(tx: Db, { text, body, recipient, answerQuestion: answer }: Asked): Promise<Routing | null> {
  const choice = ['A', 'B'].indexOf(body.trim().toUpperCase());
  if (choice < 0) return null;
  const undecided = await undecidedText(tx, { candidates: recipient.candidates, ourNumber: text.ourNumber });
  const questionId = undecided?.questionIds[choice];
  if (undecided === null || questionId === undefined) return null;
  await settleUndecided(tx, undecided.inboundId, questionId);
  await answer(tx, questionId, { bodyRecordId: undecided.bodyRecordId });
  return { routedAs: 'choice', questionId, answer: null };
}

async function toQuestion(tx: Db, asked: Asked): Promise<Routing | null> {
  const { body, recipient, senders, mayBeAnswered } = asked;
  const open = await openQuestions(tx, { candidates: recipient.candidates, senders });
  const [newest, ...older] = open.filter((question) => fitsQuestion(question, body));
  if (newest === undefined) return null;
  // Two people are asked about at this phone: a digit does not say whom. The pages do.
  const isOfTwo = newest.kind === 'check-in' && older.some(({ kind }) => kind === 'check-in');
  if (isOfTwo) return { routedAs: 'unknown', answer: (await mayBeAnswered()) ? 'help' : null };
  const other = older.find(({ kind }) => kind !== newest.kind);
  // Who has just got an automatic answer is not asked: then the newest question is the likeliest.
  if (other !== undefined && (await mayBeAnswered())) {
    const questions = { questionId: newest.questionId, otherQuestionId: other.questionId };
    return { routedAs: 'which-question', ...questions, answer: 'which-question' };
  }
  await asked.answerQuestion(tx, newest.questionId, { body });
  return { routedAs: 'answer', questionId: newest.questionId, answer: null };
}

/** Closes the question and keeps, of a call, how it was, and of a check-in what its workflow is told. */
async function answerQuestion(
  { vault, settings }: Pick<InboundParts, 'vault' | 'settings'>,
  tx: Db,
  questionId: string,
  words: AnswerText,
): Promise<void> {
  const body =
    'body' in words
      ? words.body
      : (await vault.reveal({ recordId: words.bodyRecordId, purpose: 'route', actor: 'system' })).expose();
  const closed = await closeQuestion(tx, questionId, readCheckInAnswer(body));
  if (closed === null || closed.kind !== 'survey') return;
  const given = readFeedback(body);
  if (given === null) return;
  const { retention } = settings;
  await takeFeedback(tx, { vault, retention }, { ...given, callId: closed.objectId, via: 'sms' });
}

/** The message that answers a routed text. Made anew for a repeat, under the same id: it is started once. */
async function answerTo(parts: InboundParts, text: InboundText): Promise<MessageInput | null> {
  const { answer, subjectId, senderToken, senderRecordId, country } = text;
  if (answer === null || subjectId === null || senderToken === null || senderRecordId === null) return null;
  const template = await findTemplate(parts.pool, answer, null);
  if (template === null) throw new Error('A built-in template is missing');
  const language = languageOfCountry(country ?? 'US');
  const kinds = answer === 'which-question' ? await kindsOfQuestions(parts.pool, text) : null;
  // They have said which meanwhile.
  if (answer === 'which-question' && kinds === null) return null;
  const value = sealableWords({ variables: kinds === null ? {} : namedQuestions(kinds, language) });
  const now = Date.now();
  const expiresAt = new Date(now + parts.settings.retention.messageBody);
  const recordId = await parts.vault.seal({ subjectId, kind: 'text', value, expiresAt });
  return {
    messageId: text.answerMessageId,
    batchId: null,
    batchRow: null,
    // They have asked for it by writing to us.
    requestedBy: subjectId,
    subjectId,
    recordId: senderRecordId,
    ownsRecord: false,
    recipientToken: senderToken.toString('hex'),
    country: country ?? 'ZZ',
    channel: 'sms',
    kind: 'automatic',
    messageClass: 'ordinary',
    urgency: 'normal',
    language,
    content: { templateId: template.templateId, templateVersion: template.version, recordId },
    notBefore: null,
    notAfter: new Date(now + ANSWER_LIFETIME_MS).toISOString(),
    zone: null,
    fallback: null,
    sender: text.ourNumber,
    requestHash: parts.tokenizer.keyedHash('request', 'inbound-text', text.inboundId).toString('hex'),
    requestedAt: text.receivedAt.toISOString(),
  };
}

function namedQuestions(
  [first, second]: readonly [QuestionKind, QuestionKind],
  language: string,
): { first: string; second: string } {
  return { first: questionName(first, language), second: questionName(second, language) };
}
