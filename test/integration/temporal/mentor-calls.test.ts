import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tsToMs } from '@temporalio/common/lib/time';
import { mentorCallWorkflowId } from '../../../domain/mentor-call';
import type { Child } from '../../../scripts/child';
import { freePort } from '../../../scripts/ports';
import { temporalChild } from '../../../scripts/temporal-server';
import { connectTemporal, type TemporalConnection } from '../../../temporal/connection';
import * as calls from '../../../temporal/mentor-calls';
import { ensureNamespace } from '../../../temporal/namespace';
import {
  KINDLINE_COUNTRY,
  KINDLINE_SINCE,
  KINDLINE_STATE,
  registerSearchAttributes,
} from '../../../temporal/search-attributes';
import { createServiceKeys } from '../../../vault/service-keys';
import { appCallInput, mentorCallInput } from '../../mentor-call-input';
import { eventually } from '../../stack';

/** Temporal's numbers for types of search attributes, written a second time. */
const [KEYWORD, DATETIME] = [2, 6];

/** No worker runs: what is asked here is what a client alone must get right. */
describe('a client of the mentor call, on a real server', () => {
  const namespace = `kindline-${randomUUID()}`;
  const dir = mkdtempSync(join(tmpdir(), 'kindline-temporal-'));
  let own: Child | null = null;
  const keys = createServiceKeys([{ purpose: 'payload-codec', version: 1, key: randomBytes(32) }]);
  let config: Parameters<typeof connectTemporal>[0];
  let temporal: TemporalConnection;

  beforeAll(async () => {
    let address = process.env['KINDLINE_TEST_TEMPORAL_ADDRESS'];
    if (address === undefined) {
      const [port, httpPort] = [await freePort(), await freePort()];
      own = await temporalChild({ stateDir: dir, logDir: dir, port, httpPort, uiPort: null });
      await own.start();
      address = `127.0.0.1:${port}`;
    }
    config = { address, namespace, uiUrl: null, taskQueue: 'nobody', apiKey: null, tls: false };
    temporal = await connectTemporal(config, keys);
    await ensureNamespace(temporal.connection, namespace);
    await registerSearchAttributes(temporal.connection, namespace);
  });
  afterAll(async () => {
    await temporal.close();
    await own?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const input = () => mentorCallInput({ userId: `user-${randomUUID()}` });
  const ended = { seenKey: 'k', callSid: 'CA1', status: 'completed', dispatchId: null, errorCode: null };

  it('may prepare a namespace again and again; it keeps closed calls for seven days', async () => {
    await ensureNamespace(temporal.connection, namespace);
    await registerSearchAttributes(temporal.connection, namespace);
    const { config } = await temporal.connection.workflowService.describeNamespace({ namespace });
    expect(tsToMs(config?.workflowExecutionRetentionTtl)).toBe(7 * 24 * 60 * 60 * 1000);
  });

  it('brings the search attributes of an older namespace up to date, many processes at once', async () => {
    const older = `kindline-${randomUUID()}`;
    await ensureNamespace(temporal.connection, older);
    const service = temporal.connection.operatorService;
    const searchAttributes = Object.fromEntries([['KindlineState', KEYWORD]]);
    await service.addSearchAttributes({ namespace: older, searchAttributes });
    await Promise.all([1, 2, 3].map(() => registerSearchAttributes(temporal.connection, older)));
    const { customAttributes } = await service.listSearchAttributes({ namespace: older });
    expect(customAttributes).toMatchObject({
      KindlineState: KEYWORD,
      KindlineSince: DATETIME,
      KindlineSubject: KEYWORD,
      KindlineCountry: KEYWORD,
    });
  });

  it('refuses a namespace in which a name of ours means something else', async () => {
    const other = `kindline-${randomUUID()}`;
    await ensureNamespace(temporal.connection, other);
    const searchAttributes = { KindlineSince: KEYWORD };
    await temporal.connection.operatorService.addSearchAttributes({ namespace: other, searchAttributes });
    await expect(registerSearchAttributes(temporal.connection, other)).rejects.toMatchObject({
      code: 'search-attribute-taken',
    });
  });

  it('says that nobody has prepared the namespace, while it is missing and while its attributes are', async () => {
    const unprepared = await connectTemporal({ ...config, namespace: `kindline-${randomUUID()}` }, keys);
    const { namespace: name } = unprepared.client.options;
    const expected = { code: 'temporal-not-prepared' };
    await expect(calls.startMentorCall(unprepared.client, input())).rejects.toMatchObject(expected);
    await expect(calls.describeMentorCall(unprepared.client, randomUUID())).rejects.toMatchObject(expected);
    await ensureNamespace(unprepared.connection, name);
    await expect(calls.startMentorCall(unprepared.client, input())).rejects.toMatchObject(expected);
    await registerSearchAttributes(unprepared.connection, name);
    await eventually(async () => {
      const call = input();
      expect(await calls.startMentorCall(unprepared.client, call)).toBe('running');
      await unprepared.client.workflow.getHandle(mentorCallWorkflowId(call.callId)).terminate();
    });
    await unprepared.close();
  });

  it('starts a call with what an operator must always see', async () => {
    const call = input();
    const before = Date.now();
    await calls.startMentorCall(temporal.client, call);
    const handle = temporal.client.workflow.getHandle(mentorCallWorkflowId(call.callId));
    const { typedSearchAttributes: attributes } = await handle.describe();
    const since = attributes.get(KINDLINE_SINCE)?.getTime() ?? 0;
    expect([attributes.get(KINDLINE_STATE), attributes.get(KINDLINE_COUNTRY)]).toEqual(['running', call.country]);
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(Date.now());
    await handle.terminate();
  });

  it('starts a call once, knows its owner, and starts nothing after its end', async () => {
    const call = input();
    expect(await calls.startMentorCall(temporal.client, call)).toBe('running');
    expect(await calls.startMentorCall(temporal.client, call)).toBe('running');
    const described = { owner: call.userId, requestHash: call.requestHash, running: true };
    expect(await calls.describeMentorCall(temporal.client, call.callId)).toEqual(described);
    expect(await calls.signalLegEnded(temporal.client, call.callId, ended, 10_000)).toBe('signalled');
    await temporal.client.workflow.getHandle(mentorCallWorkflowId(call.callId)).terminate();
    expect(await calls.startMentorCall(temporal.client, call)).toBe('over');
    expect(await calls.signalLegEnded(temporal.client, call.callId, ended, 10_000)).toBe('closed');
    expect(await calls.cancelMentorCall(temporal.client, call.callId)).toBe('not-found');
    expect(await calls.describeMentorCall(temporal.client, call.callId)).toEqual({ ...described, running: false });
  });

  it('does not wait longer than told for an answer that nobody can give', async () => {
    const call = input();
    await calls.startMentorCall(temporal.client, call);
    const question = { kind: 'user-confirmed', callSid: 'CA1', validUntil: Date.now() + 500 } as const;
    const began = performance.now();
    await expect(calls.askTwiml(temporal.client, call.callId, question, 'u1', 500)).rejects.toMatchObject({
      code: 'temporal-not-in-time',
    });
    expect(performance.now() - began).toBeLessThan(10_000);
    await temporal.client.workflow.getHandle(mentorCallWorkflowId(call.callId)).terminate();
  });

  it('begins a call from the app with its first question; what is not answered in time has begun it all the same', async () => {
    const call = appCallInput('CA1');
    const question = { kind: 'app-called', callSid: 'CA1', validUntil: Date.now() + 60_000 } as const;
    const begin = (withinMs = 3_000) => calls.beginMentorCall(temporal.client, call, question, 'u1', withinMs);
    const described = { owner: call.userId, requestHash: call.requestHash, running: true };
    // A machine that stands still may let the time pass before Temporal has taken it.
    await eventually(async () => {
      await expect(begin()).rejects.toMatchObject({ code: 'temporal-not-in-time' });
      expect(await calls.describeMentorCall(temporal.client, call.callId)).toEqual(described);
    });
    // Twilio asks again: the same call, and none after its end.
    await expect(begin()).rejects.toMatchObject({ code: 'temporal-not-in-time' });
    await temporal.client.workflow.getHandle(mentorCallWorkflowId(call.callId)).terminate();
    await expect(begin(10_000)).rejects.toMatchObject({ code: 'process-is-over' });
  });

  it('knows nothing of a call that never was', async () => {
    const question = { kind: 'user-confirmed', callSid: 'CA1', validUntil: Date.now() + 500 } as const;
    expect(await calls.describeMentorCall(temporal.client, randomUUID())).toBeNull();
    await expect(calls.askTwiml(temporal.client, randomUUID(), question, 'u', 10_000)).rejects.toMatchObject({
      code: 'process-is-over',
    });
  });

  it('leaves neither the user nor the wishes of a call readable in its history', async () => {
    const call = { ...input(), preferences: { specialties: ['a-marked-specialty'] } };
    await calls.startMentorCall(temporal.client, call);
    const handle = temporal.client.workflow.getHandle(mentorCallWorkflowId(call.callId));
    const execution = { workflowId: handle.workflowId };
    const service = temporal.connection.workflowService;
    const stored = [
      await service.getWorkflowExecutionHistory({ namespace, execution }),
      await service.describeWorkflowExecution({ namespace, execution }),
    ];
    const text = stored.map((part) => flat(part)).join('');
    expect(text).toContain(call.callId);
    expect(text).not.toContain(call.userId);
    expect(text).not.toContain('a-marked-specialty');
    await handle.terminate();
  });
});

/** Everything in an answer of the server, bytes as text. */
function flat(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (Array.isArray(value)) return value.map(flat).join(' ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, inner]) => `${name}=${flat(inner)}`)
      .join(' ');
  }
  return String(value);
}
