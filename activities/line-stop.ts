import { Context } from '@temporalio/activity';
import { inTransaction } from '../db/pool';
import { type ProviderLine, stopLine } from '../db/provider-lines';
import type { ActivityDependencies } from './dependencies';
import type { Channel } from './dispatch-choice';

/** Calls and texts share an account, and so its closing. */
export const lineOf = (channel: Channel): ProviderLine => (channel === 'email' ? 'mail' : 'twilio');

/**
 * Stops a line, and calls for a human when it was open: once, not at each send. It opens again by itself
 * (`workers/line-watch.ts`).
 * @param openForMs of a receipt, which tells of something older: see `stopLine`
 */
export async function stopLineOf(
  deps: Pick<ActivityDependencies, 'pool' | 'logger'>,
  channel: Channel,
  code: string,
  openForMs = 0,
): Promise<void> {
  const line = lineOf(channel);
  if (!(await inTransaction(deps.pool, (tx) => stopLine(tx, line, code, openForMs)))) return;
  deps.logger.error({ line, errorCode: code }, 'line-stopped');
  Context.current().metricMeter.createCounter('kindline_lines_stopped').add(1, { line });
}
