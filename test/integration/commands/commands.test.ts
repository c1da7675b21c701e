/** The commands as a newcomer types them, in a copy of the project of their own. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { commandLine } from '../../../scripts/leftovers';
import { localDatabaseUrls } from '../../../scripts/postgres';
import { PROJECT_ROOT } from '../../../scripts/project';
import { DATABASE } from '../../../scripts/stack';
import { type MailView, SimulatorClient } from '../../../simulator/client';
import { PATIENCE_MS } from '../../patience';

const COPIED =
  /^(activities|api|config|db|dist|domain|providers|scripts|simulator|temporal|vault|web|workers|workflows|package.*\.json|tsconfig.*\.json)$/;

const PHONE = '+14155550149';

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'kindline-commands-'));
  for (const entry of readdirSync(PROJECT_ROOT).filter((name) => COPIED.test(name))) {
    cpSync(join(PROJECT_ROOT, entry), join(copy, entry), { recursive: true });
  }
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(copy, 'node_modules'));
  execFileSync(process.execPath, [join(copy, 'scripts', 'build.mjs')], { stdio: 'ignore' });
});

afterAll(async () => {
  for (const { pid } of processes()) process.kill(pid, 'SIGTERM');
  await until('everything has ended', () => processes().length === 0);
  npm('reset');
  rmSync(copy, { recursive: true, force: true });
});

describe('npm start', () => {
  it('comes up, refuses to be reset, and ends every part when npm is told to', async () => {
    const first = await startUntil('Ctrl-C ends it');
    expect(first.output()).toMatch(
      /API +http.*\n +Documentation +http.*\/docs\n +Simulated phones +http.*\n +Simulated mails +http.*\/mailbox\n +Temporal Web UI +http.*\n +Codec server +http/,
    );

    const reset = npm('reset');
    expect([reset.status, reset.stderr]).toEqual([1, expect.stringContaining('It still runs')]);
    expect(existsSync(join(copy, '.kindline', 'start', 'secrets.json'))).toBe(true);

    const token = npm('token', '--role', 'admin');
    expect(token.stdout.trim()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(npm('find', randomUUID()).stdout).toMatch(/^No workflow is about this subject/);
    const mentors = await mentorIds(token.stdout.trim());
    expect(mentors).toHaveLength(2);

    // What looks at a whole service finds this one by itself.
    const doctor = npm('doctor', '--json');
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true, from: 'npm start' });
    expect([doctor.status, doctor.stderr]).toEqual([0, '']);
    expect(JSON.parse(doctor.stdout).findings.filter(({ state }: { state: string }) => state !== 'ok')).toEqual([]);
    const keys = npm('keys', 'status');
    expect([keys.status, keys.stdout]).toEqual([0, expect.stringMatching(/audit-chain +1 +current +local +local:/)]);
    for (const [name, answer] of [
      ['call-status', '204 No Content'],
      ['inbound-text', '200 OK'],
    ] as const) {
      expect([name, npm('webhook', name).stdout]).toEqual([name, expect.stringContaining(answer)]);
    }
    expect(npm('webhook', 'inbound-text', '--tamper')).toMatchObject({ status: 1, stdout: '403 Forbidden\n\n' });
    await tellWhatBecameOfAMail(npm('token', '--role', 'staff').stdout.trim());
    await verifyThatIsTampered();
    await phones().addHandset(PHONE, 'Of the first start');

    await endNpm(first);

    const second = await startUntil('Ctrl-C ends it');
    expect(await mentorIds(npm('token', '--role', 'admin').stdout.trim())).toEqual(mentors);
    expect(await phones().handset(PHONE)).toMatchObject({ label: 'Of the first start' });
    await endNpm(second);
  });

  it('leaves nothing behind when it is ended while it comes up', async () => {
    for (const when of ['Starting Postgres', 'Starting the simulated phones']) {
      let start: Run;
      // One that was up before its end came is no such start.
      do {
        start = await startUntil(when);
        await endNpm(start);
        // Nothing is started that the end came too early for.
        await delay(1_000);
        expect(processes()).toEqual([]);
      } while (start.output().includes('Ctrl-C ends it'));
      expect(start.output()).toContain('It was ended before everything was up.');
    }
  });

  it('names a port that is none, and says nothing else', () => {
    expect(npm('start', { PORT: 'eighty' }).stderr).toContain('PORT: expected a port from 1 to 65535');
  });

  it('is refused in production, where nothing is stood in for', () => {
    expect(npm('start', { NODE_ENV: 'production' }).stderr).toContain('refused with NODE_ENV=production');
  });
});

describe('npm run reset', () => {
  it('leaves a run of the tests alone while that goes on', async () => {
    const tests = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)', 'dist/scripts/test.js']);
    const dir = join(copy, '.kindline', `test-${tests.pid}`);
    mkdirSync(dir, { recursive: true });
    expect([npm('reset').status, existsSync(dir)]).toEqual([1, true]);
    tests.kill();
    await until('it has ended', () => tests.signalCode !== null);
    expect([npm('reset').status, existsSync(dir)]).toEqual([0, false]);
  });
});

describe('commands', () => {
  it.each([
    ['doctor', []],
    ['audit:verify', []],
    ['keys', ['status']],
    ['find', [randomUUID()]],
    ['token', ['--role', 'user']],
    ['webhook', ['inbound']],
    ['webhook', ['inbound', '--url', 'http://127.0.0.1:1']],
  ])('%s says that nothing is running when nothing is', (command, args) => {
    const ended = npm(command, ...args);
    expect([ended.status, ended.stdout]).toEqual([1, '']);
    expect(ended.stderr).toMatch(/^Nothing is running: begin with npm start in another terminal.*\n$/);
    expect(existsSync(join(copy, '.kindline'))).toBe(false);
  });

  it('audit:verify says in one sentence when it cannot look, and makes no key', () => {
    const elsewhere = {
      DATABASE_URL: 'postgres://app:hidden@127.0.0.1:1/kindline',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'a-token-of-nobody',
      TWILIO_PHONE_NUMBER: '+14155550100',
      OIDC_ISSUER: 'http://127.0.0.1:1',
    };
    const noKey = npm('audit:verify', elsewhere);
    expect([noKey.status, noKey.stderr]).toEqual([
      1,
      expect.stringMatching(/^There is no key file at LOCAL_KEY_FILE.*\n$/),
    ]);
    expect(existsSync(join(copy, '.kindline', 'root-key.json'))).toBe(false);
    const file = join(copy, 'of-the-test.key');
    writeFileSync(file, `local:x ${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o600 });
    const away = npm('audit:verify', { ...elsewhere, LOCAL_KEY_FILE: file });
    expect([away.status, away.stderr]).toEqual([
      1,
      'The database or the store of checkpoints does not answer, or refuses us.\n',
    ]);
  });

  const faulty: [string, string[], string, NodeJS.ProcessEnv?][] = [
    ['token', ['--rolex', 'user'], "Unknown option '--rolex'"],
    ['migrate', ['down', '--count', 'all'], '--count: expected a number from 1'],
    ['fallback-twiml', ['--out', 'x'], 'FALLBACK_CRISIS_NUMBER: expected a number'],
    [
      'fallback-twiml',
      ['--out', 'x'],
      'PROMPTS_FILE:\n  expected a file that can be read',
      { FALLBACK_CRISIS_NUMBER: '988', PROMPTS_FILE: 'not-there.json' },
    ],
    ['webhook', ['inbound', '--url', 'http://127.0.0.1:1'], 'Nothing answers at http://127.0.0.1:1.'],
    ['doctor', ['--only', 'teeth'], '--only: expected postgres, temporal'],
  ];
  it.each(faulty)('%s says in one sentence what is wrong', (command, args, sentence, more = {}) => {
    const environment = {
      DATABASE_MIGRATION_URL: 'postgres://nobody@127.0.0.1:1/none',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'a-token-of-nobody',
      TWILIO_PHONE_NUMBER: '+14155550100',
      FALLBACK_CRISIS_NUMBER: 'nine-eight-eight',
      ...more,
    };
    const ended = npm(command, ...args, environment);
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(ended.stderr).not.toMatch(/^ +at /m);
    expect(existsSync(join(copy, 'x'))).toBe(false);
  });
});

/** What is whole, what was changed in it, and what was put back, as the exit code and the words say it. */
async function verifyThatIsTampered(): Promise<void> {
  const state = join(copy, '.kindline', 'start');
  const { databasePassword } = JSON.parse(readFileSync(join(state, 'secrets.json'), 'utf8'));
  const { postgresPort } = JSON.parse(readFileSync(join(state, 'addresses.json'), 'utf8'));
  const owner = new Client({ connectionString: localDatabaseUrls(databasePassword, postgresPort, DATABASE).ownerUrl });
  await owner.connect();
  const change = async (from: string, to: string): Promise<void> => {
    await owner.query('ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only');
    await owner.query(
      `UPDATE audit_entries SET outcome = $2 WHERE entry_id =
         (SELECT entry_id FROM audit_entries WHERE outcome = $1 ORDER BY txid, entry_id LIMIT 1)`,
      [from, to],
    );
    await owner.query('ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only');
  };
  try {
    const whole = npm('audit:verify');
    expect([whole.status, whole.stdout]).toEqual([
      0,
      expect.stringMatching(/^The audit trail is whole\.\n\n\d+ entries judged; the chain ends at place \d+;/),
    ]);
    await change('done', 'nothing');
    const changed = npm('audit:verify');
    expect([changed.status, changed.stdout]).toEqual([
      1,
      expect.stringMatching(
        /^The audit trail is NOT whole\.\n {2}First that does not fit \(\w+\): .*entry [\da-f-]{36}/,
      ),
    ]);
    await change('nothing', 'done');
    expect(JSON.parse(npm('audit:verify', '--json').stdout)).toMatchObject({ isWhole: true, fault: null });
  } finally {
    await owner.end();
  }
}

/** A mail in the mailbox, and what SES would tell of it: believed, told to the message, refused when it was changed. */
async function tellWhatBecameOfAMail(staff: string): Promise<void> {
  const { api } = JSON.parse(readFileSync(join(copy, '.kindline', 'start', 'addresses.json'), 'utf8'));
  const headers = { authorization: `Bearer ${staff}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ channel: 'email', recipient: { emailAddress: 'ana@example.org' }, text: 'At ten.' });
  const asked = await fetch(`${api}/messages`, { method: 'POST', headers, body });
  const { messageId } = (await asked.json()) as { messageId: string };
  const state = async () => {
    const shown = await fetch(`${api}/messages/${messageId}`, { headers });
    return ((await shown.json()) as { state: string }).state;
  };
  let mails: MailView[] = [];
  for (let tries = 0; mails.length === 0 && tries < 300; tries += 1) {
    await delay(100);
    mails = await phones().mailbox();
  }
  const mail = `mail=${mails[0]?.messageId}`;
  const changed = npm('webhook', 'mail-events', '--param', mail, '--param', 'event=bounce', '--tamper');
  expect([changed.status, changed.stdout]).toEqual([1, '403 Forbidden\n\n']);
  expect(npm('webhook', 'mail-events', '--param', mail, '--param', 'event=lost').stderr).toMatch(
    /^mail-events takes --param mail=MESSAGE-ID .*delivery, bounce/,
  );
  expect(await state()).not.toBe('undelivered');
  const told = npm('webhook', 'mail-events', '--param', mail, '--param', 'event=bounce', '--repeat', '2');
  expect([told.status, told.stdout, told.stderr]).toEqual([0, '204 No Content\n\n204 No Content\n\n', '']);
  for (let tries = 0; (await state()) !== 'undelivered' && tries < 100; tries += 1) await delay(100);
  expect(await state()).toBe('undelivered');
}

interface Run {
  readonly npm: ChildProcess;
  readonly output: () => string;
}

async function startUntil(line: string): Promise<Run> {
  const run = spawn('npm', ['start'], { cwd: copy, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(`npm start says: ${line}`, () => output.includes(line), 2 * PATIENCE_MS);
  return { npm: run, output: () => output };
}

/** SIGTERM to npm alone, as a process manager does it. */
async function endNpm({ npm: run }: Run): Promise<void> {
  run.kill('SIGTERM');
  await until('every part has ended', () => processes().length === 0, PATIENCE_MS);
}

/** Everything that runs out of the copy. */
function processes(): { pid: number; line: string }[] {
  // Small containers have no ps.
  const names = existsSync('/proc/self')
    ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    : execFileSync('ps', ['-A', '-o', 'pid='], { encoding: 'utf8' }).trim().split(/\s+/);
  const pids = names.map(Number);
  return pids.map((pid) => ({ pid, line: commandLine(pid) })).filter(({ line }) => line.includes(copy));
}

function npm(command: string, ...rest: (string | Record<string, string>)[]) {
  const args = rest.filter((part) => typeof part === 'string');
  const env = Object.assign(environment(), ...rest.filter((part) => typeof part !== 'string')) as NodeJS.ProcessEnv;
  return spawnSync('npm', ['run', '--silent', command, '--', ...args], { cwd: copy, env, encoding: 'utf8' });
}

function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, XDG_CACHE_HOME, KINDLINE_CACHE_DIR, NODE_V8_COVERAGE } = process.env;
  return Object.fromEntries(
    Object.entries({ PATH, HOME, XDG_CACHE_HOME, KINDLINE_CACHE_DIR, NODE_V8_COVERAGE }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

/** The simulator of the start that runs. */
function phones(): SimulatorClient {
  const addresses = JSON.parse(readFileSync(join(copy, '.kindline', 'start', 'addresses.json'), 'utf8'));
  return new SimulatorClient(addresses.simulator);
}

async function mentorIds(token: string): Promise<string[]> {
  const { api } = JSON.parse(readFileSync(join(copy, '.kindline', 'start', 'addresses.json'), 'utf8'));
  const response = await fetch(`${api}/mentors`, { headers: { authorization: `Bearer ${token}` } });
  const page = (await response.json()) as { mentors: { mentorId: string }[] };
  return page.mentors.map(({ mentorId }) => mentorId).toSorted();
}

async function until(what: string, holds: () => boolean, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline)
      throw new Error(
        `not in time: ${what}\n${processes()
          .map(({ line }) => line)
          .join('\n')}`,
      );
    await delay(100);
  }
}
