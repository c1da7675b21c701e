import type { Logger } from './logger';

/**
 * Ends the process when an error reached nobody, as Node would, but without Node's own last words: those print the
 * error whole, and its text and properties can hold a phone number or a request. The logger reduces it.
 */
export function endOnStrayErrors(logger: Pick<Logger, 'fatal'>): void {
  // Node brings unhandled rejections here too.
  process.on('uncaughtException', (error) => {
    logger.fatal({ error }, 'an error reached nobody');
    process.exit(1);
  });
}
