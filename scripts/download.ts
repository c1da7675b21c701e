import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { progress } from './project';

/** One way to come by a program. */
export interface Source {
  /** Completes the sentence "Temporal: …". */
  readonly does: string;
  /** The path of the program; null when this way is not open here, without a word. Errors mean that it was tried. */
  find(): Promise<string | null>;
}

/**
 * Tries one source after the other and says what it does.
 *
 * @param what the program's name, for messages
 * @throws Error naming everything that was tried and why it failed
 */
export async function firstOf(what: string, sources: readonly Source[]): Promise<string> {
  const failures: string[] = [];
  for (const source of sources) {
    try {
      const path = await source.find();
      if (path !== null) return path;
      failures.push(`  ${source.does}: not there`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      progress(`${what}: ${source.does} did not work (${why.split('\n')[0]}).`);
      failures.push(`  ${source.does}: ${why}`);
    }
  }
  throw new Error(`${what} could not be had. Tried:\n${failures.join('\n')}`);
}

/** How long a server may take to begin its answer: where there is no way to it, another source is next. */
const CONNECT_PATIENCE_MS = 8_000;
const DOWNLOAD_PATIENCE_MS = 180_000;

/**
 * Downloads a program from Temporal's own site to `target`.
 *
 * The site is asked as the SDKs do: it names an archive for this machine and the file within.
 *
 * @param product `cli` or `temporal-test-server`
 */
export async function downloadFromTemporal(product: string, target: string): Promise<string> {
  const machine = `platform=${platform() === 'win32' ? 'windows' : platform()}&arch=${arch() === 'x64' ? 'amd64' : arch()}`;
  const about = `https://temporal.download/${product}/default?${machine}&sdk-name=sdk-typescript&sdk-version=1.24.0`;
  const answer = await fetchOk(about, CONNECT_PATIENCE_MS);
  const { archiveUrl, fileToExtract } = archiveOf(await answer.json());
  const archive = await fetchOk(archiveUrl, DOWNLOAD_PATIENCE_MS);
  if (archive.body === null) throw new Error('the archive is empty');
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(`${target}.`);
  try {
    const file = join(work, 'archive');
    await pipeline(Readable.fromWeb(archive.body), createWriteStream(file));
    // GNU tar does not read zip; that of macOS and Windows does, and only Windows gets one.
    const tar = spawnSync('tar', ['-xf', file, '-C', work, fileToExtract], { encoding: 'utf8' });
    if (tar.status !== 0) throw new Error(`tar: ${tar.stderr}`);
    await chmod(join(work, fileToExtract), 0o755);
    await rename(join(work, fileToExtract), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
}

/** Runs a program that may take minutes and says every now and then that it still runs. @throws Error with its output */
export async function runSlowly(what: string, command: string, args: string[], env: NodeJS.ProcessEnv, cwd?: string) {
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1_000);
  let end = () => undefined as unknown;
  const ticker = setInterval(() => progress(`${what}: still at it after ${seconds()} s …`), 15_000);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(command, args, {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(cwd === undefined ? {} : { cwd }),
      });
      // A signal that reaches only us must not leave it running.
      end = () => child.kill();
      process.on('SIGTERM', end).on('SIGHUP', end);
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.once('error', reject);
      child.once('close', (code) => {
        if (code === 0) resolve();
        else reject(new Error(`${command} ended with exit code ${code}:\n${output.slice(-2_000)}`));
      });
    });
    progress(`${what}: done (${seconds()} s).`);
  } finally {
    clearInterval(ticker);
    process.off('SIGTERM', end).off('SIGHUP', end);
  }
}

async function fetchOk(address: string, patienceMs: number): Promise<Response> {
  const response = await fetch(address, { signal: AbortSignal.timeout(patienceMs) }).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`${new URL(address).host}: ${cause instanceof Error ? cause.message : String(cause)}`);
  });
  if (!response.ok) throw new Error(`${new URL(address).host} answered ${response.status}`);
  return response;
}

function archiveOf(answer: unknown): { archiveUrl: string; fileToExtract: string } {
  if (typeof answer === 'object' && answer !== null && 'archiveUrl' in answer && 'fileToExtract' in answer) {
    const { archiveUrl, fileToExtract } = answer;
    if (typeof archiveUrl === 'string' && typeof fileToExtract === 'string') return { archiveUrl, fileToExtract };
  }
  throw new Error('the download page answered something unexpected');
}
