/**
 * Hears of erasures in other processes. A process that is not listening may have missed one, so it says when it
 * loses the connection, and its keys are dropped.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from '../vault/logger';
import { ERASED_CHANNEL } from './erasure';

const RECONNECT_AFTER_MS = 500;

export interface ErasureListener {
  /** Whether an erasure elsewhere would be heard right now. */
  listening(): boolean;
  close(): Promise<void>;
}

export interface ErasureListenerOptions {
  readonly databaseUrl: string;
  readonly logger: Pick<Logger, 'warn'>;
  readonly onErased: (subjectId: string) => void;
  /** The connection was lost: anything may have happened since. */
  readonly onLost: () => void;
}

/** Starts listening in the background and stays at it until closed. */
export function listenForErasures(options: ErasureListenerOptions): ErasureListener {
  const closing = new AbortController();
  let current: Client | null = null;
  let isListening = false;

  const listenOnce = async (): Promise<void> => {
    const client = new Client({
      connectionString: options.databaseUrl,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    current = client;
    const lost = new Promise<void>((resolve) => {
      // Not `once`: a reset connection reports twice, and an error that nobody hears ends the process.
      client.on('error', () => resolve());
      client.once('end', () => resolve());
    });
    client.on('notification', ({ payload }) => {
      if (payload !== undefined) options.onErased(payload);
    });
    await client.connect();
    await client.query(`LISTEN ${ERASED_CHANNEL}`);
    isListening = true;
    await lost;
  };

  const stayListening = async (): Promise<void> => {
    // One line per outage, not one per try.
    let warned = false;
    while (!closing.signal.aborted) {
      try {
        await listenOnce();
        warned = false;
      } catch (error) {
        if (!closing.signal.aborted && !warned) options.logger.warn({ error }, 'Could not listen for erasures');
        warned = true;
      }
      isListening = false;
      options.onLost();
      await current?.end().catch(() => undefined);
      await delay(RECONNECT_AFTER_MS, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  };

  const running = stayListening();
  return {
    listening: () => isListening,
    async close() {
      closing.abort();
      await current?.end().catch(() => undefined);
      await running;
    },
  };
}
