/**
 * `npm run demo`, `npm test`, `npm start` and the other commands begin here, on a clone where nothing is installed:
 * checks Node, installs packages when they are missing or older than the lock file, compiles, runs the command.
 *
 * Depends on nothing, and writes only to stderr: stdout belongs to the command.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { buildIfChanged, root } from './build.mjs';

const NODE_NEEDED = [20, 19];

const say = (line) => process.stderr.write(`${line}\n`);

function checkNode() {
  const [major, minor] = process.version.slice(1).split('.').map(Number);
  const [needMajor, needMinor] = NODE_NEEDED;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  say(`Kindline needs Node ${NODE_NEEDED.join('.')} or later; this is ${process.version}.`);
  process.exit(1);
}

function install() {
  if (isInstalled()) return;
  say('Installing packages from package-lock.json …');
  const began = Date.now();
  const npm = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    say('npm ci failed; what it printed is above.');
    process.exit(1);
  }
  say(`Packages are installed (${seconds(began)}).`);
}

/** npm leaves its own account of what it installed in `node_modules`: it must fit the lock file. */
function isInstalled() {
  const account = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(account)) return false;
  const wanted = readPackages(join(root, 'package-lock.json'));
  const present = readPackages(account);
  return Object.entries(wanted).every(([path, { integrity, version, optional }]) => {
    // The lock file's own root entry; and what is optional is for other machines where it is absent.
    if (path === '' || (optional && !present[path])) return true;
    return present[path]?.integrity === integrity && present[path]?.version === version;
  });
}

function readPackages(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

function compile() {
  const began = Date.now();
  try {
    if (buildIfChanged()) say(`Compiled to dist/ (${seconds(began)}).`);
  } catch {
    say('The compiler found errors; they are above.');
    process.exit(1);
  }
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

function run(command, args) {
  const file = join(root, 'dist', 'scripts', `${command}.js`);
  if (!existsSync(file)) {
    say(`There is no command "${command}".`);
    process.exit(1);
  }
  const child = spawn(process.execPath, ['--enable-source-maps', file, ...args], { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches the child by itself, from the terminal; a SIGTERM to us alone must be passed on. Both wait for it to end.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGTERM'));
  whenNpmHasEnded(() => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

/** npm gives a SIGTERM to the shell between it and us, which ends without a word to us: we have a new parent then. */
function whenNpmHasEnded(end) {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    end();
  }, 250);
}

const parent = process.ppid;
const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  say('usage: node scripts/bootstrap.mjs <command> [arguments]');
  process.exit(1);
}
checkNode();
install();
compile();
run(command, args);
