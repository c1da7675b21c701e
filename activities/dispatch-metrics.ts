import { ApplicationFailure, metricMeter } from '@temporalio/activity';
import type { MessageClass } from '../domain/message';
import type { Channel } from './dispatch-choice';
import { FAILURES } from './failures';

/** What a dispatch can come to, by the failure that says so; the others are tried again and count when they are over. */
const OUTCOMES: Readonly<Record<string, string>> = {
  [FAILURES.refused]: 'refused',
  [FAILURES.abandoned]: 'abandoned',
  [FAILURES.lost]: 'lost',
  [FAILURES.suppressed]: 'suppressed',
  [FAILURES.switchedOff]: 'switched-off',
  [FAILURES.recordDestroyed]: 'record-destroyed',
};

/**
 * Counts what a dispatch came to, among the metrics that the worker serves on METRICS_PORT: by channel, class of message,
 * outcome, and class of error. A dispatch whose outcome a worker died with counts again when it is asked for again.
 */
export async function counted<T>(
  { channel, messageClass }: { readonly channel: Channel; readonly messageClass: MessageClass },
  run: () => Promise<T>,
): Promise<T> {
  const count = (outcome: string, error = 'none') =>
    metricMeter
      .createCounter('kindline_dispatches', undefined, 'Outward acts by channel, class and outcome')
      .add(1, { channel, class: messageClass, outcome, error });
  try {
    const result = await run();
    count('accepted');
    return result;
  } catch (error) {
    const outcome = error instanceof ApplicationFailure ? OUTCOMES[error.type ?? ''] : undefined;
    if (outcome !== undefined) count(outcome, errorClass(error));
    throw error;
  }
}

/** Of a refusal the class of our table, of a suppression the reason: both closed lists. */
function errorClass(error: unknown): string {
  const [said]: unknown[] = error instanceof ApplicationFailure ? (error.details ?? []) : [];
  const word: unknown = Reflect.get(Object(said), 'class') ?? Reflect.get(Object(said), 'reason');
  return typeof word === 'string' ? word : 'none';
}
