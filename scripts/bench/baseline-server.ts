/** What the two bare servers share: they listen where they are told and end when they are asked to. */
import { createServer } from 'node:http';
import express, { type Express } from 'express';

/** A bare Express application. */
export function bareApp(): Express {
  return express().disable('x-powered-by').disable('etag');
}

/** Listens on `PORT`, says so as our own services do, and closes everything on SIGTERM. */
export function serve(app: Express, port: number, close: () => Promise<unknown>): void {
  const server = createServer({ keepAliveTimeout: 65_000 }, app);
  server.listen(port, '127.0.0.1', () => process.stdout.write('{"msg":"baseline ready"}\n'));
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
    void close().finally(() => process.exit());
  });
}
