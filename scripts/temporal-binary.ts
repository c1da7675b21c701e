import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { CommandError } from './command-error';
import { downloadFromTemporal, firstOf, runSlowly } from './download';
import { cacheDir, progress } from './project';

/** Later tags carry `replace` lines, which `go install` refuses. */
const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';

/**
 * The path of the `temporal` program with the development server: on the PATH, cached, downloaded, or built with Go.
 *
 * @throws CommandError naming all four ways when none works
 */
export async function temporalBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const cached = join(cacheDir(env), 'bin', process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  try {
    return await firstOf('Temporal', [
      { does: 'a program named temporal on the PATH', find: async () => onPath('temporal', env) },
      { does: `a copy at ${cached}`, find: async () => (existsSync(cached) ? cached : null) },
      { does: 'a download from temporal.download', find: () => download(cached) },
      { does: `go install ${GO_MODULE}`, find: () => goInstall(cached, env) },
    ]);
  } catch (cause) {
    throw new CommandError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The first executable of that name on the PATH. */
export function onPath(name: string, env: NodeJS.ProcessEnv): string | null {
  const directories = (env.PATH ?? '').split(delimiter).filter((dir) => dir !== '');
  return directories.map((dir) => join(dir, name)).find((file) => existsSync(file)) ?? null;
}

function download(cached: string): Promise<string> {
  progress('Temporal: downloading it from temporal.download …');
  return downloadFromTemporal('cli', cached);
}

async function goInstall(cached: string, env: NodeJS.ProcessEnv): Promise<string> {
  const go = spawnSync('go', ['version'], { encoding: 'utf8', env });
  if (go.status !== 0) throw new Error('there is no Go on the PATH');
  progress('Temporal: building it with Go. This takes about two minutes, once; the result is kept outside the clone.');
  await mkdir(dirname(cached), { recursive: true });
  // Into a directory of its own: whoever builds at the same time never sees half a file.
  const work = await mkdtemp(`${cached}.`);
  try {
    await runSlowly('Building Temporal', 'go', ['install', GO_MODULE], { ...env, GOBIN: work });
    await rename(join(work, 'temporal'), cached);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return cached;
}
