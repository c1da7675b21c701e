import { ApiError } from './api-errors';
import { type Fields, one } from './call-parameters';

/** One page of a list, with the fields of Twilio's envelope. */
export interface Page<T> {
  readonly items: readonly T[];
  /** `page`, `start`, `uri` and the rest, as they stand in the answer. */
  readonly envelope: Readonly<Record<string, unknown>>;
}

const PAGE_SIZE = 50;
const MOST_PAGE_SIZE = 1_000;

/**
 * One page of what was found.
 * @param found newest first
 * @param path of the list, without query
 * @throws ApiError 400 for a page size that cannot be read
 */
export function pageOf<T extends { readonly sid: string }>(found: readonly T[], query: Fields, path: string): Page<T> {
  const pageSize = Math.min(MOST_PAGE_SIZE, positive(query, 'PageSize') ?? PAGE_SIZE);
  const page = positive(query, 'Page') ?? 0;
  // A token names the last one of the page before: what is made meanwhile shifts nothing.
  const token = one(query, 'PageToken');
  const after = token ? found.findIndex((item) => `PA${item.sid}` === token) + 1 : page * pageSize;
  const items = found.slice(after, after + pageSize);
  const last = items.at(-1);
  const uriOf = (number: number, pageToken?: string) => {
    const kept = Object.entries(query).filter(([name]) => !['PageSize', 'Page', 'PageToken'].includes(name));
    const fields = new URLSearchParams();
    for (const [name, value] of kept) for (const each of [value].flat()) fields.append(name, each);
    fields.set('PageSize', String(pageSize));
    fields.set('Page', String(number));
    if (pageToken !== undefined) fields.set('PageToken', pageToken);
    return `${path}?${fields.toString()}`;
  };
  const start = page * pageSize;
  return {
    items,
    envelope: {
      page,
      page_size: pageSize,
      start,
      end: Math.max(start, start + items.length - 1),
      uri: uriOf(page, token),
      first_page_uri: uriOf(0),
      next_page_uri: last && after + pageSize < found.length ? uriOf(page + 1, `PA${last.sid}`) : null,
      previous_page_uri: page > 0 ? uriOf(page - 1) : null,
    },
  };
}

/** True when a filter is not given or names this value. */
export function isAsked(query: Fields, name: string, value: string | null): boolean {
  const asked = one(query, name);
  return asked === undefined || asked === value;
}

/**
 * `StartTime` is a day; `StartTime<` and `StartTime>` are bounds, which include their own value. What has no time yet
 * is in no list that asks for one.
 * @throws ApiError 400 for a time that cannot be read
 */
export function isInTime(query: Fields, name: string, time: Date | null): boolean {
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
