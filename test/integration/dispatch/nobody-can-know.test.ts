import { randomUUID } from 'node:crypto';
import { choiceWhenNobodyKnows } from '../../../activities/dispatch-choice';
import { createMentorActivities } from '../../../activities/mentors';
import { abandon, claim, ensureDispatch, findDispatch, settleUnknown } from '../../../db/dispatches';
import type { PlaceCall } from '../../../activities/place-call';
import { dead, DispatchWorld, poolWith, TIMES, until } from './dispatch-world';

/** One test for each row of the table in docs/dispatch.md, in its order. */
describe('when a process dies or an answer is lost', () => {
  let world: DispatchWorld;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  afterEach(async () => {
    world.hears.callbacks = true;
    await world.sim.faults([]);
    await world.sim.settings({ listLagMs: 0 });
  });

  /** What the phone and the row show in the end. */
  const shown = async (number: string, asked: PlaceCall) => {
    const { state, sid, doubledCount } = await world.row(asked.dispatchId);
    return { rang: (await world.rings(number)).map((ring) => ring.sid), state, sid, doubledCount };
  };
  const once = (sid: string) => ({ rang: [sid], state: 'accepted', sid, doubledCount: 0 });

  it('before the claim is committed, the phone is rung by the next attempt', async () => {
    const { number, asked } = await world.somebody();
    const query = async (statement: string | { text: string }, values?: unknown[]) => {
      const text = typeof statement === 'string' ? statement : statement.text;
      if (text.includes("SET state = 'attempting'")) throw new Error('connection terminated');
      return world.deps.pool.query(text, values);
    };
    const failing = poolWith(world.deps.pool, { query: query as never });
    await expect(world.attempt(asked, { pool: failing }).done).rejects.toThrow('connection terminated');
    expect(await world.rings(number)).toEqual([]);
    const { sid } = await world.place(asked);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('after the claim and before the first byte, the phone is rung when lease and list have settled', async () => {
    const { number, asked } = await world.somebody();
    const asks: string[] = [];
    const began = performance.now();
    world.attempt(asked, world.voiceWith({ createCall: (call) => (asks.push(call.from), dead()) })).done.catch(() => 0);
    await until('the dying attempt', async () => asks.length === 1);
    const { sid } = await world.place(asked);
    expect(performance.now() - began).toBeGreaterThanOrEqual(TIMES.leaseMs);
    expect(await shown(number, asked)).toEqual(once(sid));
    expect((await world.row(asked.dispatchId)).attempt).toBe(2);
    const { rows } = await world.db.owner.query('SELECT purpose FROM audit_entries WHERE object_id = $1 ORDER BY at', [
      asked.recordId,
    ]);
    expect([...new Set(rows.map(({ purpose }) => purpose))]).toEqual(['dial', 'reconcile']);
    expect(rows.at(-1)).toEqual({ purpose: 'dial' });
  });

  it.each([
    ['a callback names it', async () => world.sim.settings({ listLagMs: 60_000 })],
    ['the settled list names it, callbacks being lost', async () => (world.hears.callbacks = false)],
  ])('a call whose answer was lost is adopted when %s', async (_title, arrange) => {
    const { number, asked } = await world.somebody();
    await arrange();
    await world.sim.faults([{ on: 'create', kind: 'drop-response' }]);
    const { sid } = await world.place(asked);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a call whose answer was lost is adopted when its TwiML request names it', async () => {
    const { number, asked } = await world.somebody();
    world.hears.callbacks = false;
    await world.sim.settings({ listLagMs: 60_000 });
    await world.sim.script(number, { answerAfterMs: 10 });
    await world.sim.faults([{ on: 'create', kind: 'drop-response' }]);
    const { sid } = await world.place(asked);
    expect(await shown(number, asked)).toEqual(once(sid));
    expect((await world.row(asked.dispatchId)).attempt).toBe(1);
  });

  it('a call whose SID could not be stored is adopted from the heartbeat', async () => {
    const { number, asked } = await world.somebody();
    world.hears.callbacks = false;
    await world.sim.settings({ listLagMs: 60_000 });
    const connect = () => Promise.reject(new Error('postgres is down'));
    const lost = world.attempt(asked, { pool: poolWith(world.deps.pool, { connect: connect as never }) });
    await expect(lost.done).rejects.toThrow('postgres is down');
    expect(lost.told.last).toMatchObject({ dispatchId: asked.dispatchId });
    const { sid } = await world.place(asked, {}, lost.told.last);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a call that was accepted behind a 500 is adopted', async () => {
    const { number, asked } = await world.somebody();
    await world.sim.faults([{ on: 'create', kind: 'error-500-after' }]);
    const { sid } = await world.place(asked);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a call that a 500 kept from being made is made when the list has settled', async () => {
    const { number, asked } = await world.somebody();
    await world.sim.faults([{ on: 'create', kind: 'error-500-before' }]);
    const { sid } = await world.place(asked);
    expect(await shown(number, asked)).toEqual(once(sid));
    expect((await world.row(asked.dispatchId)).attempt).toBe(2);
  });

  it('with a list that lags longer than we wait, two phones may ring and one leg speaks; the other is counted', async () => {
    const { number, asked } = await world.somebody();
    world.hears.callbacks = false;
    await world.sim.settings({ listLagMs: 60_000 });
    await world.sim.faults([{ on: 'create', kind: 'drop-response' }]);
    const { sid } = await world.place(asked);
    const rings = await until('two rings', async () => {
      const seen = await world.rings(number);
      return seen.length === 2 && seen.every((ring) => ring.ringingAt !== null) ? seen : null;
    });
    const double = rings.find((ring) => ring.sid !== sid);
    await world.sim.answer(number, double?.sid);
    await until('the double hung up', async () =>
      (await world.rings(number)).some((ring) => ring.sid === double?.sid && ring.endedAt !== null),
    );
    await world.sim.answer(number, sid);
    await until('words', async () => (await world.rings(number)).some((ring) => ring.sid === sid && ring.spoke));
    const spoke = (await world.rings(number)).filter((ring) => ring.spoke).map((ring) => ring.sid);
    expect(spoke).toEqual([sid]);
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'accepted', sid, doubledCount: 1 });
  });

  it('a process frozen past its lease gives up its claim instead of sending', async () => {
    const { number, asked } = await world.somebody();
    let frozenFor = 0;
    const reveal: typeof world.vault.reveal = async (input) => {
      const value = await world.vault.reveal(input);
      frozenFor = TIMES.leaseMs;
      return value;
    };
    const frozen = world.attempt(asked, {
      vault: { ...world.vault, reveal },
      monotonicMs: () => performance.now() + frozenFor,
    });
    await expect(frozen.done).rejects.toMatchObject({ type: 'DispatchNotYet' });
    expect(await world.rings(number)).toEqual([]);
    const { sid } = await world.place(asked);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a process frozen inside its POST, bytes sent, settles the same call as the one that took over', async () => {
    const { number, asked } = await world.somebody();
    let thaw: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    const first = world.attempt(
      asked,
      world.voiceWith({
        createCall: async (call) => {
          const created = await world.deps.voice.createCall(call);
          await frozen;
          return created;
        },
      }),
    );
    await until('the ring', async () => (await world.rings(number)).length === 1);
    const { sid } = await world.place(asked);
    thaw();
    expect(await first.done).toEqual({ sid });
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a process frozen inside its POST, nothing sent, ends the second call it makes when it wakes', async () => {
    const { number, asked } = await world.somebody();
    let thaw: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => (thaw = resolve));
    let asks = 0;
    const createCall: typeof world.deps.voice.createCall = async (call) => {
      asks += 1;
      await frozen;
      return await world.deps.voice.createCall(call);
    };
    const first = world.attempt(asked, world.voiceWith({ createCall }));
    await until('the frozen attempt', async () => asks === 1);
    const { sid } = await world.place(asked);
    thaw();
    expect(await first.done).toEqual({ sid });
    const rings = await world.rings(number);
    expect(rings).toHaveLength(2);
    expect(rings.find((ring) => ring.sid !== sid)).toMatchObject({ spoke: false, status: 'canceled' });
    expect(await world.row(asked.dispatchId)).toMatchObject({ sid, doubledCount: 1 });
    expect(world.logLines.filter((line) => line.includes('dispatch-doubled'))).toHaveLength(1);
    expect(world.counted.get('kindline_dispatches_doubled')).toBe(1);
    expect(world.logLines.join('')).not.toContain(number.slice(-7));
  });

  it('a Dial whose answer was lost is answered with the same mentor, and a leg that stays silent is known as silent', async () => {
    const { reserveMentor, releaseMentor, legSeen } = createMentorActivities(world.deps);
    const { callId, mentorIds } = await world.callWithMentors(2);
    const step = { callId, step: 1 };
    const asked = { ...step, exclude: [], preferences: {}, country: 'US', leaseMs: 60_000 };
    const served = await reserveMentor(asked);
    expect(mentorIds).toContain(served.mentor?.mentorId);
    expect(await reserveMentor({ ...asked, exclude: [served.mentor!.mentorId] })).toEqual(served);
    expect(await legSeen(step)).toBe(false);
    await releaseMentor({ ...step, result: 'silent' });
    await releaseMentor({ ...step, result: 'completed' });
    const { rows } = await world.db.owner.query('SELECT result FROM mentor_offers WHERE call_id = $1', [callId]);
    expect(rows).toEqual([{ result: 'silent' }]);
    const held = await world.db.owner.query('SELECT 1 FROM mentor_slots WHERE call_id = $1', [callId]);
    expect(held.rowCount).toBe(0);
  });

  it('an e-mail of unknown outcome is claimed again as the same dispatch, and so has the same Message-ID', async () => {
    const { asked } = await world.somebody();
    const email = { ...asked, channel: 'email', sender: 'noreply' } as const;
    await ensureDispatch(world.db.app, email);
    const first = await claim(world.db.app, asked.dispatchId, 50);
    expect(first).toMatchObject({ claimed: { attempt: 1 } });
    await settleUnknown(world.db.app, asked.dispatchId, 1);
    expect(choiceWhenNobodyKnows('email', 'ordinary')).toBe('send-again');
    const again = await until('the end of the lease', async () => {
      const answer = await claim(world.db.app, asked.dispatchId, 50);
      return 'claimed' in answer ? answer.claimed : null;
    });
    expect(again.dispatch.dispatchId).toBe(asked.dispatchId);
    expect(again.attempt).toBe(2);
  });

  it('a row restored to a moment of its attempt finds the call that was made since', async () => {
    const { number, asked } = await world.somebody();
    const { sid } = await world.place(asked);
    await world.db.owner.query('DELETE FROM webhook_events WHERE dispatch_id = $1', [asked.dispatchId]);
    await world.db.owner.query(
      `UPDATE dispatches SET state = 'attempting', sid = NULL, settled_at = NULL WHERE dispatch_id = $1`,
      [asked.dispatchId],
    );
    expect(await world.place(asked)).toEqual({ sid });
    expect(await shown(number, asked)).toEqual(once(sid));
    expect((await findDispatch(world.db.app, asked.dispatchId))?.attempt).toBe(2);
  });

  it('a withdrawn attempt of unknown outcome never takes the call of a later request to the same number', async () => {
    const { number, asked } = await world.somebody();
    await world.sim.faults([{ on: 'create', kind: 'error-500-before' }]);
    const first = world.place(asked);
    first.catch(() => 0);
    const isInDoubt = async () => (await findDispatch(world.deps.pool, asked.dispatchId))?.state === 'unknown';
    await until('the attempt of unknown outcome', isInDoubt);
    await abandon(world.deps.pool, asked.dispatchId);
    // Its answer is lost, and no callback says whose call it is: only the list knows it.
    world.hears.callbacks = false;
    await world.sim.faults([{ on: 'create', kind: 'drop-response' }]);
    const callId = randomUUID();
    const workflowId = `mentor-call:${callId}`;
    const later = { ...asked, dispatchId: randomUUID(), businessKey: `${workflowId}:user:1`, callId, workflowId };
    const { sid } = await world.place(later);
    await expect(first).rejects.toMatchObject({ type: 'DispatchAbandoned' });
    expect(await shown(number, later)).toEqual(once(sid));
    expect((await world.rings(number))[0]?.status).not.toBe('canceled');
    expect(await world.row(asked.dispatchId)).toMatchObject({ state: 'abandoned', sid: null });
  });
});
