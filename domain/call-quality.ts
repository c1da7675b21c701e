/** How a call went: what is measured by ourselves, and what Twilio's Voice Insights adds. Operational class throughout. */
import { z } from 'zod';

/** Whose line ended first. A goodbye cannot be told from a line that was lost; null where nothing tells which. */
export const ENDED_FIRST = ['user', 'mentor', 'time-limit'] as const;
export type EndedFirst = (typeof ENDED_FIRST)[number];

/** One leg as Twilio measured it; a part that it did not tell is null. */
export const legInsights = z.strictObject({
  /** Milliseconds, the worst of both directions. */
  jitterMs: z.number().nullable(),
  /** Percent of packets, the worst of both directions. */
  packetLossPercent: z.number().nullable(),
  postDialDelayMs: z.number().nullable(),
  sipCode: z.int().nullable(),
  /** As Twilio words it, e.g. `caller`. */
  disconnectedBy: z.string().nullable(),
  /** Twilio's own findings, e.g. `high_jitter`. */
  tags: z.array(z.string()),
});
export type LegInsights = z.output<typeof legInsights>;

export const callInsights = z.strictObject({ user: legInsights.optional(), mentor: legInsights.optional() });
export type CallInsights = z.output<typeof callInsights>;

/** Twilio completes a summary within half an hour of the call's end (ms). */
export const INSIGHTS_AFTER = 30 * 60_000;
/** A summary that is not complete by then is looked for again after this (ms) … */
export const INSIGHTS_AGAIN = 15 * 60_000;
/** … and so often in all. */
export const INSIGHTS_LOOKS = 3;
