import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { DRAIN_WITHIN } from '../../../api/limits';
import { loadCodecConfig } from '../../../config/codec';
import { loadConfig, VARIABLE_NAMES } from '../../../config/config';
import { FORCE_TIME } from '../../../workers/workers';
import { compose, composeText, envFile, REQUIRED, ROOT, secondsOf, type Service } from './compose-file';
import { reachOf } from './reach';

const { services, networks, secrets } = compose();
const OURS = ['migrate', 'api', 'worker', 'codec'];
const oneShot = (name: string) => ['migrate', 'temporal-schema'].includes(name);

/** What has no place in this file, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ALLOW_STAND_INS: 'for tests',
  TWILIO_API_BASE_URL: 'Twilio itself is called',
  TWILIO_INSIGHTS_BASE_URL: 'Twilio itself is asked',
  LOCAL_KEY_FILE: 'the local key ring is refused',
  KMS_ENDPOINT: 'for tests',
  S3_ENDPOINT: 'for tests',
  SES_ENDPOINT: 'for tests',
  MAIL_EVENTS_STAND_IN: 'for tests',
  SECRETS_ENDPOINT: 'for tests; secrets are files here',
  TEMPORAL_API_KEY: 'for Temporal Cloud; Temporal is a service here',
  TEMPORAL_TLS: 'for Temporal Cloud',
  KINDLINE_TASK_QUEUE: 'the namespace is ours alone',
};
/** Whoever reads one of them can act in our name. */
const SECRET = /(AUTH_TOKEN|WEBHOOK_TOKEN|_SECRET|PASSWORD|ACCESS_KEY|SMTP_URL|^DATABASE_(WORKER_|MIGRATION_)?URL)$/;

const withDocker = spawnSync('docker-compose', ['version'], { stdio: 'ignore' }).status === 0 ? it : it.skip;
if (withDocker === it.skip) {
  process.stderr.write(
    '\n*** No docker-compose found: docker-compose.yml is NOT checked by Compose itself. `apt-get install docker-compose`. ***\n\n',
  );
}

/** Values of the form that each secret has, as `deploy/make-secrets.sh` and an operator would fill them in. */
const SAMPLE: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://somebody:a-password@postgres:5432/kindline',
  DATABASE_WORKER_URL: 'postgres://somebody:a-password@postgres:5432/kindline',
  DATABASE_MIGRATION_URL: 'postgres://somebody:a-password@postgres:5432/kindline',
  TWILIO_AUTH_TOKEN: 'a-token',
  TWILIO_SECONDARY_AUTH_TOKEN: '',
  TWILIO_API_SECRET: '',
  MAIL_SMTP_URL: 'smtp://somebody:a-password@mail.example.org:587',
  APP_WEBHOOK_SECRET: '',
  APP_WEBHOOK_SECONDARY_SECRET: '',
  ALERT_WEBHOOK_TOKEN: '',
  OIDC_CLIENT_SECRET: '',
};

/** What a service's process reads: its environment and its secrets. */
function given({ environment, secrets: files }: Service): NodeJS.ProcessEnv {
  const set = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== null);
  const secret = files.filter(({ target }) => /^[A-Z]/.test(target)).map(({ target }) => [target, SAMPLE[target]]);
  return Object.fromEntries([...set, ...secret]);
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kindline-compose-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const makeSecrets = () => execFileSync('sh', [join(ROOT, 'deploy', 'make-secrets.sh'), folder], { stdio: 'pipe' });
const writeEnv = (without = '') => {
  const env = { ...envFile(), KINDLINE_SECRETS_DIR: folder };
  const path = join(folder, 'production.env');
  const lines = Object.entries(env).flatMap(([name, value]) => (name === without ? [] : [`${name}=${value}`]));
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
};
const dockerCompose = (envPath: string) =>
  spawnSync('docker-compose', ['--env-file', envPath, 'config', '--quiet'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, HOME: folder },
    encoding: 'utf8',
  });

describe('docker-compose.yml', () => {
  withDocker('is accepted by Compose with what the example says', () => {
    makeSecrets();
    const { status, stderr } = dockerCompose(writeEnv());
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  withDocker('is refused, with a word of what it wants, when a variable is missing', () => {
    makeSecrets();
    const { status, stderr } = dockerCompose(writeEnv('KMS_KEY_ID'));
    expect(status).not.toBe(0);
    expect(stderr).toContain('id, alias or ARN of the KMS key');
  });

  it('has no value of its own for what each deployment must decide, and the example names all of that', () => {
    expect(Object.keys(envFile())).toEqual(expect.arrayContaining(REQUIRED));
    expect(REQUIRED).toEqual(expect.arrayContaining(['PUBLIC_BASE_URL', 'OIDC_ISSUER', 'KMS_KEY_ID']));
  });

  it.each(OURS)('gives %s only variables that are read', (name) => {
    const names = Object.keys(given(services[name] as Service)).filter((key) => !key.startsWith('AWS_SHARED_'));
    const passedOn = Object.keys(services[name]?.environment ?? {}).filter((key) => !key.startsWith('AWS_SHARED_'));
    for (const variable of [...names, ...passedOn]) expect(VARIABLE_NAMES).toContain(variable);
  });

  it.each([
    ['api', loadConfig],
    ['worker', loadConfig],
    ['codec', loadCodecConfig],
  ] as const)('gives %s all it needs to start in production', (name, load) => {
    const env = given(services[name] as Service);
    expect(env.NODE_ENV).toBe('production');
    expect(() => load(env)).not.toThrow();
    for (const variable of ['KMS_KEY_ID', 'DATABASE_URL']) {
      expect(() => load({ ...env, [variable]: '' })).toThrow(variable);
    }
  });

  it('can set everything that can be configured, but for what has no place in it', () => {
    const settable = new Set(
      OURS.flatMap((name) => [
        ...Object.keys(services[name]?.environment ?? {}),
        ...(services[name]?.secrets ?? []).map(({ target }) => target),
      ]),
    );
    const missing = VARIABLE_NAMES.filter((name) => !settable.has(name) && !(name in ELSEWHERE));
    expect(missing).toEqual([]);
    expect(Object.keys(ELSEWHERE).filter((name) => settable.has(name))).toEqual([]);
  });

  it('passes secrets as files, never in the environment', () => {
    for (const { environment } of Object.values(services)) {
      expect(Object.keys(environment).filter((name) => SECRET.test(name))).toEqual([]);
    }
    expect(composeText).not.toMatch(/postgres:\/\/[^\s]+:[^\s]+@/);
  });

  it('gives each process the role of its own in Postgres, and nobody but the migrations the owner', () => {
    const source = (name: string) => services[name]?.secrets.find(({ target }) => target === 'DATABASE_URL')?.source;
    expect(['api', 'codec', 'worker'].map(source)).toEqual([
      'api_database_url',
      'api_database_url',
      'worker_database_url',
    ]);
    const owners = Object.keys(services).filter((name) =>
      services[name]?.secrets.some((secret) => secret.source === 'owner_database_url'),
    );
    expect(owners).toEqual(['migrate']);
  });

  it('names every image with the version that was tried', () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/^[\w./-]+:\d+\.\d+[\w.-]*$/);
  });

  it('publishes the API, and on this machine alone the Web UI and the codec server', () => {
    const published = Object.entries(services).flatMap(([name, { ports }]) => ports.map((port) => [name, port]));
    expect(Object.fromEntries(published)).toEqual({
      api: '127.0.0.1:3000:3000',
      'temporal-ui': '127.0.0.1:8080:8080',
      codec: '127.0.0.1:3001:3001',
    });
  });

  it('serves the metrics of API and worker to the services beside them, on ports that are published nowhere', () => {
    expect(services.api?.environment).toMatchObject({ METRICS_HOST: '0.0.0.0', API_METRICS_PORT: '9465' });
    expect(services.worker?.environment).toMatchObject({ METRICS_HOST: '0.0.0.0', METRICS_PORT: '9464' });
    expect(
      Object.values(services)
        .flatMap(({ ports }) => ports)
        .join(),
    ).not.toMatch(/946[45]/);
  });

  it('keeps Postgres and Temporal where nothing outside reaches them, and they reach nothing', () => {
    expect(networks.inside?.internal).toBe(true);
    for (const name of ['postgres', 'temporal', 'temporal-schema', 'migrate']) {
      expect(services[name]).toMatchObject({ networks: ['inside'], ports: [] });
    }
  });

  it('starts what is ours only after the schema is there, and that only after Postgres is ready', () => {
    for (const name of ['api', 'worker', 'codec']) {
      expect(services[name]?.depends_on.migrate?.condition).toBe('service_completed_successfully');
    }
    expect(services.migrate?.depends_on.postgres?.condition).toBe('service_healthy');
    expect(services.temporal?.depends_on['temporal-schema']?.condition).toBe('service_completed_successfully');
    // By its socket it would seem ready while it is still being made.
    expect(services.postgres?.healthcheck?.test).toContain('--host=127.0.0.1');
  });

  it('restarts what should run, and runs once what should run once', () => {
    for (const [name, { restart }] of Object.entries(services)) {
      expect([name, restart]).toEqual([name, oneShot(name) ? 'no' : 'unless-stopped']);
    }
  });

  it('lets every process of ours drain before it is killed', () => {
    const grace = (name: string) => secondsOf(services[name]?.stop_grace_period ?? '10s');
    expect(grace('api')).toBeGreaterThan(DRAIN_WITHIN / 1000 + 2);
    expect(grace('codec')).toBeGreaterThan(DRAIN_WITHIN / 1000 + 2);
    expect(grace('worker')).toBeGreaterThan(secondsOf(FORCE_TIME) + 5);
    for (const name of OURS) expect(services[name]?.init).toBe(true);
  });

  it('starts files that are there, as the guide does by hand, and they reach neither the simulator nor a package of development', () => {
    const started = OURS.map((name) => services[name]?.command?.find((word) => word.startsWith('dist/')) ?? '');
    const guide = readFileSync(join(ROOT, 'docs', 'production.md'), 'utf8');
    const byHand = [...guide.matchAll(/exec \w+ node (dist\/\S+\.js)/g)].map(([, file = '']) => file);
    expect(byHand).toContain('dist/scripts/doctor.js');
    const entries = [...started, ...byHand];
    const dist = join(ROOT, 'dist');
    const { files, packages } = reachOf(
      dist,
      entries.map((entry) => entry.replace(/^dist\//, '')),
    );
    expect(files.size).toBeGreaterThan(50);
    expect([...files].filter((file) => /^(simulator|test)\//.test(file))).toEqual([]);
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
  });
});

describe('the secrets of a deployment', () => {
  it('are made with passwords of their own, in a directory that only its owner enters', () => {
    makeSecrets();
    const names = readdirSync(folder);
    const wanted = Object.values(secrets).map(({ file }) => file.split('/').at(-1));
    expect(names.toSorted()).toEqual(wanted.toSorted());
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of names) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o444);
    const passwords = names
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .flatMap((text) => text.match(/[0-9a-f]{48}/g) ?? []);
    // Three of their own, and three URLs of which one repeats the owner's.
    expect([passwords.length, new Set(passwords).size]).toEqual([6, 5]);
  });

  it('are not put among other things: whoever used those would be shut out', () => {
    writeFileSync(join(folder, 'something'), 'else');
    chmodSync(folder, 0o755);
    expect(makeSecrets).toThrow('holds other things already');
    expect([readdirSync(folder), statSync(folder).mode & 0o777]).toEqual([['something'], 0o755]);
  });

  it('are left as they are when the command runs again', () => {
    makeSecrets();
    const read = () =>
      Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
    const before = read();
    makeSecrets();
    expect(read()).toEqual(before);
  });
});

describe('Temporal in production', () => {
  const setting = z.record(z.string(), z.tuple([z.object({ value: z.boolean() })]));
  it('has the settings without which task priority is ignored and activities wait', () => {
    const settings = setting.parse(parse(readFileSync(join(ROOT, 'deploy', 'temporal-dynamicconfig.yaml'), 'utf8')));
    expect(settings['matching.useNewMatcher']).toEqual([{ value: true }]);
    expect(settings['system.enableActivityEagerExecution']).toEqual([{ value: true }]);
  });
});
