/**
 * Service keys: the organisation's own keys that belong to no person. Each is made by the key ring, stored wrapped
 * with a version, and loaded at start; during a rotation two versions live side by side.
 */
import { KeyRingError } from '../domain/errors';

export const SERVICE_KEY_PURPOSES = ['payload-codec', 'token', 'link', 'audit-chain', 'audit-checkpoint'] as const;
export type ServiceKeyPurpose = (typeof SERVICE_KEY_PURPOSES)[number];

/** 32 bytes; version counts from 1. */
export interface ServiceKey {
  readonly version: number;
  readonly key: Buffer;
}

export interface ServiceKeys {
  /** The highest version: the one new things are made with. */
  current(purpose: ServiceKeyPurpose): ServiceKey;
  /** All live versions, newest first. */
  all(purpose: ServiceKeyPurpose): readonly ServiceKey[];
}

/** @throws {KeyRingError} when a key is asked for that is not there, or one is not 32 bytes */
export function createServiceKeys(
  keys: readonly (ServiceKey & { readonly purpose: ServiceKeyPurpose })[],
): ServiceKeys {
  const byPurpose = new Map<ServiceKeyPurpose, ServiceKey[]>();
  for (const { purpose, version, key } of keys) {
    if (key.length !== 32) throw new KeyRingError('bad-service-key', 'A service key does not have 32 bytes');
    byPurpose.set(purpose, [...(byPurpose.get(purpose) ?? []), { version, key }]);
  }
  for (const list of byPurpose.values()) list.sort((a, b) => b.version - a.version);
  return {
    current(purpose) {
      const newest = byPurpose.get(purpose)?.[0];
      if (newest === undefined) throw new KeyRingError('no-service-key', 'A service key is missing');
      return newest;
    },
    all: (purpose) => byPurpose.get(purpose) ?? [],
  };
}
