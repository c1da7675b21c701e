import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { serveMetrics } from '../../../api/metrics';
import { portOf } from '../../../api/serving';
import { noteAppEvent } from '../../../db/app-events';
import { closeCall, updateCall } from '../../../db/calls';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { liveCall, mentorWith } from '../db/people';
import { ApiUnderTest, CONSENT, newCallSid } from './api-under-test';
import { PagesUnderTest } from './pages-under-test';

let api: ApiUnderTest;
let server: Server;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  server = await serveMetrics(api.metrics, 0, '127.0.0.1');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await api.stop();
});

async function scraped(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${portOf(server)}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return await answer.text();
}
/** Waits: a request counts when its connection has seen the end of the answer. */
const shows = (line: string) =>
  eventually(async () => {
    if (!(await scraped()).includes(`\n${line}\n`)) throw new Error('not counted yet');
    return true;
  });

test('counts requests by route pattern, method and class of status, whatever the address was', async () => {
  const who = { role: 'user' } as const;
  for (const id of [randomUUID(), randomUUID()]) await api.ask('GET', `/mentor-calls/${id}`, { who });
  expect(await shows('kindline_http_requests_total{route="/mentor-calls/:callId",method="GET",status="4xx"} 2')).toBe(
    true,
  );
  await api.ask('GET', `/no/such/${MARKED.userPhone}`);
  expect(await shows('kindline_http_requests_total{route="unknown",method="GET",status="4xx"} 1')).toBe(true);
});

test('counts what was asked for by what came of it, and not who was never let in', async () => {
  const json = { userPhoneNumber: MARKED.userPhone, consent: CONSENT };
  await api.ask('POST', '/connect-mentor', { json });
  await api.ask('POST', '/connect-mentor', { who: { role: 'user', subject: randomUUID() }, json });
  await api.ask('POST', '/connect-mentor', { who: { role: 'user' }, json: { ...json, userPhoneNumber: '+1900' } });
  expect(
    await shows('kindline_requests_to_reach_somebody_total{what="mentor-call",channel="voice",outcome="accepted"} 1'),
  ).toBe(true);
  expect(
    await shows('kindline_requests_to_reach_somebody_total{what="mentor-call",channel="voice",outcome="refused"} 1'),
  ).toBe(true);
});

test('measures webhooks apart from the rest', async () => {
  await api.twilio('/call-status?leg=user', { CallSid: newCallSid(), CallStatus: 'ringing' });
  expect(await shows('kindline_webhook_duration_seconds_count{route="/call-status"} 1')).toBe(true);
});

test('measures a page as a request of somebody who waits for it, and as no webhook', async () => {
  const pages = await PagesUnderTest.start();
  try {
    await pages.stranger().open('/staff');
    const text = await eventually(async () => {
      const now = await pages.api.metrics.text();
      if (!now.includes('route="/staff"')) throw new Error('not counted yet');
      return now;
    });
    expect(text).toContain('\nkindline_http_request_duration_seconds_count{route="/staff",method="GET"} 1\n');
    expect(text).not.toMatch(/kindline_webhook_duration_seconds\S*route="\/staff"/);
  } finally {
    await pages.stop();
  }
});

test('tells how many events the app waits for, and how the process is', async () => {
  const event = { subjectId: randomUUID(), type: 'message.sent', objectId: randomUUID(), state: 'sent' } as const;
  await noteAppEvent(api.deps.pool, event);
  expect(await scraped()).toMatch(/\nkindline_app_events_waiting [1-9]/);
  expect(await scraped()).toMatch(/\nnodejs_eventloop_lag_p99_seconds /);
});

test('tells when the retention sweep last came to its end, and that none has for too long', async () => {
  expect(await scraped()).toMatch(/\nkindline_retention_last_success_timestamp_seconds NaN\n/i);
  expect(await scraped()).toContain('\nkindline_retention_stale 0\n');
  await api.database.owner.query("UPDATE sweeps SET last_success_at = '2026-01-01T00:00:00Z'");
  expect(await scraped()).toContain('\nkindline_retention_last_success_timestamp_seconds 1767225600\n');
  expect(await scraped()).toContain('\nkindline_retention_stale 1\n');
  const { status, sweeps } = (await api.fetch('/health', {})).body;
  expect({ status, stale: sweeps.retention.staleSince }).toEqual({
    status: 'degraded',
    stale: '2026-01-03T00:00:00.000Z',
  });
});

test('tells how the service does: success, wait, duration and mentors, NaN where there is nothing to judge', async () => {
  const text = await scraped();
  expect(text).toContain('\nkindline_mentor_call_success_ratio Nan\n');
  expect(text).toContain('\nkindline_mentors_available_ratio Nan\n');
  expect(text).toContain('\nkindline_satisfaction_mean Nan\n');
  for (const quantile of ['0.5', '0.95']) {
    expect(text).toContain(`\nkindline_mentor_wait_seconds{quantile="${quantile}"} Nan\n`);
    expect(text).toContain(`\nkindline_conversation_seconds{quantile="${quantile}"} Nan\n`);
  }
});

test('tells each figure under its own name', async () => {
  const busy = await ApiUnderTest.start();
  const { pool } = busy.deps;
  const now = Date.now();
  const secondsAgo = (seconds: number) => new Date(now - seconds * 1_000).toISOString();
  try {
    for (const [wait, talk] of [
      [12, 300],
      [20, 500],
    ] as const) {
      const { callId } = await liveCall(pool);
      await updateCall(pool, callId, { answeredAt: secondsAgo(1_000), bridgedAt: secondsAgo(1_000 - wait) });
      const end = { outcome: 'completed', endReason: 'bridge-over', durationSeconds: talk } as const;
      await closeCall(pool, { callId, ...end, endedAt: secondsAgo(60) });
    }
    const { callId } = await liveCall(pool);
    const end = { outcome: 'failed', endReason: 'provider-unavailable', durationSeconds: 0 } as const;
    await closeCall(pool, { callId, ...end, endedAt: secondsAgo(60) });
    for (const available of [true, true, true, false]) await mentorWith(pool, { available });
    await busy.database.owner.query(
      `INSERT INTO call_feedback (call_id, mentor_id, rating, via)
       SELECT gen_random_uuid(), gen_random_uuid(), 4 + n % 2, 'key' FROM generate_series(1, 10) n`,
    );
    const lines = (await busy.metrics.text()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'kindline_mentor_call_success_ratio 0.6666666666666666',
        'kindline_mentor_wait_seconds{quantile="0.5"} 16',
        'kindline_mentor_wait_seconds{quantile="0.95"} 19.6',
        'kindline_conversation_seconds{quantile="0.5"} 400',
        'kindline_conversation_seconds{quantile="0.95"} 490',
        'kindline_mentors_available_ratio 0.75',
        'kindline_satisfaction_mean 4.5',
      ]),
    );
  } finally {
    await busy.stop();
  }
});

test('counts who has asked not to be written to within a day, by how they said so', async () => {
  await api.database.owner.query(
    `INSERT INTO opt_outs (recipient_token, token_version, scope, since, lifted_at)
     SELECT sha256(n::text::bytea), 1, 'organisation', now() - (n - 1) * interval '12 hours', CASE WHEN n = 1 THEN now() END
       FROM generate_series(1, 4) n`,
  );
  await api.database.owner.query(
    `INSERT INTO mail_blocks (recipient_token, token_version, reason, since)
     SELECT sha256(n::text::bytea), 1, reason, now() - CASE WHEN n < 7 THEN interval '0' ELSE interval '25 hours' END
       FROM generate_series(1, 9) n,
            LATERAL (SELECT (ARRAY['unsubscribed', 'complained', 'complained', 'bounced', 'complained'])[1 + n % 5] AS reason) r`,
  );
  const lines = (await scraped()).split('\n').filter((line) => line.startsWith('kindline_opt_outs'));
  expect(lines).toEqual([
    'kindline_opt_outs{by="stop"} 2',
    'kindline_opt_outs{by="unsubscribe"} 1',
    'kindline_opt_outs{by="complaint"} 4',
  ]);
});

test('listens where it is told to, and nowhere else', () => {
  expect(server.address()).toMatchObject({ address: '127.0.0.1' });
});

test('holds nobody’s number, id or token, and no label that a client could choose', async () => {
  const callId = randomUUID();
  await api.ask('GET', `/mentor-calls/${callId}`, { who: { role: 'user', subject: MARKED.userPhone } });
  const text = await scraped();
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}|\+\d{5}|CA[0-9a-f]{32}/);
  expect(text).not.toContain(MARKED.userPhone.slice(1));
});

test('is not to be had from the public port', async () => {
  expect((await api.ask('GET', '/metrics')).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${portOf(server)}/`)).status).toBe(404);
});
