import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where the project lies: the same from `scripts/` (jest) as from `dist/scripts/`. */
export const PROJECT_ROOT = findRoot(__dirname);

/** What `npm start` keeps between two starts. Git-ignored; `npm run reset` removes it. */
export const STATE_DIR = join(PROJECT_ROOT, '.kindline');

/** Compiled file of a room, e.g. `built('api/main.js')`. */
export function built(path: string): string {
  return join(PROJECT_ROOT, 'dist', path);
}

/**
 * Where binaries that took a download or a compilation are kept, outside any clone.
 * `KINDLINE_CACHE_DIR`, else `kindline` in `XDG_CACHE_HOME`, else in `~/.cache`.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const dir = env.KINDLINE_CACHE_DIR ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kindline');
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** One line about a step that takes time. Always on stderr: stdout belongs to what a command prints as its result. */
export function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'package-lock.json'))) return from;
  const above = dirname(from);
  if (above === from) throw new Error(`no package-lock.json above ${__dirname}`);
  return findRoot(above);
}
