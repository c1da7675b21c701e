/** What became of messages and alerts, among the metrics that the worker serves on METRICS_PORT: how it ended, how long it took. */
import { metricMeter } from '@temporalio/activity';
import type { MessageStep } from '../db/messages';
import type { MessageChannel, MessageOutcome } from '../domain/message';
import type { AlertOutcome } from '../domain/voice-alert';

/** Seconds, upper ends of buckets. Handing over has half a second; a phone that is off keeps its receipt back for hours. */
export const OUTCOME_BUCKETS: Readonly<Record<string, number[]>> = {
  kindline_message_handover_seconds: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  kindline_message_receipt_seconds: [0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 43_200],
};

/** Once for each message: whoever closes it is told that it was live. */
export function countMessageEnd(channel: MessageChannel, outcome: MessageOutcome): void {
  metricMeter
    .createCounter('kindline_messages_ended', undefined, 'Messages that are over, by channel and outcome')
    .add(1, { channel, outcome });
}

/** Once for each alert. */
export function countAlertEnd(outcome: AlertOutcome): void {
  metricMeter
    .createCounter('kindline_voice_alerts_ended', undefined, 'Voice alerts that are over, by outcome')
    .add(1, { outcome });
}

/**
 * How long it took, where this step tells it.
 * @param hasWaited for its time, the day, its turn or another try: that is no time of ours, and not counted as such
 */
export function observeTimes({ channel, handoverSeconds, receiptSeconds }: MessageStep, hasWaited: boolean): void {
  if (handoverSeconds !== null && !hasWaited) {
    metricMeter
      .createHistogram('kindline_message_handover_seconds', 'float', 's', 'Accepted until the provider has it')
      .record(Math.max(0, handoverSeconds), { channel });
  }
  if (receiptSeconds !== null) {
    metricMeter
      .createHistogram('kindline_message_receipt_seconds', 'float', 's', 'The provider has it until its last receipt')
      .record(Math.max(0, receiptSeconds), { channel });
  }
}
