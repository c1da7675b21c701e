import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createDispatchActivities } from '../../../activities/dispatches';
import { createRecordingActivities, type StartRecording } from '../../../activities/recordings';
import { createSweepActivities } from '../../../activities/sweeps';
import { latestEventFor } from '../../../db/dispatches';
import { legOfRecording } from '../../../db/recordings';
import type { RecordingProvider } from '../../../providers/twilio-recordings';
import { again, dead, DispatchWorld, once, poolWith, until } from './dispatch-world';

/** Twilio's own answer is lost, its list lags, a worker dies: one conversation has one recording, or none. */
describe('having a conversation recorded', () => {
  let world: DispatchWorld;
  let mentorId = '';
  beforeAll(async () => {
    world = await DispatchWorld.open();
    mentorId = String((await world.callWithMentors(1)).mentorIds[0]);
  });
  afterAll(() => world.end());
  afterEach(async () => {
    await world.sim.faults([]);
    await world.sim.settings({ listLagMs: 0 });
    world.hears.callbacks = true;
  });

  /** A user on the line, a mentor who was offered the call, and what the workflow asks for. */
  const conversation = async (): Promise<{ number: string; asked: StartRecording }> => {
    const { number, asked: ring } = await world.somebody();
    await world.sim.script(number, { answerAfterMs: 0 });
    const { sid: callSid } = await world.place(ring);
    await until('the answer', async () =>
      (await world.sim.ledger()).some((leg) => leg.sid === callSid && leg.answeredAt),
    );
    const { rows } = await world.db.owner.query('SELECT subject_id FROM vault_records WHERE record_id = $1', [
      ring.recordId,
    ]);
    return {
      number,
      asked: {
        recordingId: randomUUID(),
        callId: ring.callId,
        step: 1,
        callSid,
        userId: String(rows[0].subject_id),
        mentorId,
        country: 'US',
        workflowId: ring.workflowId,
        recipientToken: ring.recipientToken,
        organisationNumber: ring.from,
      },
    };
  };
  const attempt = (asked: StartRecording, change: Partial<DispatchWorld['deps']> = {}, heartbeat?: unknown) =>
    once(
      (ask: StartRecording) => createRecordingActivities({ ...world.deps, ...change }).startRecording(ask),
      asked,
      heartbeat,
    );
  const record = (asked: StartRecording, change: Partial<DispatchWorld['deps']> = {}) =>
    again((heartbeat) => attempt(asked, change, heartbeat), undefined);
  const withRecordings = (change: Partial<RecordingProvider>) => ({
    recordings: { ...world.deps.recordings, ...change },
  });
  /** An attempt of a worker that dies between Twilio's accept and our record of it; over when Twilio has accepted. */
  const dyingAfterTheAccept = async (asked: StartRecording): Promise<void> => {
    let accepted = 0;
    const dying = withRecordings({
      start: async (leg) => {
        await world.deps.recordings.start(leg);
        accepted += 1;
        return dead();
      },
    });
    attempt(asked, dying).done.catch(() => undefined);
    await until('the recording', async () => accepted === 1);
  };
  const recordingsOf = async ({ callSid }: StartRecording) =>
    (await world.sim.recordings()).filter((each) => each.callSid === callSid);

  it('names who agreed, reveals no number, and asked for twice is one recording', async () => {
    const { asked } = await conversation();
    const first = await record(asked);
    expect(await record(asked)).toEqual(first);
    expect((await recordingsOf(asked)).map(({ sid }) => sid)).toEqual([first.sid]);
    expect(await world.row(asked.recordingId)).toMatchObject({
      state: 'accepted',
      channel: 'recording',
      sid: first.sid,
    });
    expect(await legOfRecording(world.db.app, asked.recordingId)).toMatchObject({ recordingSid: first.sid });
    const { rows } = await world.db.owner.query(
      `SELECT actor, action, purpose FROM audit_entries WHERE object_id = $1 AND action LIKE 'call-recording%' ORDER BY purpose`,
      [asked.recordingId],
    );
    const { rows: mentors } = await world.db.owner.query('SELECT subject_id FROM mentors WHERE mentor_id = $1', [
      asked.mentorId,
    ]);
    expect(rows).toEqual([
      { actor: mentors[0].subject_id, action: 'call-recording.agreed', purpose: 'key' },
      { actor: asked.userId, action: 'call-recording.agreed', purpose: 'request' },
    ]);
  });

  it('gives Twilio ids only', async () => {
    const { number, asked } = await conversation();
    await record(asked);
    const [made] = await recordingsOf(asked);
    expect(made?.statusCallback).toMatch(/\/recording-status\?call=[\w-]+&recording=[\w-]+#rc=3&rp=5xx,ct,rt$/);
    expect(made?.statusCallback).not.toContain(number.slice(-7));
  });

  it.each(['drop-response', 'error-500-after', 'error-500-before'] as const)(
    'is one recording after %s, also where the list lags',
    async (kind) => {
      const { number, asked } = await conversation();
      await world.sim.settings({ listLagMs: { seed: 5, min: 0, max: 800 } });
      await world.sim.faults([{ on: 'create-recording', kind, to: number }]);
      const { sid } = await record(asked);
      expect((await recordingsOf(asked)).map((each) => each.sid)).toEqual([sid]);
    },
  );

  it('is one recording when the worker dies between Twilio’s accept and our record of its SID', async () => {
    const { asked } = await conversation();
    await dyingAfterTheAccept(asked);
    const { sid } = await record(asked);
    expect((await recordingsOf(asked)).map((each) => each.sid)).toEqual([sid]);
    expect(await world.row(asked.recordingId)).toMatchObject({ state: 'accepted', sid, doubledCount: 0 });
  });

  it('… and when Postgres is away at that moment', async () => {
    const { asked } = await conversation();
    let left = 1;
    const away = poolWith(world.db.app, {
      connect: (async () => {
        // The transaction that settles; the one of the agreement is the first.
        left -= 1;
        if (left === -1) throw new Error('the database is away');
        return world.db.app.connect();
      }) as never,
    });
    await expect(attempt(asked, { pool: away }).done).rejects.toThrow('the database is away');
    const { sid } = await record(asked);
    expect((await recordingsOf(asked)).map((each) => each.sid)).toEqual([sid]);
  });

  it('is one recording when only its callback tells of it', async () => {
    const { asked } = await conversation();
    await world.sim.settings({ listLagMs: 60_000 });
    await dyingAfterTheAccept(asked);
    await until('the callback', () => latestEventFor(world.db.app, asked.recordingId));
    const { sid } = await record(asked);
    expect((await recordingsOf(asked)).map((each) => each.sid)).toEqual([sid]);
  });

  it('is refused, and not tried again, once the user has left', async () => {
    const { number, asked } = await conversation();
    await world.sim.hangUp(number);
    await expect(record(asked)).rejects.toMatchObject({ type: 'DispatchRefused', nonRetryable: true });
    expect(await recordingsOf(asked)).toEqual([]);
  });

  it('that was withdrawn while Twilio was asked leaves no recording', async () => {
    const { asked } = await conversation();
    const { abandonDispatch } = createDispatchActivities(world.deps);
    const withdrawn = withRecordings({
      start: async (leg) => {
        const made = await world.deps.recordings.start(leg);
        await abandonDispatch({ dispatchId: asked.recordingId });
        return made;
      },
    });
    await expect(record(asked, withdrawn)).rejects.toMatchObject({ type: 'DispatchAbandoned' });
    expect(await recordingsOf(asked)).toEqual([]);
  });

  it('whose workflow is gone is found by its leg and deleted by the sweep', async () => {
    const { asked } = await conversation();
    await dyingAfterTheAccept(asked);
    await world.db.owner.query(
      `UPDATE dispatches SET lease_until = now() - interval '1 minute', attempt_began_at = now() - interval '1 minute'
        WHERE dispatch_id = $1`,
      [asked.recordingId],
    );
    const notFound = new WorkflowNotFoundError('not found', asked.workflowId, undefined);
    const temporal = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflow: {
        getHandle: () => ({ describe: () => Promise.reject(notFound), signal: () => Promise.reject(notFound) }),
      },
    } as never;
    const { endOrphanedCalls } = createSweepActivities({ ...world.deps, temporal });
    await new MockActivityEnvironment().run(endOrphanedCalls);
    expect(await recordingsOf(asked)).toEqual([]);
    expect(await world.row(asked.recordingId)).toMatchObject({ state: 'abandoned' });
  });

  it('is stopped while its leg goes on, and marked to go when that was too late', async () => {
    const { number, asked } = await conversation();
    const { sid } = await record(asked);
    const { stopRecording } = createRecordingActivities(world.deps);
    const because = async () => {
      const text = 'SELECT delete_because FROM call_recordings WHERE recording_id = $1';
      return (await world.db.owner.query(text, [asked.recordingId])).rows[0].delete_because;
    };
    await stopRecording({ recordingId: asked.recordingId, overSince: new Date().toISOString() });
    await until('the end', async () => (await recordingsOf(asked)).some((each) => each.endedAt !== null));
    expect(await because()).toBeNull();
    expect((await world.rings(number)).at(-1)?.endedAt).toBeNull();
    // Once more, and late; it has ended by then.
    await stopRecording({ recordingId: asked.recordingId, overSince: new Date(Date.now() - 6_000).toISOString() });
    expect(await because()).toBe('not-agreed');
    expect(sid).toMatch(/^RE/);
  });
});
