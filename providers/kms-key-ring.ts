/**
 * The key ring whose root key never leaves AWS KMS. Every wrapped key is bound to its encryption context, which
 * policies can name and CloudTrail shows: opaque ids only (docs/keys.md).
 */
import {
  DecryptCommand,
  DescribeKeyCommand,
  GenerateDataKeyCommand,
  KMSClient,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { KeyRingError } from '../domain/errors';
import type { KeyContext, KeyRing, WrappedKey } from '../vault/key-ring';
import { awsTimeouts } from './aws';
import { createCircuit } from './circuit';
import { keyRingError, notAnswered } from './kms-errors';

const KEY_BYTES = 32;
/** The longest ciphertext that KMS takes. */
const LONGEST_WRAPPED = 6_144;
const ATTEMPTS = 3;
/** Needs no look-up. An alias has an ARN too: that one does. */
const IS_KEY_ARN = /^arn:[\w-]+:kms:[\w-]+:\d+:key\//;

export interface KmsKeyRingOptions {
  /** Id, alias or ARN of a symmetric key. What an alias points to is looked up once, at the first use. */
  readonly keyId: string;
  /** The root key that is being replaced: still opens what it has wrapped. */
  readonly previousKeyId: string | null;
  readonly region: string;
  /** Null: AWS itself. */
  readonly endpoint: string | null;
  /** For one operation with all its attempts. */
  readonly timeoutMs: number;
}

/** Asks nobody until it is used. Credentials are found as by all AWS clients (environment, container, instance). */
export function createKmsKeyRing(options: KmsKeyRingOptions): KeyRing {
  const client = new KMSClient({
    region: options.region,
    ...(options.endpoint === null ? {} : { endpoint: options.endpoint }),
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: awsTimeouts(options.timeoutMs),
  });
  const circuit = createCircuit({
    isOutage: (error) => error instanceof KeyRingError && error.isUnavailable,
    refusal: (operation) => notAnswered(operation, 'CircuitOpen'),
  });
  const ask = <T extends Answer>(operation: string, send: Send<T>): Promise<T> =>
    circuit.run(operation, async () => {
      try {
        return await inTime(operation, options.timeoutMs, send);
      } catch (error) {
        throw error instanceof KeyRingError ? error : keyRingError(operation, error);
      }
    });

  const describe = async (keyId: string) => {
    const answer = await ask('DescribeKey', (o) => client.send(new DescribeKeyCommand({ KeyId: keyId }), o));
    const { Arn: arn, KeyState: state, KeySpec: spec } = answer.KeyMetadata ?? {};
    if (arn === undefined || spec !== 'SYMMETRIC_DEFAULT') {
      throw new KeyRingError('key-ring-refused', 'The root key is not a symmetric key');
    }
    return { arn, isEnabled: state === 'Enabled' };
  };
  const arnOf = once(async () =>
    IS_KEY_ARN.test(options.keyId) ? options.keyId : (await describe(options.keyId)).arn,
  );
  const previousArn = once(async () => {
    const keyId = options.previousKeyId;
    return keyId === null || IS_KEY_ARN.test(keyId) ? keyId : (await describe(keyId)).arn;
  });

  /**
   * The ARN to name to KMS. Not simply the one in the row: whoever can write rows could name a root key of their
   * own there, and we would then seal under a key that they know.
   */
  const rootOf = async (wrapped: WrappedKey): Promise<string> => {
    if (wrapped.ring === 'kms') {
      if (wrapped.rootKeyId === (await arnOf())) return wrapped.rootKeyId;
      if (wrapped.rootKeyId === (await previousArn())) return wrapped.rootKeyId;
    }
    throw notOurKey();
  };

  return {
    name: 'kms',

    async generate(context) {
      const rootKeyId = await arnOf();
      const input = { KeyId: rootKeyId, NumberOfBytes: KEY_BYTES, EncryptionContext: encryptionContext(context) };
      const answer = await ask('GenerateDataKey', (o) => client.send(new GenerateDataKeyCommand(input), o));
      const plaintext = plaintextOf(answer, rootKeyId);
      return { plaintext, wrapped: wrappedBy(rootKeyId, answer) };
    },

    async unwrap(wrapped, context) {
      const rootKeyId = await rootOf(wrapped);
      const input = {
        KeyId: rootKeyId,
        CiphertextBlob: bytesOf(wrapped),
        EncryptionContext: encryptionContext(context),
      };
      return plaintextOf(await ask('Decrypt', (o) => client.send(new DecryptCommand(input), o)), rootKeyId);
    },

    async rewrap(wrapped, context) {
      const [source, rootKeyId] = [await rootOf(wrapped), await arnOf()];
      const input = {
        CiphertextBlob: bytesOf(wrapped),
        SourceKeyId: source,
        SourceEncryptionContext: encryptionContext(context),
        DestinationKeyId: rootKeyId,
        DestinationEncryptionContext: encryptionContext(context),
      };
      const answer = await ask('ReEncrypt', (o) => client.send(new ReEncryptCommand(input), o));
      if (answer.SourceKeyId !== source || answer.KeyId !== rootKeyId) throw notOurKey();
      return wrappedBy(rootKeyId, answer);
    },

    async describe() {
      const { arn, isEnabled } = await describe(await arnOf());
      if (!isEnabled) throw new KeyRingError('key-ring-refused', 'The root key is disabled');
      return { rootKeyId: arn };
    },
  };
}

/** What may hold a key in the clear, to be zeroed even when nobody waits for it any more. */
interface Answer {
  readonly $metadata: unknown;
  readonly Plaintext?: Uint8Array | undefined;
  readonly KeyId?: string | undefined;
}

type Send<T> = (options: { readonly abortSignal: AbortSignal }) => Promise<T>;

/** The SDK's own timeouts are per attempt, and its pauses between attempts cannot be cut short. */
async function inTime<T extends Answer>(operation: string, ms: number, send: Send<T>): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(notAnswered(operation, 'Deadline'));
      abort.abort();
    }, ms);
  });
  const work = send({ abortSignal: abort.signal });
  try {
    return await Promise.race([work, deadline]);
  } catch (error) {
    work.then(
      (late) => late.Plaintext?.fill(0),
      () => undefined,
    );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Only ids and constants: it is readable in CloudTrail and in policies. */
function encryptionContext({ subject, purpose }: KeyContext): Record<string, string> {
  return { subject, purpose };
}

function bytesOf({ bytes }: WrappedKey): Buffer {
  if (bytes.length > 0 && bytes.length <= LONGEST_WRAPPED) return bytes;
  throw new KeyRingError('key-not-authentic', 'A wrapped key has an impossible length');
}

/** @throws {KeyRingError} when there is nothing to keep: what is sealed with such a key would never open again */
function wrappedBy(
  rootKeyId: string,
  answer: Answer & { readonly CiphertextBlob?: Uint8Array | undefined },
): WrappedKey {
  const wrapped = { ring: 'kms', rootKeyId, bytes: Buffer.from(answer.CiphertextBlob ?? []) } as const;
  try {
    bytesOf(wrapped);
  } catch (error) {
    answer.Plaintext?.fill(0);
    throw error;
  }
  return wrapped;
}

/** The SDK's own bytes, not a copy: what the caller zeroes is then the only one. */
function plaintextOf({ Plaintext: key, KeyId: usedKeyId }: Answer, rootKeyId: string): Buffer {
  if (key !== undefined && key.length === KEY_BYTES && usedKeyId === rootKeyId) {
    return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  }
  key?.fill(0);
  throw usedKeyId === rootKeyId
    ? new KeyRingError('key-not-authentic', 'A wrapped key is no key of ours')
    : notOurKey();
}

function notOurKey(): KeyRingError {
  return new KeyRingError('not-our-key', 'A wrapped key belongs to another key ring or root key');
}

/** Asks once; a failure is not remembered. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => {
    asked ??= ask().catch((error: unknown) => {
      asked = null;
      throw error;
    });
    return asked;
  };
}
