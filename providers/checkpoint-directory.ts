/** Checkpoints as files. For one machine; the folder belongs on another disk than the database's. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CheckpointStore, StoredCheckpoint } from '../domain/audit-checkpoint';
import { readAhead } from './read-ahead';

const FOLDER = /^\d{9}$/;
const FILE = /^\d{12}\.json$/;
const READ_AT_ONCE = 16;

/** Made at the first checkpoint; nobody but the worker's own user may look into it. */
export function openCheckpointDirectory(directory: string): CheckpointStore {
  const read = async (name: string): Promise<StoredCheckpoint> => ({
    name,
    bytes: await readFile(join(directory, name)),
  });
  const namesIn = async (folder: string): Promise<string[]> =>
    (await entriesOf(join(directory, folder), FILE)).map((file) => `${folder}/${file}`);

  async function* allNames(): AsyncGenerator<string> {
    for (const folder of await entriesOf(directory, FOLDER)) yield* await namesIn(folder);
  }

  return {
    async newest() {
      for (const folder of (await entriesOf(directory, FOLDER)).reverse()) {
        const name = (await namesIn(folder)).at(-1);
        if (name !== undefined) return read(name);
      }
      return null;
    },
    add: ({ name, bytes }) => addFile(join(directory, name), bytes),
    all: () => readAhead(allNames(), read, READ_AT_ONCE),
  };
}

/**
 * Complete or not at all, and on the disk when this returns. A link, unlike a rename, never replaces a file.
 * @returns false when there is a file of that name
 */
async function addFile(path: string, bytes: Buffer): Promise<boolean> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const half = join(folder, `.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(half, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(half, path);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(half, { force: true });
  }
  await syncFolder(folder);
  await syncFolder(dirname(folder));
  return true;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function entriesOf(path: string, pattern: RegExp): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => pattern.test(name)).toSorted();
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
