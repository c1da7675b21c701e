import { randomUUID } from 'node:crypto';
import { pause } from './clock';
import type { Fault } from './types';
import { type Webhook, WebhookFailed, type WebhookSender } from './webhook-sender';

/** A callback waits this long for the one before it: then order is no longer worth the wait. */
const ORDER_PATIENCE_MS = 300;
/** A callback held back by `reorder` goes out after this long when no other follows it. */
const REORDER_PATIENCE_MS = 2_000;

/**
 * The callbacks about one call or message. As with Twilio, nothing is held up by a slow receiver, and order is likely
 * but not promised.
 */
export class CallbackLine {
  private previous: Promise<unknown> = Promise.resolve();
  private releaseHeld: (() => void) | null = null;

  /** @param onFailure told when a callback got no usable answer */
  constructor(
    private readonly webhooks: WebhookSender,
    private readonly onFailure: (error: WebhookFailed) => void,
  ) {}

  /** Posts a callback, with what the plan of faults wants for it. */
  send(hook: Webhook, fault: Fault | null): void {
    if (fault?.kind === 'lost') return;
    // Each waits for the one before it, but not for long: Twilio promises no order.
    const before = this.previous;
    const release = this.releaseHeld;
    this.releaseHeld = null;
    const held =
      fault?.kind === 'reorder'
        ? Promise.race([pause(REORDER_PATIENCE_MS), new Promise<void>((resolve) => (this.releaseHeld = resolve))])
        : null;
    const sent = (async () => {
      await Promise.race([before, pause(ORDER_PATIENCE_MS)]);
      await held;
      await this.post(hook, fault);
      release?.();
    })();
    // One that is held back for `reorder` must not hold back the others.
    if (!held) this.previous = sent;
  }

  private async post(hook: Webhook, fault: Fault | null): Promise<void> {
    const first = { ...hook, token: randomUUID() };
    const hooks: Webhook[] = [fault ? { ...first, fault: fault.kind } : first];
    if (fault?.kind === 'duplicate') hooks.push(first);
    if (fault?.kind === 'duplicate-new-token') hooks.push({ ...first, token: randomUUID() });
    if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
    for (const each of hooks) {
      try {
        await this.webhooks.send(each);
      } catch (error) {
        if (!(error instanceof WebhookFailed)) throw error;
        this.onFailure(error);
      }
    }
  }
}
