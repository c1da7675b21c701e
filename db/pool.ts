/**
 * Connections to Postgres. Every wait has an end: a statement that hangs would otherwise hold a webhook until
 * Twilio gives up, and a transaction left idle would hold its locks for ever.
 */
import { Pool, type PoolClient } from 'pg';
import type { Config } from '../config/config';
import type { Logger } from '../vault/logger';
import { sqlState } from './query';

/** Milliseconds. Far above what any of our statements needs; below Twilio's 15 s. */
const CONNECT_TIMEOUT = 5_000;
const STATEMENT_TIMEOUT = 8_000;
const LOCK_TIMEOUT = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT = 10_000;

type DatabaseConfig = Pick<Config['database'], 'url' | 'poolSize'>;

/** A pool of connections of the application role. End it with `pool.end()`. */
export function createPool(config: DatabaseConfig, logger: Pick<Logger, 'warn'>): Pool {
  const pool = new Pool({
    connectionString: config.url,
    max: config.poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    lock_timeout: LOCK_TIMEOUT,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT,
    keepAlive: true,
  });
  // An idle connection that Postgres closes emits `error`; without a listener that ends the process.
  pool.on('error', (error) => logger.warn({ error }, 'An idle database connection was lost'));
  return pool;
}

/** Of one of two transactions that wait for each other; Postgres ends it as if it had never been. */
const DEADLOCK_DETECTED = '40P01';
const MOST_ATTEMPTS = 3;

/**
 * Runs `fn` in one transaction: committed when it returns, rolled back when it throws.
 * A connection that failed on the way is thrown away, never given to the next caller.
 * @param fn does nothing that a rollback does not undo: it is run anew where Postgres has ended it for another one
 */
export async function inTransaction<T>(pool: Pool, fn: (tx: PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inOneTransaction(pool, fn);
    } catch (error) {
      if (sqlState(error) !== DEADLOCK_DETECTED || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

async function inOneTransaction<T>(pool: Pool, fn: (tx: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | null = null;
  const noteBroken = (error: Error): void => {
    broken = error;
  };
  // A connection lost between two statements says so by an event of its own.
  client.on('error', noteBroken);
  try {
    await client.query('BEGIN');
    const result = await fn(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(noteBroken);
    throw error;
  } finally {
    client.off('error', noteBroken);
    client.release(broken ?? undefined);
  }
}
