/**
 * What the app is told, in the words that tables, webhook, stream and list share. Ids and states only: whoever wants to
 * know more asks the API, as somebody who may. No import from a package: this file is part of the workflow bundle.
 */

/** What an event can be about; also the first half of its type. */
export const APP_EVENT_OBJECTS = [
  'mentor-call',
  'message',
  'voice-alert',
  'message-batch',
  'question',
  'cost-budget',
  'buddy',
  'check-in',
  'wellbeing-alert',
  'registered-contact',
] as const;
export type AppEventObject = (typeof APP_EVENT_OBJECTS)[number];

/** e.g. `mentor-call.connected`. */
export type AppEventType = `${AppEventObject}.${string}`;

/** `waiting`: for its first attempt or another one. `failed`: given up after {@link GIVE_UP_AFTER_MS}. */
export const DELIVERIES = ['waiting', 'delivered', 'failed'] as const;
export type Delivery = (typeof DELIVERIES)[number];

const SECOND = 1_000;
const HOUR = 3_600_000;

/** From when it happened, or from when somebody asked for it again. The migration writes the same 24 hours. */
export const GIVE_UP_AFTER_MS = 24 * HOUR;

/** The first pause after a failed attempt, and the longest: an app that is down for a night gets all within the hour. */
const FIRST_PAUSE_MS = 10 * SECOND;
const LONGEST_PAUSE_MS = HOUR;

/**
 * How long to wait after a failed attempt, ms: three times as long as before, an hour at most.
 * @param attempts so far, 1 or more
 * @param askedForMs `Retry-After` of the app's answer; it may ask for more time than we would give, up to the longest pause
 */
export function pauseAfter(attempts: number, askedForMs = 0): number {
  const ours = FIRST_PAUSE_MS * 3 ** Math.min(attempts - 1, 20);
  return Math.min(LONGEST_PAUSE_MS, Math.max(ours, askedForMs));
}

/** What an event says, in a delivery and in a stream: the shape that Standard Webhooks recommends. */
export interface AppEventBody {
  readonly type: string;
  /** ISO 8601: when it happened. */
  readonly timestamp: string;
  readonly data: { readonly subjectId: string; readonly objectId: string; readonly state: string };
}

export function appEventBody(event: {
  readonly type: string;
  readonly happenedAt: Date;
  readonly subjectId: string;
  readonly objectId: string;
  readonly state: string;
}): AppEventBody {
  const { type, happenedAt, subjectId, objectId, state } = event;
  return { type, timestamp: happenedAt.toISOString(), data: { subjectId, objectId, state } };
}

/** The one workflow that tells the app, and its signal that there is something to tell. */
export const APP_WEBHOOK = { workflow: 'appWebhook', workflowId: 'app-webhook', due: 'due' } as const;
