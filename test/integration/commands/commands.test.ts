/** The commands as a newcomer types them, in a copy of the project of their own. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { commandLine } from '../../../scripts/leftovers';
import { PROJECT_ROOT } from '../../../scripts/project';

const COPIED =
  /^(activities|api|config|db|dist|domain|providers|scripts|simulator|temporal|vault|web|workers|workflows|package.*\.json|tsconfig.*\.json)$/;

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
      /API +http.*\n +Simulated phones +http.*\n +Temporal Web UI +http.*\n +Codec server +http/,
    );

    const reset = npm('reset');
    expect([reset.status, reset.stderr]).toEqual([1, expect.stringContaining('It still runs')]);
    expect(existsSync(join(copy, '.kindline', 'start', 'secrets.json'))).toBe(true);

    const token = npm('token', '--role', 'admin');
    expect(token.stdout.trim()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(npm('find', randomUUID()).stdout).toMatch(/^No workflow is about this subject/);
    const mentors = await mentorIds(token.stdout.trim());
    expect(mentors).toHaveLength(2);

    await endNpm(first);

    const second = await startUntil('Ctrl-C ends it');
    expect(await mentorIds(npm('token', '--role', 'admin').stdout.trim())).toEqual(mentors);
    await endNpm(second);
  }, 180_000);

  it('leaves nothing behind when it is ended while it comes up', async () => {
    for (const when of ['Starting Postgres', 'Starting the simulated phones']) {
      const start = await startUntil(when);
      expect(start.output()).not.toContain('Ctrl-C ends it');
      await endNpm(start);
    }
  }, 120_000);

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
    ['token', ['--rolex', 'user'], "Unknown option '--rolex'"],
    ['migrate', ['down', '--count', 'all'], '--count: expected a number from 1'],
    ['fallback-twiml', ['--out', 'x'], 'FALLBACK_CRISIS_NUMBER: expected a number'],
  ])('%s says in one sentence what is wrong', (command, args, sentence) => {
    const environment = {
      DATABASE_MIGRATION_URL: 'postgres://nobody@127.0.0.1:1/none',
      TWILIO_PHONE_NUMBER: '+14155550100',
      FALLBACK_CRISIS_NUMBER: 'nine-eight-eight',
    };
    const ended = npm(command, ...args, environment);
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining(sentence)]);
    expect(ended.stderr).not.toMatch(/^ +at /m);
    expect(existsSync(join(copy, 'x'))).toBe(false);
  });
});

interface Run {
  readonly npm: ChildProcess;
  readonly output: () => string;
}

async function startUntil(line: string): Promise<Run> {
  const run = spawn('npm', ['start'], { cwd: copy, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(`npm start says: ${line}`, () => output.includes(line), 60_000);
  return { npm: run, output: () => output };
}

/** SIGTERM to npm alone, as a process manager does it. */
async function endNpm({ npm: run }: Run): Promise<void> {
  run.kill('SIGTERM');
  await until('every part has ended', () => processes().length === 0, 40_000);
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
