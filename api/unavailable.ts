import { KeyRingError } from '../domain/errors';
import { TemporalNotInTime, TemporalNotPrepared } from '../temporal/errors';

/** SQLSTATE classes that mean "not now": connection, resources, shutdown, and our own statement or lock timeout. */
const SQLSTATES_OF_AN_OUTAGE = /^(?:08|53|57P|57014|55P03)/;
/** Codes of Node's sockets and name look-ups. */
const SOCKET_CODES = /^E(?:CONNREFUSED|CONNRESET|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)$/;

/**
 * Whether an error says that something we need (Postgres, Temporal, the key ring's service) is down or too slow,
 * so that asking again later helps. Everything else is a fault of ours.
 */
export function isUnavailable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (error instanceof DeadlineExceeded) return true;
  if (error instanceof KeyRingError) return error.isUnavailable;
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'string' && (SQLSTATES_OF_AN_OUTAGE.test(code) || SOCKET_CODES.test(code))) return true;
  if (error instanceof TemporalNotInTime || error instanceof TemporalNotPrepared) return true;
  // pg-pool and pg have only a text for these; it is compared, never kept.
  return (
    error instanceof Error && /^(?:timeout exceeded when trying to connect|Connection terminated)/.test(error.message)
  );
}

/** Thrown when something took longer than the time it was given. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';

  constructor() {
    super('deadline exceeded');
  }
}

/**
 * The outcome of `work`, unless it takes longer than `ms`. The work itself is not stopped: what is given to this
 * must be harmless when it finishes unseen.
 *
 * @throws DeadlineExceeded
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded()), Math.max(1, ms));
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
    // When the deadline won, a later failure of the work is nobody's any more.
    work.catch(() => undefined);
  }
}
