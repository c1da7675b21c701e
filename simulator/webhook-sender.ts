import { randomUUID } from 'node:crypto';
import { pause } from './clock';
import { type ConnectionPlan, planConnection } from './connection-overrides';
import { Gate } from './gate';
import { type HttpAnswer, HttpFailure, sendHttp } from './http-request';
import { signWebhook, urlToSign } from './signature';
import type { FaultKind, Settings, WebhookKind, WebhookRecord } from './types';

export interface Webhook {
  readonly kind: WebhookKind;
  /** Of the call or message it is about. */
  readonly sid: string;
  /** As it was given to us, overrides in the fragment included. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly params: Readonly<Record<string, string>>;
  /** The same for every attempt at one request: this is how a receiver spots our retries. */
  readonly token?: string;
  readonly fault?: FaultKind;
}

/** Thrown when a webhook got no usable answer within its limits. 11200 is Twilio's code for all of these. */
export class WebhookFailed extends Error {
  readonly code = 11200;

  constructor(
    readonly url: string,
    readonly status: number | null,
    reason: string,
  ) {
    super(reason);
    this.name = 'WebhookFailed';
  }
}

const RECORDS_KEPT = 5_000;
/**
 * Receipts of texts that are under way at once. Ten thousand texts at an unlimited rate would otherwise open ten thousand
 * connections, and most of them would time out before they were heard.
 */
const MOST_RECEIPTS = 100;

/** Sends signed webhooks with Twilio's limits and retries. */
export class WebhookSender {
  readonly records: WebhookRecord[] = [];
  private readonly authToken: string;
  private readonly receipts = new Gate(MOST_RECEIPTS);
  private readonly settings: () => Settings;

  constructor(options: { authToken: string; settings: () => Settings }) {
    this.authToken = options.authToken;
    this.settings = options.settings;
  }

  /**
   * @returns the answer of the first attempt that was not to be retried and is below 400
   * @throws WebhookFailed
   */
  async send(hook: Webhook): Promise<HttpAnswer> {
    // Its limits count from its turn on.
    return hook.kind === 'message-callback' ? this.receipts.run(() => this.deliver(hook)) : this.deliver(hook);
  }

  private async deliver(hook: Webhook): Promise<HttpAnswer> {
    const plan = planConnection(hook.url);
    const token = hook.token ?? randomUUID();
    const began = performance.now();
    const deadline = began + plan.totalMs;
    let attempts = 0;
    // Retries share one token, one deadline and one set of parameters: a late event keeps its own time stamp.
    for (;;) {
      const outcome = await this.attempt(hook, plan, token, deadline, attempts);
      attempts += 1;
      const word = failureWord(outcome);
      const delay = this.retryDelay(attempts);
      const mayRetry =
        word !== null &&
        (plan.policy.has(word) || plan.policy.has('all')) &&
        attempts <= plan.retries &&
        performance.now() + delay < deadline;
      if (mayRetry) {
        await pause(delay);
        continue;
      }
      const status = outcome instanceof HttpFailure ? null : outcome.status;
      const durationMs = Math.round(performance.now() - began);
      this.record({ ...this.facts(hook, plan, token), attempts, status, durationMs, at: new Date().toISOString() });
      if (word === null && !(outcome instanceof HttpFailure)) return outcome;
      throw new WebhookFailed(plan.url, status, outcome instanceof HttpFailure ? outcome.message : `HTTP ${status}`);
    }
  }

  private async attempt(
    hook: Webhook,
    plan: ConnectionPlan,
    token: string,
    deadline: number,
    before: number,
  ): Promise<HttpAnswer | HttpFailure> {
    if (hook.fault === 'lost') return new HttpFailure('ct', 'lost on purpose');
    if (hook.fault === 'reset' && before === 0) return new HttpFailure('ct', 'reset on purpose');
    // A connection of its own may take what is left of the 15 seconds, no more.
    const left = Math.max(1, deadline - performance.now());
    const get = hook.method === 'GET';
    const fields = new URLSearchParams({ ...hook.params }).toString();
    const url = get ? `${plan.url}${plan.url.includes('?') ? '&' : '?'}${fields}` : plan.url;
    const signed = urlToSign(url, this.settings().signedPort);
    try {
      const answer = await sendHttp({
        url,
        method: hook.method,
        headers: {
          Accept: '*/*',
          'I-Twilio-Idempotency-Token': token,
          'User-Agent': 'TwilioProxy/1.1',
          'X-Home-Region': 'us1',
          'X-Twilio-Signature': signWebhook(this.authToken, signed, get ? null : hook.params),
          ...(get
            ? {}
            : {
                'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8',
                'Content-Length': String(Buffer.byteLength(fields)),
              }),
        },
        body: get ? null : fields,
        connectMs: Math.min(plan.connectMs, left),
        readMs: Math.min(plan.readMs, left),
      });
      if (hook.fault === 'drop-response' && before === 0) return new HttpFailure('rt', 'answer dropped on purpose');
      return answer;
    } catch (error) {
      if (error instanceof HttpFailure) return error;
      throw error;
    }
  }

  /** Twilio does not document how long it pauses between retries: configurable, the last value is repeated. */
  private retryDelay(attempts: number): number {
    const delays = this.settings().webhookRetryMs;
    return delays[Math.min(attempts, delays.length) - 1] ?? 0;
  }

  private facts(hook: Webhook, plan: ConnectionPlan, token: string) {
    return { kind: hook.kind, sid: hook.sid, url: plan.url, token } as const;
  }

  private record(record: WebhookRecord): void {
    this.records.push(record);
    if (this.records.length > RECORDS_KEPT) this.records.shift();
  }
}

/** The word of the retry policy that covers this outcome; null when it is a good answer. */
function failureWord(outcome: HttpAnswer | HttpFailure): string | null {
  if (outcome instanceof HttpFailure) return outcome.phase;
  if (outcome.status >= 500) return '5xx';
  if (outcome.status >= 400) return '4xx';
  // A redirect is not followed: Twilio would repeat the POST as a GET without its fields, and the signature fails.
  return outcome.status >= 300 ? '3xx' : null;
}
