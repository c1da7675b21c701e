import { condition, continueAsNew, defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';
import { APP_WEBHOOK } from '../domain/app-events';
import { telling } from './activity-options';

/** An app that answers nothing well is left in peace so long, whatever else comes due. */
const PEACE_MS = 30_000;
/** What comes due while a pass ends is not worth a timer. */
const SHORTEST_SLEEP_MS = 1_000;

/**
 * Tells the app of everything that waits, and again what it did not take, until it has all or the time of each is over.
 * There is one of it, started by whoever sees that something is due; it ends when nothing waits any more.
 */
export async function appWebhook(): Promise<void> {
  let isSomethingNew = false;
  setHandler(defineSignal(APP_WEBHOOK.due), () => {
    isSomethingNew = true;
  });
  for (;;) {
    isSomethingNew = false;
    const pass = await telling.deliverAppEvents();
    if (pass.nextInMs === null && !isSomethingNew) return;
    const rest = Math.max(pass.nextInMs ?? 0, pass.isDown ? PEACE_MS : SHORTEST_SLEEP_MS);
    await condition(() => isSomethingNew && !pass.isDown, rest);
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof appWebhook>();
  }
}
