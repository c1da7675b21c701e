import { KeyRingError } from '../domain/errors';
import { awsAnswer, isAwsUnavailable } from './aws';

/**
 * KMS's errors in our words, at the edge: the SDK's own text quotes ARNs, roles and the encryption context, so it is
 * neither kept nor chained as a cause.
 */
export function keyRingError(operation: string, error: unknown): KeyRingError {
  const { class: name, status, requestId } = awsAnswer(error);
  const details = { class: name, operation, status, requestId };
  if (isAwsUnavailable(error)) return unavailable(details);
  switch (name) {
    case 'InvalidCiphertextException':
      return new KeyRingError('key-not-authentic', 'A wrapped key was changed or belongs to another subject', details);
    case 'IncorrectKeyException':
      return new KeyRingError('not-our-key', 'A wrapped key belongs to another key ring or root key', details);
    default:
      // Not allowed, no such key, disabled, about to be deleted: somebody has to do something.
      return new KeyRingError('key-ring-refused', 'KMS refused', details);
  }
}

/** @param reason `Deadline` or `CircuitOpen`: nothing was answered, or nothing was asked */
export function notAnswered(operation: string, reason: 'Deadline' | 'CircuitOpen'): KeyRingError {
  return unavailable({ class: reason, operation });
}

function unavailable(details: ConstructorParameters<typeof KeyRingError>[2]): KeyRingError {
  return new KeyRingError('key-ring-unavailable', 'KMS does not answer', details);
}
