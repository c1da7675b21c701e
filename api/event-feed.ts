import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { type EventPlace, placeOfNow, subjectsWithEvents } from '../db/app-event-lists';
import type { Logger } from '../vault/logger';
import { FEED_INTERVAL } from './limits';

/** A stream that wants to know when there may be something new for its subject. */
export interface Listener {
  readonly subjectId: string;
  /** Read on. */
  wake(): void;
  /** The process ends. */
  end(): void;
}

export interface EventFeed {
  /** @returns leaves again */
  join(listener: Listener): () => void;
  /** How many streams there are, in all and of one subject. */
  count(subjectId?: string): number;
}

/**
 * Tells the streams of this process when to read on. One question to Postgres for all of them, as long as there are any:
 * it holds for every process of the API, through any pooler, and costs nobody who writes anything.
 */
export function createEventFeed(deps: { pool: Pool; logger: Logger; isDraining: () => boolean }): EventFeed {
  const { pool, logger, isDraining } = deps;
  const listeners = new Set<Listener>();
  let isAsking = false;

  const subjectIds = () => [...new Set([...listeners].map(({ subjectId }) => subjectId))];

  const askOn = async (): Promise<void> => {
    let since: EventPlace | null = null;
    while (listeners.size > 0) {
      if (isDraining()) for (const listener of listeners) listener.end();
      const asked = since === null ? new Set<Listener>() : new Set(listeners);
      try {
        const found: EventsFound =
          since === null ? await fromNow(pool) : await subjectsWithEvents(pool, subjectIds(), since);
        since = found.until;
        const awake = new Set(found.subjectIds);
        // Whoever came while we asked may have read before the place from which we ask next.
        for (const listener of listeners) if (awake.has(listener.subjectId) || !asked.has(listener)) listener.wake();
      } catch (error) {
        // Nothing is lost: the place stays until it can be asked about.
        logger.warn({ error }, 'nobody could be asked for new events');
      }
      await delay(FEED_INTERVAL, undefined, { ref: false });
    }
    isAsking = false;
  };

  return {
    join(listener) {
      listeners.add(listener);
      if (!isAsking) {
        isAsking = true;
        void askOn();
      }
      return () => void listeners.delete(listener);
    },
    count: (subjectId) =>
      subjectId === undefined
        ? listeners.size
        : [...listeners].filter((listener) => listener.subjectId === subjectId).length,
  };
}

interface EventsFound {
  readonly subjectIds: readonly string[];
  readonly until: EventPlace;
}

async function fromNow(pool: Pool): Promise<EventsFound> {
  return { subjectIds: [], until: await placeOfNow(pool) };
}
