/**
 * The log lines of calls and their legs. Each has exactly five fields, whatever happened: which call, what became of
 * it, for whom, where, and at which try.
 */
import { createHmac } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed';
import type { Logger } from './logger';
import type { ServiceKey } from './service-keys';

export interface CallLogFacts {
  readonly callId: string;
  /** A word of ours or a call status of Twilio's. */
  readonly status: string;
  /** The token as the database has it, 32 bytes; null when there is no person, or no token any more. */
  readonly recipientToken: Buffer | null;
  /** ISO country of the recipient; null when it is not known. */
  readonly country: string | null;
  /** How often it was tried before this time. */
  readonly retryCount: number;
}

export interface CallLog {
  note(facts: CallLogFacts): void;
}

/** Stands where there is nothing, so that every line has every field. */
const NONE = 'none';

/**
 * @param keys all live versions of the service key `token`
 * @param now for tests
 */
export function createCallLog(
  logger: Logger,
  keys: readonly ServiceKey[],
  now: () => Date = () => new Date(),
): CallLog {
  const [current] = keys.toSorted((a, b) => b.version - a.version);
  if (current === undefined) throw new RangeError('There is no token key');
  return {
    note({ callId, status, recipientToken, country, retryCount }) {
      logger.info(
        {
          call_id: callId,
          status,
          recipient_token: recipientToken === null ? NONE : tokenOfTheDay(current.key, recipientToken, now()),
          country: country ?? NONE,
          retry_count: Math.max(0, retryCount),
        },
        'call',
      );
    },
  };
}

/**
 * The same all day (UTC), so that what happened to one person can be followed; another one tomorrow, so that logs of
 * many days cannot be joined into a history of somebody. It is not the database's token either: whoever has only the
 * logs, or logs and a copy of the database without its keys, cannot join them.
 *
 * In letters: a run of digits in it could look like a phone number, to people and to the net below the logger.
 */
function tokenOfTheDay(key: Buffer, recipientToken: Buffer, now: Date): string {
  const day = now.toISOString().slice(0, 10);
  const dayKey = createHmac('sha256', key)
    .update(lengthPrefixed(['kindline/log-token/1', day]))
    .digest();
  const token = createHmac('sha256', dayKey).update(recipientToken).digest('hex').slice(0, 32);
  return token.replaceAll(/[\da-f]/g, (digit) => 'abcdefghijklmnop'.charAt(Number.parseInt(digit, 16)));
}
