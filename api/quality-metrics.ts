import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';
import { availableShare, callFigures, meanSatisfaction } from '../db/quality-figures';
import type { Logger } from '../vault/logger';

/** Of calls that ended within this (ms): long enough for a quiet service, short enough to see a change. */
const WINDOW = 24 * 3_600_000;
/** Answers are fewer than calls (ms). */
const SATISFACTION_WINDOW = 30 * WINDOW;
/** Two Prometheus servers that ask at once are answered by one look. */
const FRESH_MS = 5_000;

/**
 * The figures the service is judged by: success, wait, duration, mentors available, satisfaction. Over everybody, without a
 * label that could single out a person; NaN where there is nothing to judge or Postgres does not answer.
 */
export function addQualityMetrics(registry: Registry, { pool, logger }: { pool: Pool; logger: Logger }): void {
  const read = kept(logger, () => callFigures(pool, WINDOW));
  const readShare = kept(logger, () => availableShare(pool, new Date()));
  const readSatisfaction = kept(logger, () => meanSatisfaction(pool, SATISFACTION_WINDOW));
  const registers = [registry];
  const quantiles = ['0.5', '0.95'] as const;
  // Each is registered by being made.
  void new Gauge({
    name: 'kindline_mentor_call_success_ratio',
    help: 'Of the calls of the last 24 hours that could come to a mentor, the share that did.',
    registers,
    async collect() {
      this.set((await read())?.successRatio ?? Number.NaN);
    },
  });
  void new Gauge({
    name: 'kindline_mentor_wait_seconds',
    help: "From the user's key 1 to the mentor's, of the calls of the last 24 hours.",
    labelNames: ['quantile'],
    registers,
    async collect() {
      const wait = (await read())?.waitSeconds;
      for (const quantile of quantiles) this.set({ quantile }, wait?.[quantile] ?? Number.NaN);
    },
  });
  void new Gauge({
    name: 'kindline_conversation_seconds',
    help: 'How long conversations with a mentor lasted, of the calls of the last 24 hours.',
    labelNames: ['quantile'],
    registers,
    async collect() {
      const lasted = (await read())?.conversationSeconds;
      for (const quantile of quantiles) this.set({ quantile }, lasted?.[quantile] ?? Number.NaN);
    },
  });
  void new Gauge({
    name: 'kindline_mentors_available_ratio',
    help: 'Of all mentors, the share that is switched on, within their hours and has a place free.',
    registers,
    async collect() {
      this.set((await readShare()) ?? Number.NaN);
    },
  });
  void new Gauge({
    name: 'kindline_satisfaction_mean',
    help: 'Mean answer, 1 to 5, to how calls were, of the last 30 days; NaN with fewer than ten answers.',
    registers,
    async collect() {
      this.set((await readSatisfaction()) ?? Number.NaN);
    },
  });
}

/** @returns what was read a moment ago, or reads; null when it cannot be read or there is none */
function kept<T>(logger: Logger, read: () => Promise<T | null>): () => Promise<T | null> {
  let last: { readonly at: number; readonly value: Promise<T | null> } | null = null;
  return () => {
    if (last === null || performance.now() - last.at > FRESH_MS) {
      const value = read().catch((error: unknown) => {
        logger.warn({ error }, 'figures of calls could not be read');
        return null;
      });
      last = { at: performance.now(), value };
    }
    return last.value;
  };
}
