import type { Logger } from './logger';

/** Nobody may take a process that was started for a test for one that connects people. */
export function warnOfStandIns(logger: Pick<Logger, 'warn'>, areAllowed: boolean): void {
  if (!areAllowed) return;
  logger.warn(
    { standIns: true },
    '*** STAND-INS ARE ALLOWED (ALLOW_STAND_INS): phones, keys and sign-in may be simulated. For tests only: nobody may be reached. ***',
  );
}
