import { randomUUID } from 'node:crypto';
import { noteFindings } from '../../../db/incidents';
import type { Finding } from '../../../domain/watchdog-rules';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await ApiUnderTest.start();
});
afterEach(() => api.stop());

const userId = randomUUID();
const FINDINGS: readonly Finding[] = [
  { kind: 'failure-rate', key: 'all', holdMs: 0, counts: { calls: 20, failed: 3 } },
  { kind: 'user-calls', key: userId, holdMs: 0, counts: { calls: 7 } },
  { kind: 'line-stopped', key: 'twilio', holdMs: 0, counts: { code: 20_003 } },
];
const look = (findings: readonly Finding[]) =>
  noteFindings(api.deps.pool, findings, { calmMs: 0, channels: { emails: 1, webhook: true } });
const get = (path: string, role: 'admin' | 'staff' | 'user' | 'mentor' | 'service' = 'admin') =>
  api.ask('GET', path, { who: { role } });
const byKind = (body: { incidents: { kind: string }[] }) => new Map(body.incidents.map((one) => [one.kind, one]));

test('with nothing wrong the list is empty', async () => {
  expect(await get('/incidents')).toMatchObject({ status: 200, body: { incidents: [], nextCursor: null } });
});

test('an incident says what is wrong, since when, and who was told', async () => {
  await look(FINDINGS);
  expect(byKind((await get('/incidents', 'staff')).body).get('failure-rate')).toEqual({
    incidentId: expect.any(String),
    kind: 'failure-rate',
    state: 'open',
    summary: 'Too many calls have ended without a mentor. (calls: 20, failed: 3)',
    counts: { calls: 20, failed: 3 },
    about: null,
    raisedAt: expect.any(String),
    lastSeenAt: expect.any(String),
    closedAt: null,
    acknowledgedAt: null,
    notices: [
      expect.objectContaining({ phase: 'firing', channel: 'email', recipient: 1, state: 'waiting', attempts: 0 }),
      expect.objectContaining({ phase: 'firing', channel: 'webhook', state: 'waiting', messageId: null }),
    ],
  });
});

test('whom it is about is shown to admins and not to staff; a line is nobody', async () => {
  await look(FINDINGS);
  const forAdmins = byKind((await get('/incidents')).body);
  const forStaff = byKind((await get('/incidents', 'staff')).body);
  expect(forAdmins.get('user-calls')).toMatchObject({ about: { what: 'user', id: userId } });
  expect(forStaff.get('user-calls')).toMatchObject({ about: null });
  expect(forStaff.get('line-stopped')).toMatchObject({ about: { what: 'line', id: 'twilio' } });
});

test('the list goes on page by page, and shows only what is open or over when that is asked', async () => {
  await look(FINDINGS);
  await look([]);
  await look(FINDINGS.slice(0, 1));
  await look(FINDINGS.slice(0, 1));
  const seen: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await get(`/incidents?limit=1${cursor}`);
    seen.push(...body.incidents.map(({ kind }: { kind: string }) => kind));
    if (body.nextCursor === null) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(seen.toSorted()).toEqual(FINDINGS.map(({ kind }) => kind).toSorted());
  expect([...byKind((await get('/incidents?state=open')).body).keys()]).toEqual(['failure-rate']);
  expect([...byKind((await get('/incidents?state=over')).body).keys()].toSorted()).toEqual([
    'line-stopped',
    'user-calls',
  ]);
});

test('one can be acknowledged, by staff too; the first time stays', async () => {
  await look(FINDINGS.slice(0, 1));
  const [{ incidentId }] = (await get('/incidents')).body.incidents;
  const acknowledge = () => api.ask('POST', `/incidents/${incidentId}/acknowledge`, { who: { role: 'staff' } });
  const first = await acknowledge();
  expect(first).toMatchObject({ status: 200, body: { incidentId, acknowledgedAt: expect.any(String) } });
  expect((await acknowledge()).body.acknowledgedAt).toBe(first.body.acknowledgedAt);
  expect((await get(`/incidents/${incidentId}`)).body.acknowledgedAt).toBe(first.body.acknowledgedAt);
});

test.each(['user', 'mentor', 'service'] as const)('a %s sees none of it', async (role) => {
  expect((await get('/incidents', role)).status).toBe(403);
  expect((await get(`/incidents/${randomUUID()}`, role)).status).toBe(403);
  const acknowledging = await api.ask('POST', `/incidents/${randomUUID()}/acknowledge`, { who: { role } });
  expect(acknowledging.status).toBe(403);
});

test('one that is not there is a 404, and leaves nothing', async () => {
  const before = await api.footprint();
  for (const id of [randomUUID(), 'nonsense']) {
    expect((await get(`/incidents/${id}`)).status).toBe(404);
    expect((await api.ask('POST', `/incidents/${id}/acknowledge`, { who: { role: 'admin' } })).status).toBe(404);
  }
  expect(await api.footprint()).toEqual(before);
});

test.each(['state=perhaps', 'limit=0'])('asked for with ?%s is a 400', async (query) => {
  expect(await get(`/incidents?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
});
