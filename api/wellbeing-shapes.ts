import { z } from 'zod';
import { CHECK_IN_RESPONSES, CHECK_IN_STATES } from '../domain/buddies';
import { escalationDocument } from '../domain/escalation-document';
import { ESCALATION_CHANNELS, ESCALATION_PARTIES } from '../domain/escalation-policy';
import {
  ALERT_STANDINGS,
  SKIP_REASONS,
  STEP_STATES,
  WELLBEING_END_REASONS,
  WELLBEING_STATES,
} from '../domain/wellbeing-alert';
import { RISKS, TRIGGER_REASONS } from '../domain/wellbeing-triggers';
import { CLOCK_SKEW, MOST_SCORES } from './limits';
import { listQuery, nextCursor, time } from './shared-shapes';

const scoreEvent = z.strictObject({
  eventId: z.uuid().meta({ description: 'Of the sender: the same event is taken once.' }),
  userId: z.uuid().meta({ description: 'Subject id of the user.' }),
  score: z.number().min(0).max(100).meta({ description: 'A higher one is better.' }),
  risk: z.enum(RISKS),
  measuredAt: time.refine((at) => Date.parse(at) <= Date.now() + CLOCK_SKEW, {
    message: 'A time that has passed is expected here.',
  }),
});

export const scoreEvents = z
  .strictObject({ events: z.array(scoreEvent).min(1).max(MOST_SCORES) })
  .meta({ id: 'WellbeingScores' });

export const scoresTaken = z
  .strictObject({
    taken: z.int().meta({ description: 'New ones, kept and judged.' }),
    repeated: z.int().meta({ description: 'Taken before, by their event id.' }),
    tooOld: z.int().meta({ description: 'Measured more than 14 days ago: neither kept nor judged.' }),
    ofUnknownUsers: z.int(),
  })
  .meta({ id: 'WellbeingScoresTaken' });

const asked = z.strictObject({
  buddyId: z.uuid(),
  state: z.enum(CHECK_IN_STATES).nullable().meta({ description: 'Null while the text is only being begun.' }),
  response: z.enum(CHECK_IN_RESPONSES).nullable(),
  respondedAt: time.nullable(),
});

const stepShape = z.strictObject({
  position: z.int(),
  who: z.enum(ESCALATION_PARTIES),
  channel: z.enum(ESCALATION_CHANNELS),
  state: z.enum(STEP_STATES),
  skippedBecause: z.enum(SKIP_REASONS).nullable(),
  text: z.string().meta({ description: 'The same in plain words, in the user’s language.' }),
  response: z.enum(CHECK_IN_RESPONSES).nullable().meta({ description: 'Of the registered contact.' }),
  buddies: z.array(asked).meta({ description: 'Who was asked, in their order.' }),
  confirmedAt: time.nullable().meta({ description: 'When a human set the emergency step off.' }),
  begunAt: time.nullable(),
  endedAt: time.nullable(),
});

export const wellbeingAlertShape = z
  .strictObject({
    alertId: z.uuid(),
    userId: z.uuid(),
    state: z.enum(WELLBEING_STATES),
    endReason: z.enum(WELLBEING_END_REASONS).nullable(),
    reason: z
      .enum(TRIGGER_REASONS)
      .nullable()
      .meta({ description: 'Friends are never told. Null once the user was erased.' }),
    days: z.int().nullable().meta({
      description: 'How long it has not been easy, as far as the scores tell. Null once the user was erased.',
    }),
    policyVersion: z
      .int()
      .nullable()
      .meta({ description: 'Of the policy it began with and keeps; 0: the built-in one.' }),
    dueAt: time,
    endedAt: time.nullable(),
  })
  .meta({ id: 'WellbeingAlert' });

export const wellbeingAlertWhole = wellbeingAlertShape
  .extend({
    reasonText: z.string().meta({ description: 'Why it began, in plain words.' }),
    stateText: z.string().meta({ description: 'How it stands or ended, in plain words.' }),
    steps: z.array(stepShape),
  })
  .meta({ id: 'WellbeingAlertWithSteps' });

export const wellbeingAlertPage = z
  .strictObject({ alerts: z.array(wellbeingAlertShape), nextCursor })
  .meta({ id: 'WellbeingAlertPage' });

export const wellbeingAlertsQuery = listQuery.extend({
  standing: z.enum(ALERT_STANDINGS).optional().meta({
    description:
      'Only those whose emergency step waits for a human; that go on otherwise; or that ended within the last seven days and reached nobody.',
  }),
});

export const policyShape = escalationDocument
  .extend({
    version: z.int().meta({ description: '0: the built-in one.' }),
    setAt: time.nullable(),
  })
  .meta({ id: 'EscalationPolicy' });

export const dryRun = z
  .strictObject({
    userId: z.uuid().meta({ description: 'Whose buddies and contact of now are counted.' }),
    policy: escalationDocument.optional().meta({ description: 'Default: the policy of now.' }),
  })
  .meta({ id: 'EscalationDryRun' });

export const dryRunResult = z
  .strictObject({
    timeline: z.array(
      z.strictObject({
        position: z.int(),
        who: z.enum(ESCALATION_PARTIES),
        channel: z.enum(ESCALATION_CHANNELS),
        atMinutes: z.int().nullable().meta({ description: 'When nobody answers before; null: it is skipped.' }),
        addressees: z.int().meta({ description: 'How many would be asked.' }),
        skippedBecause: z.enum(SKIP_REASONS).nullable(),
      }),
    ),
    closesAtMinutes: z.int().meta({ description: 'When it ends without any answer.' }),
  })
  .meta({ id: 'EscalationDryRunResult' });
