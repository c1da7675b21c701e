import { createDispatchActivities } from '../../../activities/dispatches';
import { couldBeOf } from '../../../activities/call-acts';
import { secondDispatchId } from '../../../activities/dispatch-run';
import { claim, ensureDispatch } from '../../../db/dispatches';
import { ProviderError, type ProviderOutcome } from '../../../providers/provider-error';
import type { TwilioErrorClass } from '../../../domain/twilio-errors';
import type { NewCall } from '../../../providers/twilio-voice';
import { dead, DispatchWorld, OUR_NUMBERS, until } from './dispatch-world';

describe('placing a call', () => {
  let world: DispatchWorld;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  afterEach(async () => {
    await world.sim.faults([]);
    await world.sim.settings({ listLagMs: 0 });
  });

  const refusing = (outcome: ProviderOutcome, errorClass: TwilioErrorClass, times: number) => {
    let left = times;
    return async (call: NewCall) => {
      left -= 1;
      if (left < 0) return world.deps.voice.createCall(call);
      const facts = { status: 400, code: 21_000, requestId: null, retryAfterMs: null };
      throw new ProviderError({ operation: 'create-call', outcome, class: errorClass, ...facts });
    };
  };

  it('asked for twice gives the same call, and the phone rings once', async () => {
    const { number, asked } = await world.somebody();
    const first = await world.place(asked);
    expect(await world.place(asked)).toEqual(first);
    expect(await world.rings(number)).toHaveLength(1);
  });

  it('asked for by two workers at once rings once', async () => {
    const { number, asked } = await world.somebody();
    const both = await Promise.all([world.place(asked), world.place(asked)]);
    expect(both[0]).toEqual(both[1]);
    expect(await world.rings(number)).toHaveLength(1);
  });

  it('gives Twilio ids only, with the overrides that make it ask again', async () => {
    const { number, asked } = await world.somebody();
    await world.place(asked);
    const [ring] = await world.rings(number);
    expect(ring?.urls.length).toBeGreaterThan(1);
    for (const url of ring?.urls ?? []) {
      expect(url).toMatch(/#rc=3&rp=5xx,ct,rt$/);
      // Seven digits: an id made by chance may hold three.
      expect(url).not.toContain(number.slice(-7));
    }
  });

  it('waits as Retry-After says when it is rate-limited, and needs no settling of the list then', async () => {
    const { number, asked } = await world.somebody();
    await world.sim.faults([{ on: 'create', kind: 'rate-limit', delayMs: 100 }]);
    const began = performance.now();
    await world.place(asked);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await world.rings(number)).toHaveLength(1);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'accepted' });
  });

  it('tries again at once when no byte has left', async () => {
    const { number, asked } = await world.somebody();
    await world.place(asked, world.voiceWith({ createCall: refusing('not-sent', 'retry', 2) }));
    expect(await world.rings(number)).toHaveLength(1);
  });

  it('ends for good with the class of a refusal', async () => {
    const { number, asked } = await world.somebody();
    const change = world.voiceWith({ createCall: refusing('refused', 'bad-destination', 1) });
    await expect(world.place(asked, change)).rejects.toMatchObject({
      type: 'DispatchRefused',
      nonRetryable: true,
      details: [{ class: 'bad-destination', code: '21000' }],
    });
    expect(await world.rings(number)).toEqual([]);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'refused', errorClass: 'bad-destination' });
    await expect(world.place(asked)).rejects.toMatchObject({ type: 'DispatchRefused' });
  });

  it('opens one more dispatch with another of our numbers when this one cannot reach them', async () => {
    const { number, asked } = await world.somebody();
    const { sid } = await world.place(asked, world.voiceWith({ createCall: refusing('refused', 'other-sender', 1) }));
    expect(await world.rings(number)).toMatchObject([{ sid, from: OUR_NUMBERS[1] }]);
    expect(await world.row(secondDispatchId(asked.dispatchId))).toMatchObject({
      businessKey: `${asked.businessKey}:2`,
      state: 'accepted',
    });
  });

  it('does not open a third dispatch', async () => {
    const { asked } = await world.somebody();
    const placing = world.place(asked, world.voiceWith({ createCall: refusing('refused', 'other-sender', 9) }));
    await expect(placing).rejects.toMatchObject({ type: 'DispatchRefused' });
  });

  it('rings nobody when the number was destroyed', async () => {
    const { number, asked } = await world.somebody();
    await world.vault.destroy(asked.recordId, 'call-over');
    await expect(world.place(asked)).rejects.toMatchObject({ type: 'RecordDestroyed', nonRetryable: true });
    expect(await world.rings(number)).toEqual([]);
  });

  it('waits while another call to the same person is in doubt, and never takes it for its own', async () => {
    const { number, asked } = await world.somebody();
    const other = {
      ...asked,
      dispatchId: secondDispatchId(asked.dispatchId),
      businessKey: `${asked.businessKey}:other`,
    };
    await ensureDispatch(world.db.app, { ...other, channel: 'voice', sender: other.from });
    await claim(world.db.app, other.dispatchId, 60_000);
    const waiting = world.attempt(asked);
    waiting.done.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await world.rings(number)).toEqual([]);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'ready', attempt: 0 });
    await world.db.owner.query(`UPDATE dispatches SET state = 'refused' WHERE dispatch_id = $1`, [other.dispatchId]);
    await waiting.done;
    expect(await world.rings(number)).toHaveLength(1);
  });

  it('leaves an entry of its acceptance and reveals the number for dialling', async () => {
    const { asked } = await world.somebody();
    await world.place(asked);
    const { rows } = await world.db.owner.query(
      'SELECT action, purpose FROM audit_entries WHERE object_id = ANY($1) ORDER BY at',
      [[asked.dispatchId, asked.recordId]],
    );
    expect(rows).toContainEqual({ action: 'record.revealed', purpose: 'dial' });
    expect(rows).toContainEqual({ action: 'dispatch.accepted', purpose: null });
  });

  describe('that was withdrawn', () => {
    const withdraw = (dispatchId: string) => createDispatchActivities(world.deps).abandonDispatch({ dispatchId });

    it('while it waited for its line leaves nothing that anybody has to wait for', async () => {
      const { asked } = await world.somebody();
      await ensureDispatch(world.db.app, { ...asked, channel: 'voice', sender: asked.from });
      expect(await withdraw(asked.dispatchId)).toEqual({ state: 'abandoned', sid: null, isQuiet: true });
    });

    it('after Twilio turned it away leaves nothing to wait for either, also where it sleeps until the morning', async () => {
      const { number, asked } = await world.somebody();
      await world.sim.faults([{ on: 'create', kind: 'rate-limit', times: 1, delayMs: 0, to: number }]);
      await expect(world.attempt(asked).done).rejects.toMatchObject({ type: 'ProviderUnavailable' });
      expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'ready', attempt: 1 });
      expect(await withdraw(asked.dispatchId)).toEqual({ state: 'abandoned', sid: null, isQuiet: true });
    });

    it('before it was asked for at all rings nobody when its turn comes', async () => {
      const { number, asked } = await world.somebody();
      expect(await withdraw(asked.dispatchId)).toEqual({ state: 'abandoned', sid: null, isQuiet: false });
      await expect(world.place(asked)).rejects.toMatchObject({ type: 'DispatchAbandoned', nonRetryable: true });
      expect(await world.rings(number)).toEqual([]);
    });

    it('while the provider is asked is ended as soon as the provider has answered', async () => {
      const { number, asked } = await world.somebody();
      const placing = world.attempt(
        asked,
        world.voiceWith({
          createCall: async (call) => {
            const created = await world.deps.voice.createCall(call);
            await withdraw(asked.dispatchId);
            return created;
          },
        }),
      );
      await expect(placing.done).rejects.toMatchObject({ type: 'DispatchAbandoned' });
      expect(await world.rings(number)).toMatchObject([{ status: 'canceled', spoke: false }]);
    });

    it('while its worker is dead is found by the list and ended', async () => {
      const { number, asked } = await world.somebody();
      world.hears.callbacks = false;
      let asks = 0;
      world
        .attempt(
          asked,
          world.voiceWith({
            createCall: async (call) => {
              await world.deps.voice.createCall(call);
              asks += 1;
              return dead();
            },
          }),
        )
        .done.catch(() => undefined);
      await until('the ring', async () => asks === 1);
      expect(await withdraw(asked.dispatchId)).toEqual({ state: 'abandoned', sid: null, isQuiet: false });
      await expect(world.place(asked)).rejects.toMatchObject({ type: 'DispatchAbandoned' });
      world.hears.callbacks = true;
      expect(await world.rings(number)).toMatchObject([{ status: 'canceled', spoke: false }]);
    });

    it('after it was accepted names the call, which goes on until it is ended', async () => {
      const { asked } = await world.somebody();
      const { sid } = await world.place(asked);
      expect(await withdraw(asked.dispatchId)).toEqual({ state: 'accepted', sid, isQuiet: false });
    });
  });
});

describe('a call in the list of the provider', () => {
  const createdAt = new Date('2026-11-21T12:00:00Z');
  const ours = {
    sid: 'CA1',
    parentSid: null,
    status: 'queued',
    direction: 'outbound-api',
    from: OUR_NUMBERS[0],
    to: '+14155550123',
    dateCreated: createdAt,
    durationSeconds: null,
    price: null,
  };

  it.each([
    ['can be ours', {}, true],
    ['can be ours when its date has whole seconds only', { dateCreated: new Date(createdAt.valueOf() - 999) }, true],
    ['is not ours when it is older than the dispatch', { dateCreated: new Date(createdAt.valueOf() - 10_000) }, false],
    ['is not ours when somebody called us', { direction: 'inbound' }, false],
    ['is not ours when it shows another number of ours', { from: OUR_NUMBERS[1] }, false],
    ['is not ours when it has no date', { dateCreated: null }, false],
  ])('%s', (_title, change, expected) => {
    expect(couldBeOf({ createdAt, sender: OUR_NUMBERS[0] }, { ...ours, ...change })).toBe(expected);
  });
});
