import { createWebhookPost, type Told } from './webhook-post';

/** Where incidents are told to: whatever takes the webhooks of Prometheus's Alertmanager. */
export interface AlertWebhook {
  /** One attempt; never throws. Delivered is what was answered with 2xx. */
  tell(body: string): Promise<Told>;
  close(): void;
}

export interface AlertWebhookOptions {
  readonly url: string;
  /** Sent as `Authorization: Bearer …`; null: none. */
  readonly bearerToken: string | null;
  readonly timeoutMs: number;
}

/** It usually lives in the organisation's own network, so any address will do. */
export function createAlertWebhook({ url, bearerToken, timeoutMs }: AlertWebhookOptions): AlertWebhook {
  const { post, close } = createWebhookPost({ url, timeoutMs, mayBePrivate: true });
  const headers: Record<string, string> = bearerToken === null ? {} : { authorization: `Bearer ${bearerToken}` };
  return { tell: (body) => post(body, headers), close };
}
