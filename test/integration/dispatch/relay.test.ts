import { randomUUID } from 'node:crypto';
import { storeEvent, unhandledEvents } from '../../../db/webhook-events';
import type { KindlineClient } from '../../../temporal/connection';
import { TemporalNotInTime } from '../../../temporal/errors';
import { createLogger } from '../../../vault/logger';
import { type RelayParts, relayOnce } from '../../../workers/relay';
import { createTestDatabase, type TestDatabase } from '../../postgres';

/** Temporal as the relay meets it: what signalling a workflow ends with, by call. */
class Temporal {
  readonly told: string[] = [];
  readonly failures = new Map<string, Error>();

  readonly client = {
    withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
    workflow: {
      getHandle: (workflowId: string) => ({
        signal: async () => {
          const failure = this.failures.get(workflowId.slice(-36));
          if (failure) throw failure;
          this.told.push(workflowId.slice(-36));
        },
      }),
    },
  } as unknown as KindlineClient;
}

describe('the relay of late events', () => {
  const logger = createLogger({ name: 'test', level: 'silent' });
  let database: TestDatabase;
  let temporal: Temporal;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    temporal = new Temporal();
    await database.app.query('UPDATE webhook_events SET handled_at = now()');
  });

  /** No text waits for it here: what those need is not made. */
  const parts = (): RelayParts => {
    const texts = {} as unknown as RelayParts['texts'];
    return { pool: database.app, client: temporal.client, logger, texts };
  };

  /** The user's leg of some call has ended a while ago, and its workflow was not told. @returns the call's id */
  async function untold(): Promise<string> {
    const callId = randomUUID();
    await storeEvent(database.app, {
      seenKey: randomUUID(),
      type: 'call-status',
      sid: 'CA1',
      dispatchId: null,
      callId,
      leg: 'user',
      step: null,
      status: 'completed',
      sequence: 3,
      errorCode: null,
    });
    await database.owner.query(
      "UPDATE webhook_events SET received_at = received_at - interval '10 s' WHERE handled_at IS NULL",
    );
    return callId;
  }
  const waiting = async () => (await unhandledEvents(database.app, 10, 0)).map(({ callId }) => callId);

  it('tells the workflows, oldest first', async () => {
    const calls = [await untold(), await untold()];
    expect(await relayOnce(parts())).toBe(2);
    expect(temporal.told).toEqual(calls);
    expect(await waiting()).toEqual([]);
  });

  it('does not let an event that one workflow cannot take keep the others from theirs', async () => {
    const [full, other] = [await untold(), await untold()];
    temporal.failures.set(full, new Error('the history is full'));
    expect(await relayOnce(parts())).toBe(1);
    expect(temporal.told).toEqual([other]);
    expect(await waiting()).toEqual([full]);
  });

  it('stops at the first that Temporal does not take in time, and keeps them all', async () => {
    const calls = [await untold(), await untold()];
    temporal.failures.set(calls[0] ?? '', new TemporalNotInTime());
    await expect(relayOnce(parts())).rejects.toThrow(TemporalNotInTime);
    expect(temporal.told).toEqual([]);
    expect(await waiting()).toEqual(calls);
  });
});
