import { escalationDocument } from '../../../domain/escalation-document';
import {
  BUILT_IN_POLICY,
  type EscalationPolicy,
  longestCourseMinutes,
  policyFaults,
} from '../../../domain/escalation-policy';

const step = (more: object) => ({ who: 'buddies', channel: 'sms', afterMinutes: 0, ...more });
const read = (...steps: object[]): EscalationPolicy => escalationDocument.parse({ steps, closesAfterMinutes: 60 });

it('the built-in policy is one that could be set', () => {
  expect(policyFaults(BUILT_IN_POLICY)).toEqual([]);
  expect(escalationDocument.parse(BUILT_IN_POLICY)).toEqual(BUILT_IN_POLICY);
});

it('ends at a human: nothing comes after the emergency step, and it is one', () => {
  const emergency = step({ who: 'emergency', channel: 'voice' });
  expect(policyFaults(read(step({}), emergency))).toEqual([]);
  expect(policyFaults(read(emergency, step({})))).toMatchObject([{ pointer: '/steps/0/who' }]);
  expect(policyFaults(read(emergency, emergency))).toMatchObject([{ pointer: '/steps/0/who' }]);
});

it('reaches each party only by what reaches it', () => {
  expect(policyFaults(read(step({ channel: 'voice' })))).toMatchObject([{ pointer: '/steps/0/channel' }]);
  expect(policyFaults(read(step({ who: 'on-call', channel: 'email' })))).toHaveLength(1);
  expect(policyFaults(read(step({ who: 'wellbeing-service', channel: 'email' })))).toEqual([]);
});

describe('from the beginning of a step to the end at the latest', () => {
  const DAY = 24 * 60;
  const later = step({ afterMinutes: 90 });

  it('is every wait after it, that after the last step, and a day to spare', () => {
    const policy = read(step({ afterMinutes: 5 }), later, later);
    const courses = [1, 2, 3].map((position) => longestCourseMinutes(policy, position));
    expect(courses).toEqual([180, 90, 0].map((waits) => waits + 60 + DAY));
  });

  it('is the last wait twice where a human may set something off in it', () => {
    const policy = read(step({}), step({ who: 'emergency', channel: 'voice', afterMinutes: 30 }));
    expect(longestCourseMinutes(policy, 1)).toBe(30 + 2 * 60 + DAY);
  });
});

it('asks more than one of buddies only', () => {
  expect(policyFaults(read(step({ who: 'registered-contact', count: 2 })))).toMatchObject([
    { pointer: '/steps/0/count' },
  ]);
});

it.each([
  ['no step', []],
  ['a party that is not known', [step({ who: 'neighbours' })]],
  ['a wait that is none', [step({ afterMinutes: -1 })]],
  ['an answer of nobody', [step({ answeredBy: [] })]],
  ['more steps than anybody follows', Array.from({ length: 13 }, () => step({}))],
])('with %s is refused', (_what, steps) => {
  expect(escalationDocument.safeParse({ steps, closesAfterMinutes: 60 }).success).toBe(false);
});
