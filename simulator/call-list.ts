import { ApiError } from './api-errors';
import { type Fields, one } from './call-parameters';
import { resourceStatus } from './call-resource';
import type { Leg } from './leg';

export interface CallPage {
  readonly calls: readonly Leg[];
  readonly page: number;
  readonly pageSize: number;
  /** Path and query of this page, the first, the next and the one before, or null. */
  readonly uri: string;
  readonly firstUri: string;
  readonly nextUri: string | null;
  readonly previousUri: string | null;
}

const PAGE_SIZE = 50;
const MOST_PAGE_SIZE = 1_000;

/**
 * One page of calls, newest first, filtered as Twilio does: a call that is not yet dialled has no start time
 * and is therefore in no list that filters by it.
 * @param legs newest first
 * @throws ApiError 400 for a page size or time that cannot be read
 */
export function listCalls(legs: readonly Leg[], query: Fields, path: string): CallPage {
  const pageSize = Math.min(MOST_PAGE_SIZE, positive(query, 'PageSize') ?? PAGE_SIZE);
  const page = positive(query, 'Page') ?? 0;
  const found = legs.filter((leg) => fits(leg, query));
  // A token names the last call of the page before: a call made meanwhile shifts nothing.
  const token = one(query, 'PageToken');
  const after = token ? found.findIndex((leg) => `PA${leg.sid}` === token) + 1 : page * pageSize;
  const calls = found.slice(after, after + pageSize);
  const last = calls.at(-1);
  const uriOf = (number: number, pageToken?: string) => {
    const kept = Object.entries(query).filter(([name]) => !['PageSize', 'Page', 'PageToken'].includes(name));
    const fields = new URLSearchParams();
    for (const [name, value] of kept) for (const each of [value].flat()) fields.append(name, each);
    fields.set('PageSize', String(pageSize));
    fields.set('Page', String(number));
    if (pageToken !== undefined) fields.set('PageToken', pageToken);
    return `${path}?${fields.toString()}`;
  };
  return {
    calls,
    page,
    pageSize,
    uri: uriOf(page, token),
    firstUri: uriOf(0),
    nextUri: last && after + pageSize < found.length ? uriOf(page + 1, `PA${last.sid}`) : null,
    previousUri: page > 0 ? uriOf(page - 1) : null,
  };
}

function fits(leg: Leg, query: Fields): boolean {
  const equal = (name: string, value: string | null) => {
    const asked = one(query, name);
    return asked === undefined || asked === value;
  };
  return (
    equal('To', leg.to) &&
    equal('From', leg.from) &&
    equal('Status', resourceStatus(leg)) &&
    equal('ParentCallSid', leg.parent?.sid ?? null) &&
    isInTime(query, 'StartTime', leg.dialledAt) &&
    isInTime(query, 'EndTime', leg.endedAt)
  );
}

/** `StartTime` is a day; `StartTime<` and `StartTime>` are bounds, which include their own value. */
function isInTime(query: Fields, name: string, time: Date | null): boolean {
  const day = moment(query, name);
  const before = moment(query, `${name}<`);
  const after = moment(query, `${name}>`);
  if (day === null && before === null && after === null) return true;
  if (time === null) return false;
  // Twilio's times have whole seconds.
  const at = Math.floor(time.getTime() / 1000) * 1000;
  if (day !== null && new Date(day).toISOString().slice(0, 10) !== time.toISOString().slice(0, 10)) return false;
  return (before === null || at <= before) && (after === null || at >= after);
}

function moment(query: Fields, name: string): number | null {
  const text = one(query, name);
  if (text === undefined) return null;
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new ApiError(400, 20001, `${name} is not a valid time`);
  return at;
}

function positive(query: Fields, name: string): number | null {
  const text = one(query, name);
  if (text === undefined) return null;
  if (!/^\d+$/.test(text) || (name === 'PageSize' && Number(text) === 0)) {
    throw new ApiError(400, 20001, `${name} is not valid`);
  }
  return Number(text);
}
