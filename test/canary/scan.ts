import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isPersonal, needles } from './spellings';

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

/** Reads every file below the folders, byte for byte. */
export async function scan(folders: readonly string[], skip: (path: string) => boolean): Promise<ScanResult> {
  const findings: Finding[] = [];
  let files = 0;
  let bytes = 0;
  for (const folder of folders) {
    for (const file of await filesBelow(folder)) {
      if (skip(file)) continue;
      files += 1;
      bytes += (await stat(file)).size;
      findings.push(...(await scanFile(file)));
    }
  }
  return { files, bytes, findings };
}

async function scanFile(file: string): Promise<Finding[]> {
  const found = new Set<string>();
  const patterns = needles();
  let kept = '';
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 1024 * 1024 }) as AsyncIterable<Buffer>) {
    const text = kept + chunk.toString('latin1');
    for (const { name, pattern } of patterns) {
      if (found.has(name)) continue;
      for (const match of text.matchAll(pattern)) {
        if (isPersonal(match[0])) found.add(name);
      }
    }
    kept = text.slice(-OVERLAP);
  }
  return [...found].map((spelling) => ({ file, spelling }));
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
