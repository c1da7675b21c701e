import { addRows, type NewRow } from '../db/message-batch-rows';
import { savedDestination } from '../db/recipients';
import { parseEmailAddress } from '../domain/email-address';
import { sealableRow } from '../domain/message-batch-row';
import { isIanaZone } from '../domain/availability';
import { optOutWordAskedFor } from '../domain/opt-out-words';
import { MOST_RECIPIENTS, type RowProblem } from '../domain/message-batch';
import type { MessageChannel } from '../domain/message';
import type { SealedValue } from '../domain/sealed';
import {
  checkVariables,
  fill,
  languageFor,
  MOST_CHARACTERS,
  type TemplateBody,
  type VariableValues,
} from '../domain/templates';
import type { ReadRecipient } from './csv-recipients';
import type { ApiDeps } from './deps';
import { numberToRing } from './given-numbers';
import { Problem } from './problems';

/** What the rows of a batch are judged by. */
export interface BatchOfRows {
  readonly batchId: string;
  readonly requestedBy: string;
  readonly channel: MessageChannel;
  /** Of rows that name none. */
  readonly language: string;
  /** Null: a text, which has no variables. */
  readonly template: TemplateBody | null;
  /** Given for all; a row may give its own instead. */
  readonly variables: VariableValues;
}

type Parts = Pick<ApiDeps, 'pool' | 'vault' | 'tokenizer' | 'config'>;

/** Rows that are in memory at a time. */
const AT_A_TIME = 200;
/** Sealed at the same time: each waits for Postgres. */
const SIDE_BY_SIDE = 4;

/**
 * Judges and seals rows as they come, and keeps a page of them in memory and the tokens of all: whatever their number, a
 * recipient is written to once.
 *
 * @throws {Problem} `too-many-recipients`, or what the reading of the rows throws
 */
export async function takeRows(
  deps: Parts,
  batch: BatchOfRows,
  recipients: AsyncIterable<ReadRecipient> | Iterable<ReadRecipient>,
): Promise<void> {
  const seen = new Map<string, number>();
  let row = 0;
  let page: { row: number; given: ReadRecipient }[] = [];
  const flush = async (): Promise<void> => {
    const judged: Judged[] = [];
    for (const { row: place, given } of page) judged.push(await judge(deps, batch, place, given, seen));
    page = [];
    const waiting = judged.values();
    const rows: NewRow[] = [];
    const worker = async (): Promise<void> => {
      for (const one of waiting) rows.push(await sealed(deps, batch, one));
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
    await addRows(deps.pool, batch.batchId, rows);
  };
  for await (const given of recipients) {
    row += 1;
    if (row > MOST_RECIPIENTS) throw new Problem('too-many-recipients');
    page.push({ row, given });
    if (page.length >= AT_A_TIME) await flush();
  }
  if (page.length > 0) await flush();
}

interface Judged {
  readonly row: NewRow;
  /** Given in the row itself; null when the recipient is known by an id. */
  readonly to: SealedValue<'phone'> | SealedValue<'email'> | null;
  /** The row's own; null when the words are the same for all. */
  readonly variables: VariableValues | null;
}

async function judge(
  deps: Parts,
  batch: BatchOfRows,
  row: number,
  given: ReadRecipient,
  seen: Map<string, number>,
): Promise<Judged> {
  const flawed = (problem: RowProblem, duplicateOf: number | null = null): Judged => ({
    row: { ...NOTHING, row, problem, duplicateOf },
    to: null,
    variables: null,
  });
  if (given === null) return flawed('row-unreadable');
  const { language = null, zone = null } = given;
  if (language !== null && !/^[a-z]{2}$/.test(language)) return flawed('language-invalid');
  if (zone !== null && !isIanaZone(zone)) return flawed('zone-unknown');
  const variables = ownVariables(batch, given.variables ?? null);
  if (variables === 'invalid') return flawed('variables-invalid');
  const wrongWords = wordsFault(batch, language, variables);
  if (wrongWords !== null) return flawed(wrongWords);
  const whom = await recipientOf(deps, batch.channel, given);
  if (typeof whom === 'string') return flawed(whom);
  // Under every version: while the key is replaced, one and the same phone may be saved under the older one.
  const keys = (whom.to === null ? [whom.token] : deps.tokenizer.candidates(whom.to)).map((one) => one.toString('hex'));
  const earlier = keys.map((key) => seen.get(key)).find((place) => place !== undefined);
  if (earlier !== undefined) return flawed('duplicate', earlier);
  for (const key of keys) seen.set(key, row);
  const { to, token, tokenVersion, country, subjectId, recordId } = whom;
  const ids = { subjectId, recordId, token, tokenVersion, country, language, zone };
  return { row: { ...NOTHING, ...ids, row, ownsRecord: to !== null }, to, variables };
}

const NOTHING: NewRow = {
  row: 0,
  problem: null,
  duplicateOf: null,
  givenRecordId: null,
  subjectId: null,
  recordId: null,
  ownsRecord: false,
  token: null,
  tokenVersion: null,
  country: null,
  language: null,
  zone: null,
};

interface Whom {
  readonly to: SealedValue<'phone'> | SealedValue<'email'> | null;
  readonly token: Buffer;
  readonly tokenVersion: number;
  readonly country: string;
  readonly subjectId: string | null;
  readonly recordId: string | null;
}

/** Whom a row names, or what is wrong with it. */
async function recipientOf(
  { pool, tokenizer, config }: Parts,
  channel: MessageChannel,
  { phone, email, subjectId }: NonNullable<ReadRecipient>,
): Promise<Whom | RowProblem> {
  if ([phone, email, subjectId].filter((one) => one !== undefined).length !== 1) return 'recipient-missing';
  const countries = config.limits.allowedCountries;
  const known = (to: SealedValue) => ({ token: tokenizer.token(to), tokenVersion: tokenizer.version });
  if (phone !== undefined) {
    if (channel !== 'sms') return 'recipient-missing';
    try {
      const { e164, country } = numberToRing(phone, '', config);
      return { ...known(e164), to: e164, country, subjectId: null, recordId: null };
    } catch (error) {
      if (error instanceof Problem && isNumberProblem(error.code)) return error.code;
      throw error;
    }
  }
  if (email !== undefined) {
    const to = channel === 'email' ? parseEmailAddress(email) : null;
    if (to === null) return channel === 'email' ? 'email-address-invalid' : 'recipient-missing';
    return { ...known(to), to, country: 'ZZ', subjectId: null, recordId: null };
  }
  const kind = channel === 'sms' ? 'phone' : 'email';
  const saved =
    subjectId !== undefined && UUID.test(subjectId) ? await savedDestination(pool, { kind, subjectId }) : null;
  const mayBeUnverified = config.limits.unverifiedNumbers === 'allow';
  if (saved === null || !(saved.isVerified || mayBeUnverified)) return 'recipient-unknown';
  if (kind === 'phone' && (saved.country === null || !countries.includes(saved.country))) return 'country-not-allowed';
  const { token, tokenVersion, recordId } = saved;
  return { to: null, token, tokenVersion, country: saved.country ?? 'ZZ', subjectId: saved.subjectId, recordId };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function isNumberProblem(code: string): code is Extract<RowProblem, 'country-not-allowed' | `phone-number-${string}`> {
  return code === 'country-not-allowed' || code === 'phone-number-invalid' || code === 'phone-number-not-allowed';
}

/** A row's own words, with those for all below them; null where it has none of its own and those for all suffice. */
function ownVariables(
  { template, variables }: BatchOfRows,
  own: Readonly<Record<string, string | number>> | null,
): VariableValues | null | 'invalid' {
  if (template === null) return own === null ? null : 'invalid';
  const all = { ...variables, ...numbersRead(template, own ?? {}) };
  if (checkVariables(template, all).length > 0) return 'invalid';
  return own === null ? null : all;
}

/**
 * What fits one by one may not fit together: Twilio would refuse it, long after somebody could have shortened it, or it
 * would ask for a reply that opts the person out.
 */
function wordsFault(
  { channel, template, variables, language }: BatchOfRows,
  own: string | null,
  ofRow: VariableValues | null,
): Extract<RowProblem, 'text-too-long' | 'variables-invalid'> | null {
  if (channel !== 'sms' || template === null) return null;
  const { body } = fill(template, languageFor(template, own ?? language), ofRow ?? variables, 'text');
  if (body.length > MOST_CHARACTERS) return 'text-too-long';
  return optOutWordAskedFor(body) === null ? null : 'variables-invalid';
}

/** In a CSV everything is text, also the numbers. */
function numbersRead(template: TemplateBody, own: VariableValues): VariableValues {
  return Object.fromEntries(
    Object.entries(own).map(([name, value]) => {
      const isNumber = Object.hasOwn(template.variables, name) && template.variables[name]?.type === 'number';
      return [name, isNumber && /^-?\d{1,15}(\.\d{1,9})?$/.test(String(value)) ? Number(value) : value];
    }),
  );
}

/** Under the key of whoever gives it, until its message is begun: only then is the recipient somebody we write to. */
async function sealed({ vault, config }: Parts, batch: BatchOfRows, { row, to, variables }: Judged): Promise<NewRow> {
  if (row.problem !== null || (to === null && variables === null)) return row;
  const givenRecordId = await vault.seal({
    subjectId: batch.requestedBy,
    kind: 'text',
    value: sealableRow({ to, variables }),
    expiresAt: new Date(Date.now() + config.retention.batchRow),
  });
  return { ...row, givenRecordId };
}
