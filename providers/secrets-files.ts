import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretsError } from '../domain/errors';

/** No credential is longer; a file that is one by mistake is not read into memory. */
const LONGEST = 64 * 1024;

/**
 * One file per variable, named like it, as Docker (`/run/secrets`) and Kubernetes mount them. One line break at the
 * end is not part of the value: editors and `echo` put it there.
 *
 * @throws {SecretsError} when the folder cannot be read, or a file in it
 */
export async function readSecretFiles(dir: string, names: readonly string[]): Promise<Record<string, string>> {
  await (await open(dir, 'r').catch(() => Promise.reject(noFolder()))).close();
  const read = names.map(async (name) => [name, await readSecret(join(dir, name), name)] as const);
  const found: Record<string, string> = {};
  for (const [name, value] of await Promise.all(read)) if (value !== null) found[name] = value;
  return found;
}

async function readSecret(path: string, name: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      if ((await file.stat()).size > LONGEST) throw unreadable(name);
      return (await file.readFile('utf8')).replace(/\r?\n$/, '');
    } finally {
      await file.close();
    }
  } catch (error) {
    // Node's own message would quote the path, and with it perhaps more than the name.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
    throw unreadable(name);
  }
}

function noFolder(): SecretsError {
  return new SecretsError('source-not-there', 'SECRETS_SOURCE: expected a directory that can be read');
}

function unreadable(name: string): SecretsError {
  return new SecretsError('value-unreadable', `${name}: expected a file of at most 64 KiB that can be read`);
}
