import { randomBytes, randomUUID } from 'node:crypto';
import { SWEPT_KINDS } from '../../../domain/retention';
import { connectTemporal, type TemporalConnection } from '../../../temporal/connection';
import { ensureNamespace } from '../../../temporal/namespace';
import { CALL_SWEEP_SCHEDULE, RETENTION_SWEEP_SCHEDULE } from '../../../temporal/schedule-ids';
import { createServiceKeys } from '../../../vault/service-keys';
import { ensureCallSweep, ensureRetentionSweep } from '../../../workers/schedules';

const HOUR = 3_600_000;

describe('the schedules, on a real server', () => {
  let temporal: TemporalConnection;
  beforeAll(async () => {
    const namespace = `kindline-${randomUUID()}`;
    const address = process.env['KINDLINE_TEST_TEMPORAL_ADDRESS'] ?? '';
    const keys = createServiceKeys([{ purpose: 'payload-codec', version: 1, key: randomBytes(32) }]);
    const config = { address, namespace, uiUrl: null, taskQueue: 'nobody', apiKey: null, tls: false };
    temporal = await connectTemporal(config, keys);
    await ensureNamespace(temporal.connection, namespace);
  });
  afterAll(() => temporal.close());

  const described = (id: string) => temporal.client.schedule.getHandle(id).describe();

  it('are made once by many workers, and brought to what is configured by a later one', async () => {
    await Promise.all([1, 2, 3].map(() => ensureCallSweep(temporal.client, 'nobody', HOUR)));
    await ensureCallSweep(temporal.client, 'another', 2 * HOUR);
    const { spec, action } = await described(CALL_SWEEP_SCHEDULE);
    expect(spec.intervals).toMatchObject([{ every: 2 * HOUR }]);
    expect(action).toMatchObject({ workflowType: 'callSweep', taskQueue: 'another', workflowId: CALL_SWEEP_SCHEDULE });
  });

  it('sweep what was kept for its time once a day, within ten minutes, really and not as a dry run', async () => {
    await ensureRetentionSweep(temporal.client, 'nobody');
    await ensureRetentionSweep(temporal.client, 'nobody');
    const { spec, action, policies } = await described(RETENTION_SWEEP_SCHEDULE);
    expect(spec.intervals).toMatchObject([{ every: 24 * HOUR }]);
    expect(spec.jitter).toBe(HOUR / 6);
    expect(action).toMatchObject({ workflowType: 'retentionSweep', args: [{ isDryRun: false, kinds: SWEPT_KINDS }] });
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 24 * HOUR });
  });
});
