import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createCallQualityActivities } from '../../../activities/call-quality';
import { findCallQuality } from '../../../db/call-quality';
import { closeCall, openCall } from '../../../db/calls';
import type { InsightsProvider } from '../../../providers/twilio-insights';
import { callInput } from '../db/people';
import { DispatchWorld, until } from './dispatch-world';

describe('the sweep of the quality of calls', () => {
  let world: DispatchWorld;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());

  type Parts = ReturnType<typeof createCallQualityActivities>;
  const sweep = (part: keyof Parts, insights: InsightsProvider | null = world.deps.insights): Promise<number> => {
    const parts = createCallQualityActivities({ ...world.deps, insights });
    return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) }).run(parts[part]);
  };

  /** A call that was placed at the simulator, has ended there, and was closed an hour ago. */
  async function ended(): Promise<{ callId: string; sid: string }> {
    const { number, asked } = await world.somebody();
    const { callId, recordId } = asked;
    const { rows } = await world.db.owner.query<{ subject_id: string }>(
      'SELECT subject_id FROM vault_records WHERE record_id = $1',
      [recordId],
    );
    const userId = rows[0]?.subject_id ?? '';
    await openCall(world.db.app, callInput({ userId, recordId }, { callId }), { perUser: 9, perTarget: 9 });
    const newCall = {
      to: number,
      from: asked.from,
      ringSeconds: 5,
      url: world.deps.urls.greeting({ callId, dispatchId: asked.dispatchId, language: 'en' }),
      statusCallback: world.deps.urls.callStatus({ callId, leg: 'user', dispatchId: asked.dispatchId }),
      fallbackUrl: null,
      detectMachine: false,
    };
    // The time for a request is short here; on a busy machine one may not be enough.
    const { sid } = await until('a call is placed', () => world.deps.voice.createCall(newCall).catch(() => null));
    await until('it is ended', () => world.deps.voice.endCall(sid).catch(() => null));
    await until('the end of the call', async () =>
      ['completed', 'canceled'].includes((await world.deps.voice.readCall(sid))?.status ?? ''),
    );
    await world.db.owner.query('UPDATE call_logs SET call_sid = $2 WHERE call_id = $1', [callId, sid]);
    const endedAt = new Date(Date.now() - 3_600_000);
    await closeCall(world.db.app, {
      callId,
      outcome: 'no-answer',
      endReason: 'user-not-reached',
      endedAt,
      durationSeconds: 0,
    });
    return { callId, sid };
  }

  it('reads what Twilio measured of both legs, and keeps no number', async () => {
    const { callId, sid } = await ended();
    expect(await sweep('noteCallQuality')).toBe(1);
    await world.db.owner.query('UPDATE call_quality SET mentor_sid = $2 WHERE call_id = $1', [callId, sid]);
    expect(await sweep('readCallInsights')).toBe(1);
    const quality = await findCallQuality(world.db.app, callId);
    const leg = { sipCode: expect.any(Number), disconnectedBy: 'callee', tags: [] };
    expect(quality?.insights).toEqual({ user: expect.objectContaining(leg), mentor: expect.objectContaining(leg) });
    expect(quality?.insightsDueAt).toBeNull();
    expect(JSON.stringify(quality?.insights)).not.toContain('4155550');
    expect(await sweep('readCallInsights')).toBe(0);
  });

  it('looks three times for a summary that never completes, 15 minutes apart', async () => {
    const { callId } = await ended();
    await sweep('noteCallQuality');
    let asked = 0;
    const never: InsightsProvider = { readLeg: async () => ((asked += 1), null), close: () => undefined };
    for (let look = 1; look <= 4; look += 1) {
      expect(await sweep('readCallInsights', never)).toBe(0);
      const dueAt = (await findCallQuality(world.db.app, callId))?.insightsDueAt ?? null;
      if (look < 3) expect((dueAt?.valueOf() ?? 0) - Date.now()).toBeGreaterThan(14 * 60_000);
      else expect(dueAt).toBeNull();
      await world.db.owner.query(
        "UPDATE call_quality SET insights_due_at = now() - interval '1 second' WHERE insights_due_at IS NOT NULL",
      );
    }
    expect(asked).toBe(3);
  });

  it('asks nobody where Voice Insights is off', async () => {
    const { callId } = await ended();
    await sweep('noteCallQuality', null);
    expect((await findCallQuality(world.db.app, callId))?.insightsDueAt).toBeNull();
    expect(await sweep('readCallInsights', null)).toBe(0);
  });
});
