import * as fc from 'fast-check';
import {
  afterReceipt,
  changesTheCourse,
  isEnd,
  isMessageStatus,
  outcomeOf,
  type ReceiptState,
} from '../../../domain/message-status';

interface Told {
  readonly status: string;
  readonly errorCode: string | null;
}

const ON_THE_WAY = ['accepted', 'scheduled', 'queued', 'sending', 'sent'];
/** Errors after which a try is repeated: a phone that was off, a queue that was full, an account that was closed. */
const MAY_PASS = ['30003', '30008', '30500', '30001', '30002'];
const FAILED = ['undelivered', 'failed', 'canceled', 'partially_delivered'];
const told = (status: string, errorCode: string | null = null): Told => ({ status, errorCode });
const after = (receipts: readonly Told[]): ReceiptState | null =>
  receipts.reduce<ReceiptState | null>((state, receipt) => afterReceipt(state, receipt), null);

/** What Twilio tells of one try, in order: some states on the way, then one end, and after a delivery perhaps `read`. */
const course = fc
  .tuple(
    fc.subarray(ON_THE_WAY),
    fc.oneof(
      fc.constant([told('delivered')]),
      fc.constant([told('delivered'), told('read')]),
      fc.tuple(fc.constantFrom(...FAILED), fc.constantFrom('30003', '30005', '21610')).map(([s, c]) => [told(s, c)]),
      fc.constant([]),
    ),
  )
  .map(([way, end]) => [...way.map((status) => told(status)), ...end])
  .filter((receipts) => receipts.length > 0);

describe('receipts of one try', () => {
  test('in any order, and however often each comes, end in the same state as in order and once', () => {
    fc.assert(
      fc.property(
        course.chain((ordered) =>
          fc.tuple(
            fc.constant(ordered),
            fc
              .array(fc.constantFrom(...ordered), { maxLength: 12 })
              .chain((repeats) =>
                fc.shuffledSubarray([...ordered, ...repeats], { minLength: ordered.length + repeats.length }),
              ),
          ),
        ),
        ([ordered, shuffled]) => {
          expect(after(shuffled)).toEqual(after(ordered));
        },
      ),
    );
  });

  test('say that it has arrived, in whatever order that and an error that may pass are told', () => {
    const way = fc.subarray(ON_THE_WAY).map((states) => states.map((status) => told(status)));
    const error = fc.tuple(fc.constantFrom(...FAILED), fc.constantFrom(...MAY_PASS)).map(([s, c]) => told(s, c));
    const arrival = fc.constantFrom([told('delivered')], [told('delivered'), told('read')], [told('read')]);
    const both = fc.tuple(way, error, arrival).map(([states, failed, arrived]) => [...states, failed, ...arrived]);
    const shuffled = both.chain((all) => fc.shuffledSubarray(all, { minLength: all.length }));
    fc.assert(
      fc.property(shuffled, (receipts) => {
        const status = receipts.some((each) => each.status === 'read') ? 'read' : 'delivered';
        expect(after(receipts)).toEqual({ status, errorCode: null });
      }),
    );
  });

  test('never go back from an end, and keep the first error, whatever comes later', () => {
    const anything = fc.record({
      status: fc.constantFrom(...ON_THE_WAY, ...FAILED, 'delivered', 'read', 'receiving', 'toString'),
      errorCode: fc.option(fc.constantFrom('30003', '30008')),
    });
    fc.assert(
      fc.property(fc.constantFrom(...FAILED), fc.array(anything), (end, later) => {
        expect(after([told('sent'), told(end, '30006'), ...later])).toEqual({ status: end, errorCode: '30006' });
      }),
    );
    fc.assert(
      fc.property(fc.array(anything), (later) => {
        expect(outcomeOf(after([told('delivered'), ...later])?.status ?? '')).toBe('delivered');
      }),
    );
  });

  test('an error of one part that is for good is not undone by the success of another', () => {
    expect(after([told('sent'), told('undelivered', '30006'), told('delivered')])).toEqual({
      status: 'undelivered',
      errorCode: '30006',
    });
  });
});

describe('the words of Twilio', () => {
  test.each([
    ['delivered', 'delivered'],
    ['read', 'delivered'],
    ['undelivered', 'undelivered'],
    ['partially_delivered', 'undelivered'],
    ['failed', 'failed'],
    ['canceled', 'failed'],
    ['sent', null],
    ['nonsense', null],
  ])('%s means %s', (status, outcome) => {
    expect(outcomeOf(status)).toBe(outcome);
    expect(changesTheCourse({ status })).toBe(outcome !== null);
  });

  test('others are not known, and change nothing', () => {
    for (const word of ['received', 'receiving', '', 'constructor']) {
      expect(isMessageStatus(word)).toBe(false);
      expect(isEnd(word)).toBe(false);
      expect(afterReceipt(null, told(word))).toBeNull();
    }
    expect(changesTheCourse({ status: null })).toBe(false);
  });
});
