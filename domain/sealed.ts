/**
 * Sealed values: personal data in memory, between the door it came in by and the vault (or the dial).
 * However such a value is printed (template literal, JSON, `util.inspect`, an error's text) it shows its kind and
 * at most two digits. The single way out is `expose()`, so that every place that uses plaintext can be found by
 * searching for that word.
 */

/** The closed list of kinds; the kind is part of what the vault's encryption authenticates. */
export const SEALED_KINDS = ['phone', 'email', 'name', 'address', 'text', 'ip', 'user-agent'] as const;
export type SealedKind = (typeof SEALED_KINDS)[number];

/** Node's own key for custom printing; taken from the registry so that this file imports nothing. */
const inspectKey = Symbol.for('nodejs.util.inspect.custom');

/** One piece of personal data. Made with {@link SealedValue.of}; read with `expose()` only where it is used. */
export class SealedValue<K extends SealedKind = SealedKind> {
  // A true private field: not enumerable, not cloned, not reachable by spreading or by a JSON replacer.
  readonly #value: string;
  readonly kind: K;

  private constructor(kind: K, value: string) {
    this.kind = kind;
    this.#value = value;
    Object.freeze(this);
  }

  /** Wraps a plaintext. Phone numbers are expected in E.164 (see `parsePhoneNumber`). */
  static of<K extends SealedKind>(kind: K, value: string): SealedValue<K> {
    return new SealedValue(kind, value);
  }

  /** The plaintext. To be called where the value leaves us (dial, text, vault) and nowhere else. */
  expose(): string {
    return this.#value;
  }

  /** `[phone ••23]` for phone numbers, `[name]` for everything else. */
  toString(): string {
    // Two digits let an operator tell two numbers apart; of a name or an address even two letters tell too much.
    if (this.kind !== 'phone') return `[${this.kind}]`;
    const digits = this.#value.replace(/\D/g, '');
    return digits.length >= 7 ? `[phone ••${digits.slice(-2)}]` : '[phone]';
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.toPrimitive](): string {
    return this.toString();
  }

  [inspectKey](): string {
    return this.toString();
  }
}
