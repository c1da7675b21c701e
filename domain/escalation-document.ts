import { z } from 'zod';
import {
  ANSWERING_PARTIES,
  ESCALATION_CHANNELS,
  ESCALATION_PARTIES,
  type EscalationPolicy,
  MOST_STEPS,
} from './escalation-policy';

const WEEK_IN_MINUTES = 7 * 24 * 60;

const step = z.strictObject({
  who: z.enum(ESCALATION_PARTIES).meta({
    description: '`buddies`: the next ones by rank. `emergency`: waits for a human, and is the last step.',
  }),
  count: z.int().min(1).max(10).default(1).meta({ description: 'Of buddies: how many are asked.' }),
  channel: z.enum(ESCALATION_CHANNELS),
  afterMinutes: z.int().min(0).max(WEEK_IN_MINUTES).meta({
    description:
      'From the beginning of the step before it, or of the alert. A step that is skipped is not waited after.',
  }),
  answeredBy: z
    .array(z.enum(ANSWERING_PARTIES))
    .min(1)
    .max(ANSWERING_PARTIES.length)
    .default([...ANSWERING_PARTIES])
    .meta({ description: 'Whose answer ends the alert while this is its newest step. Default: everybody’s.' }),
});

/** The document as it is sent, and as it is kept. */
export const escalationDocument = z.strictObject({
  steps: z.array(step).min(1).max(MOST_STEPS),
  closesAfterMinutes: z.int().min(1).max(WEEK_IN_MINUTES).meta({
    description: 'From the beginning of the last step: how long an answer is waited for.',
  }),
}) satisfies z.ZodType<EscalationPolicy>;
