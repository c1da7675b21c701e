/**
 * The keyed hash that ties an audit entry to its place and to all entries before it. An unkeyed hash would not do:
 * whoever can write to the database could work out the rest of the chain again.
 */
import { createHmac, type KeyObject } from 'node:crypto';

/** What stands before the first place. */
export const CHAIN_START: Buffer = Buffer.alloc(32);

const DOMAIN = Buffer.from('kindline-audit-chain:1');
const FIXED_PARTS = [DOMAIN.length, 8, 32, 4, 8];
const HEADER_LENGTH = FIXED_PARTS.reduce((sum, length) => sum + 4 + length, 4);

export interface ChainLink {
  /** From 1, without gaps. */
  readonly position: number;
  /** The hash at the place before, or `CHAIN_START`. */
  readonly previous: Uint8Array;
  readonly keyVersion: number;
  /** The transaction that wrote the entry, a decimal number of 64 bits. */
  readonly txid: string;
  /** The entry as bytes. */
  readonly canonical: Uint8Array;
}

/**
 * HMAC-SHA256 over all parts of the link, each preceded by its length.
 * @param key the service key `audit-chain` of the link's version
 * @returns 32 bytes
 */
export function chainMac(key: KeyObject, link: ChainLink): Buffer {
  const header = Buffer.allocUnsafe(HEADER_LENGTH);
  let at = header.writeUInt32BE(DOMAIN.length, 0);
  at += DOMAIN.copy(header, at);
  at = header.writeUInt32BE(8, at);
  at = header.writeBigUInt64BE(BigInt(link.position), at);
  at = header.writeUInt32BE(32, at);
  header.set(link.previous, at);
  at = header.writeUInt32BE(4, at + 32);
  at = header.writeUInt32BE(link.keyVersion, at);
  at = header.writeUInt32BE(8, at);
  at = header.writeBigUInt64BE(BigInt(link.txid), at);
  header.writeUInt32BE(link.canonical.length, at);
  return createHmac('sha256', key).update(header).update(link.canonical).digest();
}
