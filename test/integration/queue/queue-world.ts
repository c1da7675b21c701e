/** What the suites of the queue need: mentors who are always on shift, calls that wait, and time that passes. */
import { releaseSlot } from '../../../db/mentor-slots';
import { joinQueue } from '../../../db/mentor-queue';
import { mentorsOnShift } from '../../../db/mentors-on-shift';
import type { JoinedQueue } from '../../../domain/mentor-queue';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { ALWAYS, liveCall, mentorWith, reserveSlot } from '../db/people';

export class QueueWorld {
  private constructor(readonly database: TestDatabase) {}

  static async open(): Promise<QueueWorld> {
    return new QueueWorld(await createTestDatabase());
  }

  close(): Promise<void> {
    return this.database.drop();
  }

  /** Nobody waits, nobody is on shift, every place is free. */
  async clear(): Promise<void> {
    await this.database.owner.query(`
      DELETE FROM mentor_queue;
      UPDATE mentor_slots SET call_id = NULL, step = NULL, lease_until = NULL;
      UPDATE mentors SET available = false`);
  }

  async mentor(places = 1): Promise<string> {
    const hours = { zone: 'UTC', windows: ALWAYS, maxConcurrentCalls: places };
    return (await mentorWith(this.database.app, hours)).mentorId;
  }

  /** A live call that is on the line, or somewhere else. */
  async call(): Promise<string> {
    return (await liveCall(this.database.app)).callId;
  }

  /** A mentor with one place, which a call has. */
  async busyMentor(): Promise<{ mentorId: string; free: () => Promise<boolean> }> {
    const mentorId = await this.mentor();
    const callId = await this.call();
    await this.reserve(mentorId, callId);
    return { mentorId, free: () => releaseSlot(this.database.app, { callId, step: 1, result: 'completed' }) };
  }

  /** Takes a place of this mentor for a step of a call, as matching would; null when there is none for this call. */
  reserve(mentorId: string, callId: string, step = 1, pool = this.database.app) {
    return reserveSlot(pool, { mentorId, callId, step, leaseMs: 60_000 });
  }

  join(callId: string, limit = 100): Promise<JoinedQueue> {
    return joinQueue(this.database.app, { callId, limit, longestWaitMs: 1_200_000 });
  }

  /** So many calls, in the order in which they wait. */
  async waiting(count: number): Promise<string[]> {
    const calls: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const callId = await this.call();
      await this.join(callId);
      calls.push(callId);
    }
    return calls;
  }

  /** Lets open offers, and those that have lapsed, look this much older. */
  async pass(seconds: number): Promise<void> {
    await this.database.owner.query(
      `UPDATE mentor_queue SET offered_until = offered_until - interval '${seconds} seconds'`,
    );
  }

  /** Lets the offer to a call end in so many seconds, or have ended so many ago. */
  async setOffer(callId: string, endsIn: number): Promise<void> {
    await this.database.owner.query(
      `UPDATE mentor_queue SET offered_until = clock_timestamp() + $2 * interval '1 second' WHERE call_id = $1`,
      [callId, endsIn],
    );
  }

  /** Free places of all who are on shift. */
  async freePlaces(): Promise<number> {
    return (await mentorsOnShift(this.database.app, new Date())).reduce((sum, { freePlaces }) => sum + freePlaces, 0);
  }
}
