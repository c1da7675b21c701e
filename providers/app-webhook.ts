import { Webhook } from 'standardwebhooks';
import { createWebhookPost, type Told, type WebhookPostOptions } from './webhook-post';

/** What is told, and under which id: the same at every attempt, so that the app can drop a repeat. */
export interface Telling {
  readonly eventId: string;
  readonly body: string;
}

export interface AppWebhook {
  /** One attempt; never throws. Delivered is what was answered with 2xx. */
  deliver(telling: Telling): Promise<Told>;
  /** Closes idle connections. */
  close(): void;
}

/** `mayBePrivate`: for development, never in production. */
export interface AppWebhookOptions extends WebhookPostOptions {
  /** `whsec_…`; the first signs first, all sign, so that the app may know either during a rotation. */
  readonly secrets: readonly string[];
}

/**
 * Posts events to the app as Standard Webhooks wants it (https://www.standardwebhooks.com): id, time and an HMAC over
 * both and the body.
 */
export function createAppWebhook(options: AppWebhookOptions): AppWebhook {
  const signers = options.secrets.map((secret) => new Webhook(secret));
  const { post, close } = createWebhookPost(options);
  return {
    deliver({ eventId, body }) {
      const at = new Date();
      return post(body, {
        'webhook-id': eventId,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': signers.map((signer) => signer.sign(eventId, at, body)).join(' '),
      });
    },
    close,
  };
}
