/**
 * The search attributes. Their values are never encrypted by Temporal: operational words, a time, a country, and a
 * keyed hash of the subject id that means nothing to a reader of the store.
 */
export const SEARCH_ATTRIBUTE_NAMES = {
  state: 'KindlineState',
  /** Since when the state is what it is. */
  since: 'KindlineSince',
  subject: 'KindlineSubject',
  country: 'KindlineCountry',
} as const;
