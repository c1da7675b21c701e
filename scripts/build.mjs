/**
 * Compiles the project to `dist/` and copies what is not TypeScript (SQL, styles, browser code) beside it.
 * Uses nothing but Node and the installed compiler, so that the bootstrap can call it.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { argv, execPath, exit, pid, stderr } from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const ROOMS = [
  'config',
  'domain',
  'vault',
  'providers',
  'db',
  'temporal',
  'activities',
  'workflows',
  'workers',
  'api',
  'web',
  'simulator',
  'scripts',
];
const STAMP = join(root, 'dist', '.built-from');

/** Compiles when a source has changed since `dist/` was made. @returns whether it did */
export function buildIfChanged() {
  const sources = filesOf(ROOMS.map((room) => join(root, room)));
  const stamp = fingerprint([...sources, join(root, 'tsconfig.json'), join(root, 'tsconfig.build.json')]);
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return false;
  build(sources, stamp);
  return true;
}

/** Into a fresh directory that then takes the place of `dist/`: a removed source leaves nothing behind. */
function build(sources, stamp) {
  const fresh = join(root, `dist.${pid}`);
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    for (const file of sources.filter((source) => !['.ts', '.mjs'].includes(extname(source)))) {
      const copy = join(fresh, relative(root, file));
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(file, copy);
    }
    writeFileSync(join(fresh, '.built-from'), stamp);
    const old = `${fresh}.old`;
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(fresh, join(root, 'dist'));
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Changes when any of the files is added, removed, renamed or written. */
export function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files.toSorted())
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function filesOf(paths) {
  return paths.filter(existsSync).flatMap((path) => {
    if (statSync(path).isFile()) return [path];
    return filesOf(readdirSync(path).map((entry) => join(path, entry)));
  });
}

/**
 * `npm run build`, for production: the workflows are bundled too, so that no worker does it while it starts. (What the
 * other commands compile has no bundle: it would take another second each time, for one worker.)
 */
function bundleWorkflows() {
  execFileSync(execPath, [join(root, 'dist', 'scripts', 'build-workflow-bundle.js')], { stdio: ['ignore', 2, 2] });
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  try {
    stderr.write(buildIfChanged() ? 'Built dist/.\n' : 'dist/ is up to date.\n');
    bundleWorkflows();
  } catch {
    stderr.write('The build failed; the reasons are above.\n');
    exit(1);
  }
}
