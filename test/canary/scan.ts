import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isPersonal, type Needle, needles } from './spellings';

/** Where something was found, and in which spelling; never what. */
export interface Finding {
  readonly file: string;
  readonly spelling: string;
}

/** Longer than any needle: what is kept of a chunk, so that nothing is missed at a border. */
const OVERLAP = 200;

export interface ScanResult {
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly Finding[];
}

export interface Sought {
  readonly patterns?: readonly Needle[];
  /** Tokens of links, each of 64 characters. */
  readonly tokens?: ReadonlySet<string>;
}

/** Reads every file below the folders, byte for byte. */
export async function scan(
  folders: readonly string[],
  skip: (path: string) => boolean,
  { patterns = needles(), tokens = new Set() }: Sought = {},
): Promise<ScanResult> {
  const findings: Finding[] = [];
  let files = 0;
  let bytes = 0;
  for (const folder of folders) {
    for (const file of await filesBelow(folder)) {
      if (skip(file)) continue;
      files += 1;
      bytes += (await stat(file)).size;
      findings.push(...(await scanFile(file, patterns, tokens)));
    }
  }
  return { files, bytes, findings };
}

async function scanFile(file: string, patterns: readonly Needle[], tokens: ReadonlySet<string>): Promise<Finding[]> {
  const found = new Set<string>();
  let kept = '';
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 1024 * 1024 }) as AsyncIterable<Buffer>) {
    const text = kept + chunk.toString('latin1');
    for (const { name, pattern } of patterns) {
      if (found.has(name)) continue;
      for (const match of text.matchAll(pattern)) {
        if (isPersonal(match[0])) found.add(name);
      }
    }
    if (tokens.size > 0 && holdsToken(text, tokens)) found.add('token');
    kept = text.slice(-OVERLAP);
  }
  return [...found].map((spelling) => ({ file, spelling }));
}

const TOKEN_LENGTH = 64;

function holdsToken(text: string, tokens: ReadonlySet<string>): boolean {
  for (const [run] of text.matchAll(/[\w-]{64,}/g)) {
    for (let at = 0; at + TOKEN_LENGTH <= run.length; at += 1) {
      if (tokens.has(run.slice(at, at + TOKEN_LENGTH))) return true;
    }
  }
  return false;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    }),
  );
  return nested.flat();
}
