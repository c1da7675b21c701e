import type { Settings } from './types';

/** Twilio as it behaves on a quiet day. Everything can be changed while it runs. */
export const DEFAULT_SETTINGS: Settings = {
  listLagMs: 0,
  // New accounts have 1, self-service goes up to 30; a page of phones should not make people wait.
  callsPerSecond: 10,
  timeScale: 1,
  // A little faster than people speak, so that nobody at the page gets bored.
  wordMs: 150,
  webhookRetryMs: [250, 1_000, 2_500],
  signedPort: 'as-given',
  // A short code sends up to 100 a second, a US long code 1, a toll-free number 3.
  messagesPerSecond: 100,
  senderQueueSeconds: 36_000,
  sentAfterMs: 50,
  deliveredAfterMs: 250,
  priceAfterMs: 1_000,
  advancedOptOut: false,
  textCountries: null,
  mediaNeedsAuth: true,
};

/** A seeded source of numbers in [0, 1): a run can be repeated. mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns a source of list lags in milliseconds for a setting */
export function lagSource(setting: Settings['listLagMs']): () => number {
  if (typeof setting === 'number') return () => setting;
  const random = seededRandom(setting.seed);
  return () => setting.min + random() * (setting.max - setting.min);
}
