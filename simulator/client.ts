import type { MailView } from './mail-types';
import type { RecordingEntry } from './recording-types';
import type { OptOutEntry, HandsetText, TextEntry } from './text-types';
import type {
  DialRecord,
  Exchange,
  Fault,
  HandsetScript,
  HandsetView,
  LedgerEntry,
  Notification,
  Settings,
  WebhookRecord,
} from './types';

export type * from './mail-types';
export type * from './recording-types';
export type * from './text-types';
export type * from './types';

/** Thrown when the simulator refuses a control request, e.g. to answer a phone that does not ring. */
export class SimulatorRefused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'SimulatorRefused';
  }
}

/**
 * Drives a running simulator over HTTP: what a person does at the handsets page, and what only a test needs.
 * Every method throws `SimulatorRefused` when the simulator says no.
 */
export class SimulatorClient {
  constructor(readonly baseUrl: string) {}

  /** Sets what a phone does by itself from now on, in a running call too. */
  script(number: string, script: HandsetScript): Promise<HandsetView> {
    return this.ask('PUT', `${phone(number)}/script`, script);
  }

  clearScript(number: string): Promise<HandsetView> {
    return this.ask('DELETE', `${phone(number)}/script`);
  }

  /** Puts a phone on the page before anybody has dialled it. */
  addHandset(number: string, label?: string): Promise<HandsetView> {
    return this.ask('POST', '/handsets', { number, label });
  }

  handset(number: string): Promise<HandsetView> {
    return this.ask('GET', phone(number));
  }

  async handsets(): Promise<HandsetView[]> {
    return (await this.ask<{ handsets: HandsetView[] }>('GET', '/handsets')).handsets;
  }

  answer(number: string, sid?: string): Promise<HandsetView> {
    return this.ask('POST', `${phone(number)}/answer`, { sid });
  }

  decline(number: string, sid?: string): Promise<HandsetView> {
    return this.ask('POST', `${phone(number)}/decline`, { sid });
  }

  press(number: string, digits: string, sid?: string): Promise<HandsetView> {
    return this.ask('POST', `${phone(number)}/press`, { digits, sid });
  }

  hangUp(number: string, sid?: string): Promise<HandsetView> {
    return this.ask('POST', `${phone(number)}/hang-up`, { sid });
  }

  /** Lets the network lose the line of a call: it ends as `failed`, and nobody has hung up. */
  lose(number: string, sid?: string): Promise<HandsetView> {
    return this.ask('POST', `${phone(number)}/lose`, { sid });
  }

  /** Lets a phone call one of our numbers. @returns the SID of the inbound call */
  async call(from: string, to: string): Promise<string> {
    return (await this.ask<{ sid: string }>('POST', `${phone(from)}/call`, { to })).sid;
  }

  /**
   * Lets an app call through its TwiML app, as the Voice SDK does. Its phone is then named `number`, for `press`,
   * `hangUp`, `script` and `handset`.
   */
  callFromApp(
    token: string,
    params: Readonly<Record<string, string>> = { To: 'mentor-queue' },
  ): Promise<{ sid: string; number: string }> {
    return this.ask('POST', '/clients/call', { token, params });
  }

  /** Signs an app in to be called. */
  registerApp(token: string): Promise<{ number: string }> {
    return this.ask('POST', '/clients/register', { token });
  }

  /** Lets a phone text one of our numbers. @returns the SID of the inbound message */
  async sendText(text: { readonly from: string; readonly to: string; readonly body: string }): Promise<string> {
    const { to, body } = text;
    return (await this.ask<{ sid: string }>('POST', `${phone(text.from)}/text`, { to, body })).sid;
  }

  /** What is on a phone's screen, oldest first: at most 50 texts. */
  async texts(number: string): Promise<readonly HandsetText[]> {
    return (await this.handset(number)).texts;
  }

  /** Every message both ways, oldest first. */
  async messages(): Promise<TextEntry[]> {
    return (await this.ask<{ texts: TextEntry[] }>('GET', '/texts')).texts;
  }

  /** Every recording that was not deleted, oldest first. */
  async recordings(): Promise<RecordingEntry[]> {
    return (await this.ask<{ recordings: RecordingEntry[] }>('GET', '/recordings')).recordings;
  }

  /** Who has opted out of what, as Twilio sees it. */
  async optOuts(): Promise<OptOutEntry[]> {
    return (await this.ask<{ optOuts: OptOutEntry[] }>('GET', '/opt-outs')).optOuts;
  }

  /** Every mail that was handed over, oldest first. @param address leaves out mails to anybody else */
  async mailbox(address?: string): Promise<MailView[]> {
    const { mails } = await this.ask<{ mails: MailView[] }>('GET', '/mailbox');
    return address === undefined ? mails : mails.filter((mail) => mail.envelope.to.includes(address));
  }

  /** Every leg, oldest first. */
  async ledger(): Promise<LedgerEntry[]> {
    return (await this.ask<{ ledger: LedgerEntry[] }>('GET', '/ledger')).ledger;
  }

  /** The legs that are not over. */
  async calls(): Promise<LedgerEntry[]> {
    return (await this.ledger()).filter((entry) => entry.endedAt === null);
  }

  /** Every `<Dial>` that was served. */
  async dials(): Promise<DialRecord[]> {
    return (await this.ask<{ dials: DialRecord[] }>('GET', '/dials')).dials;
  }

  /** Every REST request and its answer. */
  async exchanges(): Promise<Exchange[]> {
    return (await this.ask<{ exchanges: Exchange[] }>('GET', '/exchanges')).exchanges;
  }

  /** What Twilio's debugger would show. */
  async notifications(): Promise<Notification[]> {
    return (await this.ask<{ notifications: Notification[] }>('GET', '/notifications')).notifications;
  }

  /** Every webhook that was sent. */
  async webhooks(): Promise<WebhookRecord[]> {
    return (await this.ask<{ webhooks: WebhookRecord[] }>('GET', '/webhooks')).webhooks;
  }

  /** Says what one of our numbers can do from now on; both at first. */
  async capabilities(number: string, can: { readonly voice: boolean; readonly sms: boolean }): Promise<void> {
    await this.ask('PUT', `/numbers/${encodeURIComponent(number)}/capabilities`, can);
  }

  /** Replaces the fault plan. */
  async faults(plan: readonly Fault[]): Promise<void> {
    await this.ask('PUT', '/faults', { faults: plan });
  }

  settings(change: Partial<Settings>): Promise<Settings> {
    return this.ask('PATCH', '/settings', change);
  }

  /** Ends every call and forgets everything but the settings. */
  async reset(): Promise<void> {
    await this.ask('POST', '/reset', {});
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.baseUrl.replace(/\/$/, '')}/simulator${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new SimulatorRefused(answer.status, reasonIn(text) ?? `HTTP ${answer.status}`);
    // Not checked: both ends are this package's, and the shapes are those of types.ts.
    return JSON.parse(text === '' ? 'null' : text);
  }
}

function phone(number: string): string {
  return `/handsets/${encodeURIComponent(number)}`;
}

function reasonIn(text: string): string | null {
  return /"error":"([^"]*)"/.exec(text)?.[1] ?? null;
}
