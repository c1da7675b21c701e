import { ProviderError } from '../providers/provider-error';
import type { Logger } from '../vault/logger';

/**
 * Runs a request to the provider and logs its failure, once, here: code, HTTP status, class, operation, dispatch
 * and Twilio's request id. Never a message, a URL or what was sent.
 */
export async function logged<T>(logger: Logger, ids: { dispatchId?: string; callSid?: string }, run: () => Promise<T>) {
  try {
    return await run();
  } catch (error) {
    if (error instanceof ProviderError) {
      logger.warn(
        {
          ...ids,
          operation: error.operation,
          outcome: error.outcome,
          class: error.class,
          errorCode: error.code,
          httpStatus: error.status,
          requestId: error.requestId,
          retryAfterMs: error.retryAfterMs,
        },
        'the provider did not do what it was asked',
      );
    }
    throw error;
  }
}
