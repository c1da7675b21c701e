/**
 * The key ring: where the root key is. Everything else in the vault sees only keys that the ring has made and
 * wrapped. `kms` keeps the root key in an HSM; `local` (a file) is for development and is refused in production.
 */

/** A key as it is stored: bytes that only the ring opens, and which root key wrapped them. */
export interface WrappedKey {
  readonly ring: 'local' | 'kms';
  readonly rootKeyId: string;
  readonly bytes: Buffer;
}

/**
 * Bound to the wrapped key, constant for its life; with KMS it is the encryption context and stands in CloudTrail
 * in the clear, so it holds opaque ids only. For service keys the subject is the purpose's name, e.g. `token:1`.
 */
export interface KeyContext {
  readonly subject: string;
  readonly purpose: 'subject-key' | 'service-key';
}

/** Every method throws {KeyRingError}; its code says whether waiting helps (`key-ring-unavailable`) or not. */
export interface KeyRing {
  readonly name: 'local' | 'kms';
  /** A new random key of 32 bytes. The caller zeroes the plaintext when done. */
  generate(context: KeyContext): Promise<{ readonly plaintext: Buffer; readonly wrapped: WrappedKey }>;
  /**
   * The caller zeroes what it gets.
   * @throws {KeyRingError} `key-not-authentic` when the bytes or the context are not the ones it was wrapped with,
   * `not-our-key` when the root key is not one of ours
   */
  unwrap(wrapped: WrappedKey, context: KeyContext): Promise<Buffer>;
  /**
   * The same key under the current root key (rotation); the context stays. With KMS the plaintext never leaves it.
   * What was wrapped before still opens while its root key is known to the ring.
   */
  rewrap(wrapped: WrappedKey, context: KeyContext): Promise<WrappedKey>;
  /** Asks whether the current root key can be used now: cheap enough for a health check every minute. */
  describe(): Promise<{ readonly rootKeyId: string }>;
}
