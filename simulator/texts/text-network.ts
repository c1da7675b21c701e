import type { Clock } from '../clock';
import type { FaultPlan } from '../faults';
import type { Handsets } from '../handsets';
import type { OwnNumbers } from '../own-numbers';
import type { Settings } from '../types';
import type { WebhookSender } from '../webhook-sender';

/** What texts may ask of the whole simulator; `Engine` is it. */
export interface TextNetwork {
  readonly accountSid: string;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly faults: FaultPlan;
  readonly handsets: Handsets;
  readonly numbers: OwnNumbers;
  readonly webhooks: WebhookSender;
  /** A line in what Twilio calls its debugger. */
  notify(about: { readonly sid: string }, code: number, message: string): void;
  /** How long something new is missing from lists, in milliseconds. */
  nextListLag(): number;
}
