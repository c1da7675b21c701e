import { createHash, randomBytes } from 'node:crypto';

/** A new SID as Twilio makes them: two letters and 32 hex digits. */
export function newSid(prefix: 'CA' | 'RE' | 'SK' | 'SM'): string {
  return prefix + randomBytes(16).toString('hex');
}

/** The same SID for the same thing in every run, e.g. for one of our numbers. */
export function fixedSid(prefix: 'PN' | 'AC', name: string): string {
  return prefix + createHash('sha256').update(name).digest('hex').slice(0, 32);
}
