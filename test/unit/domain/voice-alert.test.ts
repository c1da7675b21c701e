import { LONGEST_HOLD_UP, longestCourseMs } from '../../../domain/voice-alert';
import { voiceAlertInput } from '../../voice-alert-input';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

test('an alert that nobody answers lasts as long as all its calls, the waits between them, and what may hold it up once', () => {
  const times = { ring: 30 * SECOND, providerPatience: 60 * SECOND, longestCall: 300 * SECOND };
  const backoff = { firstMs: 10 * SECOND, factor: 2, longestMs: 15 * SECOND };
  const course = { attempts: 3, backoff, escalationDelayMs: 20 * SECOND, times };
  expect(longestCourseMs(course, 1)).toBe(LONGEST_HOLD_UP + (3 * 390 + 10 + 15 + 20) * SECOND);
  expect(longestCourseMs(course, 4)).toBe(LONGEST_HOLD_UP + 4 * (3 * 390 + 10 + 15 + 20) * SECOND);
  expect(longestCourseMs({ ...course, attempts: 1 }, 1)).toBe(LONGEST_HOLD_UP + (390 + 20) * SECOND);
});

test('the longest that may be asked for goes on for days', () => {
  const backoff = { firstMs: HOUR, factor: 2, longestMs: HOUR };
  const most = { ...voiceAlertInput(), attempts: 10, backoff, escalationDelayMs: HOUR };
  expect(longestCourseMs(most, 20)).toBeGreaterThan(8 * 24 * HOUR);
});
