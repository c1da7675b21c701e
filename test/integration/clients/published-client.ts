import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';

/** The code of a guide under `docs/`, as whoever copies it gets it. */

const DOCS = join(__dirname, '..', '..', '..', 'docs');

/** All TypeScript blocks of a page, in order. */
export function codeOf(page: string): string {
  const text = readFileSync(join(DOCS, page), 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block).join('\n');
}

/**
 * Runs the code and gives what it exports.
 * @param fetchOf the only thing of the outside that it gets besides timers
 */
export function published(page: string, fetchOf: typeof fetch): Record<string, unknown> {
  const { code } = transformSync(codeOf(page), {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  const exported: Record<string, unknown> = {};
  // oxlint-disable-next-line typescript/no-implied-eval -- the page's own code, run as an app would
  new Function('exports', 'fetch', 'require', code)(exported, fetchOf, () => {
    throw new Error('the code of the page needs no package');
  });
  return exported;
}

/** Type-checks the code as strictly as an app could. @throws Error with what the compiler says */
export function compile(page: string): void {
  const dir = mkdtempSync(join(tmpdir(), 'kindline-client-'));
  writeFileSync(join(dir, 'client.ts'), codeOf(page));
  const settings = ['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--target', 'es2022', '--lib', 'es2022,dom'];
  const tsc = join(DOCS, '..', 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    execFileSync(process.execPath, [tsc, ...settings, '--types', '', 'client.ts'], { cwd: dir, encoding: 'utf8' });
  } finally {
    rmSync(dir, { recursive: true });
  }
}
