import { closeCall, findCall } from '../../../db/calls';
import { beginTurn, declineOffer, joinQueue, leaveQueue, lookAtQueue, queueLength } from '../../../db/mentor-queue';
import { isAnybodyLeft, offerFreePlaces } from '../../../db/mentor-queue-offers';
import { releaseSlot } from '../../../db/mentor-slots';
import { updateMentor } from '../../../db/mentors';
import { placesInOrder } from '../../../domain/mentor-queue';
import { SeededRandom } from '../../chaos/seeded-random';
import { QueueWorld } from './queue-world';

let world: QueueWorld;
beforeAll(async () => {
  world = await QueueWorld.open();
});
afterAll(() => world.close());
beforeEach(() => world.clear());

const offer = () => offerFreePlaces(world.database.app);
const offered = async () => (await offer()).map(({ callId }) => callId);
const positionOf = async (callId: string) => (await findCall(world.database.app, callId))?.waiting?.position;
const end = (callId: string) =>
  closeCall(world.database.app, {
    callId,
    outcome: 'cancelled',
    endReason: 'cancelled-by-user',
    endedAt: new Date(),
    durationSeconds: 0,
  });

describe('a place in the queue', () => {
  test('has a position and since when it is held, and the app is told of it once', async () => {
    const [first = '', second = ''] = await world.waiting(2);
    await world.join(second);
    expect(await findCall(world.database.app, second)).toMatchObject({ status: 'waiting', waiting: { position: 2 } });
    const call = await findCall(world.database.app, first);
    expect(call?.waiting?.position).toBe(1);
    const { since, until } = call?.waiting ?? { since: new Date(0), until: new Date(0) };
    expect(until.getTime() - since.getTime()).toBe(1_200_000);
    const { rows } = await world.database.app.query('SELECT type FROM app_events WHERE object_id = $1 AND state = $2', [
      second,
      'waiting',
    ]);
    expect(rows).toEqual([{ type: 'mentor-call.waiting' }]);
  });

  test('is held by no more than the limit, however many ask at once', async () => {
    const calls = await Promise.all(Array.from({ length: 40 }, () => world.call()));
    const pools = [world.database.app, world.database.anotherPool(10)];
    const joined = await Promise.all(
      calls.map((callId, n) =>
        joinQueue(pools[n % 2] ?? world.database.app, { callId, limit: 7, longestWaitMs: 60_000 }),
      ),
    );
    expect(joined.filter(({ state }) => state === 'waiting')).toHaveLength(7);
    expect(joined.filter(({ state }) => state === 'full')).toHaveLength(33);
    const positions = await Promise.all(calls.map(positionOf));
    expect(positions.filter((position) => position !== undefined).sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('goes before shorter waits to whoever comes back, also when the queue is full', async () => {
    const [first = '', second = ''] = await world.waiting(2);
    const since = (await findCall(world.database.app, first))?.waiting?.since.toISOString() ?? '';
    await leaveQueue(world.database.app, first);
    expect(await positionOf(second)).toBe(1);
    const again = await joinQueue(world.database.app, { callId: first, limit: 1, longestWaitMs: 60_000, since });
    expect(again).toEqual({ state: 'waiting', since });
    expect([await positionOf(first), await positionOf(second)]).toEqual([1, 2]);
  });

  test('is not given to a call that is over, and goes with the call', async () => {
    const [callId = ''] = await world.waiting(1);
    await end(callId);
    expect(await lookAtQueue(world.database.app, callId)).toBe('gone');
    await expect(world.join(callId)).resolves.toEqual({ state: 'over' });
    expect(await queueLength(world.database.app)).toBe(0);
  });

  test('is left by none of forty calls that join and end at the same moment', async () => {
    const calls = await Promise.all(Array.from({ length: 40 }, () => world.call()));
    await Promise.all(calls.flatMap((callId) => [world.join(callId), end(callId)]));
    expect(await queueLength(world.database.app)).toBe(0);
  });
});

describe('a place that becomes free', () => {
  test('is offered to whoever has waited longest, and to nobody else while the offer lasts', async () => {
    const { free } = await world.busyMentor();
    const [first = '', second = ''] = await world.waiting(2);
    expect(await offer()).toEqual([]);
    await free();
    expect(await offered()).toEqual([first]);
    expect(await offer()).toEqual([]);
    expect([await lookAtQueue(world.database.app, first), await lookAtQueue(world.database.app, second)]).toEqual([
      'offered',
      'waiting',
    ]);
  });

  test('is offered to nobody, and costs one look, while nobody waits', async () => {
    const { free } = await world.busyMentor();
    await free();
    expect(await offer()).toEqual([]);
    // Whoever comes later finds it as free as ever.
    const [callId] = await world.waiting(1);
    expect(await offered()).toEqual([callId]);
  });

  test('is kept: a call that comes from elsewhere does not get it before the offer has lapsed', async () => {
    const mentorId = await world.mentor();
    const [first = ''] = await world.waiting(1);
    await offer();
    const stranger = await world.call();
    await expect(world.reserve(mentorId, stranger)).resolves.toBeNull();
    await expect(world.reserve(mentorId, first)).resolves.toMatchObject({ mentorId });
    await releaseSlot(world.database.app, { callId: first, step: 1, result: 'caller-gone' });
    await world.pass(6);
    await expect(world.reserve(mentorId, stranger, 2)).resolves.toMatchObject({ mentorId });
  });

  test('two that become free at once go to two calls, one each, whoever offers them', async () => {
    const busy = [await world.busyMentor(), await world.busyMentor()];
    const waiting = await world.waiting(4);
    const results = await Promise.all(
      busy.map(async ({ free }) => {
        await free();
        return offer();
      }),
    );
    const offers = results.flat();
    expect(offers.map(({ callId }) => callId).sort()).toEqual(waiting.slice(0, 2).sort());
    expect(new Set(offers.map(({ mentorId }) => mentorId)).size).toBe(2);
  });

  test('forty that offer at once offer each place once', async () => {
    await world.mentor(3);
    const waiting = await world.waiting(8);
    const pools = [world.database.app, world.database.anotherPool(10), world.database.anotherPool(10)];
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, n) => offerFreePlaces(pools[n % 3] ?? world.database.app)),
    );
    expect(results.flat().map(({ callId }) => callId)).toEqual(waiting.slice(0, 3));
  });

  test('goes to the next when it is not taken in five seconds: its process was killed in between', async () => {
    await world.mentor();
    const [first = '', second = '', third = ''] = await world.waiting(3);
    const { app } = world.database;
    const { rows: began } = await app.query('SELECT clock_timestamp() AS at');
    expect(await offered()).toEqual([first]);
    const { rows: lasting } = await app.query(
      `SELECT offered_until >= $2::timestamptz + interval '5 seconds'
              AND offered_until <= clock_timestamp() + interval '5 seconds' AS is_so
         FROM mentor_queue WHERE call_id = $1`,
      [first, began[0].at],
    );
    expect(lasting).toEqual([{ is_so: true }]);
    await world.setOffer(first, 60);
    expect(await offer()).toEqual([]);
    await world.setOffer(first, -1);
    expect(await offered()).toEqual([second]);
    await world.pass(6);
    await world.setOffer(first, -1);
    expect(await offered()).toEqual([third]);
    // Ten seconds after their offer has lapsed the first is asked again.
    await world.pass(6);
    await world.setOffer(first, -11);
    expect(await offered()).toEqual([first]);
  });

  test('goes at once to whoever looks, although they let an offer lapse before', async () => {
    await world.mentor();
    const [first = ''] = await world.waiting(2);
    await offer();
    await world.pass(6);
    expect(await lookAtQueue(world.database.app, first)).toBe('waiting');
    expect(await offered()).toEqual([first]);
  });

  test('goes to others when it was of no use, and not to the same call in a circle', async () => {
    await world.mentor();
    const [first = '', second = ''] = await world.waiting(2);
    await offer();
    await declineOffer(world.database.app, first);
    expect(await offered()).toEqual([second]);
    await declineOffer(world.database.app, second);
    expect(await offer()).toEqual([]);
  });

  test('is not offered to a call for which its mentor was rung already, but to the next', async () => {
    const mentorId = await world.mentor();
    const [first = '', second = ''] = await world.waiting(2);
    await world.reserve(mentorId, first);
    await releaseSlot(world.database.app, { callId: first, step: 1, result: 'no-answer' });
    expect(await offered()).toEqual([second]);
    expect(await isAnybodyLeft(world.database.app, [mentorId])).toBe(false);
    expect(await isAnybodyLeft(world.database.app, [])).toBe(true);
  });

  test('is that of a mentor who switches on, or whose shift begins, too', async () => {
    const mentorId = await world.mentor();
    const switchTo = (change: object) => updateMentor(world.database.app, mentorId, change, 'system');
    await switchTo({ available: false });
    const [first] = await world.waiting(1);
    expect(await offer()).toEqual([]);
    const begins = new Date(Date.now() + 86_400_000);
    begins.setUTCHours(8, 0, 0, 0);
    await switchTo({
      available: true,
      windows: [{ weekday: begins.getUTCDay() || 7, starts: '08:00', ends: '09:00' }],
    });
    expect(await offerFreePlaces(world.database.app, new Date(begins.getTime() - 1_000))).toEqual([]);
    const begun = await offerFreePlaces(world.database.app, begins);
    expect(begun).toEqual([{ callId: first, mentorId }]);
  });

  test('takes the call out of the queue when it is rung for it', async () => {
    await world.mentor();
    const [first = '', second = ''] = await world.waiting(2);
    await offer();
    await beginTurn(world.database.app, first);
    await beginTurn(world.database.app, first);
    expect(await findCall(world.database.app, first)).toMatchObject({ status: 'ringing-user', waiting: null });
    expect(await positionOf(second)).toBe(1);
  });
});

/** The same rules once more, over a plain list and by the clock of the test. */
class Model {
  readonly queue: { callId: string; tried: Set<string>; offer: { mentorId: string; until: number } | null }[] = [];
  readonly busy = new Map<string, number>();
  now = 0;

  constructor(
    readonly places: ReadonlyMap<string, number>,
    readonly limit: number,
  ) {}

  offers(): string[] {
    const made: string[] = [];
    for (const entry of this.queue) {
      if (entry.offer !== null && !this.isLapsed(entry.offer)) continue;
      const usable = [...this.places.keys()].filter((id) => this.free(id) > 0 && !entry.tried.has(id));
      if (usable.length === 0) continue;
      made.push(entry.callId);
      // Which one of several is not ruled: the test says what was chosen.
      entry.offer = { mentorId: this.choice(entry.callId, usable), until: this.now + 5 };
    }
    return made;
  }

  isOpen({ until }: { until: number }): boolean {
    return until >= this.now;
  }

  /** For so long that another is made. */
  isLapsed({ until }: { until: number }): boolean {
    return this.now - until >= 10;
  }

  choice: (callId: string, usable: readonly string[]) => string = (_callId, usable) => usable[0] ?? '';

  free(mentorId: string): number {
    const kept = this.queue.filter(({ offer }) => offer?.mentorId === mentorId && this.isOpen(offer)).length;
    return (this.places.get(mentorId) ?? 0) - (this.busy.get(mentorId) ?? 0) - kept;
  }
}

describe('the queue against a model', () => {
  test.each([1, 2, 3, 4, 5])(
    'seed %i: the same offers in the same order, the same positions, never too many',
    async (seed) => {
      const random = new SeededRandom(seed);
      const mentors = [await world.mentor(1), await world.mentor(2), await world.mentor(1)];
      const model = new Model(new Map(mentors.map((id, n) => [id, n === 1 ? 2 : 1])), 6);
      const talking: { callId: string; mentorId: string }[] = [];
      const { app } = world.database;
      for (let step = 0; step < 60; step += 1) {
        // The model's clock is the clock. It goes by threes, so that nothing changes within three seconds of a step.
        for (const { callId, offer: made } of model.queue) {
          if (made !== null) await world.setOffer(callId, model.isOpen(made) ? 60 : made.until - model.now);
        }
        const act = random.pick(['join', 'join', 'offer', 'offer', 'take', 'pass', 'free', 'free', 'leave'] as const);
        const entry = model.queue.length > 0 ? random.pick(model.queue) : null;
        if (act === 'join') {
          const callId = await world.call();
          const { state } = await world.join(callId, model.limit);
          expect(state).toBe(model.queue.length < model.limit ? 'waiting' : 'full');
          if (state === 'waiting') model.queue.push({ callId, tried: new Set(), offer: null });
        } else if (act === 'offer') {
          const made = await offer();
          model.choice = (callId, usable) => {
            const chosen = made.find((one) => one.callId === callId)?.mentorId ?? '';
            expect(usable).toContain(chosen);
            return chosen;
          };
          expect(made.map(({ callId }) => callId)).toEqual(model.offers());
        } else if (act === 'take' && entry !== null) {
          const isOpen = entry.offer !== null && entry.offer.until > model.now;
          if (!isOpen || entry.offer === null) continue;
          const { mentorId } = entry.offer;
          expect(await world.reserve(mentorId, entry.callId)).toMatchObject({ mentorId });
          await beginTurn(app, entry.callId);
          model.queue.splice(model.queue.indexOf(entry), 1);
          model.busy.set(mentorId, (model.busy.get(mentorId) ?? 0) + 1);
          talking.push({ callId: entry.callId, mentorId });
        } else if (act === 'pass') {
          const seconds = random.pick([3, 6, 9]);
          model.now += seconds;
          await world.pass(seconds);
        } else if (act === 'free' && talking.length > 0) {
          const [over] = talking.splice(random.between(0, talking.length - 1), 1);
          if (over === undefined) continue;
          await end(over.callId);
          model.busy.set(over.mentorId, (model.busy.get(over.mentorId) ?? 1) - 1);
        } else if (act === 'leave' && entry !== null) {
          await end(entry.callId);
          model.queue.splice(model.queue.indexOf(entry), 1);
        }
        const positions = await Promise.all(model.queue.map(({ callId }) => positionOf(callId)));
        expect(positions).toEqual(model.queue.map((_, n) => n + 1));
      }
    },
  );

  test('forty clients at once: nobody is served twice, no place has two calls, and nothing is left over', async () => {
    const mentors = [await world.mentor(2), await world.mentor(1), await world.mentor(3)];
    const pools = Array.from({ length: 4 }, () => world.database.anotherPool(10));
    const calls = await Promise.all(Array.from({ length: 40 }, () => world.call()));
    let [talking, most] = [0, 0];
    const served: string[] = [];
    await Promise.all(
      calls.map(async (callId, n) => {
        const pool = pools[n % 4] ?? world.database.app;
        await joinQueue(pool, { callId, limit: 40, longestWaitMs: 60_000 });
        for (;;) {
          await offerFreePlaces(pool);
          if ((await lookAtQueue(pool, callId)) !== 'offered') continue;
          const mentorId = await firstFree(pool, mentors, callId);
          if (mentorId === null) {
            await declineOffer(pool, callId);
            continue;
          }
          await beginTurn(pool, callId);
          talking += 1;
          most = Math.max(most, talking);
          served.push(callId);
          await pool.query('SELECT 1');
          talking -= 1;
          await end(callId);
          return;
        }
      }),
    );
    expect(new Set(served).size).toBe(40);
    expect(most).toBeLessThanOrEqual(6);
    expect(await queueLength(world.database.app)).toBe(0);
    expect(await world.freePlaces()).toBe(6);
  });
});

async function firstFree(pool: QueueWorld['database']['app'], mentors: readonly string[], callId: string) {
  for (const mentorId of mentors) {
    if ((await world.reserve(mentorId, callId, 1, pool)) !== null) return mentorId;
  }
  return null;
}

describe('who is offered which place', () => {
  test('is the first in line who can use it; nobody is passed over, and nothing is given twice', () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 500; round += 1) {
      const mentors = ['a', 'b', 'c', 'd'].map((mentorId) => ({ mentorId, places: random.between(-1, 2) }));
      const waiting = Array.from({ length: random.between(0, 7) }, (_, n) => ({
        callId: `call-${n}`,
        tried: mentors.map(({ mentorId }) => mentorId).filter(() => random.next() < 0.3),
      }));
      const offers = placesInOrder(waiting, mentors);
      const left = new Map(mentors.map(({ mentorId, places }) => [mentorId, places]));
      for (const { callId, tried } of waiting) {
        const got = offers.find((one) => one.callId === callId);
        // Whoever got nothing could have used nothing of what those before them had left.
        const usable = mentors.filter(({ mentorId }) => (left.get(mentorId) ?? 0) > 0 && !tried.includes(mentorId));
        expect(got === undefined).toBe(usable.length === 0);
        if (got === undefined) continue;
        expect(tried).not.toContain(got.mentorId);
        left.set(got.mentorId, (left.get(got.mentorId) ?? 0) - 1);
      }
      expect([...left.values()].every((places) => places >= -1)).toBe(true);
      for (const { mentorId, places } of mentors)
        expect(left.get(mentorId) ?? 0).toBeGreaterThanOrEqual(Math.min(0, places));
    }
  });
});
