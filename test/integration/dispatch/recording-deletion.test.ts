import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createRecordingDeletion } from '../../../activities/recording-deletion';
import { eraseSubjectRows } from '../../../db/erasure';
import { liftHold, placeHold } from '../../../db/legal-holds';
import { inTransaction } from '../../../db/pool';
import { deleteSoon } from '../../../db/recording-deletion';
import { noteAgreement, noteRecordingSid, noteRecordingStatus } from '../../../db/recordings';
import { countOver, sweepPage } from '../../../db/retention-pages';
import { createSubject } from '../../../db/subjects';
import { RETENTION } from '../../../domain/retention';
import type { RecordingProvider } from '../../../providers/twilio-recordings';
import { DispatchWorld, until } from './dispatch-world';

const mock = (info: { heartbeatDetails?: unknown } = {}) =>
  new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR', () => undefined) });

/** Recordings are at Twilio and nowhere else, so that is where they have to go. */
describe('the deletion of recordings', () => {
  let world: DispatchWorld;
  let mentorId = '';
  let callSid = '';
  beforeAll(async () => {
    world = await DispatchWorld.open();
    mentorId = String((await world.callWithMentors(1)).mentorIds[0]);
    const { number, asked } = await world.somebody();
    await world.sim.script(number, { answerAfterMs: 0 });
    callSid = (await world.place(asked)).sid;
    await until('the answer', async () =>
      (await world.sim.calls()).some((leg) => leg.sid === callSid && leg.answeredAt),
    );
  });
  afterAll(() => world.end());
  afterEach(async () => {
    await world.sim.faults([]);
    await world.db.owner.query('DELETE FROM call_recordings');
  });

  /** One that was made so many days ago; it has ended unless it is said to go on. */
  const recording = async (days: number, { goesOn = false } = {}) => {
    const userId = await createSubject(world.db.app, 'system');
    const recordingId = randomUUID();
    const agreed = { recordingId, callId: randomUUID(), step: 1, callSid, userId, mentorId, country: 'US' };
    await inTransaction(world.db.app, (tx) => noteAgreement(tx, agreed));
    const { sid } = await world.deps.recordings.start({ callSid, statusCallback: 'http://127.0.0.1:9/none' });
    await noteRecordingSid(world.db.app, recordingId, sid);
    if (!goesOn) {
      await world.deps.recordings.stop(callSid, sid);
      await noteRecordingStatus(world.db.app, { sid, status: 'completed', durationSeconds: 5 });
    }
    const text = `UPDATE call_recordings SET agreed_at = now() - $2 * interval '1 day' WHERE recording_id = $1`;
    await world.db.owner.query(text, [recordingId, days]);
    return { recordingId, sid, userId };
  };
  const row = async (recordingId: string) =>
    (await world.db.owner.query('SELECT * FROM call_recordings WHERE recording_id = $1', [recordingId])).rows[0];
  const isThere = async (sid: string) => (await world.sim.recordings()).some((each) => each.sid === sid);
  const withRecordings = (change: Partial<RecordingProvider>) => ({
    ...world.deps,
    recordings: { ...world.deps.recordings, ...change },
  });
  const sweep = (deps = world.deps, heartbeatDetails?: unknown) =>
    mock({ heartbeatDetails }).run(createRecordingDeletion(deps).deleteOldRecordings);
  const sweepDue = () => mock().run(createRecordingDeletion(world.deps).deleteDueRecordings);

  it('takes what is older than 30 days, at Twilio, and notes that it is gone', async () => {
    const old = await recording(31);
    const young = await recording(29);
    expect(await sweep()).toEqual({ kind: 'recordings', found: 1, taken: 1, held: 0, isOver: true });
    expect([await isThere(old.sid), await isThere(young.sid)]).toEqual([false, true]);
    expect(await row(old.recordingId)).toMatchObject({ deletion_confirmed_at: expect.any(Date) });
    expect(await row(young.recordingId)).toMatchObject({ deleted_at: null });
    const { rows } = await world.db.owner.query(
      `SELECT purpose FROM audit_entries WHERE object_id = $1 AND action = 'call-recording.deleted'`,
      [old.recordingId],
    );
    expect(rows).toEqual([{ purpose: 'retention' }]);
    expect(await sweep()).toEqual({ kind: 'recordings', found: 0, taken: 0, held: 0, isOver: true });
  });

  it('says what it would do in a dry run, and does nothing', async () => {
    const old = await recording(31);
    expect(await countOver(world.db.app, 'recordings', RETENTION)).toMatchObject({ found: 1, taken: 1, held: 0 });
    expect(await isThere(old.sid)).toBe(true);
    expect(await row(old.recordingId)).toMatchObject({ deleted_at: null });
  });

  it('believes only a provider that does not know it any more', async () => {
    const old = await recording(31);
    const still = await world.deps.recordings.read(old.sid);
    expect(await sweep(withRecordings({ read: async () => still }))).toEqual({
      kind: 'recordings',
      found: 1,
      taken: 0,
      held: 0,
      isOver: true,
    });
    expect(await row(old.recordingId)).toMatchObject({ deleted_at: expect.any(Date), deletion_confirmed_at: null });
    expect(await sweep()).toEqual({ kind: 'recordings', found: 1, taken: 1, held: 0, isOver: true });
  });

  it('loses and repeats nothing when it is killed between two of them', async () => {
    const all = [];
    for (let n = 0; n < 4; n += 1) all.push(await recording(40 - n));
    let asked = 0;
    const dying = withRecordings({
      delete: async (sid) => {
        asked += 1;
        // Killed after Twilio has deleted the second, before that is written down.
        await world.deps.recordings.delete(sid);
        if (asked === 2) return new Promise(() => undefined);
      },
    });
    const env = mock();
    const told: { last: unknown } = { last: null };
    env.on('heartbeat', (details: unknown) => (told.last = details ?? told.last));
    void env.run(createRecordingDeletion(dying).deleteOldRecordings).catch(() => undefined);
    await until('the second', async () => asked === 2);
    expect(told.last).toMatchObject({ place: { id: all[0]?.recordingId }, failed: false, found: 1, taken: 1 });
    // As Temporal tries it again: from where it was.
    expect(await sweep(world.deps, told.last)).toEqual({
      kind: 'recordings',
      found: 4,
      taken: 4,
      held: 0,
      isOver: true,
    });
    for (const { sid, recordingId } of all) {
      expect(await isThere(sid)).toBe(false);
      expect(await row(recordingId)).toMatchObject({ deletion_confirmed_at: expect.any(Date) });
    }
    const { rows } = await world.db.owner.query(
      `SELECT count(*)::int AS n FROM audit_entries WHERE action = 'call-recording.deleted' AND object_id = ANY($1)`,
      [all.map(({ recordingId }) => recordingId)],
    );
    expect(rows[0].n).toBe(4);
  });

  it('goes on behind one that cannot be deleted, and gives up when it is Twilio', async () => {
    const all = [];
    for (let n = 0; n < 6; n += 1) all.push(await recording(40 - n));
    await world.sim.faults([{ on: 'update-recording', kind: 'error-500-before' }]);
    expect(await sweep()).toEqual({ kind: 'recordings', found: 6, taken: 5, held: 0, isOver: false });
    await world.sim.faults([]);
    expect(await sweep()).toEqual({ kind: 'recordings', found: 1, taken: 1, held: 0, isOver: true });
    for (let n = 0; n < 6; n += 1) await recording(40 - n);
    await world.sim.faults([{ on: 'update-recording', kind: 'error-500-before', times: 100 }]);
    await expect(sweep()).rejects.toMatchObject({ name: 'ProviderError' });
    const exchanges = await world.sim.exchanges();
    expect(exchanges.filter(({ method, status }) => method === 'DELETE' && status === 500)).toHaveLength(1 + 5);
  });

  it('is no whole run when an attempt before it could not delete one, however well the rest goes', async () => {
    for (let n = 0; n < 3; n += 1) await recording(40 - n);
    let asked = 0;
    const dying = withRecordings({
      delete: async (sid) => {
        asked += 1;
        if (asked === 1) throw new Error('Twilio would not');
        if (asked === 3) return new Promise(() => undefined);
        await world.deps.recordings.delete(sid);
      },
    });
    const env = mock();
    const told: { last: unknown } = { last: null };
    env.on('heartbeat', (details: unknown) => (told.last = details ?? told.last));
    void env.run(createRecordingDeletion(dying).deleteOldRecordings).catch(() => undefined);
    await until('the third', async () => asked === 3);
    const rest = await sweep(world.deps, told.last);
    expect(rest).toEqual({ kind: 'recordings', found: 3, taken: 2, held: 0, isOver: false });
    expect(await sweep()).toEqual({ kind: 'recordings', found: 1, taken: 1, held: 0, isOver: true });
  });

  it('leaves what a legal hold keeps, of the user and of the mentor, until it is lifted', async () => {
    const held = await recording(31);
    const notAgreed = await recording(31);
    await deleteSoon(world.db.app, notAgreed.recordingId, 'not-agreed');
    const { rows } = await world.db.owner.query('SELECT subject_id FROM mentors WHERE mentor_id = $1', [mentorId]);
    // The mentor signs in with an account, which is another subject.
    const account = await createSubject(world.db.app, 'system');
    await world.db.owner.query('UPDATE mentors SET account_subject_id = $2 WHERE mentor_id = $1', [mentorId, account]);
    for (const subjectId of [held.userId, rows[0].subject_id, account]) {
      const asked = { subjectId, reason: 'dispute', actor: held.userId } as const;
      const placed = await inTransaction(world.db.app, (tx) => placeHold(tx, asked));
      // Nobody has agreed to the other one: it goes whoever is held.
      expect(await sweep()).toMatchObject({ held: 1 });
      expect(await isThere(held.sid)).toBe(true);
      await inTransaction(world.db.app, (tx) => liftHold(tx, placed?.hold.holdId ?? '', held.userId));
    }
    expect(await isThere(notAgreed.sid)).toBe(false);
    expect(await sweep()).toMatchObject({ taken: 1, held: 0 });
    expect(await isThere(held.sid)).toBe(false);
  });

  it('leaves what a legal hold keeps for the one when the other is erased', async () => {
    const { sid, userId } = await recording(0);
    const { rows } = await world.db.owner.query('SELECT subject_id FROM mentors WHERE mentor_id = $1', [mentorId]);
    const asked = { subjectId: rows[0].subject_id, reason: 'dispute', actor: userId } as const;
    const placed = await inTransaction(world.db.app, (tx) => placeHold(tx, asked));
    await inTransaction(world.db.app, (tx) => eraseSubjectRows(tx, userId, 'system'));
    expect(await sweepDue()).toBe(0);
    expect(await isThere(sid)).toBe(true);
    await inTransaction(world.db.app, (tx) => liftHold(tx, placed?.hold.holdId ?? '', rows[0].subject_id));
    expect(await sweepDue()).toBe(1);
    expect(await isThere(sid)).toBe(false);
  });

  it('takes at once what somebody is on who was erased, also while it goes on', async () => {
    const { recordingId, sid, userId } = await recording(0, { goesOn: true });
    const other = await recording(0);
    await inTransaction(world.db.app, (tx) => eraseSubjectRows(tx, userId, 'system'));
    expect(await sweepDue()).toBe(1);
    expect([await isThere(sid), await isThere(other.sid)]).toEqual([false, true]);
    expect(await row(recordingId)).toMatchObject({
      delete_because: 'erased',
      deletion_confirmed_at: expect.any(Date),
    });
  });

  it('takes those of a mentor who was erased, and what is agreed to by somebody who is erased already', async () => {
    const { rows } = await world.db.owner.query('SELECT subject_id FROM mentors WHERE mentor_id = $1', [mentorId]);
    const before = await recording(0);
    await inTransaction(world.db.app, (tx) => eraseSubjectRows(tx, rows[0].subject_id, 'system'));
    const after = await recording(0);
    expect(await sweepDue()).toBe(2);
    expect([await isThere(before.sid), await isThere(after.sid)]).toEqual([false, false]);
  });

  it('forgets its own rows when calls are forgotten, but never one that Twilio still has', async () => {
    const forget = () => sweepPage(world.db.app, { runId: randomUUID(), kind: 'call-recordings' }, RETENTION);
    const gone = await recording(91);
    await sweep();
    expect(await forget()).toMatchObject({ taken: 1, isOver: true });
    expect(await row(gone.recordingId)).toBeUndefined();
    const kept = await recording(91);
    const still = await world.deps.recordings.read(kept.sid);
    await sweep(withRecordings({ read: async () => still }));
    expect(await forget()).toMatchObject({ taken: 0 });
    expect(await row(kept.recordingId)).toBeDefined();
  });
});
