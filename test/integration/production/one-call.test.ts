/**
 * Production's own processes, from an empty database to a masked call, with stand-ins only where the world begins:
 * moto for KMS, the simulator for Twilio and for the issuer, Postgres and Temporal of the tests.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../../scripts/child';
import { writeFallbackDocuments } from '../../../scripts/fallback-documents';
import { freePort } from '../../../scripts/ports';
import { STACKS } from '../../../scripts/run-dirs';
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { SimulatorClient } from '../../../simulator/client';
import { MARKED } from '../../marked-people';
import { describeWithMoto, type Moto, MOTO_CREDENTIALS } from '../../moto';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually, type Role, type TestStack } from '../../stack';
import { AppUser, addMentor, legOf, READY_MENTOR, READY_USER } from '../calls/people';
import { makeRootKey, startKms } from '../keys/kms';
import { healthcheckOf, ROOT } from './compose-file';
import { EntryPoint, makeImage, removeImage } from './entry-points';

const { userPhone, mentorPhone } = MARKED;
const NAMESPACE = `production-${randomUUID().slice(0, 8)}`;
const RUNNING = ['api', 'worker', 'codec'] as const;
const FIRST_WORDS = { api: 'api ready', worker: 'worker ready', codec: 'codec ready' } as const;
const LAST_WORDS = { api: 'api stopped', worker: 'worker drained', codec: 'codec stopped' } as const;

const temporalAddress = process.env.KINDLINE_TEST_TEMPORAL_ADDRESS ?? '';
const withParts = temporalAddress === '' ? describe.skip : describeWithMoto;
if (temporalAddress === '') {
  process.stderr.write(
    '\n*** Run by `npm test` only: the processes of production are NOT tested without its Temporal. ***\n\n',
  );
}

withParts('the processes of production', () => {
  let database: TestDatabase;
  let moto: Moto;
  let simulator: Child;
  let sim: SimulatorClient;
  let image = '';
  let dir = '';
  let apiUrl = '';
  let simulatorUrl = '';
  let env: NodeJS.ProcessEnv = {};
  let secrets: NodeJS.ProcessEnv = {};
  const processes = new Map<string, EntryPoint>();
  const start = (service: string, more: NodeJS.ProcessEnv = {}) => {
    const logFile = join(dir, 'logs', `${service}.log`);
    const process = new EntryPoint(image, service, { env: { ...env, ...more }, secrets, dir, logFile });
    processes.set(service, process);
    return process;
  };

  beforeAll(async () => {
    // Where the search for what must not be stored looks at the end of all tests.
    const kept = process.env.KINDLINE_TEST_STATE_DIR ?? '';
    const parent = kept === '' ? tmpdir() : join(kept, STACKS);
    mkdirSync(parent, { recursive: true });
    dir = mkdtempSync(join(parent, 'kindline-production-'));
    mkdirSync(join(dir, 'logs'));
    image = makeImage();
    database = await createTestDatabase({ migrated: false });
    moto = await startKms();
    const [port, codecPort, simulatorPort] = [await freePort(), await freePort(), await freePort()];
    apiUrl = `http://127.0.0.1:${port}`;
    simulatorUrl = `http://127.0.0.1:${simulatorPort}`;
    const twilio = { sid: `AC${randomUUID().replaceAll('-', '')}`, token: randomUUID() };
    const numbers = ORGANISATION_NUMBERS.join(',');
    env = {
      ALLOW_STAND_INS: 'i-am-testing',
      HOST: '127.0.0.1',
      PORT: String(port),
      TRUST_PROXY_HOPS: '0',
      PUBLIC_BASE_URL: apiUrl,
      TEMPORAL_ADDRESS: temporalAddress,
      TEMPORAL_NAMESPACE: NAMESPACE,
      TWILIO_ACCOUNT_SID: twilio.sid,
      TWILIO_PHONE_NUMBER: numbers,
      TWILIO_API_BASE_URL: simulatorUrl,
      TWILIO_CALLS_PER_SECOND: '20',
      VOICE_FALLBACK_URL: `${simulatorUrl}/fallback/{country}.xml`,
      OIDC_ISSUER: `${simulatorUrl}/oidc`,
      KMS_KEY_ID: await makeRootKey(moto.url),
      KMS_ENDPOINT: moto.url,
      AWS_REGION: MOTO_CREDENTIALS.AWS_REGION,
      METRICS_PORT: String(await freePort()),
      API_METRICS_PORT: String(await freePort()),
      AUDIT_CHECKPOINT_DIR: join(dir, 'checkpoints'),
      CODEC_HOST: '127.0.0.1',
      CODEC_PORT: String(codecPort),
      CODEC_PUBLIC_URL: `http://127.0.0.1:${codecPort}`,
      CODEC_OIDC_ISSUER: `${simulatorUrl}/oidc`,
      TEMPORAL_UI_URL: 'http://127.0.0.1:8080',
    };
    secrets = {
      api_database_url: database.appUrl,
      worker_database_url: database.workerUrl,
      owner_database_url: database.ownerUrl,
      twilio_auth_token: twilio.token,
      twilio_secondary_auth_token: '',
      twilio_api_secret: '',
      aws_credentials: [
        '[default]',
        `aws_access_key_id = ${MOTO_CREDENTIALS.AWS_ACCESS_KEY_ID}`,
        `aws_secret_access_key = ${MOTO_CREDENTIALS.AWS_SECRET_ACCESS_KEY}`,
      ].join('\n'),
    };
    writeFallbackDocuments(join(dir, 'fallback'), ORGANISATION_NUMBERS, null);
    simulator = new Child({
      name: 'simulator',
      command: process.execPath,
      args: [join(ROOT, 'dist', 'simulator', 'main.js')],
      env: {
        PATH: process.env.PATH,
        TWILIO_ACCOUNT_SID: twilio.sid,
        TWILIO_AUTH_TOKEN: twilio.token,
        TWILIO_PHONE_NUMBER: numbers,
        TWILIO_WEBHOOK_BASE_URL: apiUrl,
        VOICE_FALLBACK_URL: env.VOICE_FALLBACK_URL,
        SIMULATOR_PORT: String(simulatorPort),
        SIMULATOR_STATE_DIR: dir,
      },
      logFile: join(dir, 'logs', 'simulator.log'),
      isReady: (log) => log.includes('"msg":"simulator ready"'),
      readyWithinMs: 60_000,
    });
    await simulator.start();
    sim = new SimulatorClient(simulatorUrl);
    await sim.settings({ wordMs: 2 });
  });

  afterAll(async () => {
    for (const process of processes.values()) process.kill('SIGKILL');
    await simulator.stop();
    await moto.stop();
    removeImage(image);
    await Promise.all([database.owner.end(), database.app.end(), database.worker.end()]);
  });

  const token = async (role: Role, subject = `the-${role}`) => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ role, subject });
    const answer = await fetch(`${simulatorUrl}/oidc/token`, { method: 'POST', headers, body });
    return ((await answer.json()) as { access_token: string }).access_token;
  };
  const api: TestStack['api'] = async (path, { json, ...init } = {}, who) => {
    const headers = new Headers(init.headers);
    if (who !== undefined) headers.set('authorization', `Bearer ${await token(who.role, who.subject)}`);
    if (json !== undefined) headers.set('content-type', 'application/json');
    const body = json === undefined ? {} : { method: 'POST', body: JSON.stringify(json) };
    const answer = await fetch(`${apiUrl}${path}`, { ...init, ...body, headers });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : null,
    };
  };

  it('bring an empty database to the schema, once', async () => {
    const first = start('migrate');
    expect([await first.endedWithin(60_000), first.output]).toEqual([0, expect.stringContaining('0001')]);
    const again = start('migrate');
    expect([await again.endedWithin(60_000), again.output]).toEqual([0, 'Nothing to do.\n']);
  });

  it('tell who asks for a call before the first worker has come up who else is there', async () => {
    start('api');
    await eventually(() => processes.get('api')?.line('api ready'));
    expect(await new AppUser({ api, sim } as TestStack, userPhone).ask()).toMatchObject({
      status: 503,
      body: { code: 'temporarily-unavailable', helplines: { crisis: expect.anything() } },
    });
    // The line of the log may come after the answer.
    await eventually(() =>
      expect(processes.get('api')?.lines()).toContainEqual(
        expect.objectContaining({ error: expect.objectContaining({ code: 'temporal-not-prepared' }) }),
      ),
    );
  });

  it('come up on the prebuilt workflows, KMS and files of secrets, and say aloud that stand-ins are allowed', async () => {
    const bundling = new EntryPoint(image, 'bundle', {
      command: ['node', 'dist/scripts/build-workflow-bundle.js'],
      secrets,
      dir,
    });
    expect([await bundling.endedWithin(150_000), existsSync(join(image, 'dist', 'workflow-bundle.js'))]).toEqual([
      0,
      true,
    ]);
    for (const service of RUNNING) if (!processes.has(service)) start(service);
    for (const service of RUNNING) {
      const process = processes.get(service) as EntryPoint;
      const ready = await eventually(() => process.line(FIRST_WORDS[service]), 90_000);
      expect(ready).toMatchObject({ keyRing: 'kms', secrets: 'file' });
      const banner = process.lines().find(({ level, standIns }) => level === 'warn' && standIns === true);
      expect(banner?.msg).toContain('*** STAND-INS ARE ALLOWED');
    }
    expect(processes.get('worker')?.line('worker ready')).toMatchObject({ bundle: 'prebuilt' });
  }, 400_000);

  it('count as healthy by the check of the compose file: a worker only when it takes work', async () => {
    const idle = createServer((_req, res) => res.end('temporal_worker_start{namespace="x"} 1\n'));
    await new Promise<void>((resolve) => idle.listen(0, '127.0.0.1', resolve));
    const address = idle.address();
    const ports = { 3000: env.PORT, 3001: env.CODEC_PORT, 9464: env.METRICS_PORT };
    const check = (service: (typeof RUNNING)[number], other: Partial<typeof ports> = {}) => {
      const [, ...command] = healthcheckOf(service).map((word) =>
        word.replace(/127\.0\.0\.1:(\d+)/, (_whole, port) => `127.0.0.1:${Reflect.get({ ...ports, ...other }, port)}`),
      );
      return new EntryPoint(image, `${service}-check`, { command, secrets, dir }).endedWithin(20_000);
    };
    for (const service of RUNNING) {
      await eventually(async () => expect([service, await check(service)]).toEqual([service, 0]));
    }
    const idlePort = String(typeof address === 'object' && address !== null ? address.port : 0);
    expect(await check('worker', { 9464: idlePort })).toBe(1);
    idle.close();
    expect(await check('worker', { 9464: idlePort })).toBe(1);
  });

  it('serve their metrics to whoever is in their network, not to their own container alone', async () => {
    // Reached only where more than 127.0.0.1 is listened on. A machine without a network has 127.0.0.2, on Linux.
    const others = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const host = others.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.2';
    const lines = async (port: string | undefined) => (await fetch(`http://${host}:${port}/metrics`)).text();
    expect(await lines(env.METRICS_PORT)).toMatch(/^temporal_num_pollers/m);
    expect(await lines(env.API_METRICS_PORT)).toMatch(/^kindline_http_requests_total/m);
  });

  it('say in /health that they have stand-ins, and that every part answers', async () => {
    await eventually(async () => {
      const { status, body } = await api('/health');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        status: 'ok',
        standIns: true,
        parts: { kms: { state: 'up' }, twilio: { state: 'up' } },
      });
    });
  });

  it('connect a masked call from its request to its end', async () => {
    const stack = { api, sim } as TestStack;
    await addMentor(stack, mentorPhone);
    await sim.script(userPhone, READY_USER);
    await sim.script(mentorPhone, READY_MENTOR);
    const user = new AppUser(stack, userPhone);
    await user.start();
    await user.status('connected');
    for (const phone of [userPhone, mentorPhone]) {
      const { from } = await legOf(stack, phone, ({ bridgedAt }) => bridgedAt !== null);
      expect(ORGANISATION_NUMBERS as readonly string[]).toContain(from);
    }
    await sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed', endReason: 'bridge-over' });
  });

  it.each(RUNNING)('%s ends in good order when it is told to, and exits with 0', async (service) => {
    const process = processes.get(service) as EntryPoint;
    process.kill('SIGTERM');
    expect(await process.endedWithin(40_000)).toBe(0);
    expect(process.line(LAST_WORDS[service]).level).toBe('info');
  });

  it.each(RUNNING)('%s has logged one JSON object a line, and nothing else', (service) => {
    const lines = (processes.get(service) as EntryPoint).output.split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
  });

  it('refuse workflows that were bundled from other code', async () => {
    appendFileSync(join(image, 'dist', 'workflows', 'index.js'), '// A change that was not bundled.\n');
    const process = start('worker');
    expect(await process.endedWithin(60_000)).toBe(1);
    expect(process.line('worker failed')).toMatchObject({ error: { code: 'stale-workflow-bundle' } });
  });
});
