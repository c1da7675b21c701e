import type { z } from 'zod';
import { anyText, duration, durationFrom, listOf, listOneOf, oneOf, optional, text, whole } from './variables';

const feedbackWays = (v: string) => (v === 'off' ? [] : listOf(/^(key|sms)$/)(v));
type SpokenDisclosure = 'monitoring' | 'recording' | 'retention' | 'deletion' | 'not-therapists' | 'emergency';

/** The variables of mentor calls, of matching, of waiting and of what is asked afterwards. */
export const mentorCallVariables = {
  CALL_USER_RING: duration('30s'),
  CALL_USER_CONFIRM: duration('40s'),
  CALL_MENTOR_RING: duration('20s'),
  CALL_MENTOR_CONFIRM: duration('15s'),
  CALL_MAX_DURATION: duration('60m'),
  CALL_RING_BACK_WINDOW: duration('2m'),
  CALL_MENTOR_SEARCH: duration('90s'),
  CALL_OVERALL_WAIT: duration('3m'),
  CALL_PROVIDER_PATIENCE: duration('60s'),
  CALL_LEG_SILENCE: duration('8s'),
  CALL_SHORT_BRIDGE: duration('20s'),
  CALL_CUT_SHORT: duration('60s'),
  CALL_MAX_RECONNECTIONS: optional('a number from 0 to 10', 3, whole(0, 10)),
  CALL_LONGEST: duration('3h'),
  CALL_FEEDBACK: optional(
    'key, sms, both separated by a comma, or off',
    ['key', 'sms'] as readonly string[],
    feedbackWays,
  ),
  CALL_FEEDBACK_AFTER: duration('60s'),
  CALL_MAX_MENTORS: optional('a number from 1 to 10', 4, whole(1, 10)),
  QUEUE_LIMIT: optional('a number from 0 to 1000', 20, whole(0, 1_000)),
  QUEUE_LONGEST_WAIT: optional('a duration from 1s to 1h', 1_200_000, durationFrom('1s', '1h')),
  MATCH_SCORER: optional('default or learned', 'default' as const, oneOf('default', 'learned')),
  MATCH_LANGUAGE_POINTS: optional('a number from 0 to 10000', 100, whole(0, 10_000)),
  MATCH_SPECIALTY_POINTS: optional('a number from 0 to 10000', 10, whole(0, 10_000)),
  MATCH_MOST_SPECIALTY_POINTS: optional('a number from 0 to 10000', 90, whole(0, 10_000)),
  MENTOR_CALLS_ACCESS: optional('all or list', 'all' as const, oneOf('all', 'list')),
  USER_CONFIRM: optional('key, amd or off', 'key' as const, oneOf('key', 'amd', 'off')),
  CALL_GREETING_NAME: anyText('a name to say in the greeting'),
  PROMPTS_FILE: optional('the path of a JSON file', null, text),
  SPOKEN_DISCLOSURES: optional(
    'one or more of monitoring, recording, retention, deletion, not-therapists, emergency, separated by commas',
    [] as readonly SpokenDisclosure[],
    listOneOf('monitoring', 'recording', 'retention', 'deletion', 'not-therapists', 'emergency'),
  ),
};

type Variables = z.output<z.ZodObject<typeof mentorCallVariables>>;

export function arrangeMentorCall(v: Variables) {
  return {
    times: {
      userRing: v.CALL_USER_RING,
      userConfirm: v.CALL_USER_CONFIRM,
      mentorRing: v.CALL_MENTOR_RING,
      mentorConfirm: v.CALL_MENTOR_CONFIRM,
      maxDuration: v.CALL_MAX_DURATION,
      ringBackWindow: v.CALL_RING_BACK_WINDOW,
      mentorSearch: v.CALL_MENTOR_SEARCH,
      overallWait: v.CALL_OVERALL_WAIT,
      providerPatience: v.CALL_PROVIDER_PATIENCE,
      legSilence: v.CALL_LEG_SILENCE,
    },
    /** What is taken for a line that was lost, and how often a call is put together again. */
    drops: {
      shortBridge: v.CALL_SHORT_BRIDGE,
      cutShort: v.CALL_CUT_SHORT,
      mostReconnections: v.CALL_MAX_RECONNECTIONS,
      // A conversation that was promised is never shorter than its own limit for want of this one.
      longest: Math.max(v.CALL_LONGEST, v.CALL_MAX_DURATION),
    },
    feedback: {
      byKey: v.CALL_FEEDBACK.includes('key'),
      bySms: v.CALL_FEEDBACK.includes('sms'),
      afterSeconds: Math.round(v.CALL_FEEDBACK_AFTER / 1_000),
    },
    maxMentors: v.CALL_MAX_MENTORS,
    userConfirm: v.USER_CONFIRM,
    /** `list`: only whom an admin has put on the list may ask for a call. */
    access: v.MENTOR_CALLS_ACCESS,
    greetingName: v.CALL_GREETING_NAME,
    waiting: v.QUEUE_LIMIT === 0 ? null : { limit: v.QUEUE_LIMIT, longestWait: v.QUEUE_LONGEST_WAIT },
    /** Null: our own words. */
    promptsFile: v.PROMPTS_FILE,
    /** Said after key 1, before the search; how long a conversation may last always is. */
    spokenDisclosures: v.SPOKEN_DISCLOSURES,
  } as const;
}

export function arrangeMatching(v: Variables) {
  return {
    scorer: v.MATCH_SCORER,
    /** Of the default scorer. */
    points: {
      language: v.MATCH_LANGUAGE_POINTS,
      specialty: v.MATCH_SPECIALTY_POINTS,
      mostForSpecialties: v.MATCH_MOST_SPECIALTY_POINTS,
    },
  } as const;
}
