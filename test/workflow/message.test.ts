import { ApplicationFailure } from '@temporalio/common';
import {
  dispatchAbandoned,
  dispatchLost,
  dispatchRefused,
  dispatchSuppressed,
  notYet,
} from '../../activities/failures';
import { KINDLINE_STATE } from '../../temporal/search-attributes';
import { MessageRig, type TestMessage } from './message-rig';

let rig: MessageRig;
beforeAll(async () => {
  rig = await MessageRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const later = async (ms: number): Promise<string> => new Date((await rig.env.currentTimeMs()) + ms).toISOString();
/** A try that the provider answers only when the test says so. */
function held(): { run: () => Promise<unknown>; fail(error: Error): void; answer(value: unknown): void } {
  const state: { fail: (e: Error) => void; answer: (v: unknown) => void } = { fail() {}, answer() {} };
  const promise = new Promise<unknown>((resolve, reject) => {
    state.answer = resolve;
    state.fail = reject;
  });
  promise.catch(() => undefined);
  return { run: () => promise, fail: (error) => state.fail(error), answer: (value) => state.answer(value) };
}
const refuse = (errorClass: string, code: string) => async () => {
  throw dispatchRefused({ class: errorClass, code });
};
const fails = (error: ApplicationFailure) => async () => {
  throw error;
};
const sentOnce = (message: TestMessage) => expect(message.world.sent).toHaveLength(1);

describe('a message that goes well', () => {
  it('is sent once and closed as delivered', async () => {
    const message = await rig.send();
    await message.accepted();
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done).toEqual(['send 1', 'sent', 'close delivered']);
    expect(message.world.sent[0]).toMatchObject({
      businessKey: `message:${message.input.messageId}:1`,
      recordId: message.input.recordId,
      sender: null,
    });
    expect(message.world.closed).toEqual([
      expect.objectContaining({ outcome: 'delivered', attempts: 1, segments: 2, sid: message.world.sid(1) }),
    ]);
    await message.recordAs('delivered');
  });

  it('takes at most 40 events and no upsert of search attributes', async () => {
    const message = await rig.send({ notAfter: await later(HOUR) });
    await message.accepted();
    await message.receipt('delivered');
    await message.result();
    const { events } = await message.handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(40);
    expect(events?.filter((e) => e.upsertWorkflowSearchAttributesEventAttributes)).toHaveLength(0);
  });

  it('takes a receipt that comes before the answer to its create', async () => {
    const create = held();
    const message = await rig.send({}, (world) => (world.tries = [create.run]));
    await message.until(() => message.world.sent.length === 1);
    await message.receipt('delivered', null, 'SM-early');
    create.answer({ sid: 'SM-early', segments: 1 });
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done).toEqual(['send 1', 'close delivered']);
    await message.recordAs('receipt-before-answer');
  });

  it('does not take the receipt of somebody else’s message for its own', async () => {
    const message = await rig.send({}, (world) => (world.receiptPatienceMs = HOUR));
    await message.accepted();
    await message.receipt('delivered', null, 'SM-another');
    expect(await message.result()).toEqual({ state: 'unconfirmed', reason: 'no-receipt' });
  });

  it('goes out by the mail queue when it is an e-mail', async () => {
    const message = await rig.send({ channel: 'email', country: 'ZZ' });
    await message.accepted();
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done[0]).toBe('mail');
    await message.recordAs('mail');
  });

  it('ends as unconfirmed when no receipt ever comes', async () => {
    const message = await rig.send();
    const before = await message.nowMs();
    expect(await message.result()).toEqual({ state: 'unconfirmed', reason: 'no-receipt' });
    expect((await message.nowMs()) - before).toBeGreaterThanOrEqual(12 * HOUR - MINUTE);
    await message.recordAs('no-receipt');
  });
});

describe('a message that reports', () => {
  const newsIn = async ({ handle }: TestMessage) => {
    const { events } = await handle.fetchHistory();
    const signals = (events ?? []).flatMap((event) => event.workflowExecutionSignaledEventAttributes ?? []);
    const told = signals.filter(({ signalName }) => signalName === 'messageNews');
    return await Promise.all(
      told.map(async ({ input }) =>
        rig.env.client.options.loadedDataConverter.payloadConverter.fromPayload(input?.payloads?.[0] ?? {}),
      ),
    );
  };

  it('tells whoever began it when the provider has it, and how it ended, each once', async () => {
    // Whatever runs hears it; this one waits and does not mind.
    const listener = await rig.send({}, (world) => (world.turns = [{ waitMs: HOUR, reason: 'quiet-hours' }]));
    const reportsTo = listener.handle.workflowId;
    const message = await rig.send({ reportsTo }, (world) => (world.tries = [refuse('retry', '20429')]));
    await message.accepted();
    await message.receipt('undelivered', '30003');
    await message.pass(5 * MINUTE);
    await message.accepted(2);
    await message.receipt('delivered');
    await message.result();
    const { messageId } = message.input;
    const at = expect.stringMatching(/Z$/);
    expect(await newsIn(listener)).toEqual([
      { messageId, state: 'sent', reason: null, at },
      { messageId, state: 'delivered', reason: null, at },
    ]);
    await listener.cancel();
    await message.recordAs('reports');
  });

  it('ends as it would have when whoever began it is gone', async () => {
    const message = await rig.send({ reportsTo: 'nobody:at-all' });
    await message.accepted();
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
  });
});

describe('waiting', () => {
  it('waits for its turn as often as it has to, and says why', async () => {
    const message = await rig.send({}, (world) => {
      world.turns = [
        { waitMs: 8 * HOUR, reason: 'quiet-hours' },
        { waitMs: MINUTE, reason: 'recipient-limit' },
      ];
    });
    await message.until(() => message.world.turns.length === 1);
    const before = await message.nowMs();
    await message.pass(9 * HOUR);
    await message.accepted();
    expect((await message.nowMs()) - before).toBeGreaterThan(8 * HOUR);
    const { typedSearchAttributes } = await message.handle.describe();
    expect(typedSearchAttributes.get(KINDLINE_STATE)).toBe('waiting');
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done).toEqual(['waiting', 'sending', 'send 1', 'sent', 'close delivered']);
    expect(message.world.notes[0]).toMatchObject({ state: 'waiting', reason: 'recipient-limit' });
    await message.recordAs('waited-for-the-day');
  });

  it('is expired at once when its turn comes too late', async () => {
    const message = await rig.send({ notAfter: await later(HOUR) }, (world) => {
      world.turns = [{ waitMs: 2 * HOUR, reason: 'quiet-hours' }];
    });
    expect(await message.result()).toEqual({ state: 'expired', reason: 'too-late' });
    expect(message.world.sent).toHaveLength(0);
    await message.recordAs('expired');
  });

  it('is withdrawn when it is too late while the line is stopped', async () => {
    const create = held();
    const message = await rig.send({ notAfter: await later(4_000) }, (world) => {
      world.tries = [create.run];
      world.onAbandon = () => create.fail(dispatchAbandoned());
    });
    await message.until(() => message.world.sent.length === 1);
    await message.until(() => message.world.done.includes('abandon'));
    expect(await message.result()).toEqual({ state: 'expired', reason: 'too-late' });
    expect(message.world.done).toEqual(['send 1', 'abandon', 'close expired']);
    await message.recordAs('withdrawn-too-late');
  });
});

describe('cancelling', () => {
  it('ends a message that waits', async () => {
    const message = await rig.send({}, (world) => (world.turns = [{ waitMs: HOUR, reason: 'not-before' }]));
    expect(await message.cancel()).toEqual({ state: 'cancelled', reason: 'cancelled' });
    expect(message.world.done).toEqual(['close cancelled']);
    await message.recordAs('cancelled');
  });

  it('withdraws a try that has not left', async () => {
    const create = held();
    const message = await rig.send({}, (world) => {
      world.tries = [create.run];
      world.onAbandon = () => create.fail(dispatchAbandoned());
    });
    await message.until(() => message.world.sent.length === 1);
    expect(await message.cancel()).toEqual({ state: 'cancelled', reason: 'cancelled' });
    expect(message.world.done).toEqual(['send 1', 'abandon', 'close cancelled']);
  });

  it('is over at once when nothing of the try can leave any more, however long that still waits', async () => {
    const message = await rig.send({}, (world) => {
      world.tries = [fails(notYet(HOUR))];
      world.isQuiet = true;
    });
    await message.until(() => message.world.sent.length === 1);
    expect(await message.cancel()).toEqual({ state: 'cancelled', reason: 'cancelled' });
    expect(message.world.done).toEqual(['send 1', 'abandon', 'close cancelled']);
  });

  it('goes its way when the text had left before it was withdrawn, and is not tried again', async () => {
    const create = held();
    const message = await rig.send({ fallback: 'voice' }, (world) => {
      world.tries = [create.run];
      world.onAbandon = () => create.fail(dispatchAbandoned('SM-left'));
    });
    await message.until(() => message.world.sent.length === 1);
    expect(await message.cancel()).toBe('too-late');
    await message.receipt('undelivered', '30003', 'SM-left');
    expect(await message.result()).toEqual({ state: 'undelivered', reason: 'not-delivered' });
    sentOnce(message);
    expect(message.world.done).not.toContain('call instead');
    await message.recordAs('cancelled-too-late');
  });

  it('ends a message that is to be tried again', async () => {
    const message = await rig.send({}, (world) => (world.tries = [refuse('temporary', '30003')]));
    await message.until(() => message.world.retries.length === 1);
    expect(await message.cancel()).toEqual({ state: 'cancelled', reason: 'cancelled' });
    sentOnce(message);
  });

  it('closes the row also when an operator cancels it', async () => {
    const message = await rig.send({}, (world) => (world.turns = [{ waitMs: HOUR, reason: 'not-before' }]));
    await message.until(() => message.world.turns.length === 0);
    await message.handle.cancel();
    await expect(message.result()).rejects.toThrow('Workflow execution cancelled');
    expect(message.world.closed).toEqual([
      expect.objectContaining({ outcome: 'cancelled', reason: 'stopped-by-operator' }),
    ]);
    await message.recordAs('stopped-by-operator');
  });
});

describe('trying again', () => {
  it('waits longer each time, asks for its turn again, and tells class and delay of each try', async () => {
    const message = await rig.send({}, (world) => {
      world.tries = [refuse('temporary', '30003'), refuse('temporary', '30008')];
    });
    await message.pass(10 * MINUTE);
    await message.accepted();
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done.filter((step) => step.startsWith('retry'))).toEqual([
      'retry 1 temporary 60000',
      'retry 2 temporary 120000',
    ]);
    const keys = message.world.sent.map(({ businessKey }) => businessKey.slice(-2));
    expect(keys).toEqual([':1', ':2', ':3']);
    expect(new Set(message.world.sent.map(({ dispatchId }) => dispatchId)).size).toBe(3);
    await message.recordAs('tried-again');
  });

  it('is bounded: the last error stays', async () => {
    const message = await rig.send({}, (world) => {
      world.tries = Array.from({ length: 9 }, () => refuse('temporary', '30003'));
    });
    expect(await message.result()).toEqual({ state: 'failed', reason: 'provider-refused' });
    expect(message.world.sent).toHaveLength(4);
    expect(message.world.closed[0]).toMatchObject({ attempts: 4, errorCode: '30003', errorClass: 'temporary' });
  });

  it('follows an error that only the receipt told', async () => {
    const message = await rig.send();
    await message.accepted();
    await message.receipt('undelivered', '30003');
    await message.until(() => message.world.retries.length === 1);
    await message.pass(2 * MINUTE);
    await message.accepted(2);
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.sent).toHaveLength(2);
    await message.recordAs('undelivered-then-sent-again');
  });

  it('sends no second text when the first arrives after all, while the next try waits', async () => {
    const message = await rig.send({ fallback: 'voice' });
    await message.accepted();
    await message.receipt('undelivered', '30003');
    await message.until(() => message.world.retries.length === 1);
    await message.receipt('delivered', null, message.world.sid(1));
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done).toEqual(['send 1', 'sent', 'retry 1 temporary 60000', 'close delivered']);
    const closed = { outcome: 'delivered', sid: message.world.sid(1), attempts: 1, errorCode: null, errorClass: null };
    expect(message.world.closed).toEqual([expect.objectContaining(closed)]);
    await message.recordAs('delivered-after-all');
  });

  it('withdraws the second text when the first arrives after all, before it has left', async () => {
    const second = held();
    const message = await rig.send({}, (world) => {
      world.tries = [async () => undefined, second.run];
      world.onAbandon = () => second.fail(dispatchAbandoned());
    });
    await message.accepted();
    await message.receipt('undelivered', '21612');
    await message.until(() => message.world.sent.length === 2);
    await message.receipt('delivered', null, message.world.sid(1));
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.done.slice(-2)).toEqual(['abandon', 'close delivered']);
    expect(message.world.closed).toEqual([expect.objectContaining({ sid: message.world.sid(1), attempts: 2 })]);
  });

  it('makes no call when an earlier text arrives after all, whatever became of the later one', async () => {
    const noted = held();
    const message = await rig.send({ fallback: 'voice' }, ({ activities }) => {
      const { noteMessage } = activities;
      activities.noteMessage = async (note) => {
        await noteMessage(note);
        if (note.attempts === 2) await noted.run();
      };
    });
    await message.accepted();
    await message.receipt('undelivered', '21612');
    await message.accepted(2);
    // Both are told while the second is written down, so that neither can meet the end of the run.
    await message.receipt('undelivered', '30006', message.world.sid(2));
    await message.receipt('delivered', null, message.world.sid(1));
    noted.answer(undefined);
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.sent).toHaveLength(2);
    expect(message.world.done).not.toContain('call instead');
  });

  it('goes on as it began in a run of before', async () => {
    const message = await rig.send({ heedsLateDelivery: false });
    await message.accepted();
    await message.receipt('undelivered', '30003');
    await message.until(() => message.world.retries.length === 1);
    await message.receipt('delivered', null, message.world.sid(1));
    await message.pass(2 * MINUTE);
    await message.accepted(2);
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.sent).toHaveLength(2);
  });

  it('goes out by another sender when a receipt says that this one cannot reach them, unless one must be used', async () => {
    const message = await rig.send();
    await message.accepted();
    await message.receipt('undelivered', '21612');
    await message.accepted(2);
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.sent.map(({ unreachedBy }) => unreachedBy)).toEqual([null, message.world.sid(1)]);
    const answer = await rig.send({ sender: '+14155550100', kind: 'automatic' });
    await answer.accepted();
    await answer.receipt('undelivered', '21612');
    expect(await answer.result()).toEqual({ state: 'undelivered', reason: 'not-delivered' });
    sentOnce(answer);
  });

  it('is not tried again after its time', async () => {
    const message = await rig.send({ notAfter: await later(30_000) }, (world) => {
      world.tries = [refuse('temporary', '30003')];
    });
    expect(await message.result()).toEqual({ state: 'failed', reason: 'provider-refused' });
    sentOnce(message);
  });

  it.each([
    ['bad-destination', '21211'],
    ['blocked', '30007'],
    ['not-allowed', '21408'],
    ['other-sender', '21612'],
    // Its dispatch has tried it once more already: later, or when the line was open again.
    ['delay', '21611'],
    ['stop-line', '20003'],
    ['permanent', '12345'],
    ['no-such-class', '1'],
  ])('is not tried again when it was refused as %s', async (errorClass, code) => {
    const message = await rig.send({}, (world) => (world.tries = [refuse(errorClass, code)]));
    expect(await message.result()).toEqual({ state: 'failed', reason: 'provider-refused' });
    sentOnce(message);
    if (errorClass === 'delay') await message.recordAs('refused-twice');
  });

  it.each([
    ['a full queue', '30001', 'delay', MINUTE],
    ['a suspended account', '30002', 'stop-line', MINUTE / 2],
  ])('is tried again when a receipt tells of %s', async (_what, code, errorClass, delayMs) => {
    const message = await rig.send();
    await message.accepted();
    await message.receipt('failed', code);
    await message.until(() => message.world.retries.length === 1);
    await message.pass(delayMs);
    await message.accepted(2);
    await message.receipt('delivered');
    expect(await message.result()).toEqual({ state: 'delivered', reason: null });
    expect(message.world.retries).toMatchObject([{ attempt: 1, errorClass, delayMs }]);
  });
});

describe('what is not sent, or nobody knows', () => {
  it.each(['opted-out', 'blocked', 'preference'] as const)('is suppressed: %s', async (reason) => {
    const message = await rig.send({ fallback: 'voice' }, (world) => {
      world.tries = [fails(dispatchSuppressed(reason))];
    });
    expect(await message.result()).toEqual({ state: 'suppressed', reason });
    expect(message.world.done).not.toContain('call instead');
  });

  it.each(['create', 'receipt'])('is suppressed when Twilio says 21610 at the %s', async (when) => {
    const message = await rig.send({}, (world) => {
      if (when === 'create') world.tries = [refuse('opted-out', '21610')];
    });
    if (when === 'receipt') {
      await message.accepted();
      await message.receipt('failed', '21610');
    }
    expect(await message.result()).toEqual({ state: 'suppressed', reason: 'blocked' });
    expect(message.world.closed[0]).toMatchObject({ errorCode: '21610', errorClass: 'opted-out' });
    if (when === 'receipt') await message.recordAs('opted-out');
  });

  it.each([true, false])(
    'is said by a call only where the organisation has decided so, whoever asked for one: %s',
    async (hasDecided) => {
      const message = await rig.send({ fallback: 'voice', messageClass: 'safety' }, (world) => {
        world.goesByVoiceWhenBlocked = hasDecided;
        world.tries = [fails(dispatchSuppressed('blocked'))];
      });
      expect(await message.result()).toEqual({ state: 'suppressed', reason: 'blocked' });
      // Named, so that the call leaves an entry of what it goes past.
      expect(message.world.overrides).toEqual(hasDecided ? ['blocked'] : []);
      expect(message.world.done.includes('call instead')).toBe(hasDecided);
      await message.recordAs(hasDecided ? 'called-past-block' : 'stop-held-for-call');
    },
  );

  it.each(['blocked', 'opted-out'] as const)('under the policy for emergencies: %s', async (reason) => {
    const message = await rig.send({ messageClass: 'safety' }, (world) => {
      world.goesByVoiceWhenBlocked = true;
      world.tries = [fails(dispatchSuppressed(reason))];
    });
    expect(await message.result()).toEqual({ state: 'suppressed', reason });
    // The policy goes past our own ledger in the claim; what Twilio blocks goes by voice.
    expect(message.world.done.includes('call instead')).toBe(reason === 'blocked');
  });

  it('is lost and not repeated when nobody can know', async () => {
    const message = await rig.send({}, (world) => (world.tries = [fails(dispatchLost())]));
    expect(await message.result()).toEqual({ state: 'lost', reason: 'nobody-knows' });
    sentOnce(message);
    await message.recordAs('lost');
  });

  it.each([
    ['SwitchedOff', 'switched-off'],
    ['RecordDestroyed', 'record-destroyed'],
    ['SomethingElse', 'not-sendable'],
  ])('fails for good on %s', async (type, reason) => {
    const failure = ApplicationFailure.create({ type, message: type, nonRetryable: true });
    const message = await rig.send({}, (world) => (world.tries = [fails(failure)]));
    expect(await message.result()).toEqual({ state: 'failed', reason });
  });
});

describe('the call instead', () => {
  it('is begun once all tries are over, and takes over the number', async () => {
    const message = await rig.send({ fallback: 'voice' });
    await message.accepted();
    await message.receipt('undelivered', '30006');
    expect(await message.result()).toEqual({ state: 'undelivered', reason: 'not-delivered' });
    expect(message.world.done).toEqual(['send 1', 'sent', 'call instead', 'close undelivered']);
    expect(message.world.closed[0]?.fallbackAlertId).toMatch(/^[0-9a-f-]{36}$/);
    expect(message.world.overrides).toEqual([null]);
    await message.recordAs('fell-back');
  });

  it('follows a message that was lost', async () => {
    const message = await rig.send({ fallback: 'voice' }, (world) => (world.tries = [fails(dispatchLost())]));
    await message.result();
    expect(message.world.done).toContain('call instead');
  });

  it('is no call to a number that does not exist', async () => {
    const message = await rig.send({ fallback: 'voice' }, (world) => {
      world.tries = [refuse('bad-destination', '21211')];
    });
    await message.result();
    expect(message.world.done).not.toContain('call instead');
  });

  it('is no call to an address, whatever was asked for and whatever the policy is', async () => {
    const message = await rig.send({ channel: 'email', fallback: 'voice', messageClass: 'safety' }, (world) => {
      world.goesByVoiceWhenBlocked = true;
      world.activities.sendMail = async () => {
        throw dispatchSuppressed('blocked');
      };
    });
    expect(await message.result()).toEqual({ state: 'suppressed', reason: 'blocked' });
    expect(message.world.done).not.toContain('call instead');
    await message.recordAs('mail-that-no-call-says');
  });

  it('that cannot be begun leaves the message as it ended', async () => {
    const message = await rig.send({ fallback: 'voice' }, (world) => {
      world.fallsBack = false;
      world.tries = [refuse('blocked', '30007')];
    });
    expect(await message.result()).toEqual({ state: 'failed', reason: 'provider-refused' });
    expect(message.world.closed[0]?.fallbackAlertId).toBeNull();
  });
});
