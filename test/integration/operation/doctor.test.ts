import { spawnSync } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../config/config';
import { type ExaminedPart, examine } from '../../../scripts/doctor/examination';
import type { Finding } from '../../../scripts/doctor/finding';
import { publicAddressCheck } from '../../../scripts/doctor/public-address';
import { built } from '../../../scripts/project';
import { createTwimlApps } from '../../../providers/twiml-apps';
import { createTwilioNumbers } from '../../../providers/twilio-numbers';
import { openLocalKeyRing } from '../../../vault/local-key-ring';
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
  // A worker says that it is ready before its first polls have reached Temporal.
  await eventually(async () => expect(failed(await examined(['temporal']))).toEqual([]));
});
afterAll(() => stack.stop(), 60_000);

const examined = (only: readonly ExaminedPart[] | null, more: NodeJS.ProcessEnv = {}, apply = false) =>
  examine({ env: { ...stack.env, ...more }, apply, ...(only === null ? {} : { only }) });
const of = (findings: readonly Finding[], check: string) => findings.filter((finding) => finding.check === check);
const failed = (findings: readonly Finding[]) => findings.filter(({ state }) => state === 'fail');

test('a service that is well passes every check', async () => {
  const findings = await examined(null);
  expect(failed(findings)).toEqual([]);
  expect([...new Set(findings.map(({ check }) => check))]).toEqual([
    'configuration',
    'postgres',
    'migrations',
    'grants',
    'worker role',
    'audit',
    'temporal',
    'namespace',
    'search attributes',
    'worker',
    'priority',
    'keys',
    'stored keys',
    'clock',
    'sign-in',
    'public address',
    '+14155550100',
    '+14155550101',
    '+447700900100',
    'in-app voice',
    'fallback documents',
    'helplines',
    'escalation',
  ]);
});

test('the command says so in JSON and by its exit code, and shows no secret', () => {
  const run = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, [built('scripts/doctor.js'), '--json'], { env, encoding: 'utf8' });
  const well = run(stack.env);
  expect(well.stderr).toBe('');
  expect(well.status).toBe(0);
  const report = JSON.parse(well.stdout);
  expect(report).toMatchObject({ ok: true, from: 'the environment' });

  const ill = run({ ...stack.env, TWILIO_AUTH_TOKEN: 'another-token-of-another-account', CALL_USER_RING: 'soon' });
  expect(ill.status).toBe(1);
  expect(JSON.parse(ill.stdout).findings).toEqual([
    {
      check: 'configuration',
      state: 'fail',
      says: expect.stringMatching(/^CALL_USER_RING: expected a duration/),
      todo: 'See .env.example.',
    },
  ]);
  const secrets = [stack.twilioAuthToken, new URL(stack.env.DATABASE_URL ?? '').password, 'another-token'];
  for (const secret of secrets) expect(well.stdout + ill.stdout).not.toContain(secret);
});

describe('what is down or wrong is named, with what to do', () => {
  const cases: readonly [string, NodeJS.ProcessEnv, ExaminedPart, string, RegExp][] = [
    ['Postgres', { DATABASE_URL: 'postgres://a:b@127.0.0.1:1/none' }, 'postgres', 'postgres', /ECONNREFUSED/],
    ['Temporal', { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'temporal', 'temporal', /does not answer/],
    ['the namespace', { TEMPORAL_NAMESPACE: 'of-nobody' }, 'temporal', 'namespace', /could not be asked/],
    [
      'the worker',
      { KINDLINE_TASK_QUEUE: 'of-nobody' },
      'temporal',
      'worker',
      /No worker takes workflows \(queue of-nobody\)/,
    ],
    ['the issuer', { OIDC_ISSUER: 'http://127.0.0.1:1/oidc' }, 'sign-in', 'sign-in', /could not be asked/],
    [
      'the account',
      { TWILIO_API_SECRET: 'wrong-secret-wrong-secret' },
      'numbers',
      '+14155550100',
      /HTTP 401, code 20003/,
    ],
    [
      'the key of the voice tokens',
      { TWILIO_API_SECRET: 'wrong-secret-wrong-secret' },
      'numbers',
      'in-app voice',
      /HTTP 401, code 20003/,
    ],
    [
      'the TwiML app',
      { TWIML_APP_SID: `AP${'0'.repeat(32)}` },
      'numbers',
      'in-app voice',
      /does not have this TwiML app/,
    ],
    ['a number', { TWILIO_PHONE_NUMBER: '+14155550177' }, 'numbers', '+14155550177', /does not have this number/],
    [
      'the fallback',
      { VOICE_FALLBACK_URL: 'http://127.0.0.1:59999/{country}.xml' },
      'fallback',
      'fallback documents',
      /default \(ECONNREFUSED\)/,
    ],
  ];

  test.each(cases)('%s', async (_what, env, part, check, says) => {
    const findings = of(await examined([part], env), check);
    expect(findings).toEqual([
      { check, state: 'fail', says: expect.stringMatching(says), todo: expect.stringMatching(/\w/) },
    ]);
  });

  test('alerts that would come to nobody of the organisation', async () => {
    const found = (more: NodeJS.ProcessEnv) => examined(['escalation'], more);
    expect(await found({})).toMatchObject([
      { check: 'configuration' },
      { check: 'escalation', state: 'warn', todo: expect.stringContaining('ESCALATION_ON_CALL_NUMBERS') },
    ]);
    const named = {
      ESCALATION_WELLBEING_EMAIL: 'wellbeing@example.org',
      ESCALATION_ON_CALL_NUMBERS: '+14155550161',
    };
    expect(await found(named)).toMatchObject([{ check: 'configuration' }, { check: 'escalation', state: 'ok' }]);
  });

  test('sound of recordings that everybody could hear, and sound that is not encrypted', async () => {
    const on = { CALL_RECORDING: 'on', TWILIO_RECORDING_ENCRYPTION: 'public-key' };
    const found = async () => (await examined(['recordings'], on)).filter(({ check }) => check === 'recordings');
    expect(await found()).toMatchObject([
      { state: 'ok' },
      { state: 'warn', says: expect.stringMatching(/^Nothing was recorded/) },
    ]);
    await stack.sim.settings({ mediaNeedsAuth: false });
    const [open] = await found();
    await stack.sim.settings({ mediaNeedsAuth: true });
    expect(open).toMatchObject({ state: 'fail', says: expect.stringMatching(/instead of 401/) });
    expect(await examined(['recordings'])).toMatchObject([{ check: 'configuration' }]);
  });

  test('a migration that has not run', async () => {
    const { rows } = await stack.pool.query('DELETE FROM schema_migrations WHERE name LIKE $1 RETURNING *', ['0006%']);
    try {
      const [found] = of(await examined(['postgres']), 'migrations');
      expect(found).toMatchObject({ state: 'fail', says: expect.stringContaining('0006_deletions_at_twilio') });
    } finally {
      const [{ id, name, run_on }] = rows;
      await stack.pool.query('INSERT INTO schema_migrations (id, name, run_on) VALUES ($1, $2, $3)', [
        id,
        name,
        run_on,
      ]);
    }
  });

  test('an audit trigger that was switched off, and a role that may do too much', async () => {
    await stack.pool.query('ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only');
    try {
      // The owner's own connection: what somebody sets who wants to be done with it.
      const findings = await examined(['postgres'], { DATABASE_URL: stack.env.DATABASE_MIGRATION_URL });
      expect(of(findings, 'audit')).toMatchObject([{ state: 'fail', says: expect.stringContaining('audit_entries') }]);
      expect(of(findings, 'grants')).toMatchObject([{ state: 'fail', says: expect.stringContaining('delete audit') }]);
    } finally {
      await stack.pool.query('ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only');
    }
  });
});

describe('what the worker alone holds', () => {
  const withWorker = {
    get DATABASE_WORKER_URL() {
      return stack.workerUrl;
    },
  };

  test('is looked at when its address is known', async () => {
    const findings = await examined(['postgres', 'keys'], withWorker);
    expect(of(findings, 'worker role')).toMatchObject([{ state: 'ok' }]);
    expect(of(findings, 'stored keys')).toMatchObject([{ state: 'ok', says: expect.stringContaining('all 5 keys') }]);
    expect(of(await examined(['postgres']), 'worker role')).toMatchObject([{ state: 'warn' }]);
  });

  test('is named when its role may do too much or too little, or the API’s may do the same', async () => {
    const owner = await examined(['postgres'], { DATABASE_WORKER_URL: stack.env.DATABASE_MIGRATION_URL });
    expect(of(owner, 'worker role')).toMatchObject([{ state: 'fail', says: expect.stringContaining('create tables') }]);
    const turned = { DATABASE_URL: stack.workerUrl, DATABASE_WORKER_URL: stack.env.DATABASE_URL };
    expect(of(await examined(['postgres'], turned), 'worker role')).toMatchObject([
      { state: 'fail', says: expect.stringMatching(/it may not write the audit chain; the role of DATABASE_URL may/) },
    ]);
    const shared = await examined(['postgres'], { DATABASE_URL: stack.workerUrl });
    expect(of(shared, 'worker role')).toMatchObject([
      { state: 'warn', says: expect.stringContaining('wrong for the API') },
    ]);
  });

  test('a key ring that works and is not the one of this database is named', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kindline-doctor-'));
    const file = join(dir, 'root-key.json');
    await openLocalKeyRing(file, { nodeEnv: 'test' });
    const findings = await examined(['keys'], { ...withWorker, LOCAL_KEY_FILE: file });
    rmSync(dir, { recursive: true });
    expect(of(findings, 'keys')).toMatchObject([{ state: 'ok' }]);
    expect(of(findings, 'stored keys')).toMatchObject([
      {
        state: 'fail',
        says: expect.stringContaining('(not-our-key)'),
        todo: expect.stringContaining('LOCAL_KEY_FILE'),
      },
    ]);
  });
});

describe('the TwiML app', () => {
  const sid = () => stack.env.TWIML_APP_SID ?? '';
  const apps = () => createTwimlApps(loadConfig(stack.env).twilio, { httpTimeoutMs: 2_000 });

  test('that asks somebody else is named, and set right when that is wished', async () => {
    const provider = apps();
    const before = await provider.find(sid());
    await provider.setUrls(sid(), { voice: { url: 'https://elsewhere.example/voice', method: 'GET' } });
    expect(of(await examined(['numbers']), 'in-app voice')).toMatchObject([
      {
        state: 'fail',
        says: expect.stringMatching(/voice URL is GET https:\/\/elsewhere.example\/voice and should be POST/),
        todo: expect.stringContaining('--apply'),
      },
    ]);
    expect(of(await examined(['numbers'], {}, true), 'in-app voice')).toMatchObject([{ state: 'ok' }]);
    expect(await provider.find(sid())).toEqual(before);
    provider.close();
  });

  test('is not asked after where nobody calls from an app', async () => {
    expect(of(await examined(['numbers'], { TWIML_APP_SID: '' }), 'in-app voice')).toEqual([]);
  });
});

describe('the numbers', () => {
  const provider = () =>
    createTwilioNumbers(
      {
        accountSid: stack.env.TWILIO_ACCOUNT_SID ?? '',
        authToken: stack.twilioAuthToken,
        apiKey: null,
        apiSecret: null,
        apiBaseUrl: stack.env.TWILIO_API_BASE_URL ?? '',
      },
      { httpTimeoutMs: 2_000 },
    );
  const pointElsewhere = async () => {
    const numbers = provider();
    const own = await numbers.find('+14155550101');
    const voice = { url: 'https://name:password@elsewhere.example/voice?key=1', method: 'GET' } as const;
    await numbers.setUrls(own?.sid ?? '', { voice, status: { url: 'https://elsewhere.example/s', method: 'POST' } });
    return numbers;
  };

  test('one that asks somebody else is named, and set right with --apply', async () => {
    const numbers = await pointElsewhere();
    const before = of(await examined(['numbers']), '+14155550101');
    expect(before).toHaveLength(2);
    expect(before[0]).toMatchObject({
      state: 'fail',
      says: `The voice URL is GET https://…@elsewhere.example/voice?… and should be POST ${stack.apiUrl}/twiml/inbound#rc=3&rp=5xx,ct,rt.`,
      todo: 'npm run doctor -- --apply sets it.',
    });
    const applied = await examined(['numbers'], {}, true);
    expect(failed(applied)).toEqual([]);
    expect(of(applied, '+14155550101').map(({ says }) => says.split(' was set')[0])).toEqual([
      'The voice URL',
      'The status callback',
    ]);
    expect((await numbers.find('+14155550101'))?.urls).toMatchObject({
      voice: { url: `${stack.apiUrl}/twiml/inbound#rc=3&rp=5xx,ct,rt`, method: 'POST' },
      text: { url: `${stack.apiUrl}/twiml/inbound-text#rc=3&rp=5xx,ct,rt`, method: 'POST' },
      fallback: { method: 'GET' },
    });
    expect(of(await examined(['numbers']), '+14155550101')).toMatchObject([{ state: 'ok' }]);
    numbers.close();
  });

  test('are never pointed at an address that does not lead to us', async () => {
    const numbers = await pointElsewhere();
    const findings = await examined(['numbers'], { TWILIO_WEBHOOK_BASE_URL: 'http://127.0.0.1:1' }, true);
    expect(of(findings, '+14155550101')[0]).toMatchObject({ state: 'fail', todo: expect.stringMatching(/^Not set/) });
    expect((await numbers.find('+14155550101'))?.urls.voice.url).toContain('elsewhere');
    await examined(['numbers'], {}, true);
    numbers.close();
  });
});

describe('the public address', () => {
  /** Something between Twilio and us; answers by itself, or passes on as it likes. */
  async function behind(listener: RequestListener): Promise<{ findings: readonly Finding[] }> {
    const server: Server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const findings = await examined(['numbers'], { TWILIO_WEBHOOK_BASE_URL: `http://127.0.0.1:${port}` });
      return { findings: of(findings, 'public address') };
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  const wrong: readonly [string, RequestListener, RegExp, RegExp][] = [
    [
      'redirects',
      (req, res) => res.writeHead(301, { location: `https://example.org${req.url}` }).end(),
      /redirects \(301\)/,
      /as a GET/,
    ],
    ['has no such path', (_req, res) => res.writeHead(404).end(), /no \/twiml\/inbound-text \(404\)/, /strips a part/],
    ['has nothing behind it', (_req, res) => res.writeHead(502).end(), /answers 502/, /not the API behind it/],
    [
      'shows a page of its own',
      (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Visit site?</h1>'),
      /200 with text\/html/,
      /warning page of a tunnel/,
    ],
    [
      'answers to anybody',
      (_req, res) => res.writeHead(200, { 'content-type': 'text/xml' }).end('<Response/>'),
      /wrong signature is answered 200/,
      /is not our API/,
    ],
  ];

  test.each(wrong)('that %s is told from one that leads to us', async (_what, listener, says, todo) => {
    const { findings } = await behind(listener);
    expect(findings).toMatchObject([
      { state: 'fail', says: expect.stringMatching(says), todo: expect.stringMatching(todo) },
    ]);
  });

  test('that the API does not know as its own makes it refuse our signature, and the report says why', async () => {
    // Passed on as it is, but signed for this address: the API checks it for the one that it was configured with.
    const { findings } = await behind((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const headers = {
          'content-type': String(req.headers['content-type']),
          'x-twilio-signature': String(req.headers['x-twilio-signature']),
        };
        void fetch(`${stack.apiUrl}${req.url}`, { method: 'POST', headers, body: Buffer.concat(chunks) }).then(
          (answer) => res.writeHead(answer.status).end(),
        );
      });
    });
    expect(findings).toMatchObject([
      {
        state: 'fail',
        says: expect.stringContaining('Our own signature is refused'),
        todo: expect.stringContaining('https and host must be those of the public address'),
      },
    ]);
  });

  test('of this machine is no address for a real account', async () => {
    const config = loadConfig({ ...stack.env, TWILIO_API_BASE_URL: '' });
    expect(await publicAddressCheck({ config, apply: false })).toMatchObject([
      { state: 'fail', says: expect.stringMatching(/Twilio cannot reach/) },
    ]);
  });
});
