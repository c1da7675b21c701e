import { END_REASONS, LIVE_STATUSES, OUTCOMES } from '../../../domain/mentor-call';
import { type CallLine, renderCalls } from '../../../web/staff';

const OVER: CallLine = {
  requestedAt: new Date('2026-11-21T15:04:05Z'),
  status: 'no-answer',
  endReason: null,
  country: 'US',
  language: 'en',
  live: false,
  seconds: null,
  workflow: null,
};
/** The row of one call, as staff see it. */
function rowOf(more: Partial<CallLine>): string {
  const { html } = renderCalls({
    calls: [{ ...OVER, ...more }],
    next: null,
    zone: 'UTC',
    formToken: 'token',
    privacyPolicyUrl: null,
  });
  return /<span class="main"><time.*?<\/li>/s.exec(html)?.[0] ?? '';
}
const told = (more: Partial<CallLine>): string => rowOf(more).replace(/<time.*?<\/time>/s, '');

describe('a call as staff see it', () => {
  it('has words of its own for every status, and never the name of a state', () => {
    const statuses = [...LIVE_STATUSES, ...OUTCOMES];
    const words = statuses.map((status) => told({ status }));
    expect(words.join()).not.toMatch(/undefined|null/);
    expect(new Set(words).size).toBe(statuses.length);
    for (const status of statuses.filter((name) => name.includes('-'))) expect(words.join()).not.toContain(status);
  });

  it('has words of its own for every reason a call can end for', () => {
    const words = END_REASONS.map((endReason) => told({ endReason }));
    expect(words.join()).not.toMatch(/undefined|null/);
    expect(new Set(words).size).toBe(END_REASONS.length);
    for (const reason of END_REASONS.filter((name) => name.includes('-'))) expect(words.join()).not.toContain(reason);
  });

  it('who waits in the queue waits until a mentor is free', () => {
    expect(told({ status: 'waiting', live: true })).toContain('waiting until a mentor is free');
  });

  it('who waited in vain is not told as somebody who did not answer', () => {
    expect(told({ endReason: 'waited-in-vain' })).toContain('waited in vain');
    expect(told({ endReason: 'waited-in-vain' })).not.toContain('nobody answered');
    expect(told({ endReason: 'user-not-reached' })).toContain('nobody answered');
  });
});
