import type { Config } from '../../config/config';
import { ProviderError } from '../../providers/provider-error';

/** What a check has found. Texts are shown to people and may hold our own numbers and addresses, never a secret. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** What to do about it; null when there is nothing to do. */
  readonly todo: string | null;
}

/** What is examined. */
export interface Patient {
  readonly config: Config;
  /** Whether what can be set right at Twilio is set right. */
  readonly apply: boolean;
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says, todo: null });
export const warn = (check: string, says: string, todo: string): Finding => ({ check, state: 'warn', says, todo });
export const fail = (check: string, says: string, todo: string): Finding => ({ check, state: 'fail', says, todo });

/** Runs a check; whatever it throws becomes a finding. */
export async function examined(
  check: string,
  todo: string,
  examine: () => Promise<Finding | readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return [await examine()].flat();
  } catch (error) {
    return [fail(check, `It could not be asked (${reasonOf(error)}).`, todo)];
  }
}

/**
 * A word for what went wrong: a code, else the name of the error. Never a message: those of other people's errors
 * quote passwords in connection strings, numbers and requests.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof ProviderError) {
    return error.status === null ? error.outcome : `HTTP ${error.status}, code ${error.code ?? 'none'}`;
  }
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: unknown };
  if (typeof code === 'string' && /^[\w-]{1,40}$/.test(code)) return code;
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (cause !== undefined) return reasonOf(cause);
  if (typeof code === 'number') return `code ${code}`;
  return typeof name === 'string' ? name : 'unknown';
}
