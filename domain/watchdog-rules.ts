/**
 * What the watchdog calls trouble: each rule looks at counts of the last while and finds nothing, or what is wrong. Pure;
 * the counts come from `db/watchdog-facts.ts`. Nothing here says whose call it was but by a pseudonymous id.
 */
import { classOfCode, type TwilioErrorClass } from './twilio-errors';

export const INCIDENT_KINDS = [
  'nobody-available', // somebody should be there, or somebody has asked, and no mentor can be rung
  'failure-rate', // too many calls led to no mentor
  'user-calls', // one user asks again and again
  'short-calls', // one mentor's conversations end at once
  'accounts-to-one-number', // several accounts have the same number rung
  'accounts-to-one-buddy', // several accounts name the same person as their buddy
  'provider-errors', // Twilio refuses or does not answer, or what we send is filtered
  'line-stopped', // a provider takes nothing from us at all
  'alert-awaits-human', // somebody's alert goes on only when a human decides
  'alert-reached-nobody', // somebody's alert has ended, and nobody looks after them
  'retention-stale', // what is over its time is not deleted
] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** Counts of one window; ids are pseudonymous. */
export interface WatchdogFacts {
  /** Of calls that are over; what was merged or limited was no call. */
  readonly calls: { readonly total: number; readonly failed: number };
  readonly mentors: {
    /** Inside one of their windows now, whether switched on or not. */
    readonly scheduled: number;
    /** Who could be rung now. */
    readonly free: number;
  };
  /** Whether anybody has asked for a call in the window. */
  readonly hasRequests: boolean;
  /** Users who asked most, with how often. */
  readonly userCalls: readonly { readonly userId: string; readonly count: number }[];
  /** Mentors with conversations shorter than `shortCallMs`. */
  readonly shortCalls: readonly { readonly mentorId: string; readonly count: number }[];
  /** A number by one of the calls that rang it. */
  readonly sharedNumbers: readonly { readonly callId: string; readonly accounts: number }[];
  /** An address or a number by one of the buddies it was given for. */
  readonly sharedBuddies: readonly { readonly buddyId: string; readonly accounts: number }[];
  /** By Twilio's code, from refusals and from callbacks. */
  readonly errorCodes: readonly { readonly code: number; readonly count: number }[];
  /** Calls and texts that were tried and not answered: a timeout, a server error, too many requests, no connection. */
  readonly unanswered: number;
  readonly stoppedLines: readonly { readonly line: string; readonly code: string | null }[];
  /** Wellbeing alerts whose emergency step waits, each with how many there are in all. */
  readonly alertsAwaitingHuman: readonly StandingAlert[];
  /** Wellbeing alerts of the last day that ended without anybody. */
  readonly alertsReachedNobody: readonly StandingAlert[];
  /** Since when the retention sweep has been overdue; null: it is not. */
  readonly retentionStaleSince: Date | null;
}

export interface StandingAlert {
  readonly alertId: string;
  /** All that stand so, itself and those that are not listed too. */
  readonly alerts: number;
}

/** From configuration. Times in ms. */
export interface WatchdogLimits {
  readonly failurePercent: number;
  /** Fewer calls say nothing about a rate. */
  readonly failureCalls: number;
  /** A single mentor's lunch is no incident. */
  readonly nobodyForMs: number;
  readonly userCalls: number;
  readonly shortCalls: number;
  readonly shortCallMs: number;
  readonly accounts: number;
  /** More accounts than these name one address or number as their buddy within a week. */
  readonly targetAccounts: number;
  readonly providerErrors: number;
}

export interface Finding {
  readonly kind: IncidentKind;
  /** What tells two incidents of a kind apart: an id, a class, a line; `all` where there is only one. */
  readonly key: string;
  /** How long it must go on before anybody is told, ms. */
  readonly holdMs: number;
  /** What an alert says: counts, and words of ours. */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Classes that somebody has to mend; a wrong number is nobody's fault, and what passes by itself is retried. What has no
 * answer, and so mostly no code, counts apart: one timeout passes by itself, and many are an outage.
 */
const TROUBLE: readonly TwilioErrorClass[] = ['not-allowed', 'blocked', 'page-ourselves', 'stop-line', 'other-sender'];

/** Everything that is wrong now. */
export function judge(facts: WatchdogFacts, limits: WatchdogLimits): Finding[] {
  return [
    ...nobodyAvailable(facts, limits),
    ...failureRate(facts, limits),
    ...facts.userCalls
      .filter(({ count }) => count >= limits.userCalls)
      .map(({ userId, count }) => atOnce('user-calls', userId, { calls: count })),
    ...facts.shortCalls
      .filter(({ count }) => count >= limits.shortCalls)
      .map(({ mentorId, count }) => atOnce('short-calls', mentorId, { calls: count })),
    ...facts.sharedNumbers
      .filter(({ accounts }) => accounts >= limits.accounts)
      .map(({ callId, accounts }) => atOnce('accounts-to-one-number', callId, { accounts })),
    ...facts.sharedBuddies
      .filter(({ accounts }) => accounts > limits.targetAccounts)
      .map(({ buddyId, accounts }) => atOnce('accounts-to-one-buddy', buddyId, { accounts })),
    ...providerErrors(facts, limits),
    ...facts.stoppedLines.map(({ line, code }) =>
      atOnce('line-stopped', line, code === null ? {} : { code: Number(code) }),
    ),
    // Each by itself: somebody else's alert, told before, must not keep this one from being told.
    ...facts.alertsAwaitingHuman.map(({ alertId, alerts }) => atOnce('alert-awaits-human', alertId, { alerts })),
    ...facts.alertsReachedNobody.map(({ alertId, alerts }) => atOnce('alert-reached-nobody', alertId, { alerts })),
    ...(facts.retentionStaleSince === null ? [] : [atOnce('retention-stale', 'all', {})]),
  ];
}

/** At night, with nobody on shift and nobody who asks, it is no incident: the helpline takes whoever comes. */
function nobodyAvailable({ mentors, hasRequests }: WatchdogFacts, { nobodyForMs }: WatchdogLimits): Finding[] {
  if (mentors.free > 0 || (mentors.scheduled === 0 && !hasRequests)) return [];
  return [{ kind: 'nobody-available', key: 'all', holdMs: nobodyForMs, counts: { scheduled: mentors.scheduled } }];
}

function failureRate({ calls }: WatchdogFacts, { failurePercent, failureCalls }: WatchdogLimits): Finding[] {
  if (calls.total < failureCalls || calls.failed * 100 <= calls.total * failurePercent) return [];
  return [atOnce('failure-rate', 'all', { calls: calls.total, failed: calls.failed })];
}

function providerErrors({ errorCodes, unanswered }: WatchdogFacts, limits: WatchdogLimits): Finding[] {
  const byClass = new Map<TwilioErrorClass, number>();
  for (const { code, count } of errorCodes) {
    const errorClass = classOfCode(code);
    if (errorClass !== null && TROUBLE.includes(errorClass)) {
      byClass.set(errorClass, (byClass.get(errorClass) ?? 0) + count);
    }
  }
  const found = [...byClass]
    .filter(([, errors]) => errors >= limits.providerErrors)
    .map(([errorClass, errors]) => atOnce('provider-errors', errorClass, { errors }));
  if (unanswered >= limits.providerErrors) found.push(atOnce('provider-errors', 'unreachable', { unanswered }));
  return found;
}

function atOnce(kind: IncidentKind, key: string, counts: Finding['counts']): Finding {
  return { kind, key, holdMs: 0, counts };
}
