import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { alertRecipient } from '../voice-alert-input';
import { VoiceAlertRig } from './voice-alert-world';

let rig: VoiceAlertRig;
beforeAll(async () => {
  rig = await VoiceAlertRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const one = { recipients: [alertRecipient()] };
const refusing = (type: string) => () => Promise.reject(ApplicationFailure.nonRetryable('no', type));

describe('an alert that somebody acknowledges', () => {
  it('speaks after the first key, notes the key that counts, and tells it before the phone is put down', async () => {
    const alert = await rig.alert();
    await alert.ringing();
    expect(await alert.ask({ kind: 'may-speak' })).toMatchObject({ do: 'speak', acknowledge: true, n: 1 });
    expect(await alert.ask({ kind: 'answered', n: 1, digits: '1' })).toEqual({ do: 'thank' });
    await alert.until(() => alert.world.closed.length === 1);
    expect(alert.world.closed[0]).toMatchObject({ outcome: 'acknowledged', reached: { position: 1 } });
    expect(alert.world.legs).toEqual([]);
    await alert.legEnds();
    expect(await alert.result()).toEqual({ state: 'acknowledged', endReason: 'acknowledged-by-key', reached: 1 });
    expect(alert.world.legs).toMatchObject([{ outcome: 'acknowledged', position: 1 }]);
    expect(alert.world.placed).toHaveLength(1);
    expect(alert.world.numbersDestroyed).toBe(true);
    await alert.recordAs('acknowledged');
  });

  it('speaks again on key 2, once more unasked when nothing was pressed, and not for ever', async () => {
    const alert = await rig.alert();
    await alert.ringing();
    await alert.ask({ kind: 'may-speak' });
    expect(await alert.ask({ kind: 'answered', n: 1, digits: '' })).toMatchObject({ do: 'speak', n: 2 });
    expect(await alert.ask({ kind: 'answered', n: 2, digits: '2' })).toMatchObject({ do: 'speak', n: 3 });
    expect(await alert.ask({ kind: 'answered', n: 3, digits: '2' })).toMatchObject({ do: 'speak', n: 4 });
    expect(await alert.ask({ kind: 'answered', n: 4, digits: '2' })).toEqual({ do: 'goodbye' });
    expect(await alert.ask({ kind: 'answered', n: 3, digits: '' })).toEqual({ do: 'goodbye' });
    expect(await alert.ask({ kind: 'answered', n: 3, digits: '1' })).toEqual({ do: 'thank' });
    await alert.legEnds();
    expect((await alert.result()).state).toBe('acknowledged');
  });

  it('hangs up a phone that goes on for longer than a call may, and is over all the same', async () => {
    const alert = await rig.alert(one);
    await alert.ringing();
    await alert.ask({ kind: 'may-speak' });
    await alert.ask({ kind: 'answered', n: 1, digits: '1' });
    expect((await alert.result()).state).toBe('acknowledged');
    expect(alert.world.done).toContain('end 1');
  });

  it('is heard, when no acknowledgement was asked for, by whoever pressed the first key', async () => {
    const alert = await rig.alert({ ...one, acknowledge: false });
    await alert.ringing();
    expect(await alert.ask({ kind: 'may-speak' })).toMatchObject({ do: 'speak', acknowledge: false });
    expect(await alert.ask({ kind: 'answered', n: 1, digits: '2' })).toMatchObject({ do: 'speak', n: 2 });
    expect(await alert.ask({ kind: 'answered', n: 2, digits: '' })).toEqual({ do: 'goodbye' });
    await alert.legEnds();
    expect(await alert.result()).toEqual({ state: 'heard', endReason: 'heard-after-key', reached: 1 });
    await alert.recordAs('heard');
  });
});

describe('a phone that does not acknowledge', () => {
  it.each(['busy', 'no-answer', 'failed', 'canceled'])(
    'is rung again after %s with growing pauses, then the next one is, then it is exhausted',
    async (status) => {
      const alert = await rig.alert({ attempts: 3 }, (world) => {
        world.phones = Array.from({ length: 6 }, () => status);
      });
      expect(await alert.result()).toEqual({ state: 'exhausted', endReason: 'nobody-reached', reached: null });
      const rings = alert.world.placed.map(({ position, attempt }) => `${position}.${attempt}`);
      expect(rings).toEqual(['1.1', '1.2', '1.3', '2.1', '2.2', '2.3']);
      const seconds = alert.world.waits().map((ms) => Math.round(ms / 10_000) * 10);
      expect(seconds).toEqual([30, 60, 20, 30, 60]);
      expect(alert.world.texted).toEqual([]);
      if (status === 'busy') await alert.recordAs('exhausted');
    },
  );

  it('does not wait longer than the longest pause', async () => {
    const backoff = { firstMs: 30_000, factor: 10, longestMs: 60_000 };
    const alert = await rig.alert({ ...one, attempts: 4, backoff }, (world) => {
      world.phones = ['busy', 'busy', 'busy', 'busy'];
    });
    await alert.result();
    expect(alert.world.waits().map((ms) => Math.round(ms / 10_000) * 10)).toEqual([30, 60, 60]);
  });

  it('counts a voicemail as no acknowledgement: completed, but no key', async () => {
    const alert = await rig.alert({ attempts: 1 }, (world) => {
      world.phones = ['completed'];
    });
    await alert.until(() => alert.world.legs.length === 1);
    await alert.pass(21_000);
    await alert.ringing(2);
    await alert.ask({ kind: 'may-speak' });
    await alert.ask({ kind: 'answered', n: 1, digits: '1' });
    await alert.legEnds();
    expect(await alert.result()).toEqual({ state: 'acknowledged', endReason: 'acknowledged-by-key', reached: 2 });
    expect(alert.world.legs.map(({ outcome }) => outcome)).toEqual(['no-key', 'acknowledged']);
    await alert.recordAs('voicemail-then-acknowledged');
  });

  it('is rung again when somebody heard the message and hung up without the key', async () => {
    const alert = await rig.alert({ ...one, attempts: 2 });
    await alert.ringing();
    await alert.ask({ kind: 'may-speak' });
    await alert.legEnds();
    await alert.until(() => alert.world.legs.length === 1);
    await alert.pass(31_000);
    await alert.ringing(2);
    await alert.legEnds('no-answer');
    expect((await alert.result()).state).toBe('exhausted');
    expect(alert.world.legs.map(({ outcome }) => outcome)).toEqual(['not-acknowledged', 'no-answer']);
  });

  it.each([
    ['DispatchRefused', 'refused'],
    ['DispatchSuppressed', 'suppressed'],
    ['RecordDestroyed', 'erased'],
  ])('is not rung again after %s', async (type, outcome) => {
    const alert = await rig.alert({ ...one, attempts: 3 }, (world) => {
      world.override.placeAlertCall = refusing(type);
    });
    expect((await alert.result()).state).toBe('exhausted');
    expect(alert.world.legs.map((leg) => leg.outcome)).toEqual([outcome]);
  });

  it('gives up what Twilio does not take in time, and goes on to the next try', async () => {
    let calls = 0;
    const alert = await rig.alert({ ...one, attempts: 2 }, (world) => {
      world.override.placeAlertCall = async (asked) => {
        calls += 1;
        if (asked.attempt === 1) throw ApplicationFailure.create({ type: 'ProviderUnavailable', message: 'away' });
        return world.activities.placeAlertCall(asked);
      };
      world.override.abandonDispatch = async () => {
        world.override.placeAlertCall = async (asked) =>
          asked.attempt === 1 ? refusing('DispatchAbandoned')() : world.activities.placeAlertCall(asked);
        return { state: 'abandoned', sid: null, isQuiet: false };
      };
      world.phones = ['no-answer'];
    });
    expect((await alert.result()).state).toBe('exhausted');
    expect(calls).toBeGreaterThan(1);
    expect(alert.world.legs.map(({ outcome }) => outcome).toSorted()).toEqual(['no-answer', 'provider-unavailable']);
    await alert.recordAs('provider-down');
  });

  it('waits with its first try while nothing can ring at all: its line is closed, or others are before it', async () => {
    let isOpen = false;
    const alert = await rig.alert({ ...one, attempts: 1 }, (world) => {
      world.isHeldUp = true;
      world.override.placeAlertCall = async (asked) => {
        if (!isOpen) throw ApplicationFailure.create({ type: 'DispatchNotYet', message: 'not yet' });
        return world.activities.placeAlertCall(asked);
      };
    });
    await alert.pass(10 * 60_000);
    expect(alert.world.closed).toEqual([]);
    isOpen = true;
    await alert.pass(60_000);
    await alert.ringing();
    await alert.ask({ kind: 'may-speak' });
    expect(await alert.ask({ kind: 'answered', n: 1, digits: '1' })).toEqual({ do: 'thank' });
    await alert.legEnds();
    expect((await alert.result()).state).toBe('acknowledged');
    expect(alert.world.placed).toMatchObject([{ attempt: 1 }]);
    await alert.recordAs('waited-for-its-line');
  });

  it('is not given up while somebody listens, though it is still unknown whether Twilio took the call', async () => {
    let isKnown = false;
    const alert = await rig.alert({ ...one, attempts: 1 }, (world) => {
      world.override.placeAlertCall = async (asked) => {
        const sid = world.placed[0]?.sid ?? (await world.activities.placeAlertCall(asked)).sid;
        if (!isKnown) throw ApplicationFailure.create({ type: 'ProviderUnavailable', message: 'away' });
        return { sid };
      };
    });
    await alert.ringing();
    await alert.ask({ kind: 'may-speak' });
    await alert.pass(100_000);
    expect(await alert.ask({ kind: 'answered', n: 1, digits: '1' })).toEqual({ do: 'thank' });
    isKnown = true;
    await alert.legEnds();
    expect((await alert.result()).state).toBe('acknowledged');
  });

  it('looks at a call whose end was never told, and takes Twilio’s word', async () => {
    const alert = await rig.alert({ ...one, attempts: 1 }, (world) => {
      world.legStatus = 'busy';
    });
    expect((await alert.result()).state).toBe('exhausted');
    expect(alert.world.legs).toMatchObject([{ outcome: 'busy' }]);
  });

  it.each([
    ['ringing', 'no-answer'],
    ['queued', 'provider-unavailable'],
    ['in-progress', 'no-key'],
  ])('is hung up when it stays %s for too long', async (status, outcome) => {
    const alert = await rig.alert({ ...one, attempts: 1 }, (world) => {
      world.legStatus = status;
    });
    expect((await alert.result()).state).toBe('exhausted');
    expect(alert.world.legs).toMatchObject([{ outcome }]);
    expect(alert.world.done).toContain('end 1');
    if (status === 'in-progress') await alert.recordAs('longest-call');
  });
});

describe('when everybody was tried', () => {
  it('texts them, when that was asked for, before it is over', async () => {
    const alert = await rig.alert({ attempts: 1, smsWhenExhausted: true }, (world) => {
      world.phones = ['busy', 'no-answer'];
    });
    expect(await alert.result()).toEqual({ state: 'exhausted', endReason: 'nobody-reached-texted', reached: null });
    expect(new Set(alert.world.texted).size).toBe(2);
    expect(alert.world.done.indexOf('text')).toBeLessThan(alert.world.done.indexOf('close exhausted'));
    await alert.recordAs('exhausted-and-texted');
  });

  it('counts a key pressed while the phone is being given up, and texts nobody', async () => {
    const alert = await rig.alert({ ...one, attempts: 1, smsWhenExhausted: true }, (world) => {
      world.legStatus = 'ringing';
    });
    alert.world.override.endCall = async () => {
      await alert.ask({ kind: 'may-speak' });
      await alert.ask({ kind: 'answered', n: 1, digits: '1' });
      return { status: 'completed' };
    };
    expect((await alert.result()).state).toBe('acknowledged');
    expect(alert.world.texted).toEqual([]);
    expect(alert.world.legs.every(({ outcome }) => outcome === 'acknowledged')).toBe(true);
  });
});

describe('cancelling', () => {
  it('ends a phone that rings, and answers when it is quiet', async () => {
    const alert = await rig.alert();
    await alert.ringing();
    expect(await alert.cancel()).toEqual({ state: 'cancelled', endReason: 'cancelled-by-request', reached: null });
    expect(alert.world.done).toContain('end 1');
    expect(alert.world.done.indexOf('end 1')).toBeLessThan(alert.world.done.indexOf('close cancelled'));
    expect((await alert.result()).state).toBe('cancelled');
    expect(alert.world.placed).toHaveLength(1);
    await alert.recordAs('cancelled');
  });

  it.each(['before the next try', 'before the next recipient'])('ends a wait %s', async (wait) => {
    const attempts = wait === 'before the next try' ? 2 : 1;
    const alert = await rig.alert({ attempts }, (world) => {
      world.phones = ['busy'];
    });
    await alert.until(() => alert.world.legs.length === 1);
    expect((await alert.cancel()).state).toBe('cancelled');
    expect(alert.world.placed).toHaveLength(1);
  });

  it('ends a call that is placed only after the cancel', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const alert = await rig.alert({}, (world) => {
      world.override.placeAlertCall = async (asked) => {
        world.done.push('asked');
        await gate;
        return world.activities.placeAlertCall(asked);
      };
    });
    await alert.until(() => alert.world.done.includes('asked'));
    const cancelled = alert.cancel();
    await alert.until(() => alert.world.done.includes('abandon'));
    release();
    expect((await cancelled).state).toBe('cancelled');
    expect(alert.world.done).toContain('end 1');
  });

  it('from the Web UI leaves no ringing phone either', async () => {
    const alert = await rig.alert();
    await alert.ringing();
    await alert.handle.cancel();
    await expect(alert.result()).rejects.toThrow();
    expect(alert.world.done).toContain('end 1');
    expect(alert.world.closed).toMatchObject([{ outcome: 'cancelled', endReason: 'stopped-by-operator' }]);
    expect(alert.world.numbersDestroyed).toBe(true);
    await alert.recordAs('stopped-by-operator');
  });

  it('does not undo an acknowledgement', async () => {
    const alert = await rig.alert();
    await alert.ringing();
    await alert.ask({ kind: 'may-speak' });
    await alert.ask({ kind: 'answered', n: 1, digits: '1' });
    expect((await alert.cancel()).state).toBe('acknowledged');
    await alert.legEnds();
    await alert.result();
  });
});

describe('questions', () => {
  it('of a second call of the same dispatch, of a leg that is over, or come too late get nothing said', async () => {
    const alert = await rig.alert({ attempts: 2 });
    await alert.ringing();
    await expect(alert.ask({ kind: 'may-speak' }, { late: true })).rejects.toThrow();
    expect(await alert.ask({ kind: 'may-speak' })).toMatchObject({ do: 'speak' });
    expect(await alert.ask({ kind: 'may-speak' }, { callSid: 'CA-another' })).toEqual({ do: 'hang-up' });
    await alert.legEnds('busy');
    await alert.until(() => alert.world.legs.length === 1);
    expect(await alert.ask({ kind: 'answered', n: 1, digits: '1' }, { nth: 1 })).toEqual({ do: 'hang-up' });
    await alert.cancel();
    await alert.result();
  });

  it('asked twice get the same answer', async () => {
    const alert = await rig.alert(one);
    await alert.ringing();
    const plans = [await alert.ask({ kind: 'may-speak' }), await alert.ask({ kind: 'may-speak' })];
    expect(plans[0]).toEqual(plans[1]);
    const thanks = [1, 2].map(() => alert.ask({ kind: 'answered', n: 1, digits: '1' }));
    expect(await Promise.all(thanks)).toEqual([{ do: 'thank' }, { do: 'thank' }]);
    await alert.legEnds();
    expect((await alert.result()).reached).toBe(1);
  });
});

describe('an alert that says a message which did not arrive', () => {
  const HOUR = 3_600_000;
  const fallback = { ...one, messageId: randomUUID(), acknowledge: false, zone: null, notAfter: null };

  it('waits for the day before each try, and its patience with the provider begins only then', async () => {
    const alert = await rig.alert({ ...fallback, attempts: 2 }, (world) => {
      world.nights = [2 * HOUR, 0, 9 * HOUR];
      world.phones = ['no-answer', 'no-answer'];
    });
    const begun = await rig.env.currentTimeMs();
    expect(await alert.result()).toMatchObject({ state: 'exhausted' });
    expect(alert.world.legs.map(({ outcome }) => outcome)).toEqual(['no-answer', 'no-answer']);
    const rings = alert.world.placed.map(({ at }) => Math.round((at - begun) / HOUR));
    expect(rings).toEqual([2, 11]);
    expect(alert.world.placed[0]?.night).toMatchObject({
      country: 'US',
      zone: null,
      kind: 'alert',
      subjectId: expect.any(String),
    });
    await alert.recordAs('waited-for-the-day');
  });

  it('is not rung when the day comes after the message’s time', async () => {
    const notAfter = new Date((await rig.env.currentTimeMs()) + HOUR).toISOString();
    const alert = await rig.alert({ ...fallback, notAfter }, (world) => (world.nights = [2 * HOUR]));
    expect(await alert.result()).toMatchObject({ state: 'exhausted', endReason: 'nobody-reached' });
    expect(alert.world.placed).toEqual([]);
    expect(alert.world.numbersDestroyed).toBe(true);
  });

  it('ends at once when it is cancelled in the night', async () => {
    const alert = await rig.alert(fallback, (world) => (world.nights = [8 * HOUR]));
    await alert.until(() => alert.world.done.includes('night'));
    expect(await alert.cancel()).toMatchObject({ state: 'cancelled' });
    expect(alert.world.placed).toEqual([]);
  });

  it('differs in that from one that somebody asked for', async () => {
    const alert = await rig.alert(one, (world) => (world.nights = [8 * HOUR]));
    await alert.ringing();
    expect(alert.world.done).not.toContain('night');
    expect(alert.world.placed[0]).not.toHaveProperty('night');
    await alert.cancel();
  });
});

it('tells whoever began it how it ended, and ends all the same when there is nobody to tell', async () => {
  const alert = await rig.alert({ ...one, attempts: 1, reportsTo: 'wellbeing-alert:nobody' }, (world) => {
    world.phones = ['busy'];
  });
  expect((await alert.result()).state).toBe('exhausted');
  const { events } = await alert.handle.fetchHistory();
  const signals = (events ?? []).flatMap(
    ({ signalExternalWorkflowExecutionInitiatedEventAttributes: one }) => one ?? [],
  );
  expect(signals).toMatchObject([
    { signalName: 'voiceAlertNews', workflowExecution: { workflowId: 'wellbeing-alert:nobody' } },
  ]);
});
