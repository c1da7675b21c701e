import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import type { CryptoKey, JWK } from 'jose';

/** The key that signs local tokens, and the half of it that everybody may have. */
export interface IssuerKey {
  readonly keyId: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Thrown when the key file is there but holds no usable key. Names the file, never what is in it. */
export class IssuerKeyError extends Error {
  constructor(file: string) {
    super(`${file} holds no RSA private key in JWK form. Delete the file to have a new key made.`);
    this.name = 'IssuerKeyError';
  }
}

/**
 * The issuer's RS256 key: out of `file`, which is made with mode 0600 when absent, so that tokens handed out before a
 * restart are still accepted after it. Without a file the key lives as long as the process.
 *
 * @throws IssuerKeyError when the file cannot be understood
 */
export async function openIssuerKey(file: string | null): Promise<IssuerKey> {
  if (file === null) return fromJwk(await newPrivateJwk());
  const kept = await readPrivateJwk(file);
  if (kept !== null) return fromJwk(kept);
  await keep(file, await newPrivateJwk());
  const made = await readPrivateJwk(file);
  if (made === null) throw new IssuerKeyError(file);
  return fromJwk(made);
}

async function newPrivateJwk(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true, modulusLength: 2048 });
  return exportJWK(privateKey);
}

async function readPrivateJwk(file: string): Promise<JWK | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  // A file copied from a backup may have come back readable for everybody.
  await chmod(file, 0o600);
  const jwk = parseObject(text);
  if (jwk === null || jwk.kty !== 'RSA' || typeof jwk.d !== 'string') throw new IssuerKeyError(file);
  return jwk;
}

function parseObject(text: string): JWK | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** Written beside and linked into place: of two processes that start together, both end up with the first one's key. */
async function keep(file: string, jwk: JWK): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(jwk), { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

async function fromJwk(jwk: JWK): Promise<IssuerKey> {
  const privateKey = await importJWK(jwk, 'RS256');
  if (privateKey instanceof Uint8Array) throw new TypeError('an RSA key cannot be symmetric');
  const keyId = await calculateJwkThumbprint(jwk);
  return {
    keyId,
    privateKey,
    // Picked by name, so that no private part can slip out with what is published.
    publicJwk: { kty: 'RSA', n: required(jwk.n), e: required(jwk.e), alg: 'RS256', use: 'sig', kid: keyId },
  };
}

function required(part: string | undefined): string {
  if (part === undefined) throw new TypeError('an RSA key has a modulus and an exponent');
  return part;
}
