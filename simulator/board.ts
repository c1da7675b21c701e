import type { Clock } from './clock';
import type { DialBook } from './dial-book';
import type { FaultPlan } from './faults';
import type { Handsets } from './handsets';
import type { Leg, LegOptions } from './leg';
import type { Settings } from './types';
import type { WebhookSender } from './webhook-sender';

/** What the parts of the engine may ask of the whole; `Engine` is it. */
export interface Board {
  readonly accountSid: string;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly faults: FaultPlan;
  readonly handsets: Handsets;
  readonly webhooks: WebhookSender;
  readonly dials: DialBook;
  /** True for the organisation's own numbers. */
  ownsNumber(number: string): boolean;
  /** Makes a leg known to lists, handsets, scripts and callbacks. */
  addLeg(options: LegOptions): Leg;
  /** A line in what Twilio calls its debugger. */
  notify(about: { readonly sid: string }, code: number, message: string): void;
}
