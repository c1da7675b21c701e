import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '../../..');

/** A small project under our rules; broken in the ways that each test says. */
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kindline-rooms-'));
  for (const file of ['.oxlintrc.json', '.dependency-cruiser.cjs', 'package.json']) {
    cpSync(join(ROOT, file), join(dir, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

/** What a program of `node_modules` says; empty when it has nothing to complain about. */
function complaints(program: string, ...args: string[]): string {
  const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin', program), args, { cwd: dir, encoding: 'utf8' });
  return status === 0 ? '' : stdout;
}

describe('a direct import of another room', () => {
  it.each([
    ['domain/phone.ts', "import { open } from '../vault/envelope';"],
    ['vault/envelope.ts', "import { pool } from '../db/pool';"],
    ['db/calls.ts', "import { loadConfig } from '../config/config';"],
    ['workflows/call.ts', "import { act } from '../activities';"],
    ['workflows/call.ts', "import type { Pool } from '../db/pool';"],
    ['api/calls.ts', "import { createTwilioVoice } from '../providers/twilio-voice';"],
    ['api/calls.ts', "import { act } from '../activities/voice';"],
    ['simulator/pages/index.ts', "import type { Vault } from '../../vault/envelope';"],
    ['web/home.ts', "import { pool } from '../db/pool';"],
  ])('is an error in %s: %s', (file, line) => {
    write({ [file]: `${line}\n` });
    expect(complaints('oxlint', file)).toContain('no-restricted-imports');
  });

  it.each([
    ['workflows/call.ts', "import type { Activities } from '../activities';\nexport type A = Activities;"],
    ['workflows/call.ts', "import { LEGS } from '../domain/mentor-call';\nexport const legs = LEGS;"],
    ['api/calls.ts', "import type { Voice } from '../providers/twilio-voice';\nexport type V = Voice;"],
    [
      'api/main.ts',
      "import { createTwilioVoice } from '../providers/twilio-voice';\nexport const v = createTwilioVoice;",
    ],
  ])('is allowed in %s: %s', (file, text) => {
    write({ [file]: `${text}\n` });
    expect(complaints('oxlint', file)).toBe('');
  });
});

describe('what a workflow loads at run time', () => {
  const WORKFLOW = "require('../domain/rules');\n";
  const cruise = () => complaints('depcruise', '--config', '.dependency-cruiser.cjs', 'dist');

  it('may be rules that import no package', () => {
    write({ 'dist/workflows/call.js': WORKFLOW, 'dist/domain/rules.js': 'exports.rule = 1;\n' });
    expect(cruise()).toBe('');
  });

  it('may not reach a package, over however many files', () => {
    write({
      'dist/workflows/call.js': WORKFLOW,
      'dist/domain/rules.js': "require('./phone');\n",
      'dist/domain/phone.js': "require('zod');\n",
    });
    expect(cruise()).toContain('workflows-reach-no-package-through-domain');
  });

  it('may not be an activity', () => {
    write({
      'dist/workflows/call.js': WORKFLOW,
      'dist/domain/rules.js': "require('../activities/voice');\n",
      'dist/activities/voice.js': 'exports.call = 1;\n',
    });
    expect(cruise()).toContain('workflows-load-no-activity');
  });

  it('may not be a circle', () => {
    write({ 'dist/domain/a.js': "require('./b');\n", 'dist/domain/b.js': "require('./a');\n" });
    expect(cruise()).toContain('no-cycles');
  });
});
