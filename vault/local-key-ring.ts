/**
 * The local key ring: a root key in a file, for development and tests. Whoever reads the file reads everything,
 * so it is refused in production.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KeyRingError } from '../domain/errors';
import type { KeyContext, KeyRing, WrappedKey } from './key-ring';
import { lengthPrefixed } from './length-prefixed';

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface RootKey {
  readonly id: string;
  readonly key: Buffer;
}

/** The current one first. A line put in front of the others in the file is a new root key; the others still open. */
type RootKeys = readonly [current: RootKey, ...previous: RootKey[]];

/**
 * Opens the ring, making its file (mode 0600) on the first start. Safe to call from several processes at once:
 * all end up with the same root key.
 * @throws {KeyRingError} in production, and when the file is readable by others or damaged
 */
export async function openLocalKeyRing(file: string, { nodeEnv }: { readonly nodeEnv: string }): Promise<KeyRing> {
  if (nodeEnv === 'production') {
    throw new KeyRingError('local-key-ring-in-production', 'The local key ring is refused in production: use KMS');
  }
  const roots = (await readRootKeys(file)) ?? (await makeRootKey(file));
  const [current] = roots;
  return {
    name: 'local',
    async generate(context) {
      const plaintext = randomBytes(KEY_BYTES);
      return { plaintext, wrapped: wrapWith(current, plaintext, context) };
    },
    unwrap: async (wrapped, context) => unwrapWith(roots, wrapped, context),
    async rewrap(wrapped, context) {
      const plaintext = unwrapWith(roots, wrapped, context);
      try {
        return wrapWith(current, plaintext, context);
      } finally {
        plaintext.fill(0);
      }
    },
    describe: async () => ({ rootKeyId: current.id }),
  };
}

function wrapWith(root: RootKey, plaintext: Buffer, context: KeyContext): WrappedKey {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', root.key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(contextBytes(root, context));
  const bytes = Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { ring: 'local', rootKeyId: root.id, bytes };
}

function unwrapWith(roots: RootKeys, wrapped: WrappedKey, context: KeyContext): Buffer {
  const root = wrapped.ring === 'local' ? roots.find(({ id }) => id === wrapped.rootKeyId) : undefined;
  if (root === undefined) {
    throw new KeyRingError('not-our-key', 'A wrapped key belongs to another key ring or root key');
  }
  if (wrapped.bytes.length !== IV_BYTES + KEY_BYTES + TAG_BYTES) throw notAuthentic();
  const iv = wrapped.bytes.subarray(0, IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', root.key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(contextBytes(root, context)).setAuthTag(wrapped.bytes.subarray(-TAG_BYTES));
  const plaintext = decipher.update(wrapped.bytes.subarray(IV_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw notAuthentic();
  }
}

function notAuthentic(): KeyRingError {
  return new KeyRingError('key-not-authentic', 'A wrapped key was changed or belongs to another subject');
}

function contextBytes(root: RootKey, context: KeyContext): Buffer {
  return lengthPrefixed(['kindline/local-ring/1', root.id, context.subject, context.purpose]);
}

async function readRootKeys(file: string): Promise<RootKeys | null> {
  let text: string;
  try {
    if (((await stat(file)).mode & 0o077) !== 0) {
      throw new KeyRingError('key-file-open-to-others', 'The local key file must be readable by its owner only (0600)');
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  const [current, ...previous] = text.trim().split('\n').map(rootKeyOf);
  if (current === undefined) throw damaged();
  return [current, ...previous];
}

function rootKeyOf(line: string): RootKey {
  const [id, encoded] = line.trim().split(' ');
  const key = Buffer.from(encoded ?? '', 'base64');
  if (id === undefined || key.length !== KEY_BYTES) throw damaged();
  return { id, key };
}

function damaged(): KeyRingError {
  return new KeyRingError('key-file-damaged', 'The key file is damaged');
}

/** Written whole under another name and then linked: nobody reads half a file, and the first process wins. */
async function makeRootKey(file: string): Promise<RootKeys> {
  const draft = `${file}.${randomUUID()}`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`local:${randomUUID()} ${randomBytes(KEY_BYTES).toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
  const roots = await readRootKeys(file);
  if (roots === null) throw new KeyRingError('key-file-damaged', 'The key file has gone');
  return roots;
}

/** Not `instanceof Error`: errors of Node's own modules come from another realm in some runtimes (jest). */
function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
