import { randomUUID } from 'node:crypto';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { MOST_CORRECTIONS } from '../../domain/buddies';
import { CheckInRig, type TestCheckIn } from './check-in-rig';

let rig: CheckInRig;
beforeAll(async () => {
  rig = await CheckInRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const ALERT = { alertId: randomUUID(), days: 3 };
/** The steps on the row, without what is sent. */
const stepsOf = ({ world }: TestCheckIn) => world.done.filter((step) => !step.startsWith('text'));

describe('a check-in that goes well', () => {
  it('is sent, delivered, opened, answered, told of, and closed after its day', async () => {
    const checkIn = await rig.begin();
    expect(checkIn.opening).toEqual({ state: 'pending' });
    await checkIn.sent();
    await checkIn.news('delivered');
    await checkIn.untilDone('delivered');
    await checkIn.opened();
    expect(await checkIn.respond('called', { noteRecordId: randomUUID() })).toBe('taken');
    await checkIn.until(() => checkIn.world.told.length === 1);
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'called' });
    expect(checkIn.world.done).toEqual([
      'text first',
      'sent',
      'delivered',
      'opened',
      'answer called',
      'close answered',
    ]);
    expect(checkIn.world.told).toEqual(['called']);
    expect(checkIn.world.closed).toEqual([expect.objectContaining({ state: 'answered', counts: true })]);
    await checkIn.recordAs('answered');
  });

  it('takes at most 60 events', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.news('delivered');
    await checkIn.opened();
    await checkIn.respond('messaged');
    await checkIn.result();
    const { events } = await checkIn.handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(60);
  });

  it('counts the first press of the button only', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.opened();
    await checkIn.opened();
    await checkIn.respond('called');
    await checkIn.result();
    expect(checkIn.world.done.filter((step) => step === 'opened')).toHaveLength(1);
  });

  it('never goes back when a receipt comes late, and notes it all the same', async () => {
    const listener = await rig.listener();
    const checkIn = await rig.begin({ alert: ALERT, reportsTo: listener.workflowId });
    await checkIn.sent();
    await checkIn.opened();
    await checkIn.news('delivered');
    await checkIn.untilDone('delivered');
    await checkIn.respond('called');
    await checkIn.result();
    expect((await listener.heard()).map(({ state }) => state)).toEqual(['sent', 'opened', 'answered']);
    await checkIn.recordAs('late-receipt');
  });

  it('is not undeliverable where the link was opened, whatever a receipt says', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.opened();
    await checkIn.news('undelivered', 'not-delivered');
    await checkIn.respond('unavailable');
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'unavailable' });
  });
});

describe('a reminder', () => {
  it('comes after its time, once, where nobody has answered, though the link was opened', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.opened();
    await checkIn.pass(2 * HOUR + MINUTE);
    await checkIn.untilDone('reminded');
    expect(await checkIn.result()).toEqual({ state: 'unanswered', response: null });
    expect(checkIn.world.texts.map(({ which }) => which)).toEqual(['first', 'reminder']);
    await checkIn.recordAs('reminded-and-unanswered');
  });

  it('does not come to whom has answered', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.respond('messaged');
    await checkIn.result();
    expect(checkIn.world.texts).toHaveLength(1);
  });

  it('counts from when the text went out, and does not come where that never was', async () => {
    const checkIn = await rig.begin();
    await checkIn.untilDone('text first');
    await checkIn.pass(5 * HOUR);
    await checkIn.sent();
    await checkIn.pass(HOUR);
    expect(checkIn.world.texts).toHaveLength(1);
    await checkIn.pass(HOUR + MINUTE);
    await checkIn.untilDone('text reminder');
    await checkIn.result();
    const waiting = await rig.begin();
    await waiting.result();
    expect(waiting.world.texts).toHaveLength(1);
  });

  it('that still waits for the buddy’s day is withdrawn when they answer', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.pass(2 * HOUR + MINUTE);
    await checkIn.untilDone('reminded');
    await checkIn.respond('called');
    await checkIn.untilDone('cancel');
    expect(checkIn.world.cancelled).toEqual([checkIn.world.texts[1]?.messageId]);
    await checkIn.result();
  });

  it('is not sent where nobody wants one', async () => {
    const checkIn = await rig.begin({ reminderAfterMs: null });
    await checkIn.sent();
    await checkIn.result();
    expect(checkIn.world.texts).toHaveLength(1);
  });
});

describe('an answer', () => {
  it('may be corrected until it closes: the newest counts, and the user is told of both', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    expect(await checkIn.respond('cannot-reach')).toBe('taken');
    expect(await checkIn.respond('cannot-reach')).toBe('answered-before');
    await checkIn.pass(HOUR);
    expect(await checkIn.respond('called')).toBe('taken');
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'called' });
    expect(checkIn.world.told).toEqual(['cannot-reach', 'called']);
    expect(checkIn.world.answers.map(({ response }) => response)).toEqual(['cannot-reach', 'called']);
    await checkIn.recordAs('corrected');
  });

  it('may be corrected so often and no more', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    const note = () => ({ noteRecordId: randomUUID() });
    for (let nth = 0; nth <= MOST_CORRECTIONS; nth += 1) expect(await checkIn.respond('called', note())).toBe('taken');
    await expect(checkIn.respond('messaged', note())).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'called' });
    expect(checkIn.world.answers).toHaveLength(MOST_CORRECTIONS + 1);
  });

  it('that comes when its alert is over is refused, and is the end of it', async () => {
    const checkIn = await rig.begin({ alert: ALERT });
    await checkIn.sent();
    expect(await checkIn.respond('cannot-reach')).toBe('taken');
    checkIn.world.isAlertOver = true;
    await expect(checkIn.respond('called')).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'cannot-reach' });
    expect(checkIn.world.done.at(-1)).toBe('close answered');
    await checkIn.recordAs('after-its-alert');
  });

  it('that nobody waits for any more is refused', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    const validUntil = (await rig.env.currentTimeMs()) - 1;
    await expect(checkIn.respond('called', { validUntil })).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    expect(await checkIn.result()).toEqual({ state: 'unanswered', response: null });
  });

  it('by text counts like any other, and is not heard a second time after a correction', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.texted('called');
    await checkIn.untilDone('answer called');
    await checkIn.respond('unavailable');
    await checkIn.texted('called');
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'unavailable' });
    await checkIn.recordAs('answered-by-text');
  });
});

describe('an end without an answer', () => {
  it('comes after a day, and the user is told', async () => {
    const before = await rig.env.currentTimeMs();
    const checkIn = await rig.begin();
    await checkIn.sent();
    expect(await checkIn.result()).toEqual({ state: 'unanswered', response: null });
    expect((await rig.env.currentTimeMs()) - before).toBeGreaterThanOrEqual(24 * HOUR - MINUTE);
    expect(checkIn.world.told).toEqual(['unanswered']);
    expect(checkIn.world.closed[0]).toMatchObject({ counts: true });
  });

  it('comes also where the text never tells of itself; nothing was sent then, and what waits is withdrawn', async () => {
    const checkIn = await rig.begin();
    expect(await checkIn.result()).toEqual({ state: 'unanswered', response: null });
    expect(checkIn.world.closed[0]).toMatchObject({ counts: false });
    expect(checkIn.world.cancelled).toEqual([checkIn.world.texts[0]?.messageId]);
    await checkIn.recordAs('never-sent');
  });

  it.each([
    ['suppressed', 'opted-out', false],
    ['cancelled', 'cancelled', false],
    ['failed', 'provider-refused', false],
    // Nobody can know whether it was sent.
    ['lost', 'nobody-knows', true],
  ] as const)('is undeliverable when its text is %s before it was sent', async (state, reason, counts) => {
    const checkIn = await rig.begin();
    await checkIn.news(state, reason);
    expect(await checkIn.result()).toEqual({ state: 'undeliverable', response: null });
    expect(checkIn.world.closed[0]).toMatchObject({ counts });
    expect(checkIn.world.told).toEqual(['undeliverable']);
    if (state === 'suppressed') await checkIn.recordAs('suppressed');
  });

  it('is undeliverable and counts when the text went out and did not arrive', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.news('undelivered', 'not-delivered');
    expect(await checkIn.result()).toEqual({ state: 'undeliverable', response: null });
    expect(checkIn.world.closed[0]).toMatchObject({ counts: true });
    await checkIn.recordAs('undeliverable');
  });

  it('does not come from a receipt that never came', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.news('unconfirmed', 'no-receipt');
    await checkIn.respond('called');
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'called' });
  });

  it.each(['is not to be sent any more', 'cannot be begun'])('is undeliverable when the text %s', async (why) => {
    const checkIn = await rig.begin({}, (world) => {
      world.onText = async () => {
        if (why === 'cannot be begun') throw new Error('Temporal hiccups');
        return false;
      };
    });
    expect(await checkIn.result()).toEqual({ state: 'undeliverable', response: null });
    expect(checkIn.world.closed[0]).toMatchObject({ counts: false });
  });
});

describe('a buddy who goes', () => {
  it('ends it at once, and a text that waits for their day is withdrawn', async () => {
    const checkIn = await rig.begin();
    await checkIn.untilDone('text first');
    await checkIn.ended();
    expect(await checkIn.result()).toEqual({ state: 'ended', response: null });
    expect(checkIn.world.cancelled).toEqual([checkIn.world.texts[0]?.messageId]);
    expect(checkIn.world.closed[0]).toMatchObject({ counts: false });
    expect(checkIn.world.told).toEqual([]);
    await checkIn.recordAs('ended');
  });

  it('after the text was sent is not reminded', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.ended();
    expect(await checkIn.result()).toEqual({ state: 'ended', response: null });
    expect(stepsOf(checkIn)).toEqual(['sent', 'close ended']);
    expect(checkIn.world.closed[0]).toMatchObject({ counts: true });
  });

  it('leaves an answer that they have given', async () => {
    const checkIn = await rig.begin();
    await checkIn.sent();
    await checkIn.respond('called');
    await checkIn.ended();
    expect(await checkIn.result()).toEqual({ state: 'answered', response: 'called' });
  });
});

describe('a check-in that could not be begun', () => {
  it('texts nobody, and is over', async () => {
    const refused = { refused: 'too-soon', retryAfterMs: 5_000 } as const;
    const checkIn = await rig.begin({}, (world) => (world.opened = { opening: refused, isBegun: false }));
    expect(checkIn.opening).toEqual(refused);
    expect(await checkIn.result()).toEqual({ state: 'refused', response: null });
    expect(checkIn.world.done).toEqual([]);
    await checkIn.recordAs('refused');
  });

  it('tells an alert, which goes on with another buddy', async () => {
    const listener = await rig.listener();
    const refused = { refused: 'cannot-be-asked', retryAfterMs: null } as const;
    const asked = { alert: ALERT, reportsTo: listener.workflowId };
    const checkIn = await rig.begin(asked, (world) => (world.opened = { opening: refused, isBegun: false }));
    await checkIn.result();
    const { requestId, buddyId } = checkIn.input;
    expect(await listener.heard()).toEqual([{ requestId, buddyId, state: 'undeliverable', response: null }]);
  });

  it('because another run has begun it leaves that one alone', async () => {
    const checkIn = await rig.begin({}, (world) => (world.opened = { opening: { state: 'sent' }, isBegun: false }));
    expect(checkIn.opening).toEqual({ state: 'sent' });
    await checkIn.result();
    expect(checkIn.world.done).toEqual([]);
  });

  it('is asked for within 30 seconds by a user, and whenever it may be by an alert', async () => {
    const validUntil: unknown[] = [];
    for (const input of [{}, { alert: ALERT }]) {
      const checkIn = await rig.begin(input);
      await checkIn.sent();
      await checkIn.ended();
      await checkIn.result();
      validUntil.push(checkIn.world.openings[0]?.validUntil);
    }
    expect(validUntil).toEqual([expect.any(Number), null]);
  });
});

describe('a check-in of an alert', () => {
  it('tells the alert each change, also a correction, and the user nothing', async () => {
    const listener = await rig.listener();
    const checkIn = await rig.begin({ alert: ALERT, reportsTo: listener.workflowId });
    await checkIn.sent();
    await checkIn.news('delivered');
    await checkIn.untilDone('delivered');
    await checkIn.opened();
    await checkIn.respond('cannot-reach');
    await checkIn.respond('called');
    await checkIn.ended();
    await checkIn.result();
    const heard = await listener.heard();
    expect(heard.map(({ state, response }) => [state, response])).toEqual([
      ['sent', null],
      ['delivered', null],
      ['opened', null],
      ['answered', 'cannot-reach'],
      ['answered', 'called'],
    ]);
    expect(checkIn.world.told).toEqual([]);
    await checkIn.recordAs('of-an-alert');
  });
});

it('an operator who cancels it leaves no text that is still to go', async () => {
  const checkIn = await rig.begin();
  await checkIn.untilDone('text first');
  await checkIn.handle.cancel();
  const error: unknown = await checkIn.result().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error instanceof WorkflowFailedError && error.cause).toBeInstanceOf(CancelledFailure);
  expect(stepsOf(checkIn)).toEqual(['close ended', 'cancel']);
});
