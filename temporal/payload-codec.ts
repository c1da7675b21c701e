import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { KindlineError } from '../domain/errors';
import type { ServiceKey } from '../vault/service-keys';

const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
/** Named in the AAD too, so that bytes of another format or key never open as ours. */
const FORMAT = 'kindline/payload/1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export type PayloadCodecProblem = 'not-encrypted' | 'unknown-key' | 'not-authentic' | 'malformed';

/** Thrown when a payload is not one of ours or was changed; carries nothing of it. */
export class PayloadCodecError extends KindlineError {
  override readonly name = 'PayloadCodecError';

  constructor(problem: PayloadCodecProblem) {
    super(problem, 'A payload does not open');
  }
}

/**
 * Encrypts every payload that leaves this process for Temporal with AES-256-GCM. The whole payload is sealed, its
 * own metadata included; outside stand the encoding and the key's version, which rotation needs.
 *
 * Fails closed: a payload that is not encrypted is refused, or whoever can write to Temporal's store could put
 * words into a workflow's mouth. The AAD does not bind the workflow id, because the codec server, which decodes for
 * the Web UI, is never told it.
 *
 * @param keys all live versions of the service key `payload-codec`; the highest one encrypts
 */
export function createPayloadCodec(keys: readonly ServiceKey[]): PayloadCodec {
  const byId = new Map(keys.map(({ version, key }) => [keyId(version), key]));
  const current = keys.reduce<ServiceKey | null>((best, k) => (best && best.version > k.version ? best : k), null);
  if (current === null) throw new RangeError('There is no payload key');
  return {
    encode: async (payloads) => payloads.map((payload) => encrypt(payload, keyId(current.version), current.key)),
    decode: async (payloads) => payloads.map((payload) => decrypt(payload, byId)),
  };
}

/** Whether a payload says of itself that a codec of ours has written it; only decoding proves it. */
export function isEncrypted(payload: Payload): boolean {
  return word(payload, 'encoding') === ENCODING;
}

function keyId(version: number): string {
  return `v${version}`;
}

function encrypt(payload: Payload, id: string, key: Buffer): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad(id));
  const sealed = Buffer.concat([nonce, cipher.update(serialize(payload)), cipher.final(), cipher.getAuthTag()]);
  return { metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) }, data: sealed };
}

function decrypt(payload: Payload, keys: ReadonlyMap<string, Buffer>): Payload {
  if (!isEncrypted(payload)) throw new PayloadCodecError('not-encrypted');
  const id = word(payload, KEY_ID);
  const key = keys.get(id);
  if (key === undefined) throw new PayloadCodecError('unknown-key');
  const sealed = Buffer.from(payload.data ?? []);
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new PayloadCodecError('malformed');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(aad(id))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    return deserialize(plain);
  } catch (error) {
    throw error instanceof PayloadCodecError ? error : new PayloadCodecError('not-authentic');
  }
}

function aad(id: string): Buffer {
  return Buffer.from(`${FORMAT}/${id}`);
}

function word(payload: Payload, name: string): string {
  const value = payload.metadata?.[name];
  return value ? Buffer.from(value).toString('utf8') : '';
}

/** Length of the metadata (4 bytes), the metadata as JSON with base64 values, the data as it is. */
function serialize(payload: Payload): Buffer {
  const metadata = Object.entries(payload.metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  const head = Buffer.from(JSON.stringify(metadata));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  // The payload of a workflow that returns nothing comes out of its sandbox with an empty array for data, not with bytes.
  return Buffer.concat([length, head, Buffer.from(payload.data ?? [])]);
}

function deserialize(plain: Buffer): Payload {
  const length = plain.readUInt32BE(0);
  const pairs: [string, string][] = JSON.parse(plain.subarray(4, 4 + length).toString('utf8'));
  return {
    metadata: Object.fromEntries(pairs.map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: plain.subarray(4 + length),
  };
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}
