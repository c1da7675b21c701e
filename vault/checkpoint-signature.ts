/** Signatures on audit checkpoints: Ed25519, so that whoever holds only the public key can check them too. */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign, verify } from 'node:crypto';
import { type Checkpoint, checkpointText, type SignedCheckpoint } from '../domain/audit-checkpoint';
import type { ServiceKey } from './service-keys';

/** A signature of this key over anything else is never taken for one over a checkpoint. */
const DOMAIN = 'kindline-audit-checkpoint:1\n';
/** PKCS #8 of an Ed25519 key, up to its 32 bytes (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** @param key the service key `audit-checkpoint`; the signing key is derived from it */
export function signCheckpoint(checkpoint: Checkpoint, key: ServiceKey): SignedCheckpoint {
  const signature = sign(null, Buffer.from(DOMAIN + checkpointText(checkpoint)), privateKey(key));
  return { ...checkpoint, signature: signature.toString('base64url') };
}

/** @param publicKey of the version that the checkpoint names, from `checkpointPublicKey` */
export function isSignedBy({ signature, ...checkpoint }: SignedCheckpoint, publicKey: KeyObject): boolean {
  const signed = Buffer.from(DOMAIN + checkpointText(checkpoint));
  return verify(null, signed, publicKey, Buffer.from(signature, 'base64url'));
}

export function checkpointPublicKey(key: ServiceKey): KeyObject {
  return createPublicKey(privateKey(key));
}

function privateKey({ key }: ServiceKey): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `${DOMAIN}ed25519`, 32));
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}
