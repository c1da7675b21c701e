import * as fc from 'fast-check';
import { isCallStatus, isTerminal } from '../../../domain/call-status';
import { classifyHttp, classOfCode } from '../../../domain/twilio-errors';

const terminal = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];
const all = ['queued', 'initiated', 'ringing', 'in-progress', ...terminal];

describe('the state of a leg', () => {
  it('knows Twilio words and no others', () => {
    expect(all.every(isCallStatus)).toBe(true);
    for (const word of ['answered', 'toString', '', 'Completed']) expect(isCallStatus(word)).toBe(false);
    expect(isTerminal('nonsense')).toBe(false);
    expect(all.filter(isTerminal)).toEqual(terminal);
  });
});

describe('what an answer of Twilio to a create means', () => {
  it.each([
    [429, null, 'retry'],
    [429, 20429, 'retry'],
    [null, null, 'unknown'],
    [408, null, 'unknown'],
    [500, 20500, 'unknown'],
    [503, null, 'unknown'],
    [502, 21211, 'unknown'],
    [201, null, 'unknown'],
    [403, null, 'unknown'],
    [400, 21211, 'bad-destination'],
    [400, 21614, 'not-for-texts'],
    [400, 21215, 'not-allowed'],
    [400, 21610, 'opted-out'],
    [400, 21606, 'other-sender'],
    [400, 21210, 'other-sender'],
    [400, 21611, 'delay'],
    [401, 20003, 'stop-line'],
    [400, 12345, 'permanent'],
  ] as const)('status %s with code %s: %s', (status, code, expected) => {
    expect(classifyHttp(status, code)).toBe(expected);
  });

  it('never calls a broken or lost answer a refusal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 599 }), fc.option(fc.integer({ min: 1e4, max: 9e4 })), (status, code) => {
        expect(classifyHttp(status, code)).toBe('unknown');
      }),
    );
  });

  it('has classes for codes that come in callbacks, and none for codes it does not know', () => {
    expect(classOfCode(30003)).toBe('temporary');
    expect(classOfCode(30006)).toBe('not-for-texts');
    expect(classOfCode(11200)).toBe('page-ourselves');
    expect(classOfCode(99999)).toBeNull();
  });
});
