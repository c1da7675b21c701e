import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, progress } from './project';

const VERSION = '5.2.5';
/** Not `moto[server]`: that is every service there is, twice the size and twice the time. */
const PACKAGES = [`moto[s3]==${VERSION}`, 'flask', 'flask-cors'];
const INSTALL_PATIENCE_MS = 600_000;

/** How to start moto, which speaks the protocol of AWS (KMS, S3, Secrets Manager); `-H` and `-p` are to be added. */
export interface MotoCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

let found: MotoCommand | null | undefined;

/**
 * Finds moto: named by `KINDLINE_TEST_MOTO`, cached, on the PATH, or installed with Python's pip into the cache.
 * Synchronous, and slow the first time: jest must know which suites it skips before any of them runs.
 *
 * @returns null, after one loud line, where none of these works
 */
export function motoServer(env: NodeJS.ProcessEnv = process.env): MotoCommand | null {
  found ??= find(env);
  return found;
}

function find(env: NodeJS.ProcessEnv): MotoCommand | null {
  const named = env.KINDLINE_TEST_MOTO ?? '';
  if (named !== '') return { command: named, args: [], env };
  try {
    const python = pythonVersion(env);
    const packages = join(cacheDir(env), `moto-${VERSION}-python${python}`);
    const cached: MotoCommand = {
      command: 'python3',
      args: ['-m', 'moto.server'],
      env: { ...env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    };
    if (existsSync(packages)) return cached;
    if (succeeds('moto_server', ['--help'], env)) return { command: 'moto_server', args: [], env };
    whileNobodyElse(`${packages}.lock`, packages, () => install(packages, env));
    return cached;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    progress(
      `\n*** No moto (a local AWS): KMS, S3 and Secrets Manager are NOT tested. ${why.split('\n')[0]}. ` +
        'Install python3 with venv or pip, or set KINDLINE_TEST_MOTO. ***\n',
    );
    return null;
  }
}

/** `3.11`: packages with compiled parts fit one version only. @throws Error where there is no Python */
function pythonVersion(env: NodeJS.ProcessEnv): string {
  const script = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const asked = spawnSync('python3', ['-c', script], { env, encoding: 'utf8', timeout: 30_000 });
  const version = asked.status === 0 ? asked.stdout.trim() : '';
  if (!/^3\.\d+$/.test(version)) throw new Error('There is no python3 on the PATH');
  return version;
}

/**
 * Into a folder of its own, which Python finds by PYTHONPATH: unlike a virtual environment it can be made under
 * another name and renamed when it is whole.
 */
function install(packages: string, env: NodeJS.ProcessEnv): void {
  progress(`moto ${VERSION}: installing it from PyPI into ${packages} …`);
  const work = mkdtempSync(`${packages}.`);
  try {
    const pip = pipCommand(join(work, 'venv'), env);
    const target = join(work, 'packages');
    const args = [...pip.args, 'install', '--quiet', '--disable-pip-version-check', '--no-input', '--target', target];
    const run = spawnSync(pip.command, [...args, ...PACKAGES], { env, encoding: 'utf8', timeout: INSTALL_PATIENCE_MS });
    if (run.status !== 0) throw new Error(`pip did not work: ${run.stderr?.trim().split('\n').at(-1) ?? ''}`);
    renameSync(target, packages);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Debian has neither pip nor what `venv` needs unless they are asked for; either of them serves. */
function pipCommand(venv: string, env: NodeJS.ProcessEnv): { command: string; args: string[] } {
  if (succeeds('python3', ['-m', 'pip', '--version'], env)) return { command: 'python3', args: ['-m', 'pip'] };
  const made =
    succeeds('python3', ['-m', 'venv', venv], env) || succeeds('virtualenv', ['--python', 'python3', venv], env);
  if (!made) throw new Error('Python has neither pip nor venv nor virtualenv');
  return { command: join(venv, 'bin', 'python3'), args: ['-m', 'pip'] };
}

function succeeds(command: string, args: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return spawnSync(command, args, { env, stdio: 'ignore', timeout: 60_000 }).status === 0;
}

/** Suites run side by side: the first one installs, the others wait for what it makes. */
function whileNobodyElse(lock: string, made: string, work: () => void): void {
  const deadline = Date.now() + INSTALL_PATIENCE_MS + 60_000;
  while (!taken(lock)) {
    if (existsSync(made)) return;
    if (Date.now() > deadline) throw new Error(`${lock} is held by another process`);
    if (!isHeld(lock)) rmSync(lock, { force: true });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
  }
  try {
    if (!existsSync(made)) work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function taken(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

function isHeld(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // Written but not filled yet: somebody is at it.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
