/**
 * Who is asked when somebody may not be well, one step after the other. The document is the organisation's own; each
 * version stays, because a running alert keeps the one it began with. No import from a package: this file is part of the
 * workflow bundle.
 */

/** `emergency`: what only a human can set off. */
export const ESCALATION_PARTIES = [
  'buddies',
  'registered-contact',
  'wellbeing-service',
  'on-call',
  'emergency',
] as const;
export type EscalationParty = (typeof ESCALATION_PARTIES)[number];

/** Whose answer can end an alert. */
export const ANSWERING_PARTIES = ['buddies', 'registered-contact', 'wellbeing-service', 'on-call'] as const;
export type AnsweringParty = (typeof ANSWERING_PARTIES)[number];

export const ESCALATION_CHANNELS = ['sms', 'email', 'voice'] as const;
export type EscalationChannel = (typeof ESCALATION_CHANNELS)[number];

/** How each party can be reached at all. */
export const CHANNELS_OF: Readonly<Record<EscalationParty, readonly EscalationChannel[]>> = {
  buddies: ['sms'],
  'registered-contact': ['sms'],
  'wellbeing-service': ['email', 'sms', 'voice'],
  'on-call': ['voice'],
  emergency: ['voice'],
};

export interface EscalationStep {
  readonly who: EscalationParty;
  /** Of buddies: how many are asked. 1 for every other party. */
  readonly count: number;
  readonly channel: EscalationChannel;
  /** From the beginning of the step before it, or of the alert; a step that was skipped is not waited after. */
  readonly afterMinutes: number;
  /** Whose answer ends the alert while this is its newest step; every other answer is noted. */
  readonly answeredBy: readonly AnsweringParty[];
}

export interface EscalationPolicy {
  readonly steps: readonly EscalationStep[];
  /** From the beginning of the last step: how long an answer is waited for. */
  readonly closesAfterMinutes: number;
}

export const MOST_STEPS = 12;
const HOUR = 60;

const step = (who: EscalationParty, channel: EscalationChannel, afterMinutes: number, count = 1): EscalationStep => ({
  who,
  count,
  channel,
  afterMinutes,
  answeredBy: ANSWERING_PARTIES,
});

/** Version 0: what holds until the organisation has a policy of its own. */
export const BUILT_IN_POLICY: EscalationPolicy = {
  steps: [
    step('buddies', 'sms', 0, 2),
    step('buddies', 'sms', 2 * HOUR, 2),
    step('wellbeing-service', 'email', 2 * HOUR),
    step('registered-contact', 'sms', HOUR),
    step('on-call', 'voice', HOUR),
    step('emergency', 'voice', HOUR),
  ],
  closesAfterMinutes: 24 * HOUR,
};

/** For what takes longer than the policy says: asks that cannot be begun at once, workers that are away. */
const SPARE_MINUTES = 24 * HOUR;

/**
 * How long an alert can go on from the beginning of one of its steps when nobody answers, in minutes, with a day to spare.
 * What a human sets off begins the wait after the last step anew.
 * @param position of the step, from 1
 */
export function longestCourseMinutes({ steps, closesAfterMinutes }: EscalationPolicy, position: number): number {
  const later = steps.slice(position).reduce((sum, { afterMinutes }) => sum + afterMinutes, 0);
  const waits = steps.some(({ who }) => who === 'emergency') ? 2 : 1;
  return later + waits * closesAfterMinutes + SPARE_MINUTES;
}

export interface PolicyFault {
  /** JSON Pointer below the document. */
  readonly pointer: string;
  readonly detail: string;
}

/** What is wrong with a document that is well-formed. */
export function policyFaults({ steps }: EscalationPolicy): PolicyFault[] {
  return steps.flatMap(({ who, channel, count }, index) => {
    const at = `/steps/${index}`;
    const channels = CHANNELS_OF[who];
    return [
      ...(channels.includes(channel)
        ? []
        : [{ pointer: `${at}/channel`, detail: `This step can be reached by: ${channels.join(', ')}.` }]),
      ...(who === 'buddies' || count === 1
        ? []
        : [{ pointer: `${at}/count`, detail: 'Only of buddies more than one can be asked.' }]),
      // Behind a step that waits for a human nothing would ever begin.
      ...(who === 'emergency' && index !== steps.length - 1
        ? [{ pointer: `${at}/who`, detail: 'The emergency step is the last one.' }]
        : []),
    ];
  });
}
