/**
 * Names of the search attributes. Their values are never encrypted by Temporal: operational words, a country,
 * and a keyed hash of the subject id that means nothing to a reader of the store.
 */
export const SEARCH_ATTRIBUTE_NAMES = {
  state: 'KindlineState',
  subject: 'KindlineSubject',
  country: 'KindlineCountry',
} as const;
