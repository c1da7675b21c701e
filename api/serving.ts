import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { DRAIN_WITHIN, SERVER_TIMEOUTS } from './limits';

/** How an HTTP process of ours comes up, listens and ends; the same for the API and the codec server. */

/** @param at port 0 takes a free one: {@link portOf} says which */
export function listen(app: RequestListener, at: { readonly port: number; readonly host: string }): Promise<Server> {
  const server = createServer(SERVER_TIMEOUTS, app);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => resolve(server));
  });
}

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export function signalled(...signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve());
  });
}

/** Answers what is under way, takes nothing new, and does not wait for ever. */
export async function drained(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await Promise.race([closed, delay(DRAIN_WITHIN, undefined, { ref: false })]);
  server.closeAllConnections();
}
