import { classifyHttp } from '../domain/twilio-errors';
import { ProviderError, type ProviderOperation } from './provider-error';
import { NoAnswer, RefusedAnswer } from './twilio-http';

/** Runs one request; whatever it throws leaves here as a {@link ProviderError} without a trace of the request. */
export async function translated<T>(operation: ProviderOperation, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw translate(operation, error);
  }
}

function translate(operation: ProviderOperation, error: unknown): ProviderError {
  const none = { operation, status: null, code: null, requestId: null, retryAfterMs: null };
  if (error instanceof NoAnswer) {
    return error.bytesMayHaveLeft
      ? new ProviderError({ ...none, outcome: 'unknown', class: 'unknown' })
      : new ProviderError({ ...none, outcome: 'not-sent', class: 'retry' });
  }
  // Anything else that is not an answer is a fault of ours or of the package: bytes may have left.
  if (!(error instanceof RefusedAnswer)) return new ProviderError({ ...none, outcome: 'unknown', class: 'unknown' });
  const { status, code, requestId, retryAfterMs } = error;
  const facts = { operation, status, code, requestId, class: classifyHttp(status, code) };
  if (status === 429) return new ProviderError({ ...facts, outcome: 'rate-limited', retryAfterMs });
  // Only a 4xx that carries Twilio's own code is Twilio's word; a proxy's 4xx without one proves nothing.
  const refused = status >= 400 && status < 500 && status !== 408 && code !== null;
  return new ProviderError({ ...facts, outcome: refused ? 'refused' : 'unknown', retryAfterMs: null });
}

/** For what may be gone already: null where the provider does not know it. */
export async function orNullWhenUnknown<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RefusedAnswer && error.status === 404) return null;
    throw error;
  }
}
