/** What compiled files load, followed from file to file: what production must have beside it, and nothing else. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';

export interface Reach {
  /** Relative to `dist/`. */
  readonly files: ReadonlySet<string>;
  /** Names of packages, without what is asked of them. */
  readonly packages: ReadonlySet<string>;
}

/** Follows every `require` and `import()` of a constant, from the entry points on. */
export function reachOf(dist: string, entries: readonly string[]): Reach {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    const code = readFileSync(join(dist, file), 'utf8');
    for (const [, wanted = ''] of code.matchAll(/(?:require(?:\.resolve)?|import)\(\s*["']([^"']+)["']\s*\)/g)) {
      if (!wanted.startsWith('.')) packages.add(packageOf(wanted));
      else waiting.push(...fileOf(dist, join(dirname(file), wanted)));
    }
  }
  return { files, packages: new Set([...packages].filter((name) => !isBuiltin(name))) };
}

function packageOf(wanted: string): string {
  const [first = '', second = ''] = wanted.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function fileOf(dist: string, path: string): string[] {
  const candidates = [path, `${path}.js`, join(path, 'index.js')];
  const found = candidates.find((file) => existsSync(resolve(dist, file)) && statSync(resolve(dist, file)).isFile());
  return found?.endsWith('.js') === true ? [found] : [];
}
